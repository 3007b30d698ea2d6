//! The proxy's own interface: HTTP on a Unix socket that only its user may open. Publishes
//! tables, tells what is served, what is still in flight and what was counted.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chassis::Shutdown;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde_json::json;

use crate::plane::{Plane, PublishError};
use crate::table::{Generation, Table};

/// The largest table.
const TABLE_BYTES: usize = 8 << 20;
/// What is shown to authorities: some kilobytes for each name.
const CHALLENGE_BYTES: usize = 1 << 20;
/// The longest wait for a drain that is taken.
const WITHIN_AT_MOST: Duration = Duration::from_secs(24 * 3600);
const REST: Duration = Duration::from_millis(50);

/// Makes the socket beside its place and moves it there, so that it never appears with
/// other permissions and replaces the one of a proxy that is about to end.
pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let aside = Path::new(&aside);
    if let Err(error) = fs::remove_file(aside)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let listener = UnixListener::bind(aside)?;
    fs::set_permissions(aside, fs::Permissions::from_mode(0o600))?;
    fs::rename(aside, path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Runs the admin socket and the looks until the end is asked for.
pub(crate) fn run(listener: UnixListener, plane: &Arc<Plane>, end: &Shutdown) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::UnixListener::from_std(listener)?;
        plane.look().await;
        let mut fresh = pin!(keep_fresh(plane));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut fresh => continue,
                () = end.requested() => return Ok(()),
            };
            match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(converse(stream, Arc::clone(plane)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin socket cannot accept");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    })
}

/// Looks at the files of certificates, where there are any.
async fn keep_fresh(plane: &Plane) {
    match &plane.shield {
        Some(shield) => shield.keep_fresh(plane.limits.certificates).await,
        None => std::future::pending().await,
    }
}

async fn converse(stream: tokio::net::UnixStream, plane: Arc<Plane>) {
    let service = service_fn(move |request| {
        let plane = Arc::clone(&plane);
        async move { Ok::<_, Infallible>(answer(plane, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection broke off");
    }
}

async fn answer(plane: Arc<Plane>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/ready") => {
            let is_ready = plane.is_ready();
            let status = if is_ready {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            json(status, &json!({ "ready": is_ready }))
        }
        (&Method::GET, "/table") => json(StatusCode::OK, &plane.published.current().table),
        (&Method::PUT, "/table") => put_table(plane, request.into_body()).await,
        (&Method::GET, "/drained") => drained(&plane, request.uri().query().unwrap_or("")).await,
        (&Method::PUT, "/challenges") => put_challenges(&plane, request.into_body()).await,
        (&Method::GET, "/stats") => json(StatusCode::OK, &plane.stats()),
        _ => error(StatusCode::NOT_FOUND, "there is no such thing here"),
    }
}

async fn put_table(plane: Arc<Plane>, body: Incoming) -> Response<Full<Bytes>> {
    let bytes = match Limited::new(body, TABLE_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(reason) => return error(StatusCode::BAD_REQUEST, &reason.to_string()),
    };
    let table: Table = match serde_json::from_slice(&bytes) {
        Ok(table) => table,
        Err(reason) => return error(StatusCode::BAD_REQUEST, &reason.to_string()),
    };
    // In a task of its own: a caller that goes away must not stop it half way.
    match tokio::spawn(async move { plane.publish(table).await }).await {
        Ok(Ok(())) => json(StatusCode::OK, &json!({})),
        Ok(Err(PublishError::Refused(reason))) => error(StatusCode::CONFLICT, &reason.to_string()),
        Ok(Err(reason @ PublishError::Disk(_))) => {
            tracing::error!(error = %reason, "a routing table was not published");
            error(StatusCode::INSUFFICIENT_STORAGE, &reason.to_string())
        }
        Err(reason) => error(StatusCode::INTERNAL_SERVER_ERROR, &reason.to_string()),
    }
}

async fn put_challenges(plane: &Plane, body: Incoming) -> Response<Full<Bytes>> {
    let bytes = match Limited::new(body, CHALLENGE_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(reason) => return error(StatusCode::BAD_REQUEST, &reason.to_string()),
    };
    let Some(shield) = &plane.shield else {
        return error(StatusCode::CONFLICT, "nothing is offered over TLS here");
    };
    let challenges = serde_json::from_slice(&bytes).map_err(|reason| reason.to_string());
    match challenges.and_then(|challenges| shield.challenges.show(challenges)) {
        Ok(()) => json(StatusCode::OK, &json!({})),
        Err(reason) => error(StatusCode::BAD_REQUEST, &reason),
    }
}

async fn drained(plane: &Plane, query: &str) -> Response<Full<Bytes>> {
    let number = |name: &str| -> Option<u64> {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    let (Some(generation), Some(within)) = (number("generation"), number("within_ms")) else {
        return error(
            StatusCode::BAD_REQUEST,
            "generation and within_ms are numbers",
        );
    };
    let within = Duration::from_millis(within).min(WITHIN_AT_MOST);
    let in_flight = plane
        .published
        .drained(Generation(generation), within)
        .await;
    json(StatusCode::OK, &json!({ "in_flight": in_flight }))
}

fn error(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    json(status, &json!({ "error": words }))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    // Every value that is answered here has string keys and finite numbers.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

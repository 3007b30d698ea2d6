//! The API of control: HTTP over a Unix socket, JSON both ways. The kernel proves who
//! asks; every event that comes in this way carries that name.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::{IncomingStream, Listener};
use axum::{Json, Router};
use chassis::Shutdown;
use serde::Serialize;
use serde_json::json;
use slipway_journal::{Actor, Event, Journal, JournalError, Seq};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

use crate::control::peer::Peer;

/// The most bytes that a request may bring.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Answers until `shutdown`. The socket is there only while somebody listens.
pub(crate) async fn serve(
    socket: &Path,
    journal: Journal,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let listener = bind(socket).with_context(|| format!("listening on {}", socket.display()))?;
    let routes = Router::new()
        .route("/v1/ready", get(ready))
        .route("/v1/events", post(append))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(journal);
    let guarded = Guarded {
        listener,
        own: rustix::process::geteuid().as_raw(),
    };
    axum::serve(
        guarded,
        routes.into_make_service_with_connect_info::<Caller>(),
    )
    .with_graceful_shutdown(async move { shutdown.requested().await })
    .await
    .context("answering")?;
    fs::remove_file(socket).with_context(|| format!("removing {}", socket.display()))
}

/// Takes the place of a socket that a killed control left behind; the journal's lock
/// makes sure that no other control is alive.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A listener that drops whoever may not speak.
struct Guarded {
    listener: UnixListener,
    own: u32,
}

impl Listener for Guarded {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            match Peer::of(&stream) {
                Ok(peer) if peer.may_speak(self.own) => return (stream, address),
                Ok(peer) => tracing::warn!(?peer, "may not speak to control"),
                Err(error) => tracing::warn!(%error, "the kernel does not say who asks"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Who asks, as an actor; unknown only if the connection was gone at once.
#[derive(Debug, Clone)]
struct Caller(Option<Actor>);

impl Connected<IncomingStream<'_, Guarded>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Guarded>) -> Self {
        Self(Peer::of(stream.io()).ok().map(|peer| peer.actor()))
    }
}

#[derive(Debug, Serialize)]
struct Ready {
    version: &'static str,
    pid: u32,
}

async fn ready() -> Json<Ready> {
    Json(Ready {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
    })
}

/// Appends events of the pipeline. Those of rollouts and of control are written by
/// control alone, from what it saw itself.
async fn append(
    State(journal): State<Journal>,
    ConnectInfo(Caller(caller)): ConnectInfo<Caller>,
    Json(events): Json<Vec<Event>>,
) -> Response {
    let Some(actor) = caller else {
        return refuse(StatusCode::FORBIDDEN, "the kernel does not say who asks");
    };
    if !events.iter().all(|e| matches!(e, Event::Pipeline(_))) {
        return refuse(
            StatusCode::FORBIDDEN,
            "only events of the pipeline are taken",
        );
    }
    match journal.append(actor, events).await {
        Ok(entries) => {
            let last = entries.last().map_or(Seq::default(), |e| e.seq);
            Json(json!({ "last": last })).into_response()
        }
        Err(error) => unwritten(&error),
    }
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "refused": reason }))).into_response()
}

fn unwritten(error: &JournalError) -> Response {
    tracing::error!(%error, "the journal does not take events");
    let body = Json(json!({ "error": error.to_string() }));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

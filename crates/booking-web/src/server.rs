//! Accepts connections on one port and drains them at the end: no new connection
//! is taken, requests in flight are finished, idle connections are closed.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use chassis::Shutdown;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower::util::ServiceExt as _;

/// Also how long an idle connection is kept; longer than a proxy in front keeps
/// its own, so that it is the proxy that closes and no request meets a closed door.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
const HEAD_BYTES_MAX: usize = 32 * 1024;
const BUFFER_BYTES_MAX: usize = 64 * 1024;
const CONNECTIONS_MAX: usize = 4096;

/// At the end, so long is waited for the first request of a connection that is open.
const FIRST_HEAD_WITHIN: Duration = Duration::from_secs(1);

/// Accepting fails when file descriptors run out; trying again at once would spin.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(50);

/// How the end went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Every request in flight was finished.
    Whole,
    /// So many connections were still busy when the time was over.
    Cut(usize),
}

/// Serves `router` until `shutdown`, then waits up to `drain` for what is in flight.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: Shutdown,
    drain: Duration,
) -> Drained {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            permit = Arc::clone(&room).acquire_owned() => permit.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                connections.spawn(async move {
                    connection(stream, router, shutdown).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_ACCEPT_ERROR).await;
            }
        }
    }
    drop(listener);
    connections.close();
    match tokio::time::timeout(drain, connections.wait()).await {
        Ok(()) => Drained::Whole,
        Err(_) => Drained::Cut(connections.len()),
    }
}

async fn connection(stream: TcpStream, router: Router, shutdown: Shutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays with delayed sending");
    }
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&has_asked);
    let service = router.map_request(move |request: Request<Incoming>| {
        asks.store(true, Ordering::Relaxed);
        request.map(Body::new)
    });
    let service = TowerToHyperService::new(
        service.map_result(|answer: Result<Response<Body>, Infallible>| answer),
    );
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = silence(&has_asked) => return,
            }
        }
    };
    // A visitor who goes away in the middle is no event.
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Ends when nobody asks for anything on a connection that is open; never where somebody
/// did. Hyper takes a connection without a request for a busy one.
async fn silence(has_asked: &AtomicBool) {
    tokio::time::sleep(FIRST_HEAD_WITHIN).await;
    if has_asked.load(Ordering::Relaxed) {
        future::pending::<()>().await;
    }
}

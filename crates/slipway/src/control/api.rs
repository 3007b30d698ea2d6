//! The API of control: HTTP over a Unix socket, JSON both ways. The kernel proves who
//! asks; every event that comes in this way carries that name.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::connect_info::Connected;
use axum::routing::{get, post};
use axum::serve::{IncomingStream, Listener};
use chassis::Shutdown;
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

use crate::control::orders::{self, Desk};
use crate::control::peer::{Connection, Peer};

/// The most bytes that a request may bring.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Answers until `shutdown`. The socket is there only while somebody listens.
pub(crate) async fn serve(socket: &Path, desk: Desk, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = bind(socket).with_context(|| format!("listening on {}", socket.display()))?;
    let routes = Router::new()
        .route("/v1/ready", get(orders::ready))
        .route("/v1/status", get(orders::status))
        .route("/v1/rollback-plan", get(orders::rollback_plan))
        .route("/v1/deploy", post(orders::deploy))
        .route("/v1/rollback", post(orders::rollback))
        .route("/v1/cancel", post(orders::cancel))
        .route("/v1/steer", post(orders::steer))
        .route("/v1/sign-in", post(orders::sign_in))
        .route("/v1/exec", post(orders::exec))
        .route("/v1/events", post(orders::append))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(desk);
    let guarded = Guarded {
        listener,
        own: rustix::process::geteuid().as_raw(),
    };
    axum::serve(
        guarded,
        routes.into_make_service_with_connect_info::<Connection>(),
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

impl Connected<IncomingStream<'_, Guarded>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Guarded>) -> Self {
        Self(Peer::of(stream.io()).ok().map(|peer| peer.actor()))
    }
}

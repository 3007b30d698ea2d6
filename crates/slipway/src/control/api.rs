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

use crate::control::approvals;
use crate::control::locks;
use crate::control::orders::{self, Desk};
use crate::control::peer::{Connection, Peer};

/// The most bytes that a request may bring.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The same where all that comes is a name and a reason.
const APPROVAL_BYTES_MAX: usize = 16 * 1024;

/// Answers until `shutdown`. The socket is there only while somebody listens.
pub(crate) async fn serve(socket: &Path, desk: Desk, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = bind(socket, 0o600)?;
    let routes = Router::new()
        .route("/v1/ready", get(orders::ready))
        .route("/v1/status", get(orders::status))
        .route("/v1/rollback-plan", get(orders::rollback_plan))
        .route("/v1/deploy", post(orders::deploy))
        .route("/v1/rollback", post(orders::rollback))
        .route("/v1/cancel", post(orders::cancel))
        .route("/v1/steer", post(orders::steer))
        .route("/v1/sign-in", post(orders::sign_in))
        .route("/v1/lock", post(locks::lock))
        .route("/v1/unlock", post(locks::unlock))
        .route("/v1/lift-quarantine", post(approvals::lift_quarantine))
        .route("/v1/exec", post(orders::exec))
        .route("/v1/events", post(orders::append))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(desk);
    let guarded = Guarded {
        listener,
        admits: Admits::Own,
    };
    answer(guarded, routes, shutdown).await?;
    fs::remove_file(socket).with_context(|| format!("removing {}", socket.display()))
}

/// Answers those whom the environment's file names, on a socket of its own where all that can
/// be done is to approve and to decline.
pub(crate) async fn serve_approvers(
    socket: &Path,
    desk: Desk,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let guarded = Guarded {
        listener: bind(socket, 0o666)?,
        admits: Admits::Approvers(desk.clone()),
    };
    let routes = Router::new()
        .route("/v1/approvals", get(approvals::waiting))
        .route("/v1/approve", post(approvals::approve))
        .route("/v1/decline", post(approvals::decline))
        .layer(DefaultBodyLimit::max(APPROVAL_BYTES_MAX))
        .with_state(desk);
    answer(guarded, routes, shutdown).await?;
    fs::remove_file(socket).with_context(|| format!("removing {}", socket.display()))
}

async fn answer(guarded: Guarded, routes: Router, shutdown: Shutdown) -> anyhow::Result<()> {
    axum::serve(
        guarded,
        routes.into_make_service_with_connect_info::<Connection>(),
    )
    .with_graceful_shutdown(async move { shutdown.requested().await })
    .await
    .context("answering")
}

/// Takes the place of a socket that a killed control left behind; the journal's lock
/// makes sure that no other control is alive.
fn bind(socket: &Path, mode: u32) -> anyhow::Result<UnixListener> {
    open(socket, mode).with_context(|| format!("listening on {}", socket.display()))
}

fn open(socket: &Path, mode: u32) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

/// A listener that drops whoever may not speak.
struct Guarded {
    listener: UnixListener,
    admits: Admits,
}

/// Who is let in.
enum Admits {
    /// The account that runs control, and root.
    Own,
    /// They, and whom the environment's file names as it is now.
    Approvers(Desk),
}

impl Admits {
    fn admits(&self, peer: &Peer) -> bool {
        if peer.may_speak(rustix::process::geteuid().as_raw()) {
            return true;
        }
        match self {
            Self::Own => false,
            Self::Approvers(desk) => desk.read_environment().is_ok_and(|environment| {
                let mut approval = environment.approval.iter();
                approval.any(|settings| settings.names().any(|name| name == peer.name()))
            }),
        }
    }
}

impl Listener for Guarded {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            match Peer::of(&stream) {
                Ok(peer) if self.admits.admits(&peer) => return (stream, address),
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

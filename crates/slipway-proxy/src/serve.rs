//! A proxy from start to end: one thread for each worker and one for the admin socket and
//! the looks, so that neither waits for the other.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use chassis::Shutdown;
use tokio::sync::oneshot;

use crate::accept;
use crate::admin;
use crate::connection::Door;
use crate::options::Options;
use crate::plane::Plane;
use crate::secure::Shield;

/// Why a proxy could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder or the table in it cannot be used.
    #[error("the proxy's state in {} cannot be used", folder.display())]
    State {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// TLS cannot be offered.
    #[error("TLS cannot be offered")]
    Secure(#[source] io::Error),
    /// A socket cannot be used.
    #[error("a socket cannot be used")]
    Socket(#[source] io::Error),
    /// The admin socket cannot be made.
    #[error("the admin socket {} cannot be made", socket.display())]
    Admin {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A thread ended that must not.
    #[error("the thread {name} failed")]
    Thread {
        /// Its name.
        name: String,
        /// What it said, where it could say anything.
        #[source]
        source: io::Error,
    },
}

/// Serves until `shutdown` is requested, then drains: no new connections, `Connection:
/// close` on every answer, up to `limits.drain` for what is in flight.
///
/// Dropping the future asks for the end as well, and does not wait for it.
pub async fn serve(options: Options, shutdown: Shutdown) -> Result<(), ServeError> {
    let workers = options.workers.max(1);
    let own = shutdown.child();
    let _ends_with_this = EndOnDrop(own.clone());
    let (plane, options) = load(options, workers).await?;
    let admin = admin::bind(&options.admin).map_err(|source| ServeError::Admin {
        socket: options.admin.clone(),
        source,
    })?;
    let mut threads = Vec::new();
    // The admin socket outlives the workers, so that a drain can be watched.
    let admin_end = Shutdown::new();
    let _admin_ends_with_this = EndOnDrop(admin_end.clone());
    let (served, end) = (Arc::clone(&plane), admin_end.clone());
    let admin = start("slipway-admin", move || admin::run(admin, &served, &end))?;
    for index in 0..workers {
        let listeners = doors(&options).map_err(ServeError::Socket)?;
        let (plane, end) = (Arc::clone(&plane), own.clone());
        let name = format!("slipway-worker-{index}");
        threads.push(start(&name, move || {
            accept::run(index, &plane, listeners, &end)
        })?);
    }
    drop(options);
    let mut result = Ok(());
    for thread in threads {
        let ended = thread.ended().await;
        if ended.is_err() {
            own.request();
            result = result.and(ended);
        }
    }
    admin_end.request();
    result.and(admin.ended().await)
}

async fn load(options: Options, workers: usize) -> Result<(Arc<Plane>, Options), ServeError> {
    let loaded = tokio::task::spawn_blocking(move || {
        let shield = options.secure.as_ref().map(Shield::load).transpose();
        let shield = shield.map_err(|error| ServeError::Secure(io::Error::other(error)))?;
        let plane = Plane::load(&options, workers, shield).map_err(|source| ServeError::State {
            folder: options.folder.clone(),
            source,
        })?;
        Ok((Arc::new(plane), options))
    });
    loaded
        .await
        .unwrap_or_else(|error| Err(ServeError::Socket(io::Error::other(error))))
}

/// Every socket with what clients begin with on it.
fn doors(options: &Options) -> io::Result<Vec<(TcpListener, Door)>> {
    let secure = options.secure.iter().flat_map(|secure| &secure.listeners);
    let plain = options.listeners.iter().map(|socket| (socket, Door::Plain));
    plain
        .chain(secure.map(|socket| (socket, Door::Secure)))
        .map(|(socket, door)| Ok((shared(socket)?, door)))
        .collect()
}

/// The same socket once more: a worker that closes its own takes no connection with it.
fn shared(listener: &TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    listener.try_clone()
}

/// A thread and the way it tells its end.
struct Thread {
    name: String,
    end: oneshot::Receiver<io::Result<()>>,
}

impl Thread {
    async fn ended(self) -> Result<(), ServeError> {
        let panicked = || Err(io::Error::other("it panicked"));
        self.end
            .await
            .unwrap_or_else(|_| panicked())
            .map_err(|source| ServeError::Thread {
                name: self.name,
                source,
            })
    }
}

fn start(
    name: &str,
    run: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> Result<Thread, ServeError> {
    let (told, end) = oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        if told.send(run()).is_err() {
            tracing::debug!("a thread ended after whoever started it");
        }
    });
    match thread {
        Ok(_) => Ok(Thread {
            name: name.to_owned(),
            end,
        }),
        Err(source) => Err(ServeError::Thread {
            name: name.to_owned(),
            source,
        }),
    }
}

struct EndOnDrop(Shutdown);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}

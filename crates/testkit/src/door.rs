//! The way into a server that a test plays itself: listens on loopback, gives each client
//! a thread, and closes with this value.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Door {
    /// Listens, and hands every client to `serve`.
    pub(crate) fn open(
        serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening")?;
        let address = listener.local_addr().context("listening")?;
        let is_over = Arc::new(AtomicBool::new(false));
        let door = Self {
            address,
            is_over: Arc::clone(&is_over),
        };
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    // A client that goes away is what some tests are about.
                    if let Err(error) = serve(stream) {
                        tracing::debug!(%error, "a client went away");
                    }
                });
            }
        });
        Ok(door)
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener up, so that it sees the end.
        drop(TcpStream::connect(self.address));
    }
}

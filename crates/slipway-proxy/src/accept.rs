//! A worker's thread: accepts on the shared sockets, serves every connection in a task of
//! its own, and drains when the end is asked for.

use std::cell::Cell;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chassis::Shutdown;
use tokio::task::LocalSet;

use crate::connection::{self, Door};
use crate::plane::Plane;
use crate::worker::Worker;

/// How long a worker rests after an accept failed for want of something, or while there
/// are as many connections as there may be. Clients wait in the accept queue meanwhile.
const REST: Duration = Duration::from_millis(50);
/// How often idle connections to targets are looked through.
const SWEEP: Duration = Duration::from_secs(5);

/// Runs a worker until it has drained.
pub(crate) fn run(
    index: usize,
    plane: &Arc<Plane>,
    listeners: Vec<(TcpListener, Door)>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let worker = Rc::new(Worker::new(index, plane));
    let local = LocalSet::new();
    local.block_on(&runtime, work(worker, listeners, shutdown))
}

async fn work(
    worker: Rc<Worker>,
    listeners: Vec<(TcpListener, Door)>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let mut accepting = Vec::new();
    for (listener, door) in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accepting.push(tokio::task::spawn_local(accept(
            Rc::clone(&worker),
            listener,
            door,
        )));
    }
    let sweeping = tokio::task::spawn_local(sweep(Rc::clone(&worker)));
    worker.plane.accepting.fetch_add(1, Ordering::Release);
    shutdown.requested().await;
    for task in accepting {
        task.abort();
    }
    worker.close();
    drain(&worker).await;
    sweeping.abort();
    Ok(())
}

async fn accept(worker: Rc<Worker>, listener: tokio::net::TcpListener, door: Door) {
    loop {
        let Some(counted) = Counted::take(&worker) else {
            worker.lack("there are as many connections as there may be");
            tokio::time::sleep(REST).await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a client was gone at once");
                    continue;
                }
                counted.begin();
                let worker = Rc::clone(&worker);
                tokio::task::spawn_local(async move {
                    connection::serve(worker, stream, peer, door).await;
                    drop(counted);
                });
            }
            Err(error) if is_about_one_client(&error) => {
                tracing::debug!(%error, "a client was gone before it was accepted");
            }
            Err(error) => {
                worker.lack(&format!("accepting failed: {error}"));
                tokio::time::sleep(REST).await;
            }
        }
    }
}

fn is_about_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// A place for a connection, taken before one is accepted so that there are never more
/// than there may be, and given up when dropped.
struct Counted {
    worker: Rc<Worker>,
    has_begun: Cell<bool>,
}

impl Counted {
    fn take(worker: &Rc<Worker>) -> Option<Self> {
        let before = worker.plane.connections.fetch_add(1, Ordering::Relaxed);
        let counted = Self {
            worker: Rc::clone(worker),
            has_begun: Cell::new(false),
        };
        (before < worker.limits.connections).then_some(counted)
    }

    /// There is a connection now.
    fn begin(&self) {
        self.has_begun.set(true);
        let connections = &self.worker.connections;
        connections.set(connections.get() + 1);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.worker
            .plane
            .connections
            .fetch_sub(1, Ordering::Relaxed);
        if self.has_begun.get() {
            let connections = &self.worker.connections;
            connections.set(connections.get().saturating_sub(1));
            self.worker.line_ended.notify_one();
        }
    }
}

async fn sweep(worker: Rc<Worker>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        worker.sweep();
    }
}

/// Waits until every connection ended, as long as the limit allows.
async fn drain(worker: &Worker) {
    let ended = async {
        while worker.connections.get() > 0 {
            worker.line_ended.notified().await;
        }
    };
    if tokio::time::timeout(worker.limits.drain, ended)
        .await
        .is_err()
    {
        tracing::warn!(
            connections = worker.connections.get(),
            "connections are cut: they took longer than the drain may"
        );
    }
}

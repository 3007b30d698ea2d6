//! Two connections that became something else than HTTP: bytes are copied both ways at
//! once, as they come, until both sides ended or one broke off. At the end of the proxy a
//! WebSocket is closed with a word, between two frames, each at a time of its own.

use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::flight::Flight;
use crate::frames::{Frames, SERVICE_RESTART};
use crate::stream::Stream;
use crate::worker::Worker;

const BUFFER_BYTES: usize = 16 * 1024;
/// A `WebSocket` is closed within this part of the drain, so that not all come back at once.
const CLOSED_WITHIN: f64 = 0.8;

/// The origin's side of an upgraded connection.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) origin: TcpStream,
    /// What the origin said already.
    pub(crate) early: Bytes,
    /// The request stays in flight until the tunnel ends.
    pub(crate) flight: Rc<Flight>,
    pub(crate) is_websocket: bool,
}

impl Tunnel {
    /// Copies until both sides ended, one broke off, or nothing moved for as long as may be.
    pub(crate) async fn run(self, client: Stream, client_early: Bytes, worker: &Worker) {
        let Self {
            mut origin,
            early,
            flight,
            is_websocket,
        } = self;
        let moved = Cell::new(Instant::now());
        let (from_client, to_client) = tokio::io::split(client);
        let (from_origin, to_origin) = origin.split();
        let leave = async {
            if is_websocket {
                time_to_leave(worker).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let both = async {
            tokio::try_join!(
                copy(
                    from_client,
                    to_origin,
                    client_early,
                    &moved,
                    std::future::pending()
                ),
                copy(from_origin, to_client, early, &moved, leave),
            )
        };
        tokio::select! {
            copied = both => {
                if let Err(error) = copied {
                    tracing::debug!(%error, "an upgraded connection broke off");
                }
            }
            () = stands_still(&moved, worker.limits.tunnel_idle) => {}
        }
        flight.good();
    }
}

/// Copies until the end, or until it is time to `leave` and a frame has ended. The other
/// direction goes on then, so that the client's own word reaches the origin.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    early: Bytes,
    moved: &Cell<Instant>,
    leave: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut leave = pin!(leave);
    let mut frames = Frames::default();
    to.write_all(&early).await?;
    to.flush().await?;
    frames.follow(&early);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = tokio::select! {
            biased;
            () = &mut leave, if frames.is_between() => {
                to.write_all(SERVICE_RESTART).await?;
                return to.shutdown().await;
            }
            count = from.read(&mut buffer) => count?,
        };
        if count == 0 {
            return to.shutdown().await;
        }
        moved.set(Instant::now());
        let piece = buffer.get(..count).unwrap_or_default();
        to.write_all(piece).await?;
        // What TLS kept to itself must go as well.
        to.flush().await?;
        frames.follow(piece);
    }
}

/// A moment of its own after the end was asked for. Whoever asks wakes this task.
async fn time_to_leave(worker: &Worker) {
    let since = std::future::poll_fn(|_| match worker.closing_since.get() {
        Some(since) => Poll::Ready(since),
        None => Poll::Pending,
    });
    let spread = worker.limits.drain.mul_f64(CLOSED_WITHIN);
    let share = u32::try_from(worker.draw(1000)).unwrap_or(0);
    let at = since.await + spread * share / 1000;
    tokio::time::sleep_until(at.into()).await;
}

async fn stands_still(moved: &Cell<Instant>, idle: Duration) {
    loop {
        let deadline = moved.get() + idle;
        if Instant::now() >= deadline {
            return;
        }
        tokio::time::sleep_until(deadline.into()).await;
    }
}

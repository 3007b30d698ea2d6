//! Two connections that became something else than HTTP: bytes are copied both ways at
//! once, as they come, until both sides ended or one broke off.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use crate::flight::Flight;

const BUFFER_BYTES: usize = 16 * 1024;

/// The origin's side of an upgraded connection.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) origin: TcpStream,
    /// What the origin said already.
    pub(crate) early: Bytes,
    /// The request stays in flight until the tunnel ends.
    pub(crate) flight: Rc<Flight>,
}

impl Tunnel {
    /// Copies until both sides ended, one broke off, or nothing moved for `idle`.
    pub(crate) async fn run(self, mut client: TcpStream, client_early: Bytes, idle: Duration) {
        let Self {
            mut origin,
            early,
            flight,
        } = self;
        let moved = Cell::new(Instant::now());
        let (from_client, to_client) = client.split();
        let (from_origin, to_origin) = origin.split();
        let both = async {
            tokio::try_join!(
                copy(from_client, to_origin, client_early, &moved),
                copy(from_origin, to_client, early, &moved),
            )
        };
        tokio::select! {
            copied = both => {
                if let Err(error) = copied {
                    tracing::debug!(%error, "an upgraded connection broke off");
                }
            }
            () = stands_still(&moved, idle) => {}
        }
        flight.good();
    }
}

async fn copy(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    early: Bytes,
    moved: &Cell<Instant>,
) -> io::Result<()> {
    to.write_all(&early).await?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        moved.set(Instant::now());
        to.write_all(buffer.get(..count).unwrap_or_default())
            .await?;
    }
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

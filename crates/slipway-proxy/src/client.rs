//! The proxy's own interface, as a client: HTTP over its Unix socket, JSON both ways.

use std::path::PathBuf;
use std::time::Duration;

use crate::stats::Stats;
use crate::table::{Generation, Table};

/// Speaks to a proxy. Cheap to clone; a connection per call.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// Why the proxy did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers, or the answer cannot be read; it is not known whether it was done.
    #[error("the proxy does not answer on {}: {reason}", socket.display())]
    Silent {
        /// The socket.
        socket: PathBuf,
        /// What happened, in words.
        reason: String,
    },
    /// The table was refused; the one that was served before is served still.
    #[error("the proxy refuses the table: {0}")]
    Refused(String),
}

impl Client {
    /// A client of the proxy that listens on `socket`.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// The table that is served. `GET /table`
    pub async fn table(&self) -> Result<Table, ClientError> {
        Err(self.silent("not written yet"))
    }

    /// Makes a table durable, then serves it. Its generation must be above the one served;
    /// publishing the very table that is served is no error. `PUT /table`
    pub async fn publish(&self, _table: &Table) -> Result<(), ClientError> {
        Err(self.silent("not written yet"))
    }

    /// Waits until no request routed by a table older than `generation` is in flight, up to
    /// `within`; gives the number still in flight. `GET /drained?generation=N&within_ms=M`
    pub async fn drained(
        &self,
        _generation: Generation,
        _within: Duration,
    ) -> Result<u64, ClientError> {
        Err(self.silent("not written yet"))
    }

    /// Everything that the proxy counted. `GET /stats`
    pub async fn stats(&self) -> Result<Stats, ClientError> {
        Err(self.silent("not written yet"))
    }

    fn silent(&self, reason: &str) -> ClientError {
        ClientError::Silent {
            socket: self.socket.clone(),
            reason: reason.to_owned(),
        }
    }
}

//! What a proxy is started with: sockets, folders, and every limit that it keeps.
//! The defaults are the documented ones; tests make them short.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use chassis::{Clock, Random};

/// What a proxy is started with.
#[derive(Debug)]
pub struct Options {
    /// The listening sockets. Every worker accepts on all of them.
    pub listeners: Vec<TcpListener>,
    /// Where `table.json` and the last generations lie; made if it is missing.
    pub folder: PathBuf,
    /// Where the admin socket is put, mode 0600. A socket that is there is replaced.
    pub admin: PathBuf,
    /// How many worker threads; at least one is started.
    pub workers: usize,
    /// The clock.
    pub clock: Clock,
    /// Randomness for ids and keys.
    pub random: Random,
    /// Whose forwarding headers are believed.
    pub trust: Trust,
    /// Every limit.
    pub limits: Limits,
}

/// Whose `Forwarded` and `X-Forwarded-*` headers are believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trust {
    /// Nobody's: they are replaced by what the proxy sees.
    #[default]
    Nobody,
    /// Those of peers on this machine, such as an nginx in front.
    Loopback,
}

/// Every limit that the proxy keeps.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest request head, bytes.
    pub head_bytes: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// The largest request body, bytes; enforced while it streams.
    pub body_bytes: u64,
    /// How long a client may take to send a request's head.
    pub head: Duration,
    /// How long a connection may be idle between requests.
    pub keep_alive: Duration,
    /// How long a body may stand still, in either direction.
    pub body_idle: Duration,
    /// How long the head of an answer may take, counted from the last byte of the request.
    pub answer: Duration,
    /// How long connecting to a target may take.
    pub connect: Duration,
    /// How long an upgraded connection may be silent.
    pub tunnel_idle: Duration,
    /// How long a request is kept waiting by a route's `hold`.
    pub hold: Duration,
    /// How long a request waits for a target when none is up.
    pub no_target: Duration,
    /// How many requests of one service may wait at once.
    pub waiting: usize,
    /// How long requests in flight may take once the end was asked for.
    pub drain: Duration,
    /// How long an idle connection is kept once the end was asked for, so that a request
    /// already on its way is answered rather than reset.
    pub drain_idle: Duration,
    /// The most client connections at once; further ones wait in the accept queue. Fewer,
    /// where the system does not allow two open files for each.
    pub connections: usize,
    /// How long an idle connection to a target is kept. Below the 75 seconds that origins
    /// keep theirs.
    pub upstream_idle: Duration,
    /// The most idle connections to one target, for each worker.
    pub upstream_pool: usize,
    /// For how long a target is left out after three connect failures in a row.
    pub eject: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            headers: 100,
            body_bytes: 1 << 30,
            head: Duration::from_secs(15),
            keep_alive: Duration::from_secs(75),
            body_idle: Duration::from_secs(60),
            answer: Duration::from_secs(60),
            connect: Duration::from_secs(2),
            tunnel_idle: Duration::from_secs(3600),
            hold: Duration::from_secs(10),
            no_target: Duration::from_secs(5),
            waiting: 1000,
            drain: Duration::from_secs(30),
            drain_idle: Duration::from_secs(1),
            connections: 20_000,
            upstream_idle: Duration::from_secs(60),
            upstream_pool: 128,
            eject: Duration::from_secs(5),
        }
    }
}

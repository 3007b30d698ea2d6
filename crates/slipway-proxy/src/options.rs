//! What a proxy is started with: sockets, folders, and every limit that it keeps.
//! The defaults are the documented ones; tests make them short.

use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use chassis::{Clock, Random};

use crate::network::Network;

/// What a proxy is started with.
#[derive(Debug)]
pub struct Options {
    /// The listening sockets. Every worker accepts on all of them.
    pub listeners: Vec<TcpListener>,
    /// What is offered over TLS, beside them.
    pub secure: Option<Secure>,
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
    /// Who says by the PROXY protocol whose connection it passes on, and must.
    pub announced_by: Trust,
    /// Where requests are written down, if they are.
    pub access_log: Option<AccessLog>,
    /// Every limit.
    pub limits: Limits,
}

impl Options {
    /// A proxy on these sockets with its folder and its admin socket; one worker, no TLS, nobody
    /// trusted, and the limits by default.
    pub fn new(
        listeners: Vec<TcpListener>,
        folder: PathBuf,
        admin: PathBuf,
        (clock, random): (Clock, Random),
    ) -> Self {
        Self {
            listeners,
            secure: None,
            folder,
            admin,
            workers: 1,
            clock,
            random,
            trust: Trust::Nobody,
            announced_by: Trust::Nobody,
            access_log: None,
            limits: Limits::default(),
        }
    }
}

/// What is offered over TLS.
#[derive(Debug)]
pub struct Secure {
    /// The sockets on which clients begin with TLS.
    pub listeners: Vec<TcpListener>,
    /// The certificates; the first is for clients that ask for no name that any is valid for.
    pub certificates: Vec<CertificateFiles>,
    /// Certificates that somebody fetches: each is served as soon as its files are there.
    pub awaited: Vec<CertificateFiles>,
    /// Whether requests that come without TLS are sent there (308) instead of answered, as soon
    /// as there is a certificate.
    pub redirect: bool,
    /// The port that they are sent to, where it is not the one of the first socket.
    pub public_port: Option<u16>,
    /// For how long a browser is to come with TLS only (RFC 6797), whole seconds; nothing is
    /// said of it where there is none.
    pub hsts: Option<Duration>,
}

/// A certificate and its key, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that it was signed by.
    pub chain: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// Where requests are written down: a line of JSON for every one that failed or was slow, and
/// for a share of the others. No client is named: of an address its network is kept (24 bits,
/// or 48 of IPv6), of a target the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLog {
    /// The file, mode 0600. What is older is beside it as `.1`, `.2`.
    pub file: PathBuf,
    /// The share of good and quick requests, in hundredths of a per cent, at most 10000.
    pub share: u16,
    /// From which time on a request is slow.
    pub slow: Duration,
    /// The largest file, bytes.
    pub bytes_max: u64,
    /// How many older files are kept.
    pub kept: u32,
}

impl AccessLog {
    /// One request in a hundred and every slow one, from a second on; at most 6 × 16 MiB.
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            share: 100,
            slow: Duration::from_secs(1),
            bytes_max: 16 << 20,
            kept: 5,
        }
    }
}

/// Which peers are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Nobody: what they say is replaced by what the proxy sees.
    #[default]
    Nobody,
    /// Peers on this machine, such as an nginx in front.
    Loopback,
    /// Peers in these networks.
    Networks(Vec<Network>),
}

impl Trust {
    /// Whether a peer with this address is believed.
    pub fn believes(&self, address: IpAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::Loopback => address.to_canonical().is_loopback(),
            Self::Networks(networks) => networks.iter().any(|n| n.contains(address)),
        }
    }
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
    /// How long a client may take to send a request's head, or to shake hands.
    pub head: Duration,
    /// How long a connection may be idle between requests.
    pub keep_alive: Duration,
    /// After how long an idle connection keeps nothing but its socket.
    pub rest: Duration,
    /// How long a body may stand still, in either direction.
    pub body_idle: Duration,
    /// The least that a client's body must bring in the time that is spent waiting for it, bytes
    /// a second; nought: anything, as long as it does not stand still.
    pub body_rate: u32,
    /// For how long a body may be waited for before that is asked of it.
    pub body_grace: Duration,
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
    /// The most connections of one client, by its IPv4 address or its IPv6 network of 64 bits;
    /// further ones are closed. Peers that are believed are many clients, and have no such
    /// limit. At most half of all connections, where the system allows fewer than wanted.
    pub connections_per_peer: usize,
    /// How long an idle connection to a target is kept. Below the 75 seconds that origins
    /// keep theirs.
    pub upstream_idle: Duration,
    /// The most idle connections to one target, for each worker.
    pub upstream_pool: usize,
    /// For how long a target is left out after three connect failures in a row.
    pub eject: Duration,
    /// How many requests of one HTTP/2 connection are in flight at once.
    pub streams: u32,
    /// How often the files of certificates are looked at.
    pub certificates: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            headers: 100,
            body_bytes: 1 << 30,
            head: Duration::from_secs(15),
            keep_alive: Duration::from_secs(75),
            rest: Duration::from_millis(100),
            body_idle: Duration::from_secs(60),
            body_rate: 500,
            body_grace: Duration::from_secs(20),
            answer: Duration::from_secs(60),
            connect: Duration::from_secs(2),
            tunnel_idle: Duration::from_secs(3600),
            hold: Duration::from_secs(10),
            no_target: Duration::from_secs(5),
            waiting: 1000,
            drain: Duration::from_secs(30),
            drain_idle: Duration::from_secs(1),
            connections: 20_000,
            connections_per_peer: 2000,
            upstream_idle: Duration::from_secs(60),
            upstream_pool: 128,
            eject: Duration::from_secs(5),
            streams: 128,
            certificates: Duration::from_secs(10),
        }
    }
}

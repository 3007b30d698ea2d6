//! The data plane: takes requests in, chooses where they go by an immutable table,
//! and counts what came of them.
//!
//! Knows nothing of rollouts. Serves from its last table on disk and needs nobody.
//! A request is counted in the table that it was routed by until its last byte.

mod accept;
mod access;
mod admin;
mod announce;
mod answer;
mod bounds;
mod certificates;
mod challenges;
mod chatter;
mod check;
mod choose;
pub mod client;
mod clients;
mod connection;
mod counters;
mod deadline;
mod descriptors;
mod disk;
mod flight;
mod forward;
mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gate;
mod gather;
mod head;
mod headers;
mod hops;
mod latency;
mod line;
mod look;
mod network;
mod options;
mod own;
mod peers;
mod plane;
mod published;
mod reader;
mod record;
mod secure;
mod serve;
mod shard;
mod shield;
mod skew;
mod snapshot;
mod socket;
mod split;
pub mod stats;
mod stream;
mod streamed;
mod streams;
pub mod table;
mod target;
mod tunnel;
mod upload;
mod upstream;
mod view;
mod wait;
mod wire;
mod worker;

pub use certificates::{CertificateError, check_certificates};
pub use challenges::{Challenges, TlsChallenge};
pub use check::check_rules;
pub use client::{Client, ClientError};
pub use network::{Network, NetworkError};
pub use options::{AccessLog, CertificateFiles, Limits, Options, Secure, Trust};
pub use serve::{ServeError, serve};
pub use stats::{Bad, Health, PoolStats, Second, Stats, TargetStats};
pub use table::{
    Generation, HealthCheck, Maintenance, Pool, Preview, Route, Rule, Skew, Slow, Split, Table,
    TableError, Target,
};

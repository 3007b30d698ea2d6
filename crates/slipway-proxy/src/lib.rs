//! The data plane: takes requests in, chooses where they go by an immutable table,
//! and counts what came of them.
//!
//! Knows nothing of rollouts. Serves from its last table on disk and needs nobody.
//! A request is counted in the table that it was routed by until its last byte.

mod accept;
mod admin;
mod answer;
mod check;
mod choose;
pub mod client;
mod connection;
mod counters;
mod descriptors;
mod disk;
mod flight;
mod forward;
mod frames;
mod gather;
mod head;
mod headers;
mod latency;
mod line;
mod look;
mod options;
mod own;
mod plane;
mod published;
mod reader;
mod serve;
mod shard;
mod snapshot;
mod socket;
mod split;
pub mod stats;
pub mod table;
mod target;
mod tunnel;
mod upload;
mod upstream;
mod view;
mod wait;
mod wire;
mod worker;

pub use client::{Client, ClientError};
pub use options::{Limits, Options, Trust};
pub use serve::{ServeError, serve};
pub use stats::{Health, PoolStats, Second, Stats, TargetStats};
pub use table::{Generation, HealthCheck, Pool, Preview, Route, Split, Table, TableError, Target};

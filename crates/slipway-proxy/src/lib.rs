//! The data plane: takes requests in, chooses where they go by an immutable table,
//! and counts what came of them.
//!
//! Knows nothing of rollouts. Serves from its last table on disk and needs nobody.
//! A request is counted in the table that it was routed by until its last byte.

pub mod client;
pub mod stats;
pub mod table;

pub use client::{Client, ClientError};
pub use stats::{Health, PoolStats, Second, Stats, TargetStats};
pub use table::{Generation, HealthCheck, Pool, Preview, Route, Split, Table, TableError, Target};

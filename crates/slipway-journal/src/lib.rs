//! The nouns of Slipway, and the append-only, hash-chained record of what happened.
//!
//! Everything that happens is one event in one journal. History, receipts, audit
//! and recovery after a crash are readings of it. Nothing is ever changed or
//! removed, and there is one writer.

pub mod event;
pub mod ids;
pub mod outcome;

pub use event::{Actor, Event};
pub use ids::{
    EnvironmentName, Generation, InstanceId, ReleaseId, RolloutId, RunId, Seq, ServiceName, Slot,
};
pub use outcome::Outcome;

//! The nouns of Slipway, and the append-only, hash-chained record of what happened.
//!
//! Everything that happens is one event in one journal. History, receipts, audit
//! and recovery after a crash are readings of it. Nothing is ever changed or
//! removed, and there is one writer.

mod entry;
mod error;
pub mod event;
pub mod ids;
mod journal;
pub mod outcome;
pub mod release;
mod store;
mod verify;
mod writer;

pub use entry::Entry;
pub use error::JournalError;
pub use event::{Actor, Event};
pub use ids::{
    EnvironmentName, Generation, InstanceId, ReleaseId, RoleName, RolloutId, RunId, Seq,
    ServiceName, Slot,
};
pub use journal::{Journal, read_file, replay_file};
pub use outcome::Outcome;
pub use release::{Manifest, ReleaseFile, WorkerRole};
pub use verify::{Verification, verify_file};

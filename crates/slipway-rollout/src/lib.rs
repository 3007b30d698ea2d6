//! Brings one release into one environment, watches it there and takes it back.
//!
//! Strategies and triggers are pure functions; the executor is the only thing that
//! acts, and it never acts without an intent in the journal. After a crash it looks
//! at the world, never at a memory of its own.

pub mod account;
pub mod approval;
pub mod book;
pub mod care;
mod caretaker;
mod changes;
mod consent;
mod core;
mod court;
mod driver;
mod effects;
mod engine;
mod error;
pub mod footing;
mod history;
mod http;
pub mod judge;
mod ledger;
mod mending;
mod outcome;
mod pace;
pub mod plan;
pub mod policy;
mod preview;
pub mod process;
pub mod prospect;
mod readiness;
pub mod receipt;
pub mod recovery;
pub mod refusal;
pub mod routing;
mod runtime;
mod shelf;
pub mod strategy;
#[cfg(test)]
mod tests;
mod traffic;
pub mod trigger;
mod watch;

pub use crate::core::ServiceSettings;
pub use approval::{Approval, Asked};
pub use court::Standing;
pub use driver::SETTLE;
pub use engine::{Engine, Ground, Order};
pub use error::RolloutError;
pub use plan::RollbackPlan;
pub use policy::{Burst, Canary, Policy, Portion, Recreate, Rolling, Strategy, Unsure};
pub use refusal::Refusal;
pub use shelf::Shelf;

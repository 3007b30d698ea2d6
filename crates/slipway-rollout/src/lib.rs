//! Brings one release into one environment, watches it there and takes it back.
//!
//! Strategies and triggers are pure functions; the executor is the only thing that
//! acts, and it never acts without an intent in the journal. After a crash it looks
//! at the world, never at a memory of its own.

pub mod account;
pub mod process;

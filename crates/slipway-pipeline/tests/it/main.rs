//! The pipeline from outside: real files, real processes, whole runs.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cache;
mod ground;
mod processes;

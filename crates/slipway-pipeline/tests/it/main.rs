//! The pipeline from outside: real files, real processes, whole runs.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod broken;
mod cache;
mod gates;
mod ground;
mod lifecycle;
mod processes;
mod releases;

//! What every long-running binary needs: the environment, the clock, randomness,
//! telemetry, shutdown, health, secrets, durable files and how many may be open.
//!
//! This crate is the only reader of the process environment, the wall clock and
//! the operating system's randomness; everything else takes them as arguments.

pub mod clock;
pub mod descriptors;
pub mod durable;
pub mod env;
pub mod health;
pub mod random;
pub mod shutdown;
pub mod telemetry;

pub use clock::{Clock, ManualClock};
pub use env::Env;
pub use health::{Check, Health, Status};
pub use random::Random;
pub use secrecy::{ExposeSecret, SecretString};
pub use shutdown::Shutdown;

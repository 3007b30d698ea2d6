//! The real binary with its real processes: keeper, proxy, control, instances, and where
//! a story needs it PostgreSQL. Each test has a state folder and ports of its own.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod accessories;
mod acme;
mod approvals;
mod bad_input;
mod closed;
mod crash;
mod disk;
mod ground;
mod init;
mod load;
mod locks;
mod pages;
mod quarantine;
mod queue;
mod release;
mod second;
mod services;
mod shapes;
mod ship;
mod sockets;
mod stories;
mod strategies;
mod tls;
mod words;
mod workers;

//! The proxy over real sockets: one binary for all, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod bodies;
mod caller;
mod challenges;
mod conformance;
mod drain;
mod ground;
mod headers;
mod health;
mod hold;
mod http2;
mod limits;
mod peers;
mod rest;
mod retry;
mod routing;
mod rules;
mod safe;
mod secure;
mod shield;
mod skew;
mod smuggling;
mod statistics;
mod switch;
mod tables;
mod upgrade;

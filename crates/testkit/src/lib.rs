//! What tests need of the world: PostgreSQL and Redis that end with them, a database
//! for each test, load with an account of every answer. Never ships.

mod account;
pub mod acme;
pub mod certificate;
mod door;
pub mod origin;
pub mod postgres;
pub mod receiver;
pub mod redis;
mod server;
pub mod services;
pub mod smtp;
mod store;
pub mod tally;
pub mod visitor;
pub mod wait;

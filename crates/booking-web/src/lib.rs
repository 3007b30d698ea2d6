//! Booking: the pages, the API and the SQL of the appointment service.
//! Everything that decides about time is in the crate `booking`, which is pure.

mod account;
mod address;
mod api;
mod app;
mod appointments;
mod assets;
mod audit;
mod availability;
mod cache;
mod calendar;
mod config;
mod crew;
mod database;
mod desk;
mod error;
mod etag;
mod feed;
mod frame;
mod health;
mod intake;
mod key;
mod language;
mod limit;
mod links;
mod messages;
mod metrics;
mod openings;
mod origin;
mod pages;
mod privacy;
mod probe;
mod program;
mod router;
mod security;
mod seed;
mod serve;
mod server;
mod store;
mod subscription;
mod sweep;
mod tag;
mod upkeep;
mod worker;

pub use config::{Config, ConfigError};
pub use program::{Task, run};

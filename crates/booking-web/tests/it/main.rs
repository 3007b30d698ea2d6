//! Booking from outside: the real program over real HTTP, PostgreSQL and Redis.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod accounts;
mod allowance;
mod api;
mod authenticator;
mod caches;
mod claims;
mod codes;
mod contract;
mod deliveries;
mod desk;
mod desk_changes;
mod floods;
mod health;
mod holds;
mod hooks;
mod kills;
mod languages;
mod life;
mod limits;
mod members;
mod messages;
mod month;
mod neighbours;
mod offer;
mod openings;
mod outages;
mod pages;
mod passkeys;
mod privacy;
mod programs;
mod reschedule;
mod restarts;
mod rights;
mod rush;
mod schema;
mod secure_mail;
mod seen;
mod settings;
mod sign_up;
mod site;
mod tenants;
mod terms;
mod together;
mod work;

//! Booking from outside: the real program over real HTTP, PostgreSQL and Redis.

mod api;
mod claims;
mod health;
mod life;
mod pages;
mod schema;
mod site;

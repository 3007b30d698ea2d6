//! The life of a booking: each change is one transaction, with no network call inside.
//! The database decides who gets a time; losing is an answer, not an error.

mod block;
mod book;
mod call_off;
mod cancel;
#[cfg(test)]
#[path = "appointments/tests/clock.rs"]
mod clock;
mod confirm;
mod end_series;
mod find;
mod hold;
mod keeper;
mod limits;
mod make;
mod moves;
mod phone;
mod request;
mod reschedule;
pub(crate) mod rezone;
mod series;
mod staffed;
mod take;
pub(crate) mod terms;
mod time_off;

use chassis::Random;
use jiff::tz::TimeZone;
use sqlx::PgPool;
use uuid::Uuid;

use crate::links;

pub(crate) use self::book::{Answer, Wish};
pub(crate) use self::call_off::CallingOff;
pub(crate) use self::cancel::Cancellation;
pub(crate) use self::confirm::Confirmation;
pub(crate) use self::end_series::Ending;
pub(crate) use self::find::Found;
pub(crate) use self::hold::{Choice, Extension, Holding};
pub(crate) use self::keeper::Keeper;
pub(crate) use self::make::Person;
pub(crate) use self::moves::By;
pub(crate) use self::phone::{DeskAnswer, DeskWish, Guest};
pub(crate) use self::reschedule::Rescheduling;
pub(crate) use self::series::{Planned, SeriesAnswer, SeriesWish, Source, Whose};
pub(crate) use self::staffed::{DeskChange, OnBehalfOf, Seen, may_be_told};
pub(crate) use self::time_off::{Absence, Decision, Fate, Leaving};
use crate::store::business::Business;
use crate::store::service::Service;

/// A service with the business that gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offered<'a> {
    pub(crate) business: &'a Business,
    pub(crate) zone: &'a TimeZone,
    pub(crate) service: &'a Service,
}

/// What a process needs to make appointments.
#[derive(Debug, Clone)]
pub(crate) struct Appointments {
    pub(crate) pool: PgPool,
    pub(crate) random: Random,
    /// Turns the id of a booking into its secret address.
    pub(crate) link_key: [u8; 32],
}

impl Appointments {
    /// The secret address of a booking: 128 bits that only the key can tell.
    fn token(&self, booking: Uuid) -> String {
        links::token(&self.link_key, booking)
    }
}

fn token_hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    mod limits;
    mod rezone;
    mod rush;
    mod series;
    mod shop;
    mod staffed;
    mod time_off;
}

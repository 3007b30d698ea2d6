//! The interface for programs under `/api/v1`: JSON in and out, problem details
//! (RFC 9457) for what was not answered as asked.

pub(crate) mod availability;
pub(crate) mod bookings;
pub(crate) mod businesses;
pub(crate) mod customers;
pub(crate) mod diary;
pub(crate) mod document;
pub(crate) mod feeds;
pub(crate) mod holds;
pub(crate) mod imports;
pub(crate) mod keys;
pub(crate) mod live;
mod object;
mod page;
pub(crate) mod question;
pub(crate) mod repeats;
pub(crate) mod reschedule;
pub(crate) mod series;
pub(crate) mod webhooks;
mod whole;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The wall time at a business with its offset, `2027-03-24T09:30:00+02:00`.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

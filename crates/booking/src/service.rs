//! What is booked: how long it takes, what it needs around it, how early and how late
//! it can be booked.

use jiff::SignedDuration;

/// The rules of one service. All durations are whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// How long the customer is there, 5 to 1440 minutes.
    pub duration: SignedDuration,
    /// Time that the lane needs before. May lie outside the opening hours.
    pub before: SignedDuration,
    /// Time that the lane needs after. May lie outside the opening hours.
    pub after: SignedDuration,
    /// Distance of the times that are offered, counted from each opening.
    pub step: SignedDuration,
    /// How long before its start it must be booked.
    pub notice: SignedDuration,
    /// The last day that can be booked, in days from today in the provider's zone.
    pub horizon_days: u16,
}

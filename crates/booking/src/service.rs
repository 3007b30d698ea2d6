//! What is booked: how long it takes, what it needs around it, how early and how late
//! it can be booked, and by how many at once.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::mask::{instant, minute_from};
use crate::refusal::Refusal;
use crate::span::Span;
use crate::wall::day_start;

/// The rules of one service. All durations are whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// How long the customer is there, 5 to 1440 minutes.
    pub duration: SignedDuration,
    /// Time that is needed before. May lie outside the opening hours.
    pub before: SignedDuration,
    /// Time that is needed after. May lie outside the opening hours.
    pub after: SignedDuration,
    /// Distance of the times that are offered, counted from each opening.
    pub step: SignedDuration,
    /// How long before its start it must be booked.
    pub notice: SignedDuration,
    /// The last day that can be booked, in days from today in the provider's zone.
    pub horizon_days: u16,
    /// How many can book one visit; with more than one, it is a class.
    pub capacity: u16,
    /// Whether times are offered, too, that leave no gap beside another visit.
    pub fills_gaps: bool,
}

/// The part of a visit for which one lane is needed, from its start on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where it begins.
    pub from: SignedDuration,
    /// Where it ends.
    pub to: SignedDuration,
    /// What must be free before, open or not.
    pub before: SignedDuration,
    /// What must be free after, open or not.
    pub after: SignedDuration,
}

impl Service {
    /// The whole visit with its buffers: what the person gives.
    pub fn whole(&self) -> Part {
        Part {
            from: SignedDuration::ZERO,
            to: self.duration,
            before: self.before,
            after: self.after,
        }
    }

    /// What the person is taken for when the visit begins at `start`: buffers included.
    /// None at the end of the calendar.
    pub fn claim(&self, start: Timestamp) -> Option<Span> {
        self.whole().claim(start)
    }

    /// The starts that can be booked at `now`: from the first minute that keeps the notice
    /// up to the end of the last day.
    pub fn bookable(&self, zone: &TimeZone, now: Timestamp) -> Range<Timestamp> {
        let earliest = now.checked_add(self.notice).unwrap_or(Timestamp::MAX);
        let beyond = self.last_day(zone, now).tomorrow();
        let until = beyond.map_or(Timestamp::MAX, |day| day_start(zone, day));
        instant(minute_from(earliest.max(now)))..until
    }

    /// The last day that can be booked at `now`.
    pub fn last_day(&self, zone: &TimeZone, now: Timestamp) -> Date {
        let today = zone.to_datetime(now).date();
        today.saturating_add(i64::from(self.horizon_days).days())
    }

    /// Whether `start` is near enough and not too near.
    pub(crate) fn in_time(
        &self,
        zone: &TimeZone,
        start: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let bookable = self.bookable(zone, now);
        if start < bookable.start {
            Err(Refusal::TooSoon)
        } else if start >= bookable.end {
            Err(Refusal::TooFar)
        } else {
            Ok(())
        }
    }
}

impl Part {
    /// What a lane is taken for, buffers included. None at the end of the calendar.
    pub fn claim(&self, start: Timestamp) -> Option<Span> {
        let from = start.checked_add(self.from).ok()?;
        let to = start.checked_add(self.to).ok()?;
        let from = from.checked_sub(self.before).ok()?;
        Span::new(from, to.checked_add(self.after).ok()?)
    }
}

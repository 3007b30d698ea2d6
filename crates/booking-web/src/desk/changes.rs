//! What the holder of a secret address does to a booking, in the words of the domain.

use booking::{Cancelling, State, Waiver};
use jiff::Timestamp;

use crate::app::App;
use crate::appointments::{Cancellation, Ending, Rescheduling};
use crate::desk::Booking;
use crate::error::Fault;
use crate::openings::Nearest;

/// What becomes of a cancellation.
pub(crate) enum Cancelled {
    Now,
    Before,
    TooLate,
}

/// What becomes of the wish for another time.
pub(crate) enum Rescheduled {
    There,
    /// The nearest free times instead.
    Gone(Nearest),
    TooLate,
}

impl Booking {
    /// What it costs to call it off at `now`; none where that cannot be done any more.
    pub(crate) fn fee(&self, now: Timestamp) -> Option<i64> {
        match booking::cancelling(&self.policy, self.price_cents, self.start, None, now) {
            Cancelling::For { fee_cents } if self.can_cancel(now) => Some(fee_cents),
            _ => None,
        }
    }

    /// Whether it can be moved at `now`: as long as calling it off costs nothing.
    pub(crate) fn can_move(&self, now: Timestamp) -> bool {
        self.fee(now) == Some(0)
    }

    /// Whether it can be called off at `now` for a reason for which no fee is asked and no
    /// time is too late, but not without one.
    pub(crate) fn only_with_waiver(&self, now: Timestamp) -> bool {
        self.state == State::Confirmed && !self.can_cancel(now) && now <= self.start
    }

    /// The fees that come nearer, as (from when on, how much).
    pub(crate) fn fees_ahead(&self, now: Timestamp) -> Vec<(Timestamp, i64)> {
        self.policy.fees_ahead(self.price_cents, self.start, now)
    }
}

impl App {
    /// The secret addresses of the visits that come after a booking in its series.
    pub(crate) async fn rest_of_series(&self, booking: &Booking) -> Result<Vec<String>, Fault> {
        let Some(series) = booking.series else {
            return Ok(Vec::new());
        };
        let appointments = &self.appointments;
        let rest = appointments.rest_of_series(booking.business_id, series, booking.start);
        let rest = rest.await?.into_iter().map(|seen| seen.booking);
        let after = rest.filter(|id| *id != booking.id);
        Ok(after.map(|id| appointments.address_of(id)).collect())
    }

    /// Cancels a visit with all of its series that come after it, or nothing.
    pub(crate) async fn end_series(
        &self,
        token: &str,
        waiver: Option<Waiver>,
    ) -> Result<Cancelled, Fault> {
        let now = self.clock.now();
        match self.appointments.end_series(token, waiver, now).await? {
            Ending::Done(0) => Ok(Cancelled::Before),
            Ending::Done(count) => {
                self.metrics.cancellations.inc_by(count);
                Ok(Cancelled::Now)
            }
            Ending::TooLate => Ok(Cancelled::TooLate),
            Ending::Changed => Err(Fault::Changed),
            Ending::Unknown => Err(Fault::NotFound),
        }
    }

    /// Cancels; where a version is named, only while the booking has it.
    pub(crate) async fn cancel(
        &self,
        token: &str,
        waiver: Option<Waiver>,
        seen: Option<i32>,
    ) -> Result<Cancelled, Fault> {
        let now = self.clock.now();
        match self.appointments.cancel(token, waiver, seen, now).await? {
            Cancellation::Now => {
                self.metrics.cancellations.inc();
                Ok(Cancelled::Now)
            }
            Cancellation::Before => Ok(Cancelled::Before),
            Cancellation::TooLate => Ok(Cancelled::TooLate),
            Cancellation::Changed => Err(Fault::Changed),
            Cancellation::Unknown => Err(Fault::NotFound),
        }
    }

    pub(crate) async fn reschedule(
        &self,
        token: &str,
        start: Timestamp,
        version: Option<i32>,
    ) -> Result<Rescheduled, Fault> {
        let now = self.clock.now();
        let done = self.appointments.reschedule(token, start, version, now);
        match done.await? {
            Rescheduling::There => Ok(Rescheduled::There),
            Rescheduling::Gone => {
                self.metrics.conflicts.inc();
                let booking = self.booking(token).await?;
                let offer = self.offer_of(token).await?;
                let moved = Some(booking.moved());
                let nearest = self.nearest(&offer, booking.who, start, moved);
                Ok(Rescheduled::Gone(nearest.await?))
            }
            Rescheduling::TooLate => Ok(Rescheduled::TooLate),
            Rescheduling::Changed => Err(Fault::OtherVersion),
            Rescheduling::Unknown => Err(Fault::NotFound),
        }
    }
}

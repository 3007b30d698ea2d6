//! Calling a booking off, by the business. Its own rules bind customers, not itself.

use booking::State;
use jiff::Timestamp;
use uuid::Uuid;

use super::Appointments;
use super::moves::By;
use crate::store;

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallingOff {
    /// Called off now.
    Now,
    /// Was called off before; nothing changed.
    Before,
    /// Its state does not allow it any more.
    TooLate,
    /// It is not as it was seen.
    Changed,
    /// The business has no such booking.
    Unknown,
}

impl Appointments {
    /// Calls a booking of `business` off, where `is_as_seen` takes the version that it has.
    pub(crate) async fn call_off(
        &self,
        business: Uuid,
        id: Uuid,
        is_as_seen: impl FnOnce(i32) -> bool,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<CallingOff> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let Some(standing) = store::booking::lock(connection, id).await? else {
            return Ok(CallingOff::Unknown);
        };
        if matches!(standing.state, State::Held | State::Expired) {
            return Ok(CallingOff::Unknown);
        }
        if !is_as_seen(standing.version) {
            return Ok(CallingOff::Changed);
        }
        if standing.state.is_cancelled() {
            return Ok(CallingOff::Before);
        }
        let to = State::CancelledByBusiness;
        let Some(lanes) = self.shift(connection, &standing, to, by, now).await? else {
            return Ok(CallingOff::TooLate);
        };
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        Ok(CallingOff::Now)
    }
}

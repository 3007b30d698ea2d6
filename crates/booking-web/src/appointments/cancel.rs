//! Calling a booking off, for whoever holds its secret address.

use booking::{Actor, State};
use jiff::{SignedDuration, Timestamp};

use super::{Appointments, token_hash};
use crate::store;

/// What becomes of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancellation {
    /// Cancelled now.
    Now,
    /// Was cancelled before; nothing changed.
    Before,
    /// The business does not allow it any more.
    TooLate,
    /// There is no such booking.
    Unknown,
}

impl Appointments {
    /// Cancels for the customer who knows the secret address.
    pub(crate) async fn cancel(&self, token: &str, now: Timestamp) -> sqlx::Result<Cancellation> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        let found = store::link::find(connection, &token_hash(token)).await?;
        let Some((business, id)) = found else {
            return Ok(Cancellation::Unknown);
        };
        store::scope(connection, business).await?;
        let standing = store::booking::lock(connection, id).await?;
        let business = store::business::by_id(connection, business).await?;
        let Some((business, standing)) = business.zip(standing) else {
            return Ok(Cancellation::Unknown);
        };
        let state = State::parse(&standing.state).unwrap_or(State::CancelledByBusiness);
        if !state.is_active() {
            return Ok(Cancellation::Before);
        }
        let limit = SignedDuration::from_mins(i64::from(business.cancel_limit_minutes));
        let Some(next) = state.cancel(Actor::Customer, standing.start, limit, now) else {
            return Ok(Cancellation::TooLate);
        };
        if !store::booking::change(connection, id, standing.version, next.as_str()).await? {
            return Ok(Cancellation::Before);
        }
        self.give_back(connection, id).await?;
        let audit = ("customer", "booking.cancelled");
        let audit_id = self.random.uuid(now);
        store::record::audit(connection, audit_id, business.id, audit.0, audit.1, id, now).await?;
        let message = self.random.uuid(now);
        store::record::outbox(connection, message, business.id, "cancelled", id, now).await?;
        transaction.commit().await?;
        Ok(Cancellation::Now)
    }
}

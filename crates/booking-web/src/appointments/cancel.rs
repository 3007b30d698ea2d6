//! Calling a booking off, for whoever holds its secret address.

use booking::{Cancelling, State, Waiver};
use jiff::Timestamp;

use super::moves::By;
use super::{Appointments, terms, token_hash};
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
    pub(crate) async fn cancel(
        &self,
        token: &str,
        waiver: Option<Waiver>,
        now: Timestamp,
    ) -> sqlx::Result<Cancellation> {
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
        if standing.state.is_cancelled() {
            return Ok(Cancellation::Before);
        }
        let policy = terms::read(standing.policy.as_deref(), business.cancel_limit_minutes);
        let (price, start) = (standing.price_cents, standing.start);
        let Cancelling::For { fee_cents } = booking::cancelling(&policy, price, start, waiver, now)
        else {
            return Ok(Cancellation::TooLate);
        };
        let to = State::CancelledByCustomer;
        if !self
            .shift(connection, &standing, to, By::Customer, now)
            .await?
        {
            return Ok(Cancellation::TooLate);
        }
        store::booking::fee(connection, id, fee_cents, waiver.is_some()).await?;
        transaction.commit().await?;
        Ok(Cancellation::Now)
    }
}

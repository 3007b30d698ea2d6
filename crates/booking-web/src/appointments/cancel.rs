//! Calling a booking off, for whoever holds its secret address. A time that is only held
//! is let go.

use booking::{Cancelling, State, Waiver};
use jiff::Timestamp;

use super::moves::By;
use super::{Appointments, terms};
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
    /// It has another version than the one that was seen.
    Changed,
    /// There is no such booking.
    Unknown,
}

impl Appointments {
    /// Cancels for the customer who knows the secret address; where a version is named, only
    /// while the booking has it.
    pub(crate) async fn cancel(
        &self,
        token: &str,
        waiver: Option<Waiver>,
        seen: Option<i32>,
        now: Timestamp,
    ) -> sqlx::Result<Cancellation> {
        let Some((mut transaction, business, standing)) = self.lock(token).await? else {
            return Ok(Cancellation::Unknown);
        };
        let connection = &mut *transaction;
        if seen.is_some_and(|version| version != standing.version) {
            return Ok(Cancellation::Changed);
        }
        let (to, fee_cents) = match standing.state {
            State::Held => (State::Expired, 0),
            state if !state.is_active() => return Ok(Cancellation::Before),
            _ => {
                let policy = terms::read(standing.policy.as_deref(), business.cancel_limit_minutes);
                let (price, start) = (standing.price_cents, standing.start);
                match booking::cancelling(&policy, price, start, waiver, now) {
                    Cancelling::For { fee_cents } => (State::CancelledByCustomer, fee_cents),
                    Cancelling::TooLate => return Ok(Cancellation::TooLate),
                }
            }
        };
        let freed = self
            .shift(connection, &standing, to, By::Customer, now)
            .await?;
        let Some(lanes) = freed else {
            return Ok(Cancellation::TooLate);
        };
        if to.is_cancelled() {
            store::booking::fee(connection, standing.id, fee_cents, waiver.is_some()).await?;
        }
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        Ok(Cancellation::Now)
    }
}

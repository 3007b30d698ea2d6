//! What the staff do to a booking: moving it, calling it off, and saying what became of the
//! visit. Each change says who did it. The rules bind the staff too, but for notice and the
//! times that are offered; over a time that is taken goes nobody.

use booking::{Cancelling, State, Waiver};
use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::PgTransaction;
use uuid::Uuid;

use super::keeper::Keeper;
use super::{Appointments, terms};
use crate::crew::Who;
use crate::store;
use crate::store::booking::Standing;
use crate::store::business::Business;

/// What becomes of a change by the staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeskChange {
    /// It is as was wished.
    Done,
    /// The new time cannot be had.
    Gone,
    /// Not from the state that it is in, or not now.
    NotAllowed,
    /// Somebody has changed the booking since it was looked at.
    Changed,
    /// They keep no such booking.
    Unknown,
}

/// A booking of a business, as somebody at the desk saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) business: Uuid,
    pub(crate) booking: Uuid,
    pub(crate) version: i32,
}

/// Who calls a booking off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnBehalfOf {
    /// The customer rang; their terms hold.
    Customer(Option<Waiver>),
    /// The business, which costs the customer nothing.
    Business,
}

impl Appointments {
    /// Moves a booking to another time with somebody who will do.
    pub(crate) async fn move_at_desk(
        &self,
        seen: Seen,
        (start, who): (Timestamp, Who),
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<DeskChange> {
        let Some(who) = keeper.narrows(who) else {
            return Ok(DeskChange::Unknown);
        };
        match self.try_move_at_desk(seen, (start, who), keeper, now).await {
            Err(error) if store::is_conflict(&error) => Ok(DeskChange::Gone),
            other => other,
        }
    }

    async fn try_move_at_desk(
        &self,
        seen: Seen,
        (start, who): (Timestamp, Who),
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<DeskChange> {
        let mut transaction = store::begin(&self.pool, seen.business).await?;
        let connection = &mut *transaction;
        store::hold::move_alone(connection, seen.business).await?;
        let Some((business, standing)) = self.kept(connection, seen, keeper).await? else {
            return Ok(DeskChange::Unknown);
        };
        let is_there =
            standing.start == start && (who == Who::Anyone || who == Who::Only(standing.staff));
        if standing.state != State::Confirmed {
            return Ok(DeskChange::NotAllowed);
        }
        if is_there {
            return Ok(DeskChange::Done);
        }
        if standing.version != seen.version {
            return Ok(DeskChange::Changed);
        }
        let moved = self.retime(
            connection,
            (&business, &standing),
            (start, who),
            keeper.by(),
            now,
        );
        let Some(taken) = moved.await? else {
            return Ok(DeskChange::Gone);
        };
        let beyond = self.one_too_many(connection, &taken.limited, now);
        if beyond.await?.is_some() {
            return Ok(DeskChange::Gone);
        }
        store::lane::bump(connection, &taken.lanes).await?;
        transaction.commit().await?;
        Ok(DeskChange::Done)
    }

    /// What it would cost the customer to call a booking off now; none where it is over.
    pub(crate) async fn fee_now(
        &self,
        business: Uuid,
        booking: Uuid,
        now: Timestamp,
    ) -> sqlx::Result<Option<i64>> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let found = self.standing(&mut transaction, business, booking).await?;
        transaction.rollback().await?;
        let found = found.filter(|(_, standing)| standing.state == State::Confirmed);
        Ok(found.map(|(business, standing)| fee_at_desk(&business, &standing, None, now)))
    }

    /// Calls a booking off, for a reason that staff may say. What the business calls off costs
    /// the customer nothing.
    pub(crate) async fn cancel_at_desk(
        &self,
        seen: Seen,
        (whose, reason): (OnBehalfOf, Option<&str>),
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<DeskChange> {
        let mut transaction = store::begin(&self.pool, seen.business).await?;
        let connection = &mut *transaction;
        let Some((business, standing)) = self.kept(connection, seen, keeper).await? else {
            return Ok(DeskChange::Unknown);
        };
        let (to, fee_cents, is_waived) = match whose {
            OnBehalfOf::Business => (State::CancelledByBusiness, 0, false),
            OnBehalfOf::Customer(waiver) => {
                let fee = fee_at_desk(&business, &standing, waiver, now);
                (State::CancelledByCustomer, fee, waiver.is_some())
            }
        };
        if standing.state == to {
            return Ok(DeskChange::Done);
        }
        if standing.version != seen.version {
            return Ok(DeskChange::Changed);
        }
        let by = keeper.by();
        let Some(lanes) = self.shift(connection, &standing, to, by, now).await? else {
            return Ok(DeskChange::NotAllowed);
        };
        store::booking::fee(connection, standing.id, fee_cents, is_waived).await?;
        store::booking::reason(connection, standing.id, reason).await?;
        self.done(transaction, &lanes).await
    }

    /// Says what became of a visit: that the customer arrived, did not come, or was served;
    /// also that what was said before was a mistake.
    pub(crate) async fn tell(
        &self,
        seen: Seen,
        to: State,
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<DeskChange> {
        let mut transaction = store::begin(&self.pool, seen.business).await?;
        let connection = &mut *transaction;
        let Some((_, standing)) = self.kept(connection, seen, keeper).await? else {
            return Ok(DeskChange::Unknown);
        };
        if standing.state == to {
            return Ok(DeskChange::Done);
        }
        if standing.version != seen.version {
            return Ok(DeskChange::Changed);
        }
        if !may_be_told(standing.state, standing.start, standing.since, to, now) {
            return Ok(DeskChange::NotAllowed);
        }
        let by = keeper.by();
        let Some(lanes) = self.shift(connection, &standing, to, by, now).await? else {
            return Ok(DeskChange::NotAllowed);
        };
        self.done(transaction, &lanes).await
    }

    /// Locks a booking that they keep.
    async fn kept(
        &self,
        connection: &mut PgConnection,
        seen: Seen,
        keeper: Keeper,
    ) -> sqlx::Result<Option<(Business, Standing)>> {
        let found = self
            .standing(connection, seen.business, seen.booking)
            .await?;
        Ok(found.filter(|(_, standing)| keeper.keeps(standing.staff)))
    }

    async fn done(
        &self,
        mut transaction: PgTransaction<'_>,
        lanes: &[Uuid],
    ) -> sqlx::Result<DeskChange> {
        store::lane::bump(&mut transaction, lanes).await?;
        transaction.commit().await?;
        Ok(DeskChange::Done)
    }
}

/// What a customer owes who rang; after the limit, what the last instant before it costs.
pub(super) fn fee_at_desk(
    business: &Business,
    standing: &Standing,
    waiver: Option<Waiver>,
    now: Timestamp,
) -> i64 {
    let policy = terms::read(standing.policy.as_deref(), business.cancel_limit_minutes);
    let (price, start) = (standing.price_cents, standing.start);
    match booking::cancelling(&policy, price, start, waiver, now) {
        Cancelling::For { fee_cents } => fee_cents,
        Cancelling::TooLate if waiver.is_some() => 0,
        Cancelling::TooLate => policy.fee_cents(price, start, now),
    }
}

/// Whether it may be said at `now` that a visit of that start, which is in its state since
/// `since`, came `to` this.
pub(crate) fn may_be_told(
    from: State,
    start: Timestamp,
    since: Option<Timestamp>,
    to: State,
    now: Timestamp,
) -> bool {
    let is_told = matches!(
        to,
        State::Confirmed | State::Arrived | State::Completed | State::NoShow
    );
    let is_time = match (from, to) {
        (_, State::NoShow) => booking::may_be_no_show(start, now),
        (State::NoShow, _) => since.is_none_or(|said| booking::may_undo_no_show(said, now)),
        _ => true,
    };
    is_told && is_time && from.may_become(to, booking::Actor::Business)
}

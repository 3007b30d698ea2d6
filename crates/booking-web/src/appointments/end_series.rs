//! Calling off what is left of a series: all of it in one transaction, or nothing. Every visit
//! has its own entry in the audit; the customer is told of all of them in one mail.

use booking::{Actor, Cancelling, State, Waiver};
use jiff::Timestamp;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::keeper::Keeper;
use super::moves::By;
use super::staffed::{OnBehalfOf, Seen, fee_at_desk};
use super::{Appointments, terms};
use crate::store;
use crate::store::booking::Standing;
use crate::store::business::Business;

/// What becomes of the rest of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// So many are called off now; none where all were before.
    Done(u64),
    /// One of them cannot be called off any more, so nothing has changed.
    TooLate,
    /// The visit that was looked at has changed since.
    Changed,
    /// There is no such series, or none that they keep.
    Unknown,
}

/// What calling off a visit comes to.
#[derive(Debug, Clone, Copy)]
struct End {
    to: State,
    fee_cents: i64,
    is_waived: bool,
}

impl Appointments {
    /// For whoever holds the secret address of a visit: that one and all that come after it.
    pub(crate) async fn end_series(
        &self,
        token: &str,
        waiver: Option<Waiver>,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        settled(self.try_end_series(token, waiver, now).await)
    }

    async fn try_end_series(
        &self,
        token: &str,
        waiver: Option<Waiver>,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        let (mut transaction, found) = self.enter(token).await?;
        let connection = &mut *transaction;
        let Some((business, booking)) = found else {
            return Ok(Ending::Unknown);
        };
        let Some((series, start)) = store::series::of(connection, booking).await? else {
            return Ok(Ending::Unknown);
        };
        let Some(business) = store::business::by_id(connection, business).await? else {
            return Ok(Ending::Unknown);
        };
        let rest = store::series::lock_rest(connection, series, start).await?;
        let ends = rest
            .iter()
            .map(|standing| customers_end(&business, standing, waiver, now));
        let Some(ends) = ends.collect::<Option<Vec<End>>>() else {
            return Ok(Ending::TooLate);
        };
        let all = (rest.as_slice(), ends.as_slice());
        self.end_all(transaction, all, None, By::Customer, now)
            .await
    }

    /// For somebody at the desk: the visit that they saw and all that come after it, as far as
    /// they keep them.
    pub(crate) async fn end_series_at_desk(
        &self,
        seen: Seen,
        why: (OnBehalfOf, Option<&str>),
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        settled(self.try_end_at_desk(seen, why, keeper, now).await)
    }

    async fn try_end_at_desk(
        &self,
        seen: Seen,
        (whose, reason): (OnBehalfOf, Option<&str>),
        keeper: Keeper,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        let mut transaction = store::begin(&self.pool, seen.business).await?;
        let connection = &mut *transaction;
        let Some((series, start)) = store::series::of(connection, seen.booking).await? else {
            return Ok(Ending::Unknown);
        };
        let Some(business) = store::business::by_id(connection, seen.business).await? else {
            return Ok(Ending::Unknown);
        };
        let mut rest = store::series::lock_rest(connection, series, start).await?;
        rest.retain(|standing| keeper.keeps(standing.staff));
        let first = rest.iter().find(|standing| standing.id == seen.booking);
        let is_as_seen = first.is_some_and(|first| first.version == seen.version);
        if !rest.is_empty() && !is_as_seen {
            return Ok(Ending::Changed);
        }
        let ends = rest
            .iter()
            .map(|standing| desks_end(&business, standing, whose, now));
        let ends: Vec<End> = ends.collect();
        let by = keeper.by();
        let all = (rest.as_slice(), ends.as_slice());
        self.end_all(transaction, all, reason, by, now).await
    }

    /// For a program of the business: all visits that are to come.
    pub(crate) async fn end_series_of(
        &self,
        business: Uuid,
        series: Uuid,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        settled(self.try_end_of(business, series, by, now).await)
    }

    async fn try_end_of(
        &self,
        business: Uuid,
        series: Uuid,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        if store::series::by_id(connection, series).await?.is_none() {
            return Ok(Ending::Unknown);
        }
        let rest = store::series::lock_rest(connection, series, now).await?;
        let end = End {
            to: State::CancelledByBusiness,
            fee_cents: 0,
            is_waived: false,
        };
        let ends = vec![end; rest.len()];
        let all = (rest.as_slice(), ends.as_slice());
        self.end_all(transaction, all, None, by, now).await
    }

    /// Calls all of them off and keeps that; where one of them cannot be called off, nothing is
    /// kept.
    async fn end_all(
        &self,
        mut transaction: Transaction<'_, Postgres>,
        (visits, ends): (&[Standing], &[End]),
        reason: Option<&str>,
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Ending> {
        let connection = &mut *transaction;
        let mut lanes = Vec::new();
        for (standing, end) in visits.iter().zip(ends) {
            let freed = self.shift(connection, standing, end.to, by, now).await?;
            let Some(freed) = freed else {
                return Ok(Ending::TooLate);
            };
            store::booking::fee(connection, standing.id, end.fee_cents, end.is_waived).await?;
            if by.actor() == Actor::Business {
                store::booking::reason(connection, standing.id, reason).await?;
            }
            lanes.extend(freed);
        }
        if let [first, _, ..] = visits {
            let ids: Vec<Uuid> = visits.iter().map(|standing| standing.id).collect();
            store::series::called_off_with(connection, &ids, first.id).await?;
        }
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        Ok(Ending::Done(visits.len() as u64))
    }
}

/// Whoever was kept out by somebody faster looks at it again.
fn settled(ended: sqlx::Result<Ending>) -> sqlx::Result<Ending> {
    match ended {
        Err(error) if store::is_conflict(&error) => Ok(Ending::Changed),
        other => other,
    }
}

/// What it comes to for the customer; none where their terms do not allow it any more.
fn customers_end(
    business: &Business,
    standing: &Standing,
    waiver: Option<Waiver>,
    now: Timestamp,
) -> Option<End> {
    let policy = terms::read(standing.policy.as_deref(), business.cancel_limit_minutes);
    let (price, start) = (standing.price_cents, standing.start);
    match booking::cancelling(&policy, price, start, waiver, now) {
        Cancelling::For { fee_cents } => Some(End {
            to: State::CancelledByCustomer,
            fee_cents,
            is_waived: waiver.is_some(),
        }),
        Cancelling::TooLate => None,
    }
}

fn desks_end(business: &Business, standing: &Standing, whose: OnBehalfOf, now: Timestamp) -> End {
    match whose {
        OnBehalfOf::Business => End {
            to: State::CancelledByBusiness,
            fee_cents: 0,
            is_waived: false,
        },
        OnBehalfOf::Customer(waiver) => End {
            to: State::CancelledByCustomer,
            fee_cents: fee_at_desk(business, standing, waiver, now),
            is_waived: waiver.is_some(),
        },
    }
}

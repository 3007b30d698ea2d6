//! Holding a time while somebody says who they are. A hold is a booking like every other,
//! with real claims, an owner and an end; confirming it changes nothing but its state.

use booking::{HELD_BY_VISITOR_MAX, HELD_FROM_ADDRESS_MAX, HOLD_FOR, State};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::make::{Making, Way};
use super::moves::{By, Change, Picture};
use super::take::around;
use super::{Appointments, Offered, request, token_hash};
use crate::crew::Who;
use crate::store;
use crate::store::booking::Standing;
use crate::store::hold::Holder;

/// Holds that the sweeper gives back in one transaction.
const SWEPT_AT_ONCE: i64 = 100;

/// The time that somebody chooses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'a> {
    pub(crate) start: Timestamp,
    pub(crate) who: Who,
    pub(crate) holder: Holder,
    /// The secret address of a hold that this one takes the place of.
    pub(crate) instead_of: Option<&'a str>,
    /// Sent again with the same choice, it gets the same answer.
    pub(crate) key: Option<&'a str>,
}

/// What becomes of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holding {
    /// It is kept, under this secret address.
    Kept {
        /// The secret address of the hold, and later of the booking.
        token: String,
    },
    /// The time cannot be had.
    Gone,
    /// This visitor, or this address, holds as many times as it may.
    TooMany,
    /// The key was used for something else.
    KeyReused,
}

/// What becomes of the wish for more time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extension {
    /// It is kept until then; also where it was extended before.
    Until(Timestamp),
    /// It is no hold any more.
    Over,
    /// There is no such hold.
    Unknown,
}

impl Appointments {
    /// Keeps a time for a while. What the same visitor holds of this service is let go for
    /// it, and stays where the new time cannot be had.
    pub(crate) async fn hold(
        &self,
        offered: Offered<'_>,
        choice: Choice<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Holding> {
        match self.try_hold(offered, choice, now).await {
            Err(error) if store::is_conflict(&error) => Ok(Holding::Gone),
            other => other,
        }
    }

    async fn try_hold(
        &self,
        offered: Offered<'_>,
        choice: Choice<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Holding> {
        let (business, service) = (offered.business.id, offered.service.id);
        let mut transaction = store::begin_planned(&self.pool, business).await?;
        let connection = &mut *transaction;
        let id = self.random.uuid(now);
        if let Some(key) = choice.key {
            let hash = request_hash(service, choice);
            if !store::link::reserve(connection, business, key, &hash, id, now).await? {
                let earlier = store::link::earlier(connection, key).await?;
                let same = earlier.filter(|earlier| earlier.request_hash == hash);
                return Ok(same.map_or(Holding::KeyReused, |earlier| Holding::Kept {
                    token: self.token(earlier.booking),
                }));
            }
        }
        store::hold::count_alone(connection, business, &choice.holder).await?;
        let own = self.own(connection, choice).await?;
        let is_same = |held: &&store::hold::Held| {
            (held.service, held.start) == (service, choice.start)
                && held.until > now
                && choice.who.staff().is_none_or(|staff| staff == held.staff)
        };
        if let Some(held) = own.iter().find(is_same) {
            let token = self.token(held.booking);
            return Ok(Holding::Kept { token });
        }
        let (replaced, others): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|held| held.service == service);
        let others = others.iter().filter(|held| held.until > now).count();
        if is_over(connection, others, replaced.len(), &choice.holder, now).await? {
            return Ok(Holding::TooMany);
        }
        let replaced: Vec<Uuid> = replaced.iter().map(|held| held.booking).collect();
        let mut lanes = self
            .let_go(connection, business, &replaced, choice.start, now)
            .await?;
        let making = Making {
            offered,
            id,
            who: choice.who,
            start: choice.start,
            series: None,
            way: Way::Held {
                until: now.checked_add(HOLD_FOR).unwrap_or(Timestamp::MAX),
                holder: choice.holder,
            },
        };
        let Some(written) = self.make(connection, &making, now).await? else {
            return Ok(Holding::Gone);
        };
        lanes.extend(written.lanes);
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        let token = self.token(id);
        Ok(Holding::Kept { token })
    }

    /// What the visitor holds at this business, and what they say that they hold.
    async fn own(
        &self,
        connection: &mut PgConnection,
        choice: Choice<'_>,
    ) -> sqlx::Result<Vec<store::hold::Held>> {
        let mut own = match &choice.holder.visit {
            Some(visit) => store::hold::of_visit(connection, visit).await?,
            None => Vec::new(),
        };
        if let Some(token) = choice.instead_of
            && let Some((_, id)) = store::link::find(connection, &token_hash(token)).await?
            && own.iter().all(|held| held.booking != id)
            && let Some(named) = store::hold::by_id(connection, id).await?
        {
            own.push(named);
        }
        Ok(own)
    }

    /// Lets holds go for a visit that begins at `start`, and gives the lanes that are free then.
    /// What has run out around that time is cleared first: everybody locks that in the order
    /// of the ids, and nobody who waits there has a hold of their own locked.
    pub(super) async fn let_go(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        holds: &[Uuid],
        start: Timestamp,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        store::hold::move_alone(connection, business).await?;
        let mut lanes = self.clear(connection, around(start), now).await?;
        let freed = self.expire(connection, holds, By::Customer, |_| true, now);
        lanes.extend(freed.await?);
        Ok(lanes)
    }

    /// Ends those of `holds` that are still held and `fit`; gives the lanes that are free.
    async fn expire(
        &self,
        connection: &mut PgConnection,
        holds: &[Uuid],
        by: By,
        fit: impl Fn(&Standing) -> bool,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        let mut lanes = Vec::new();
        for id in holds {
            let standing = store::booking::lock(connection, *id).await?;
            let Some(standing) = standing.filter(|s| s.state == State::Held && fit(s)) else {
                continue;
            };
            let freed = self
                .shift(connection, &standing, State::Expired, by, now)
                .await?;
            lanes.extend(freed.unwrap_or_default());
        }
        Ok(lanes)
    }

    /// Gives back what has run out between two instants, and gives the lanes that are free.
    /// Before anything is claimed: whoever waits here has nothing yet that others wait for.
    pub(super) async fn clear(
        &self,
        connection: &mut PgConnection,
        within: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        let holds = store::hold::run_out_within(connection, within, now).await?;
        self.give_back_run_out(connection, &holds, now).await
    }

    /// Gives back those of `holds` that have run out, and gives the lanes that are free.
    pub(super) async fn give_back_run_out(
        &self,
        connection: &mut PgConnection,
        holds: &[Uuid],
        now: Timestamp,
    ) -> sqlx::Result<Vec<Uuid>> {
        self.expire(connection, holds, By::Clock, |s| has_run_out(s, now), now)
            .await
    }

    /// Keeps a held time for longer, once.
    pub(crate) async fn extend(&self, token: &str, now: Timestamp) -> sqlx::Result<Extension> {
        let Some((mut transaction, business, standing)) = self.lock(token).await? else {
            return Ok(Extension::Unknown);
        };
        let connection = &mut *transaction;
        let (State::Held, Some(until)) = (standing.state, standing.hold_until) else {
            return Ok(Extension::Over);
        };
        let Some(later) = booking::extended(until, standing.hold_extended, now) else {
            return Ok(Extension::Until(until));
        };
        let (id, version) = (standing.id, standing.version);
        if !store::hold::extend(connection, id, version, later).await? {
            return Ok(Extension::Over);
        }
        let picture = Picture::of(&standing);
        let change = Change {
            business: business.id,
            booking: id,
            version: version + 1,
            event: "extended",
            before: Some(picture),
            after: picture,
        };
        self.record(connection, &change, By::Customer, now).await?;
        if has_run_out(&standing, now) {
            // Since then, free times were counted as if it were gone.
            let revived = self.revived(connection, &business, &standing).await?;
            let beyond = self.one_too_many(connection, &revived.limited, now);
            if beyond.await?.is_some() {
                return Ok(Extension::Over);
            }
            store::lane::bump(connection, &revived.lanes).await?;
        }
        transaction.commit().await?;
        Ok(Extension::Until(later))
    }

    /// What a visitor holds of a service now: the secret address, the start and the end.
    pub(crate) async fn held_by(
        &self,
        business: Uuid,
        service: Uuid,
        visit: &[u8; 32],
        now: Timestamp,
    ) -> sqlx::Result<Option<(String, Timestamp, Timestamp)>> {
        let mut transaction = store::begin_planned(&self.pool, business).await?;
        let own = store::hold::of_visit(&mut transaction, visit).await?;
        transaction.rollback().await?;
        let held = own
            .into_iter()
            .find(|held| held.service == service && held.until > now);
        Ok(held.map(|held| (self.token(held.booking), held.start, held.until)))
    }

    /// Ends every hold that has run out, and says how many. Safe to run in several
    /// processes at once, and beside those who confirm.
    pub(crate) async fn sweep_holds(&self, now: Timestamp) -> sqlx::Result<u64> {
        let mut swept = 0;
        for business in store::hold::businesses_to_sweep(&self.pool, now).await? {
            loop {
                let mut transaction = store::begin_planned(&self.pool, business).await?;
                let connection = &mut *transaction;
                let holds = store::hold::to_sweep(connection, now, SWEPT_AT_ONCE).await?;
                let lanes = self
                    .expire(connection, &holds, By::Clock, |s| has_run_out(s, now), now)
                    .await?;
                store::lane::bump(connection, &lanes).await?;
                transaction.commit().await?;
                swept += u64::try_from(holds.len()).unwrap_or(0);
                if holds.is_empty() {
                    break;
                }
            }
        }
        Ok(swept)
    }
}

fn request_hash(service: Uuid, choice: Choice<'_>) -> Vec<u8> {
    let start = choice.start.as_microsecond().to_be_bytes();
    let mut fields: Vec<&[u8]> = vec![b"hold", service.as_bytes(), &start];
    // A release before this one knows no other wish than anyone.
    if let Who::Only(staff) = &choice.who {
        fields.push(staff.as_bytes());
    }
    request::hash(&fields)
}

pub(super) fn has_run_out(standing: &Standing, now: Timestamp) -> bool {
    standing.hold_until.is_some_and(|until| until <= now)
}

/// Whether the visitor, or the address, holds as many times as it may besides `replaced`.
async fn is_over(
    connection: &mut PgConnection,
    others: usize,
    replaced: usize,
    holder: &Holder,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    if count(others) >= HELD_BY_VISITOR_MAX {
        return Ok(true);
    }
    let Some(origin) = &holder.origin else {
        return Ok(false);
    };
    let held = store::hold::count_of_origin(connection, origin, now).await?;
    Ok(held.saturating_sub(count(replaced)) >= HELD_FROM_ADDRESS_MAX)
}

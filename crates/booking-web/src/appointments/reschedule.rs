//! Moving a booking to another time: the old claims are given back and new ones taken in one
//! transaction, so that it may overlap its own old time, and nothing is lost where the new
//! one cannot be had. The booking stays the same, under the same secret address.

use booking::{Actor, Cancelling, State};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::PgConnection;

use super::moves::{By, Change, Picture};
use super::take::{Taken, Visit, around};
use super::{Appointments, terms};
use crate::crew::Who;
use crate::quota::Moved;
use crate::store;
use crate::store::booking::{NewTime, Standing};
use crate::store::business::Business;

/// What becomes of the wish for another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rescheduling {
    /// It is at the new time now, or was before.
    There,
    /// The new time cannot be had; the old one stays.
    Gone,
    /// The business does not allow it any more, or there is nothing to move.
    TooLate,
    /// Somebody has changed the booking since it was looked at.
    Changed,
    /// There is no such booking.
    Unknown,
}

impl Appointments {
    /// Moves for whoever holds the secret address; only from `version`, where one is named.
    pub(crate) async fn reschedule(
        &self,
        token: &str,
        start: Timestamp,
        version: Option<i32>,
        now: Timestamp,
    ) -> sqlx::Result<Rescheduling> {
        match self.try_reschedule(token, start, version, now).await {
            Err(error) if store::is_conflict(&error) => Ok(Rescheduling::Gone),
            other => other,
        }
    }

    async fn try_reschedule(
        &self,
        token: &str,
        start: Timestamp,
        version: Option<i32>,
        now: Timestamp,
    ) -> sqlx::Result<Rescheduling> {
        let (mut transaction, found) = self.enter(token).await?;
        let connection = &mut *transaction;
        let Some((business, booking)) = found else {
            return Ok(Rescheduling::Unknown);
        };
        store::hold::move_alone(connection, business).await?;
        let Some((business, standing)) = self.standing(connection, business, booking).await? else {
            return Ok(Rescheduling::Unknown);
        };
        if standing.state != State::Confirmed {
            return Ok(Rescheduling::TooLate);
        }
        if standing.start == start {
            return Ok(Rescheduling::There);
        }
        if version.is_some_and(|version| version != standing.version) {
            return Ok(Rescheduling::Changed);
        }
        let policy = terms::read(standing.policy.as_deref(), business.cancel_limit_minutes);
        // Where calling it off costs, moving it far away first would be a way around the fee.
        let price = standing.price_cents;
        let cancelling = booking::cancelling(&policy, price, standing.start, None, now);
        if cancelling != (Cancelling::For { fee_cents: 0 }) {
            return Ok(Rescheduling::TooLate);
        }
        let by = By::Customer;
        let to = (start, Who::Anyone);
        let moved = self.retime(connection, (&business, &standing), to, by, now);
        let Some(taken) = moved.await? else {
            return Ok(Rescheduling::Gone);
        };
        let beyond = self.one_too_many(connection, &taken.limited, now);
        if beyond.await?.is_some() {
            return Ok(Rescheduling::Gone);
        }
        store::lane::bump(connection, &taken.lanes).await?;
        transaction.commit().await?;
        Ok(Rescheduling::There)
    }

    /// Gives the old time back and takes the new one. None where it cannot be had; then
    /// nothing must be kept. Whoever calls this moves alone in the business, and looks at the
    /// limits when all is moved.
    pub(super) async fn retime(
        &self,
        connection: &mut PgConnection,
        (business, standing): (&Business, &Standing),
        (start, who): (Timestamp, Who),
        by: By,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        let service = store::service::by_id(connection, standing.service).await?;
        let zone = TimeZone::get(&business.zone).ok();
        let Some((mut service, zone)) = service.zip(zone) else {
            return Ok(None);
        };
        // It stays as long as it was booked, however long the service takes by now.
        let length = standing.end.duration_since(standing.start);
        service.duration_minutes =
            i32::try_from(length.as_mins()).unwrap_or(service.duration_minutes);
        if by.actor() == Actor::Business {
            for_the_desk(&mut service);
        }
        // Before anything is given back: whoever waits here has nothing that others wait for.
        let mut lanes = self.clear(connection, around(start), now).await?;
        lanes.extend(self.give_back(connection, standing, now).await?);
        let visit = Visit {
            business: business.id,
            zone: &zone,
            service: &service,
            who,
            booking: standing.id,
            start,
            held_until: None,
            moved: Some(Moved {
                start: standing.start,
                staff: standing.staff,
            }),
        };
        let Some(taken) = self.take_again(connection, standing, visit, now).await? else {
            return Ok(None);
        };
        lanes.extend(&taken.lanes);
        let time = NewTime {
            staff: taken.staff,
            start,
            end: start.checked_add(length).unwrap_or(Timestamp::MAX),
            local_start: &zone.to_datetime(start).to_string(),
        };
        if !store::booking::retime(connection, standing, &time).await? {
            return Ok(None);
        }
        let before = Picture::of(standing);
        let change = Change {
            business: business.id,
            booking: standing.id,
            version: standing.version + 1,
            event: "moved",
            before: Some(before),
            after: Picture {
                start,
                staff: taken.staff,
                ..before
            },
        };
        self.record(connection, &change, by, now).await?;
        Ok(Some(Taken { lanes, ..taken }))
    }

    /// Claims the new time, with the same person where that can be: many book for the sake of
    /// one. With nobody else, where one was asked for.
    async fn take_again(
        &self,
        connection: &mut PgConnection,
        standing: &Standing,
        visit: Visit<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        let asked = match visit.who {
            Who::Anyone => self.asked_for(connection, standing).await?,
            named @ Who::Only(_) => named,
        };
        let willing = match asked {
            Who::Anyone => vec![Who::Only(standing.staff), Who::Anyone],
            named @ Who::Only(_) => vec![named],
        };
        for who in willing {
            let taken = self.take(connection, Visit { who, ..visit }, now).await?;
            if taken.is_some() {
                return Ok(taken);
            }
        }
        Ok(None)
    }
}

/// Who stands at the desk sees who is there: neither notice nor the times that are offered
/// bind them, but hours and claims do.
pub(super) fn for_the_desk(service: &mut store::service::Service) {
    service.notice_minutes = 0;
    service.step_minutes = 1;
}

//! Keeping the limits of a day and a week. They are counted last in the transaction, by one
//! at a time: whoever waits for that has all its claims, and whoever counts waits for nothing
//! but the versions of its lanes, so that nobody waits in a circle.

use booking::{Limit, Span, week_of};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Appointments;
use super::take::{Taken, Visit};
use crate::crew::Who;
use crate::quota::{self, Moved};
use crate::store;
use crate::store::booking::Standing;
use crate::store::business::Business;
use crate::store::service::Giver;

/// A visit that falls under a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limited {
    /// The service, or the person.
    of: Uuid,
    limit: Limit,
    booking: Uuid,
    monday: Date,
    day: Span,
    week: Span,
}

impl Limited {
    /// The limits under which a visit falls. A visit that is moved is not one more on its day
    /// and in its week.
    fn all_of(visit: &Visit<'_>, (staff, of_staff): (Uuid, Limit)) -> Vec<Self> {
        let of_service = quota::limit(visit.service.limits());
        let with_same = visit.moved.filter(|moved| moved.staff == staff);
        let all = [
            Self::of(visit, (visit.service.id, of_service), visit.moved),
            Self::of(visit, (staff, of_staff), with_same),
        ];
        all.into_iter().flatten().collect()
    }

    fn of(visit: &Visit<'_>, (of, limit): (Uuid, Limit), moved: Option<Moved>) -> Option<Self> {
        if !limit.is_set() {
            return None;
        }
        let date = |at: Timestamp| visit.zone.to_datetime(at).date();
        let (day, from) = (date(visit.start), moved.map(|moved| date(moved.start)));
        let week = week_of(day);
        let limit = Limit {
            day: limit.day.filter(|_| from != Some(day)),
            week: limit.week.filter(|_| from.map(week_of) != Some(week)),
        };
        Some(Self {
            of,
            limit: Some(limit).filter(|limit| limit.is_set())?,
            booking: visit.booking,
            monday: week.0,
            day: quota::instants(visit.zone, (day, day))?,
            week: quota::instants(visit.zone, week)?,
        })
    }
}

impl Appointments {
    /// The first of the visits that is one too many; then nothing must be kept. To be asked
    /// when all are written, before the versions of lanes change.
    pub(super) async fn one_too_many(
        &self,
        connection: &mut PgConnection,
        limited: &[Limited],
        now: Timestamp,
    ) -> sqlx::Result<Option<Uuid>> {
        let mut weeks: Vec<_> = limited.iter().map(|one| (one.of, one.monday)).collect();
        // Everybody in the same order, so that nobody waits in a circle.
        weeks.sort_unstable();
        weeks.dedup();
        for (of, monday) in weeks {
            store::limit::count_alone(connection, of, monday).await?;
        }
        for one in limited {
            let spans = (one.day, one.week);
            let others = store::limit::others(connection, one.of, one.booking, spans, now);
            let (on_day, in_week) = others.await?;
            let is_over = |most: Option<u16>, others| most.is_some_and(|m| others >= i64::from(m));
            if is_over(one.limit.day, on_day) || is_over(one.limit.week, in_week) {
                return Ok(Some(one.booking));
            }
        }
        Ok(None)
    }

    /// What a hold has that ran out and is kept all the same. It did not count since.
    pub(super) async fn revived(
        &self,
        connection: &mut PgConnection,
        business: &Business,
        standing: &Standing,
    ) -> sqlx::Result<Taken> {
        let service = store::service::by_id(connection, standing.service).await?;
        let of_staff = store::limit::of_staff(connection, standing.staff).await?;
        let zone = TimeZone::get(&business.zone).ok();
        let limited = service.zip(zone).map(|(service, zone)| {
            let visit = Visit {
                business: business.id,
                zone: &zone,
                service: &service,
                who: Who::Only(standing.staff),
                booking: standing.id,
                start: standing.start,
                held_until: None,
                moved: None,
            };
            Limited::all_of(&visit, (standing.staff, quota::limit(of_staff)))
        });
        Ok(Taken {
            staff: standing.staff,
            lanes: store::hold::lanes(connection, standing.id).await?,
            limited: limited.unwrap_or_default(),
        })
    }
}

impl Taken {
    /// What was claimed with somebody for a visit.
    pub(super) fn with(visit: &Visit<'_>, giver: &Giver, lanes: Vec<Uuid>) -> Self {
        let limit = quota::limit(giver.limits());
        Self {
            staff: giver.staff_id,
            lanes,
            limited: Limited::all_of(visit, (giver.staff_id, limit)),
        }
    }
}

//! How far the limits of a service, and of those who give it, are used up around some days.
//! Where there is no limit, nothing is asked.

use booking::{Limit, Quota, Span, Window, week_of};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::crew::Crew;
use crate::store;
use crate::store::limit::Standing;
use crate::store::service::Service;

/// A visit that is to be moved. On its day and in its week it is not one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) start: Timestamp,
    pub(crate) staff: Uuid,
}

/// The limits of a service and of its crew, in the order of its people.
pub(crate) struct Quotas {
    pub(crate) service: Quota,
    pub(crate) people: Vec<Quota>,
}

/// A limit as it is stored.
pub(crate) fn limit((day, week): (Option<i16>, Option<i16>)) -> Limit {
    let most = |max: Option<i16>| max.and_then(|max| u16::try_from(max).ok());
    Limit {
        day: most(day),
        week: most(week),
    }
}

/// The instants of the days from `from` to `to`, both included.
pub(crate) fn instants(zone: &TimeZone, (from, to): (Date, Date)) -> Option<Span> {
    let (start, end) = (from, to.saturating_add(1.days()));
    Span::new(
        booking::day_start(zone, start),
        booking::day_start(zone, end),
    )
}

impl Quotas {
    pub(crate) async fn read(
        connection: &mut PgConnection,
        zone: &TimeZone,
        (service, crew): (&Service, &Crew),
        (window, moved): (Window, Option<Moved>),
        now: Timestamp,
    ) -> sqlx::Result<Self> {
        let of_service = limit(service.limits());
        let people: Vec<(Uuid, Limit)> = crew
            .people
            .iter()
            .map(|giver| (giver.staff_id, limit(giver.limits())))
            .collect();
        let limited = people.iter().filter(|(_, limit)| limit.is_set());
        let limited: Vec<Uuid> = limited.map(|(staff, _)| *staff).collect();
        let weeks = instants(zone, (week_of(window.from).0, week_of(window.to).1));
        let standing = match weeks {
            Some(weeks) if of_service.is_set() || !limited.is_empty() => {
                let service = of_service.is_set().then_some(service.id);
                store::limit::standing(connection, service, &limited, weeks, now).await?
            }
            _ => Vec::new(),
        };
        let quota = |limit: Limit, counts: &dyn Fn(&Standing) -> bool, is_own: bool| {
            let mut quota = Quota {
                limit,
                moved_from: moved
                    .filter(|_| is_own)
                    .map(|moved| zone.to_datetime(moved.start).date()),
                ..Quota::default()
            };
            for standing in standing.iter().filter(|s| limit.is_set() && counts(s)) {
                let date = zone.to_datetime(standing.start).date();
                let taken = quota.taken.entry(date).or_default();
                *taken = taken.saturating_add(1);
            }
            quota
        };
        let person = |(staff, limit): &(Uuid, Limit)| {
            let is_own = moved.is_some_and(|moved| moved.staff == *staff);
            quota(*limit, &|s| s.staff == *staff, is_own)
        };
        Ok(Self {
            service: quota(of_service, &|s| s.service == service.id, true),
            people: people.iter().map(person).collect(),
        })
    }

    /// How many more may be booked with one of the crew on `date`.
    pub(crate) fn left_with(&self, crew: &Crew, staff: Uuid, date: Date) -> u16 {
        let mut people = crew.people.iter().zip(&self.people);
        let found = people.find(|(giver, _)| giver.staff_id == staff);
        found.map_or(u16::MAX, |(_, quota)| quota.left(date))
    }
}

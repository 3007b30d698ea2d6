//! What the demonstration has beside people: rooms, devices, classes, and days that differ.

use anyhow::Context as _;
use booking::{DayRule, Minute, Opening, Part, Span};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use sqlx::Connection as _;
use uuid::Uuid;

use super::{DAYS_BEHIND, Given, Person, Planter, cast};
use crate::availability::stored_date;
use crate::store;
use crate::store::claim::{Holder, Wanted};
use crate::store::class::NewClass;
use crate::store::seed::NewBusiness;

/// Classes are planned so far ahead.
const CLASSES_AHEAD: i64 = 56;

/// Open as early as ever, until this minute.
pub(super) fn until(closes: i16) -> DayRule {
    let minute = |minute: i16| u16::try_from(minute).ok().and_then(Minute::new);
    let times = minute(cast::OPENS).zip(minute(closes));
    let opening = times.and_then(|(opens, closes)| Opening::new(opens, closes));
    DayRule::Open(opening.into_iter().collect())
}

impl Planter<'_> {
    /// The day on which the whole place closes early, if there is one; and the holiday on
    /// which it is open.
    pub(super) async fn days_that_differ(
        &mut self,
        business: &NewBusiness<'_>,
        cast: &cast::Business,
        today: Date,
    ) -> anyhow::Result<Option<(Date, i16)>> {
        if let Some((month, day)) = cast.opens_on {
            let date = stored_date(next_date(today, month, day)?);
            store::seed::open_on_holiday(self.connection, business.id, date).await?;
        }
        let Some((month, day, closes)) = cast.closes_early else {
            return Ok(None);
        };
        let (id, date) = (self.id(), next_date(today, month, day)?);
        let hours = (cast::OPENS, closes);
        let (business, location) = (business.id, business.location);
        let day = stored_date(date);
        store::seed::location_exception(self.connection, id, business, location, day, hours)
            .await?;
        Ok(Some((date, closes)))
    }

    /// The next half day of a person, if they have one.
    pub(super) async fn half_day(
        &mut self,
        business: Uuid,
        lane: Uuid,
        cast: &cast::Person,
        zone: &TimeZone,
    ) -> anyhow::Result<Option<(Date, i16)>> {
        let Some(weekday) = cast.half_day else {
            return Ok(None);
        };
        let tomorrow = self.now.to_zoned_datetime(zone.clone()).date().tomorrow()?;
        let date = weekday_from(tomorrow, weekday);
        let (id, hours) = (self.id(), (cast::OPENS, cast::NOON));
        let day = stored_date(date);
        store::seed::lane_exception(self.connection, id, business, lane, day, hours).await?;
        Ok(Some((date, cast::NOON)))
    }

    /// The rooms and devices of a business, and which service needs them.
    pub(super) async fn pools(
        &mut self,
        business: &NewBusiness<'_>,
        cast: &cast::Business,
        services: &mut [Given<'_>],
    ) -> anyhow::Result<()> {
        for pool in cast.pools {
            let id = self.id();
            let units: Vec<(Uuid, &str)> = pool.units.iter().map(|n| (self.id(), *n)).collect();
            let (location, named) = (business.location, (id, pool.name, pool.kind));
            store::seed::pool(self.connection, business.id, location, named, &units).await?;
            for (slug, part) in pool.needed_by {
                let mut all = services.iter_mut();
                let service = all.find(|service| service.new.slug == *slug);
                let service = service.context("a room for nothing")?;
                let (need, ids) = (self.id(), (service.new.id, id));
                store::seed::needs(self.connection, need, business.id, ids, *part).await?;
                let lanes = units.iter().map(|(lane, _)| *lane).collect();
                service.needs.push((lanes, *part));
            }
        }
        Ok(())
    }

    /// The planned classes of a service, with some of their seats taken.
    pub(super) async fn classes(
        &mut self,
        business: &NewBusiness<'_>,
        zone: &TimeZone,
        service: &Given<'_>,
        cast: &cast::Service,
        people: &[Person],
    ) -> anyhow::Result<()> {
        let Some(person) = cast.by.first().and_then(|index| people.get(*index)) else {
            return Ok(());
        };
        let today = self.now.to_zoned_datetime(zone.clone()).date();
        let duration = SignedDuration::from_mins(i64::from(service.new.duration_minutes));
        for days in -DAYS_BEHIND..CLASSES_AHEAD {
            let date = today.saturating_add(days.days());
            let open = person.hours.open(zone, date, date);
            for (_, minute) in cast.planned.iter().filter(|p| p.0 == date.weekday()) {
                let start = date.at(0, 0, 0, 0) + i64::from(*minute).minutes();
                let start = zone.to_timestamp(start)?;
                let visit = Span::new(start, start.checked_add(duration)?);
                let visit = visit.context("a class of no length")?;
                if open.iter().any(|open| open.contains(visit)) {
                    self.class(business, zone, service, person, visit).await?;
                }
            }
        }
        Ok(())
    }

    async fn class(
        &mut self,
        business: &NewBusiness<'_>,
        zone: &TimeZone,
        service: &Given<'_>,
        person: &Person,
        visit: Span,
    ) -> anyhow::Result<()> {
        let new = NewClass {
            id: self.id(),
            business: business.id,
            service: service.new.id,
            staff: person.staff,
            start: visit.start(),
            capacity: service.new.capacity,
            is_planned: true,
        };
        store::class::insert(self.connection, new).await?;
        let holder = Holder::Class(new.id);
        let taken = self.take(business.id, holder, person, service, visit);
        anyhow::ensure!(taken.await?, "two classes of the demonstration overlap");
        let seats = u64::try_from(new.capacity).unwrap_or(0);
        for _ in 0..self.random.below(seats + 1) {
            let (booking, seat) = (self.id(), self.id());
            store::class::take_seat(self.connection, seat, new.id, booking).await?;
            self.booking(business, zone, person, &service.new, visit, booking)
                .await?;
        }
        Ok(())
    }

    /// Takes the person and one lane for each need; nothing where one of them is taken.
    pub(super) async fn take(
        &mut self,
        business: Uuid,
        holder: Holder,
        person: &Person,
        service: &Given<'_>,
        visit: Span,
    ) -> anyhow::Result<bool> {
        let minutes = |m: i32| SignedDuration::from_mins(i64::from(m));
        let whole = Part {
            from: SignedDuration::ZERO,
            to: minutes(service.new.duration_minutes),
            before: SignedDuration::ZERO,
            after: minutes(service.new.after_minutes),
        };
        let part = |part: &Option<(i32, i32)>| {
            part.map_or(whole, |(from, to)| Part {
                from: minutes(from),
                to: minutes(to),
                before: SignedDuration::ZERO,
                after: SignedDuration::ZERO,
            })
        };
        let mut wanted = vec![(vec![person.lane], whole)];
        wanted.extend(
            service
                .needs
                .iter()
                .map(|(lanes, p)| (lanes.clone(), part(p))),
        );
        let (random, now) = (&self.random, self.now);
        let mut attempt = self.connection.begin().await?;
        for (lanes, part) in wanted {
            let during = part.claim(visit.start()).context("at the end of time")?;
            let mut is_taken = false;
            for lane in lanes {
                let id = random.uuid(now);
                let wanted = [Wanted { id, lane, during }];
                let taken = store::claim::take(&mut attempt, business, (holder, None), &wanted);
                is_taken = !taken.await?.is_empty();
                if is_taken {
                    break;
                }
            }
            if !is_taken {
                attempt.rollback().await?;
                return Ok(false);
            }
        }
        attempt.commit().await?;
        Ok(true)
    }
}

/// The next time that this date comes.
fn next_date(today: Date, month: i8, day: i8) -> anyhow::Result<Date> {
    let this = Date::new(today.year(), month, day)?;
    if this >= today {
        return Ok(this);
    }
    Ok(Date::new(today.year() + 1, month, day)?)
}

/// The first such weekday from a day on.
fn weekday_from(from: Date, weekday: Weekday) -> Date {
    from.saturating_add(i64::from(weekday.since(from.weekday())).days())
}

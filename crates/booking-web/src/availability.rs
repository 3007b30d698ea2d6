//! Who and what can give a service when. Reads hours and claims, and lets the rules in the
//! crate `booking` decide.

use std::collections::{BTreeMap, BTreeSet};

use booking::{
    DayRule, Exceptions, HolidayChoice, Hours, Lane, Minute, Opening, Service, Span, Supply, Window,
};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::crew::Crew;
use crate::quota::{Moved, Quotas};
use crate::store;
use crate::store::calendar::Person;
use crate::store::class::Class;

/// A crew with all that is known about it around some days. What the rules name by its
/// place in the supply has the same place in the crew, and among the classes.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) crew: Crew,
    pub(crate) classes: Vec<Class>,
    pub(crate) supply: Supply,
}

/// The rules of a stored service.
pub(crate) fn rules(service: &store::service::Service) -> Service {
    let minutes = |m: i32| SignedDuration::from_mins(i64::from(m));
    Service {
        duration: minutes(service.duration_minutes),
        before: minutes(service.before_minutes),
        after: minutes(service.after_minutes),
        step: minutes(service.step_minutes),
        notice: minutes(service.notice_minutes),
        horizon_days: u16::try_from(service.horizon_days).unwrap_or(0),
        capacity: u16::try_from(service.capacity).unwrap_or(1),
        fills_gaps: service.fills_gaps,
    }
}

/// What is known about `crew` on the days of `window`, one question each for all lanes. The
/// business must be in scope.
pub(crate) async fn known(
    connection: &mut PgConnection,
    zone: &TimeZone,
    service: &store::service::Service,
    crew: Crew,
    window: Window,
    now: Timestamp,
) -> sqlx::Result<Known> {
    known_besides(connection, zone, service, crew, (window, None), now).await
}

/// The same for a visit that is to be moved, which is not one more where it is.
pub(crate) async fn known_besides(
    connection: &mut PgConnection,
    zone: &TimeZone,
    service: &store::service::Service,
    crew: Crew,
    (window, moved): (Window, Option<Moved>),
    now: Timestamp,
) -> sqlx::Result<Known> {
    let (lanes, locations) = (crew.lanes(), crew.locations());
    // Hours may begin on the day before, visits may last a day and buffers half of one.
    let (from, to) = (plus_days(window.from, -2), plus_days(window.to, 3));
    let (start, end) = (booking::day_start(zone, from), booking::day_start(zone, to));
    let rules = Rules::read(connection, &lanes, &locations, (from, to)).await?;
    let busy = store::claim::busy(connection, &lanes, (start, end), now).await?;
    let mut classes = Vec::new();
    if service.capacity > 1 {
        classes = store::class::between(connection, service.id, start, end).await?;
        classes.retain(|class| crew.people.iter().any(|p| p.staff_id == class.staff_id));
    }
    let asked = (window, moved);
    let quotas = Quotas::read(connection, zone, (service, &crew), asked, now).await?;
    let lane = |id: Uuid, location: Uuid, is_person: bool| {
        let spans = |is_away: bool| {
            let mut own = busy.iter();
            let own = own.find(|busy| (busy.lane, busy.is_away) == (id, is_away));
            own.map_or_else(Vec::new, |busy| busy.during.clone())
        };
        Lane {
            hours: rules.hours(id, location, is_person),
            away: spans(true),
            busy: spans(false),
            ..Lane::default()
        }
    };
    // Nobody begins what takes place only where it was planned.
    let beginners = crew.people.iter().zip(&quotas.people);
    let beginners = beginners.filter(|_| !service.only_planned);
    let people = beginners.map(|(p, quota)| Lane {
        quota: quota.clone(),
        ..lane(p.lane_id, p.location_id, true)
    });
    let needs = crew.needs.iter().map(|need| booking::Need {
        quantity: need.quantity,
        part: need.part,
        pool: (need.units.iter())
            .map(|unit| lane(unit.lane, unit.location, false))
            .collect(),
    });
    let day = |at| zone.to_datetime(at).date();
    let supply = Supply {
        zone: zone.clone(),
        people: people.collect(),
        needs: needs.collect(),
        classes: (classes.iter())
            .map(|class| {
                seats(
                    class,
                    quotas.left_with(&crew, class.staff_id, day(class.start)),
                )
            })
            .collect(),
        quota: quotas.service,
    };
    Ok(Known {
        crew,
        classes,
        supply,
    })
}

/// When each of `people` is at work on the days `from` to `to`, time off not looked at. The
/// business must be in scope.
pub(crate) async fn at_work(
    connection: &mut PgConnection,
    zone: &TimeZone,
    people: &[Person],
    from: Date,
    to: Date,
) -> sqlx::Result<Vec<Vec<Span>>> {
    let lanes: Vec<Uuid> = people.iter().map(|person| person.lane).collect();
    let mut locations: Vec<Uuid> = people.iter().map(|person| person.location).collect();
    locations.sort_unstable();
    locations.dedup();
    // Hours may begin on the day before.
    let from = plus_days(from, -1);
    let rules = Rules::read(connection, &lanes, &locations, (from, to)).await?;
    let open = people.iter().map(|person| {
        let hours = rules.hours(person.lane, person.location, true);
        hours.open(zone, from, to)
    });
    Ok(open.collect())
}

/// A class with as many seats as may still be booked with whoever gives it.
fn seats(class: &Class, left: u16) -> booking::Class {
    booking::Class {
        start: class.start,
        seats_left: u16::try_from(class.seats_left).unwrap_or(0).min(left),
    }
}

/// The rows that hours follow from.
struct Rules {
    openings: Vec<store::lane::Opening>,
    exceptions: Vec<store::lane::Exception>,
    holidays: BTreeSet<Date>,
}

impl Rules {
    async fn read(
        connection: &mut PgConnection,
        lanes: &[Uuid],
        locations: &[Uuid],
        (from, to): (Date, Date),
    ) -> sqlx::Result<Self> {
        let dates = (stored_date(from), stored_date(to));
        let hours = store::lane::hours(connection, lanes, locations, dates.0, dates.1).await?;
        let holidays = holidays((hours.keeps_holidays, hours.holidays));
        Ok(Self {
            openings: hours.openings,
            exceptions: hours.exceptions,
            holidays: holidays.closed(from, to),
        })
    }

    /// The hours of one lane. A room or a device for which none were entered is always open.
    fn hours(&self, lane: Uuid, location: Uuid, is_person: bool) -> Hours {
        let own = self.openings.iter().filter(|o| o.lane_id == lane);
        let mut weekly: Vec<_> = own.filter_map(weekly).collect();
        let is_always_open = weekly.is_empty() && !is_person;
        if is_always_open {
            weekly = Hours::always().weekly;
        }
        let entered = |of: Uuid| {
            let rows = self.exceptions.iter().filter(move |e| e.of == of);
            rows.filter_map(day_rule).collect()
        };
        let exceptions = Exceptions {
            lane: entered(lane),
            location: entered(location),
            // A room keeps no holiday of its own: whoever works then needs one.
            holidays: if is_always_open {
                BTreeSet::new()
            } else {
                self.holidays.clone()
            },
        };
        Hours {
            weekly,
            exceptions: exceptions.rules(),
        }
    }
}

fn weekly(opening: &store::lane::Opening) -> Option<(Weekday, Opening)> {
    let weekday = Weekday::from_monday_one_offset(i8::try_from(opening.weekday).ok()?).ok()?;
    Some((weekday, minutes(opening.opens, opening.closes)?))
}

fn minutes(opens: i16, closes: i16) -> Option<Opening> {
    let minute = |m: i16| Minute::new(u16::try_from(m).ok()?);
    Opening::new(minute(opens)?, minute(closes)?)
}

fn day_rule(exception: &store::lane::Exception) -> Option<(Date, DayRule)> {
    let times = exception.opens.zip(exception.closes);
    let opening = times.and_then(|(opens, closes)| minutes(opens, closes));
    let rule = opening.map_or(DayRule::Closed, |opening| DayRule::Open(vec![opening]));
    Some((date(exception.date)?, rule))
}

fn holidays((keeps, days): (bool, Vec<(time::Date, bool)>)) -> HolidayChoice {
    let days = days.into_iter();
    let days: BTreeMap<Date, bool> = days
        .filter_map(|(day, is_closed)| Some((date(day)?, is_closed)))
        .collect();
    HolidayChoice { keeps, days }
}

fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// A date as the database's driver has it.
pub(crate) fn stored_date(date: Date) -> time::Date {
    time::Date::from_ordinal_date(i32::from(date.year()), date.day_of_year().unsigned_abs())
        .unwrap_or(time::Date::MIN)
}

pub(crate) fn date(stored: time::Date) -> Option<Date> {
    let year = i16::try_from(stored.year()).ok()?;
    let (month, day) = (u8::from(stored.month()), stored.day());
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_the_way_into_the_database_and_back() {
        for text in ["2028-02-29", "2026-01-01", "2026-12-31"] {
            let there: Date = text.parse().unwrap();
            assert_eq!(date(stored_date(there)), Some(there));
        }
    }

    #[test]
    fn a_room_without_hours_is_always_open_and_a_person_without_any_never_works() {
        let rules = Rules {
            openings: Vec::new(),
            exceptions: Vec::new(),
            holidays: BTreeSet::new(),
        };
        let week = |is_person| rules.hours(Uuid::nil(), Uuid::nil(), is_person).weekly;
        assert_eq!((week(true).len(), week(false).len()), (0, 7));
    }
}

//! Who can give a service when. Reads hours and claims, and lets the rules in the
//! crate `booking` decide.

use std::collections::BTreeMap;

use booking::{DayRule, Hours, Lane, Minute, Opening, Service, Window};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store;
use crate::store::service::Giver;

/// Somebody who gives the service, with hours and claims around the days asked about.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) giver: Giver,
    pub(crate) lane: Lane,
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
    }
}

/// Everybody who gives `service`, with what is known about the days of `window`. The
/// business must be in scope.
pub(crate) async fn candidates(
    connection: &mut PgConnection,
    zone: &TimeZone,
    service: Uuid,
    window: Window,
) -> sqlx::Result<Vec<Candidate>> {
    let givers = store::service::givers(connection, service).await?;
    of_givers(connection, zone, givers, window).await
}

/// The same for givers that are known.
pub(crate) async fn of_givers(
    connection: &mut PgConnection,
    zone: &TimeZone,
    givers: Vec<Giver>,
    window: Window,
) -> sqlx::Result<Vec<Candidate>> {
    let lanes: Vec<Uuid> = givers.iter().map(|g| g.lane_id).collect();
    // Hours may begin on the day before, visits may last a day and buffers half of one.
    let (from, to) = (plus_days(window.from, -2), plus_days(window.to, 3));
    let openings = store::lane::openings(connection, &lanes).await?;
    let exceptions =
        store::lane::exceptions(connection, &lanes, stored_date(from), stored_date(to)).await?;
    let busy =
        store::claim::busy(connection, &lanes, midnight(zone, from), midnight(zone, to)).await?;
    let candidate = |giver: Giver| {
        let lane_id = giver.lane_id;
        let weekly = openings
            .iter()
            .filter(|o| o.lane_id == lane_id)
            .filter_map(weekly);
        let hours = Hours {
            zone: zone.clone(),
            weekly: weekly.collect(),
            exceptions: day_rules(exceptions.iter().filter(|e| e.lane_id == lane_id)),
        };
        let busy = busy
            .iter()
            .filter(|(lane, _)| *lane == lane_id)
            .map(|(_, span)| *span);
        Candidate {
            giver,
            lane: Lane {
                hours,
                busy: busy.collect(),
            },
        }
    };
    Ok(givers.into_iter().map(candidate).collect())
}

/// Every start that at least one candidate can take, in order.
pub(crate) fn free(
    candidates: &[Candidate],
    service: &Service,
    window: Window,
    now: Timestamp,
) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = candidates
        .iter()
        .flat_map(|c| booking::free_times(&c.lane, service, window, now))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn weekly(opening: &store::lane::Opening) -> Option<(Weekday, Opening)> {
    let weekday = Weekday::from_monday_one_offset(i8::try_from(opening.weekday).ok()?).ok()?;
    Some((weekday, minutes(opening.opens, opening.closes)?))
}

fn minutes(opens: i16, closes: i16) -> Option<Opening> {
    let minute = |m: i16| Minute::new(u16::try_from(m).ok()?);
    Opening::new(minute(opens)?, minute(closes)?)
}

fn day_rules<'a>(
    exceptions: impl Iterator<Item = &'a store::lane::Exception>,
) -> BTreeMap<Date, DayRule> {
    let mut rules: BTreeMap<Date, DayRule> = BTreeMap::new();
    for exception in exceptions {
        let Some(date) = date(exception.date) else {
            continue;
        };
        let opening = exception
            .opens
            .zip(exception.closes)
            .and_then(|(o, c)| minutes(o, c));
        match (
            rules
                .entry(date)
                .or_insert_with(|| DayRule::Open(Vec::new())),
            opening,
        ) {
            (DayRule::Open(openings), Some(opening)) => openings.push(opening),
            // Closed all day wins over whatever else was entered for the day.
            (rule, None) => *rule = DayRule::Closed,
            (DayRule::Closed, Some(_)) => {}
        }
    }
    rules
}

fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

fn midnight(zone: &TimeZone, date: Date) -> Timestamp {
    zone.to_timestamp(date.at(0, 0, 0, 0))
        .unwrap_or(Timestamp::MAX)
}

/// A date as the database's driver has it.
pub(crate) fn stored_date(date: Date) -> time::Date {
    time::Date::from_ordinal_date(i32::from(date.year()), date.day_of_year().unsigned_abs())
        .unwrap_or(time::Date::MIN)
}

fn date(stored: time::Date) -> Option<Date> {
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
    fn closed_all_day_wins_over_hours_for_the_same_day() {
        let row = |opens, closes| store::lane::Exception {
            lane_id: Uuid::nil(),
            date: stored_date("2026-12-16".parse().unwrap()),
            opens,
            closes,
        };
        let rows = [
            row(Some(540), Some(600)),
            row(None, None),
            row(Some(700), Some(800)),
        ];
        let rules = day_rules(rows.iter());
        assert_eq!(rules.values().collect::<Vec<_>>(), [&DayRule::Closed]);
    }
}

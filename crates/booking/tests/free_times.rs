//! Free times against a naive oracle that walks through every minute and asks the
//! wall clock, over random hours, exceptions, claims and zones, on days on which
//! clocks change.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use booking::{
    DayRule, Hours, Lane, Minute, Opening, Refusal, Service, Span, Window, free_times, why_not,
};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

/// A zone, and a date around which its clocks change or its year ends.
const PLACES: &[(&str, &str)] = &[
    ("Africa/Johannesburg", "2026-03-29"),
    ("Africa/Johannesburg", "2028-02-29"),
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Asia/Kathmandu", "2026-12-31"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Asia/Beirut", "2026-03-29"),
];

fn opening() -> impl Strategy<Value = Opening> {
    (0_u16..144, 1_u16..170).prop_map(|(opens, length)| {
        let (opens, closes) = (opens * 10, (opens * 10 + length * 10).min(2880));
        Opening::new(Minute::new(opens).unwrap(), Minute::new(closes).unwrap()).unwrap()
    })
}

fn weekday() -> impl Strategy<Value = Weekday> {
    (1_i8..=7).prop_map(|d| Weekday::from_monday_one_offset(d).unwrap())
}

fn day_rule() -> impl Strategy<Value = DayRule> {
    prop_oneof![
        Just(DayRule::Closed),
        prop::collection::vec(opening(), 1..3).prop_map(DayRule::Open)
    ]
}

fn service() -> impl Strategy<Value = Service> {
    (
        1_i64..30,
        0_i64..7,
        0_i64..7,
        1_i64..10,
        0_i64..72,
        0_u16..4,
    )
        .prop_map(
            |(duration, before, after, step, notice, horizon_days)| Service {
                duration: SignedDuration::from_mins(duration * 5),
                before: SignedDuration::from_mins(before * 5),
                after: SignedDuration::from_mins(after * 5),
                step: SignedDuration::from_mins(step * 5),
                notice: SignedDuration::from_hours(notice),
                horizon_days,
            },
        )
}

#[derive(Debug, Clone)]
struct Case {
    lane: Lane,
    service: Service,
    window: Window,
    now: Timestamp,
}

prop_compose! {
    fn case()(
        place in 0..PLACES.len(),
        weekly in prop::collection::vec((weekday(), opening()), 0..12),
        exceptions in prop::collection::btree_map(-2_i64..3, day_rule(), 0..3),
        busy in prop::collection::vec((-2000_i64..4000, 1_i64..300), 0..6),
        service in service(),
        back in 0_i64..3000,
        days in 0_i64..2,
    ) -> Case {
        let (zone, date) = PLACES[place];
        let zone = TimeZone::get(zone).unwrap();
        let date: Date = date.parse().unwrap();
        let midnight = zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap();
        let minutes = |m| midnight + SignedDuration::from_mins(m);
        let exceptions: BTreeMap<Date, DayRule> =
            exceptions.into_iter().map(|(d, rule)| (date + d.days(), rule)).collect();
        let busy = busy.into_iter().map(|(m, n)| Span::new(minutes(m), minutes(m + n)).unwrap());
        Case {
            lane: Lane { busy: busy.collect(), hours: Hours { zone, weekly, exceptions } },
            service,
            window: Window { from: date, to: date + days.days() },
            now: minutes(-back),
        }
    }
}

/// Every minute around the window, with what the wall clock shows.
fn minutes(case: &Case) -> Vec<(Timestamp, DateTime)> {
    let zone = &case.lane.hours.zone;
    let noon = |date: Date| zone.to_timestamp(date.at(12, 0, 0, 0)).unwrap();
    let (mut at, end) = (
        noon(case.window.from - 3.days()),
        noon(case.window.to + 8.days()),
    );
    let mut all = Vec::new();
    while at < end {
        all.push((at, zone.to_datetime(at)));
        at += SignedDuration::from_mins(1);
    }
    all
}

/// The openings as instants, found by looking at the wall clock minute by minute.
fn oracle_openings(case: &Case, minutes: &[(Timestamp, DateTime)]) -> Vec<(Timestamp, Timestamp)> {
    let first_at = |wall: DateTime| minutes.iter().find(|(_, shown)| *shown >= wall).unwrap().0;
    let wall = |date: Date, minute: Minute| {
        (date + i64::from(minute.get() / 1440).days()).at(0, 0, 0, 0)
            + i64::from(minute.get() % 1440).minutes()
    };
    let hours = &case.lane.hours;
    let mut openings = Vec::new();
    for d in -2..=4 {
        let date = case.window.from + d.days();
        let rules: Vec<Opening> = match hours.exceptions.get(&date) {
            Some(DayRule::Closed) => Vec::new(),
            Some(DayRule::Open(openings)) => openings.clone(),
            None => hours
                .weekly
                .iter()
                .filter(|w| w.0 == date.weekday())
                .map(|w| w.1)
                .collect(),
        };
        for rule in rules {
            openings.push((
                first_at(wall(date, rule.opens())),
                first_at(wall(date, rule.closes())),
            ));
        }
    }
    openings
}

fn oracle(case: &Case) -> Vec<Timestamp> {
    let minutes = minutes(case);
    let openings = oracle_openings(case, &minutes);
    let Case {
        lane,
        service,
        window,
        now,
    } = case;
    let today = lane.hours.zone.to_datetime(*now).date();
    let minute = SignedDuration::from_mins(1);
    let is_open = |t| openings.iter().any(|(from, to)| *from <= t && t < *to);
    let is_busy = |t| lane.busy.iter().any(|b| b.start() <= t && t < b.end());
    let every = |from: Timestamp, to: Timestamp, holds: &dyn Fn(Timestamp) -> bool| {
        let mut t = from;
        while t < to {
            if !holds(t) {
                return false;
            }
            t += minute;
        }
        true
    };
    minutes
        .iter()
        .filter(|(t, shown)| {
            let date = shown.date();
            let end = *t + service.duration;
            (window.from..=window.to).contains(&date)
                && *t >= *now + service.notice
                && date <= today + i64::from(service.horizon_days).days()
                && openings.iter().any(|(from, to)| {
                    from <= t && t < to && (*t - *from).as_secs() % service.step.as_secs() == 0
                })
                && every(*t, end, &is_open)
                && every(*t - service.before, end + service.after, &|t| !is_busy(t))
        })
        .map(|(t, _)| *t)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn free_times_are_those_that_the_oracle_finds_minute_by_minute(case in case()) {
        let found = free_times(&case.lane, &case.service, case.window, case.now);
        prop_assert_eq!(found, oracle(&case));
    }

    #[test]
    fn a_time_can_be_booked_exactly_when_it_is_offered(case in case(), minute in 0_i64..2000) {
        let offered = free_times(&case.lane, &case.service, case.window, case.now);
        for start in &offered {
            prop_assert_eq!(why_not(&case.lane, &case.service, *start, case.now), None);
        }
        let midnight = case.lane.hours.zone.to_timestamp(case.window.from.at(0, 0, 0, 0)).unwrap();
        let other = midnight + SignedDuration::from_mins(minute);
        let date = case.lane.hours.zone.to_datetime(other).date();
        if (case.window.from..=case.window.to).contains(&date) && !offered.contains(&other) {
            prop_assert!(why_not(&case.lane, &case.service, other, case.now).is_some());
        }
    }

    #[test]
    fn booking_a_free_time_takes_it_and_leaves_no_overlap(case in case()) {
        let mut case = case;
        for _ in 0..5 {
            let free = free_times(&case.lane, &case.service, case.window, case.now);
            let Some(start) = free.first().copied() else { break };
            let claim = case.service.claim(start).unwrap();
            prop_assert!(case.lane.busy.iter().all(|b| !b.overlaps(claim)));
            case.lane.busy.push(claim);
            let refusal = why_not(&case.lane, &case.service, start, case.now);
            prop_assert_eq!(refusal, Some(Refusal::Taken));
        }
    }
}

fn nine_to_five(zone: &str) -> Lane {
    let opening = Opening::new(Minute::new(540).unwrap(), Minute::new(1020).unwrap()).unwrap();
    let weekly = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday];
    let hours = Hours {
        zone: TimeZone::get(zone).unwrap(),
        weekly: weekly.map(|day| (day, opening)).into(),
        exceptions: BTreeMap::new(),
    };
    Lane {
        hours,
        busy: Vec::new(),
    }
}

const HAIRCUT: Service = Service {
    duration: SignedDuration::from_mins(45),
    before: SignedDuration::ZERO,
    after: SignedDuration::from_mins(15),
    step: SignedDuration::from_mins(15),
    notice: SignedDuration::from_hours(2),
    horizon_days: 60,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn notice_is_kept_to_the_second() {
    let lane = nine_to_five("Africa/Johannesburg");
    let start = at("2027-03-22T08:00:00Z"); // a Monday, 10:00
    let asked = |now| why_not(&lane, &HAIRCUT, start, at(now));
    assert_eq!(asked("2027-03-22T06:00:00Z"), None);
    assert_eq!(asked("2027-03-22T06:00:01Z"), Some(Refusal::TooSoon));
}

#[test]
fn the_last_visit_ends_when_the_business_closes_and_its_buffer_may_run_over() {
    let lane = nine_to_five("Africa/Johannesburg");
    let now = at("2027-03-20T06:00:00Z");
    let asked = |start| why_not(&lane, &HAIRCUT, at(start), now);
    assert_eq!(asked("2027-03-22T14:15:00Z"), None); // 16:15 to 17:00
    assert_eq!(asked("2027-03-22T14:30:00Z"), Some(Refusal::Closed));
}

#[test]
fn back_to_back_is_allowed_at_exactly_the_buffer() {
    let mut lane = nine_to_five("Africa/Johannesburg");
    let now = at("2027-03-20T06:00:00Z");
    lane.busy
        .push(HAIRCUT.claim(at("2027-03-22T08:00:00Z")).unwrap()); // 10:00 to 11:00
    let asked = |start| why_not(&lane, &HAIRCUT, at(start), now);
    assert_eq!(asked("2027-03-22T09:00:00Z"), None);
    assert_eq!(asked("2027-03-22T08:45:00Z"), Some(Refusal::Taken));
    assert_eq!(asked("2027-03-22T07:00:00Z"), None);
    assert_eq!(asked("2027-03-22T07:15:00Z"), Some(Refusal::Taken));
}

#[test]
fn a_time_between_the_steps_is_off_the_grid() {
    let lane = nine_to_five("Africa/Johannesburg");
    let refusal = why_not(
        &lane,
        &HAIRCUT,
        at("2027-03-22T08:05:00Z"),
        at("2027-03-20T06:00:00Z"),
    );
    assert_eq!(refusal, Some(Refusal::OffGrid));
}

#[test]
fn the_horizon_ends_with_its_last_day_in_the_zone_of_the_provider() {
    let lane = nine_to_five("Africa/Johannesburg");
    let week = Service {
        horizon_days: 7,
        ..HAIRCUT
    };
    // 23:30 on Monday 15 March in Johannesburg; seven days on is Monday 22 March.
    let now = at("2027-03-15T21:30:00Z");
    assert_eq!(why_not(&lane, &week, at("2027-03-22T08:00:00Z"), now), None);
    let refusal = why_not(&lane, &week, at("2027-03-23T08:00:00Z"), now);
    assert_eq!(refusal, Some(Refusal::TooFar));
}

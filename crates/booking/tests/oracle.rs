//! Free times against a naive oracle that walks through every minute and asks the
//! wall clock, over random hours, exceptions, leave, claims, needs, classes and zones, on
//! days on which clocks change.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use booking::{
    Class, DayRule, Exceptions, Hours, Lane, Limit, Minute, Need, Opening, Part, Quota, Service,
    Slot, Span, Supply, Window, able, by_day, free_times, why_not,
};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

/// A zone, and a date around which its clocks change, or its year or its month ends.
const PLACES: &[(&str, &str)] = &[
    ("Africa/Johannesburg", "2026-03-29"),
    ("Africa/Johannesburg", "2028-02-29"),
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Asia/Kathmandu", "2026-12-31"),
    ("Asia/Kolkata", "2027-01-31"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Asia/Beirut", "2026-03-29"),
    ("Asia/Beirut", "2026-10-25"),
    ("Pacific/Auckland", "2026-04-05"),
    ("Pacific/Auckland", "2026-09-27"),
];

/// Where customers may be.
const ELSEWHERE: &[&str] = &[
    "Africa/Johannesburg",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Honolulu",
];

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

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

/// Pieces of time as minutes from the first midnight and lengths.
fn pieces(most: usize) -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((-2000_i64..4000, 1_i64..300), 0..most)
}

/// What differs on days around the first one: for the lane, its location, and holidays.
fn exceptions() -> impl Strategy<Value = [Vec<(i64, DayRule)>; 2]> {
    let some = || prop::collection::vec((-2_i64..3, day_rule()), 0..3);
    [some(), some()]
}

/// A lane before it is known where and when: its week, exceptions, leave and claims.
#[derive(Debug, Clone)]
struct Sketch {
    weekly: Option<Vec<(Weekday, Opening)>>,
    exceptions: [Vec<(i64, DayRule)>; 2],
    holidays: BTreeSet<i64>,
    away: Vec<(i64, i64)>,
    busy: Vec<(i64, i64)>,
    quota: QuotaSketch,
}

/// The limits of a day and a week, and how many have booked on the days around the first.
type QuotaSketch = (Option<u16>, Option<u16>, Vec<(i64, u16)>);

fn quota() -> impl Strategy<Value = QuotaSketch> {
    let limit = |most| prop::option::weighted(0.3, 0..most);
    let taken = prop::collection::vec((-3_i64..6, 0_u16..3), 0..4);
    (limit(4_u16), limit(6_u16), taken)
}

fn quota_at((day, week, taken): QuotaSketch, date: Date) -> Quota {
    Quota {
        limit: Limit { day, week },
        taken: taken
            .into_iter()
            .map(|(d, n)| (date + d.days(), n))
            .collect(),
        moved_from: None,
    }
}

/// How many more may be booked on `date`, counted anew.
fn left(quota: &Quota, date: Date) -> u16 {
    let count = |is_asked: &dyn Fn(Date) -> bool| -> u16 {
        let asked = quota.taken.iter().filter(|(day, _)| is_asked(**day));
        asked.map(|(_, count)| *count).sum()
    };
    let week = |date: Date| date.iso_week_date();
    let of_week =
        |day: Date| (week(day).year(), week(day).week()) == (week(date).year(), week(date).week());
    let day = quota
        .limit
        .day
        .map(|most| most.saturating_sub(count(&|day| day == date)));
    let week = quota
        .limit
        .week
        .map(|most| most.saturating_sub(count(&of_week)));
    day.unwrap_or(u16::MAX).min(week.unwrap_or(u16::MAX))
}

fn lane() -> impl Strategy<Value = Sketch> {
    let week = prop::collection::vec((weekday(), opening()), 0..12);
    let holidays = prop::collection::btree_set(-2_i64..3, 0..2);
    (
        prop::option::weighted(0.8, week),
        exceptions(),
        holidays,
        pieces(2),
        pieces(6),
        quota(),
    )
        .prop_map(|(weekly, exceptions, holidays, away, busy, quota)| Sketch {
            weekly,
            exceptions,
            holidays,
            away,
            busy,
            quota,
        })
}

prop_compose! {
    fn service()(
        durations in (1_i64..30, 0_i64..7, 0_i64..7, 1_i64..10),
        notice in 0_i64..72,
        horizon_days in 0_u16..4,
        capacity in 1_u16..4,
        fills_gaps in any::<bool>(),
    ) -> Service {
        let (duration, before, after, step) = durations;
        Service {
            duration: mins(duration * 5),
            before: mins(before * 5),
            after: mins(after * 5),
            step: mins(step * 5),
            notice: SignedDuration::from_hours(notice),
            horizon_days,
            capacity,
            fills_gaps,
        }
    }
}

#[derive(Debug, Clone)]
struct Case {
    supply: Supply,
    service: Service,
    window: Window,
    now: Timestamp,
}

/// How many of a pool of these lanes, for which share of the visit in percent.
type NeedSketch = (usize, Option<(i64, i64)>, Vec<Sketch>);

fn need() -> impl Strategy<Value = NeedSketch> {
    let part = prop::option::of((0_i64..90, 10_i64..=100));
    (0_usize..3, part, prop::collection::vec(lane(), 0..4))
}

prop_compose! {
    fn case()(
        place in 0..PLACES.len(),
        people in prop::collection::vec(lane(), 1..3),
        needs in prop::collection::vec(need(), 0..3),
        classes in prop::collection::vec((0_i64..2000, 0_u16..3), 0..4),
        service in service(),
        quota in quota(),
        back in 0_i64..3000,
        days in 0_i64..2,
    ) -> Case {
        let (zone, date) = PLACES[place];
        let zone = TimeZone::get(zone).unwrap();
        let date: Date = date.parse().unwrap();
        let midnight = zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap();
        let lane = |sketch: Sketch| sketch.at(date, midnight);
        let need = |(quantity, share, pool): NeedSketch| Need {
            quantity,
            part: share.map(|(from, length)| part(&service, from, length)),
            pool: pool.into_iter().map(lane).collect(),
        };
        let class = |(m, seats_left): (i64, u16)| Class {
            start: midnight + mins(m),
            seats_left,
        };
        Case {
            supply: Supply {
                people: people.into_iter().map(lane).collect(),
                needs: needs.into_iter().map(need).collect(),
                classes: classes.into_iter().map(class).collect(),
                quota: quota_at(quota, date),
                zone,
            },
            service,
            window: Window { from: date, to: date + days.days() },
            now: midnight + mins(-back),
        }
    }
}

/// A part that begins after so many percent of the visit and is so long, or up to its end.
fn part(service: &Service, from: i64, length: i64) -> Part {
    let minutes = service.duration.as_mins();
    let from = minutes * from / 100;
    let to = (from + 1 + minutes * length / 100).min(minutes);
    Part {
        from: mins(from),
        to: mins(to),
        before: mins(0),
        after: mins(0),
    }
}

impl Sketch {
    fn at(self, date: Date, midnight: Timestamp) -> Lane {
        let rules = |entered: Vec<(i64, DayRule)>| {
            let dated = entered.into_iter().map(|(d, rule)| (date + d.days(), rule));
            dated.collect()
        };
        let [lane, location] = self.exceptions;
        let exceptions = Exceptions {
            lane: rules(lane),
            location: rules(location),
            holidays: self.holidays.into_iter().map(|d| date + d.days()).collect(),
        };
        let spans = |pieces: Vec<(i64, i64)>| {
            let span = |(from, length)| {
                let start = midnight + mins(from);
                Span::new(start, start + mins(length)).unwrap()
            };
            pieces.into_iter().map(span).collect()
        };
        let weekly = self.weekly.unwrap_or_else(|| Hours::always().weekly);
        Lane {
            hours: Hours {
                weekly,
                exceptions: exceptions.rules(),
            },
            away: spans(self.away),
            busy: spans(self.busy),
            quota: quota_at(self.quota, date),
        }
    }
}

/// Every minute around the window, with what the wall clock shows.
fn minutes(case: &Case) -> Vec<(Timestamp, DateTime)> {
    let zone = &case.supply.zone;
    let noon = |date: Date| zone.to_timestamp(date.at(12, 0, 0, 0)).unwrap();
    let (mut at, end) = (
        noon(case.window.from - 3.days()),
        noon(case.window.to + 8.days()),
    );
    let mut all = Vec::new();
    while at < end {
        all.push((at, zone.to_datetime(at)));
        at += MINUTE;
    }
    all
}

/// The openings as instants, found by looking at the wall clock minute by minute.
fn openings(
    case: &Case,
    hours: &Hours,
    minutes: &[(Timestamp, DateTime)],
) -> Vec<(Timestamp, Timestamp)> {
    let first_at = |wall: DateTime| {
        let place = minutes.partition_point(|(_, shown)| *shown < wall);
        // Where a wall time comes twice, the walls are not in order there.
        let near = place.saturating_sub(180);
        minutes[near..]
            .iter()
            .find(|(_, shown)| *shown >= wall)
            .unwrap()
            .0
    };
    let wall = |date: Date, minute: Minute| {
        (date + i64::from(minute.get() / 1440).days()).at(0, 0, 0, 0)
            + i64::from(minute.get() % 1440).minutes()
    };
    let mut openings = Vec::new();
    for d in -2..=4 {
        let date = case.window.from + d.days();
        let rules: Vec<Opening> = match hours.exceptions.get(&date) {
            Some(DayRule::Closed) => Vec::new(),
            Some(DayRule::Open(openings)) => openings.clone(),
            None => {
                let on_day = hours.weekly.iter().filter(|w| w.0 == date.weekday());
                on_day.map(|w| w.1).collect()
            }
        };
        for rule in rules {
            let (opens, closes) = (wall(date, rule.opens()), wall(date, rule.closes()));
            openings.push((first_at(opens), first_at(closes)));
        }
    }
    openings
}

fn every(from: Timestamp, to: Timestamp, holds: impl Fn(Timestamp) -> bool) -> bool {
    let mut t = from;
    while t < to {
        if !holds(t) {
            return false;
        }
        t += MINUTE;
    }
    true
}

fn is_in(spans: &[Span], t: Timestamp) -> bool {
    spans.iter().any(|span| span.start() <= t && t < span.end())
}

/// A lane with its openings.
struct Known<'a>(&'a Lane, Vec<(Timestamp, Timestamp)>);

impl Known<'_> {
    /// Whether it is there and free for its part of a visit that begins at `t`.
    fn can(&self, part: Part, t: Timestamp) -> bool {
        let Self(lane, openings) = self;
        let is_open = |t| openings.iter().any(|(from, to)| *from <= t && t < *to);
        let (from, to) = (t + part.from, t + part.to);
        every(from, to, is_open)
            && every(from - part.before, to + part.after, |t| {
                !is_in(&lane.busy, t) && !is_in(&lane.away, t)
            })
    }

    fn offers(&self, service: &Service, t: Timestamp) -> bool {
        let Self(lane, openings) = self;
        let from_opening = openings.iter().any(|(from, to)| {
            *from <= t && t < *to && (t - *from).as_secs() % service.step.as_secs() == 0
        });
        let beside = || {
            let claim = service.claim(t).unwrap();
            let fits = |b: &Span| b.end() == claim.start() || b.start() == claim.end();
            lane.busy.iter().any(fits)
        };
        from_opening || (service.fills_gaps && beside())
    }
}

fn oracle(case: &Case) -> Vec<Slot> {
    let minutes = minutes(case);
    let Case {
        supply,
        service,
        window,
        now,
    } = case;
    let known = |lane| Known(lane, openings(case, &lane.hours, &minutes));
    let people: Vec<_> = supply.people.iter().map(known).collect();
    let pools: Vec<Vec<_>> = supply
        .needs
        .iter()
        .map(|need| need.pool.iter().map(known).collect())
        .collect();
    let today = supply.zone.to_datetime(*now).date();
    let can_begin = |t: Timestamp| {
        let date = supply.zone.to_datetime(t).date();
        let person = |p: &Known<'_>| {
            left(&p.0.quota, date) > 0 && p.offers(service, t) && p.can(service.whole(), t)
        };
        people.iter().any(person)
            && supply.needs.iter().zip(&pools).all(|(need, pool)| {
                let part = need.part.unwrap_or(service.whole());
                pool.iter().filter(|lane| lane.can(part, t)).count() >= need.quantity
            })
    };
    let slot = |t: Timestamp| {
        let there = supply.classes.iter().filter(|class| class.start == t);
        let left: u16 = there.map(|class| class.seats_left).sum();
        let new = if can_begin(t) { service.capacity } else { 0 };
        let most = self::left(&supply.quota, supply.zone.to_datetime(t).date());
        let seats = (left + new).min(most);
        (seats > 0).then_some(Slot { start: t, seats })
    };
    minutes
        .iter()
        .filter(|(t, shown)| {
            (window.from..=window.to).contains(&shown.date())
                && *t >= *now + service.notice
                && shown.date() <= today + i64::from(service.horizon_days).days()
        })
        .filter_map(|(t, _)| slot(*t))
        .collect()
}

fn offered(case: &Case) -> Vec<Slot> {
    free_times(&case.supply, &case.service, case.window, case.now)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn free_times_are_those_that_the_oracle_finds_minute_by_minute(case in case()) {
        prop_assert_eq!(offered(&case), oracle(&case));
    }

    #[test]
    fn a_time_can_be_booked_exactly_when_it_is_offered(case in case(), minute in 0_i64..2000) {
        let Case { supply, service, window, now } = &case;
        let offered = offered(&case);
        for slot in &offered {
            prop_assert_eq!(why_not(supply, service, slot.start, *now), None);
        }
        let midnight = supply.zone.to_timestamp(window.from.at(0, 0, 0, 0)).unwrap();
        let other = midnight + mins(minute);
        let date = supply.zone.to_datetime(other).date();
        let is_asked = (window.from..=window.to).contains(&date);
        if is_asked && offered.iter().all(|slot| slot.start != other) {
            prop_assert!(why_not(supply, service, other, *now).is_some());
        }
    }

    #[test]
    fn booking_free_times_never_overlaps_and_ends_when_there_are_none(case in case()) {
        let mut case = case;
        case.supply.classes.clear();
        for _ in 0..5 {
            let Some(slot) = offered(&case).first().copied() else { break };
            let Case { supply, service, now, .. } = &mut case;
            let able = able(supply, service, slot.start, *now).unwrap();
            take(&mut supply.people[able.people[0]], service.whole(), slot.start)?;
            let part = |need: &Need| need.part.unwrap_or(service.whole());
            for (need, lanes) in supply.needs.iter_mut().zip(able.needs) {
                prop_assert!(lanes.len() >= need.quantity);
                for lane in lanes.into_iter().take(need.quantity) {
                    let part = part(need);
                    take(&mut need.pool[lane], part, slot.start)?;
                }
            }
        }
        let refusal = |start| why_not(&case.supply, &case.service, start, case.now);
        for busy in case.supply.people.iter().flat_map(|lane| &lane.busy) {
            if case.supply.people.len() == 1 && case.supply.needs.is_empty() {
                prop_assert_ne!(refusal(busy.start() + case.service.before), None);
            }
        }
    }

    #[test]
    fn the_times_that_are_shown_do_not_depend_on_where_the_customer_is(case in case()) {
        let offered = offered(&case);
        for zone in ELSEWHERE {
            let zone = TimeZone::get(zone).unwrap();
            let days = by_day(&offered, &zone);
            let shown: Vec<Slot> = days.values().flatten().copied().collect();
            prop_assert_eq!(&shown, &offered);
            for (date, slots) in &days {
                prop_assert!(slots.iter().all(|s| zone.to_datetime(s.start).date() == *date));
            }
        }
    }
}

/// Takes a lane for its part of a visit, which must not overlap anything.
fn take(lane: &mut Lane, part: Part, start: Timestamp) -> Result<(), TestCaseError> {
    let claim = part.claim(start).unwrap();
    prop_assert!(lane.busy.iter().all(|b| !b.overlaps(claim)));
    lane.busy.push(claim);
    Ok(())
}

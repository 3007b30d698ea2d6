//! The edges that calendars fall over: each one with its date, by name.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use booking::{
    Class, DayRule, Hours, Lane, Limit, Minute, Need, Opening, Part, Quota, Refusal, Service, Slot,
    Span, Supply, Window, by_day, free_times, full_days, why_not,
};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

const HAIRCUT: Service = Service {
    duration: SignedDuration::from_mins(45),
    before: SignedDuration::ZERO,
    after: SignedDuration::from_mins(15),
    step: SignedDuration::from_mins(15),
    notice: SignedDuration::from_hours(2),
    horizon_days: 60,
    capacity: 1,
    fills_gaps: false,
};

/// Half an hour on the half hour, nothing around it.
const HALF: Service = Service {
    duration: SignedDuration::from_mins(30),
    after: SignedDuration::ZERO,
    step: SignedDuration::from_mins(30),
    notice: SignedDuration::ZERO,
    horizon_days: 730,
    ..HAIRCUT
};

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opening((opens, closes): (u16, u16)) -> Opening {
    Opening::new(Minute::new(opens).unwrap(), Minute::new(closes).unwrap()).unwrap()
}

/// Somebody who works every day at these minutes.
fn daily(times: &[(u16, u16)]) -> Lane {
    let week = DAYS.iter();
    let week = week.flat_map(|day| times.iter().map(|times| (*day, opening(*times))));
    Lane {
        hours: Hours {
            weekly: week.collect(),
            exceptions: BTreeMap::new(),
        },
        ..Lane::default()
    }
}

fn by(zone: &str, people: Vec<Lane>) -> Supply {
    Supply {
        zone: TimeZone::get(zone).unwrap(),
        people,
        needs: Vec::new(),
        classes: Vec::new(),
        quota: Quota::default(),
    }
}

fn nine_to_five(zone: &str) -> Supply {
    by(zone, vec![daily(&[(540, 1020)])])
}

fn slots_on(supply: &Supply, service: &Service, date: &str) -> Vec<Slot> {
    let date: Date = date.parse().unwrap();
    let window = Window {
        from: date,
        to: date,
    };
    let midnight = supply.zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap();
    free_times(supply, service, window, midnight - mins(6000))
}

/// What the wall clock at the business shows when visits can begin.
fn clocks_on(supply: &Supply, service: &Service, date: &str) -> Vec<String> {
    let clock = |slot: &Slot| {
        supply
            .zone
            .to_datetime(slot.start)
            .strftime("%H:%M")
            .to_string()
    };
    slots_on(supply, service, date).iter().map(clock).collect()
}

fn span(start: &str, end: &str) -> Span {
    Span::new(at(start), at(end)).unwrap()
}

// Time.

#[test]
fn johannesburg_keeps_its_hours_while_europe_changes_its_clocks() {
    let supply = nine_to_five("Africa/Johannesburg");
    for date in ["2026-03-28", "2026-03-29", "2026-10-25"] {
        let first = slots_on(&supply, &HALF, date)[0];
        assert_eq!(first.start.to_string(), format!("{date}T07:00:00Z"));
    }
}

#[test]
fn the_hour_that_london_leaves_out_in_march_is_not_offered() {
    let supply = by("Europe/London", vec![daily(&[(0, 240)])]);
    let shown = clocks_on(&supply, &HALF, "2026-03-29");
    assert_eq!(
        shown,
        ["00:00", "00:30", "02:00", "02:30", "03:00", "03:30"]
    );
}

#[test]
fn the_hour_that_london_repeats_in_october_is_two_hours_of_distinct_instants() {
    let supply = by("Europe/London", vec![daily(&[(0, 180)])]);
    let shown = clocks_on(&supply, &HALF, "2026-10-25");
    let expected = [
        "00:00", "00:30", "01:00", "01:30", "01:00", "01:30", "02:00", "02:30",
    ];
    assert_eq!(shown, expected);
    let slots = slots_on(&supply, &HALF, "2026-10-25");
    assert!(
        slots
            .windows(2)
            .all(|two| two[1].start - two[0].start == mins(30))
    );
}

#[test]
fn a_day_of_23_or_25_hours_has_two_half_hours_less_or_more() {
    let supply = by(
        "Europe/London",
        vec![Lane {
            hours: Hours::always(),
            ..Lane::default()
        }],
    );
    let count = |date| slots_on(&supply, &HALF, date).len();
    let counts = ["2026-03-28", "2026-03-29", "2026-10-25"].map(count);
    assert_eq!(counts, [48, 46, 50]);
}

#[test]
fn a_customer_in_new_york_sees_the_same_instants_in_the_weeks_when_only_one_changes() {
    // The United States change on 8 March 2026, South Africa never.
    let supply = nine_to_five("Africa/Johannesburg");
    let new_york = TimeZone::get("America/New_York").unwrap();
    for (date, clock) in [("2026-03-07", "02:00"), ("2026-03-09", "03:00")] {
        let first = slots_on(&supply, &HALF, date)[0];
        let shown = new_york.to_datetime(first.start).strftime("%H:%M");
        assert_eq!(shown.to_string(), clock);
    }
}

#[test]
fn zones_with_half_and_quarter_hours_open_on_their_own_clock() {
    for (zone, first) in [
        ("Asia/Kolkata", "2026-10-04T03:30:00Z"),
        ("Asia/Kathmandu", "2026-10-04T03:15:00Z"),
        // Its clocks go half an hour forward on this day.
        ("Australia/Lord_Howe", "2026-10-03T22:00:00Z"),
    ] {
        let found = slots_on(&nine_to_five(zone), &HALF, "2026-10-04");
        assert_eq!(found[0].start, at(first), "{zone}");
        assert_eq!(found.len(), 16, "{zone}");
    }
}

#[test]
fn across_the_date_line_a_time_is_shown_on_the_day_that_the_customer_has() {
    let supply = nine_to_five("Pacific/Auckland");
    let slots = slots_on(&supply, &HALF, "2027-01-15");
    let days = by_day(&slots, &TimeZone::get("Pacific/Honolulu").unwrap());
    let days: Vec<String> = days.keys().map(ToString::to_string).collect();
    assert_eq!(days, ["2027-01-14"]);
}

#[test]
fn a_day_without_midnight_begins_an_hour_later() {
    for (zone, date) in [
        ("Asia/Beirut", "2026-03-29"),
        ("Africa/Cairo", "2026-04-24"),
    ] {
        let supply = by(zone, vec![daily(&[(0, 180)])]);
        let shown = clocks_on(&supply, &HALF, date);
        assert_eq!(shown, ["01:00", "01:30", "02:00", "02:30"], "{zone}");
    }
}

#[test]
fn other_rules_of_a_zone_move_the_instant_and_not_the_time_on_the_wall() {
    // What a new release of the zone data does: the same hours under another offset.
    let first = |zone: TimeZone| {
        let supply = Supply {
            zone,
            ..nine_to_five("UTC")
        };
        (
            clocks_on(&supply, &HALF, "2027-06-01")[0].clone(),
            slots_on(&supply, &HALF, "2027-06-01")[0].start,
        )
    };
    let (two, three) = (jiff::tz::offset(2), jiff::tz::offset(3));
    let (before, after) = (first(two.to_time_zone()), first(three.to_time_zone()));
    assert_eq!(before.0, after.0);
    assert_eq!(before.1 - after.1, mins(60));
}

#[test]
fn a_night_shift_belongs_to_the_day_on_which_each_visit_begins() {
    let supply = by("Africa/Johannesburg", vec![daily(&[(1320, 1800)])]);
    let shown = clocks_on(&supply, &HALF, "2026-12-01");
    assert_eq!(shown.len(), 16);
    assert_eq!((shown[0].as_str(), shown[11].as_str()), ("00:00", "05:30"));
    assert_eq!((shown[12].as_str(), shown[15].as_str()), ("22:00", "23:30"));
}

#[test]
fn hours_up_to_24_00_end_there_and_the_last_visit_ends_with_them() {
    let supply = by("Africa/Johannesburg", vec![daily(&[(1380, 1440)])]);
    assert_eq!(clocks_on(&supply, &HALF, "2026-12-31"), ["23:00", "23:30"]);
    let longer = Service {
        duration: mins(31),
        ..HALF
    };
    assert_eq!(clocks_on(&supply, &longer, "2026-12-31"), ["23:00"]);
}

#[test]
fn the_29th_of_february_is_a_day_like_others() {
    let supply = nine_to_five("Africa/Johannesburg");
    assert_eq!(slots_on(&supply, &HALF, "2028-02-29").len(), 16);
    let window = Window {
        from: "2028-02-28".parse().unwrap(),
        to: "2028-03-01".parse().unwrap(),
    };
    let found = free_times(&supply, &HALF, window, at("2028-02-01T00:00:00Z"));
    assert_eq!(found.len(), 3 * 16);
}

// Rules.

#[test]
fn notice_is_kept_to_the_second() {
    let supply = nine_to_five("Africa/Johannesburg");
    let start = at("2027-03-22T08:00:00Z");
    let asked = |now| why_not(&supply, &HAIRCUT, start, at(now));
    assert_eq!(asked("2027-03-22T06:00:00Z"), None);
    assert_eq!(asked("2027-03-22T06:00:01Z"), Some(Refusal::TooSoon));
}

#[test]
fn the_last_visit_ends_when_the_business_closes_and_its_buffer_may_run_over() {
    let supply = nine_to_five("Africa/Johannesburg");
    let now = at("2027-03-20T06:00:00Z");
    let asked = |start| why_not(&supply, &HAIRCUT, at(start), now);
    assert_eq!(asked("2027-03-22T14:15:00Z"), None); // 16:15 to 17:00
    assert_eq!(asked("2027-03-22T14:30:00Z"), Some(Refusal::Closed));
}

#[test]
fn back_to_back_is_allowed_at_exactly_the_buffer() {
    let mut supply = nine_to_five("Africa/Johannesburg");
    let now = at("2027-03-20T06:00:00Z");
    let claim = HAIRCUT.claim(at("2027-03-22T08:00:00Z")).unwrap(); // 10:00 to 11:00
    supply.people[0].busy.push(claim);
    let asked = |start| why_not(&supply, &HAIRCUT, at(start), now);
    assert_eq!(asked("2027-03-22T09:00:00Z"), None);
    assert_eq!(asked("2027-03-22T08:45:00Z"), Some(Refusal::Taken));
    assert_eq!(asked("2027-03-22T07:00:00Z"), None);
    assert_eq!(asked("2027-03-22T07:15:00Z"), Some(Refusal::Taken));
    let minute = Service {
        step: mins(1),
        ..HAIRCUT
    };
    let asked = |start| why_not(&supply, &minute, at(start), now);
    assert_eq!(asked("2027-03-22T08:59:00Z"), Some(Refusal::Taken));
    assert_eq!(asked("2027-03-22T07:01:00Z"), Some(Refusal::Taken));
}

#[test]
fn buffers_of_two_services_meet_and_reach_over_midnight() {
    let mut supply = by("Africa/Johannesburg", vec![daily(&[(0, 1440)])]);
    // Until 23:45 on the first, with its own quarter of an hour after it.
    let claim = HAIRCUT.claim(at("2027-03-01T21:00:00Z")).unwrap();
    supply.people[0].busy.push(claim);
    let before = |minutes| Service {
        before: mins(minutes),
        ..HALF
    };
    let first = |minutes| clocks_on(&supply, &before(minutes), "2027-03-02")[0].clone();
    assert_eq!((first(0), first(1)), ("00:00".into(), "00:30".into()));
}

#[test]
fn a_time_between_the_steps_is_off_the_grid() {
    let supply = nine_to_five("Africa/Johannesburg");
    let now = at("2027-03-20T06:00:00Z");
    for start in ["2027-03-22T08:05:00Z", "2027-03-22T08:00:30Z"] {
        let refusal = why_not(&supply, &HAIRCUT, at(start), now);
        assert_eq!(refusal, Some(Refusal::OffGrid), "{start}");
    }
}

#[test]
fn the_horizon_ends_with_its_last_day_in_the_zone_of_the_provider() {
    let supply = nine_to_five("Africa/Johannesburg");
    let week = Service {
        horizon_days: 7,
        ..HAIRCUT
    };
    // 23:30 on Monday 15 March in Johannesburg; seven days on is Monday 22 March.
    let now = at("2027-03-15T21:30:00Z");
    let asked = |start| why_not(&supply, &week, at(start), now);
    assert_eq!(asked("2027-03-22T14:15:00Z"), None);
    assert_eq!(asked("2027-03-23T08:00:00Z"), Some(Refusal::TooFar));
}

#[test]
fn a_break_splits_the_day_and_its_second_half_counts_its_own_steps() {
    let supply = by(
        "Africa/Johannesburg",
        vec![daily(&[(540, 640), (700, 790)])],
    );
    let shown = clocks_on(&supply, &HALF, "2026-12-01");
    assert_eq!(
        shown,
        ["09:00", "09:30", "10:00", "11:40", "12:10", "12:40"]
    );
}

#[test]
fn a_visit_runs_from_one_opening_into_another_that_touches_it() {
    let hour = Service {
        duration: mins(60),
        ..HALF
    };
    let shown = |times: &[(u16, u16)]| {
        let supply = by("Africa/Johannesburg", vec![daily(times)]);
        clocks_on(&supply, &hour, "2026-12-01")
    };
    let whole = ["09:00", "09:30", "10:00"];
    assert_eq!(shown(&[(540, 660)]), whole);
    assert_eq!(shown(&[(540, 600), (600, 660)]), whole, "adjacent");
    assert_eq!(shown(&[(540, 660), (540, 660)]), whole, "twice the same");
    assert_eq!(shown(&[(540, 630), (570, 660)]), whole, "overlapping");
}

#[test]
fn an_exception_beats_the_week_and_leave_beats_the_exception() {
    let mut supply = nine_to_five("Africa/Johannesburg");
    let date: Date = "2026-12-01".parse().unwrap();
    let hours = &mut supply.people[0].hours;
    hours
        .exceptions
        .insert(date, DayRule::Open(vec![opening((600, 720))]));
    let shown = |supply: &Supply| clocks_on(supply, &HALF, "2026-12-01");
    assert_eq!(shown(&supply), ["10:00", "10:30", "11:00", "11:30"]);
    let leave = span("2026-12-01T08:30:00Z", "2026-12-01T09:30:00Z");
    supply.people[0].away.push(leave);
    assert_eq!(shown(&supply), ["10:00", "11:30"]);
    let why = |start| why_not(&supply, &HALF, at(start), at("2026-11-30T08:00:00Z"));
    assert_eq!(why("2026-12-01T09:00:00Z"), Some(Refusal::Away));
    assert_eq!(why("2026-12-01T07:00:00Z"), Some(Refusal::Closed));
}

#[test]
fn a_service_longer_than_every_opening_is_never_free() {
    let supply = nine_to_five("Africa/Johannesburg");
    let fits = Service {
        duration: mins(480),
        ..HALF
    };
    assert_eq!(clocks_on(&supply, &fits, "2026-12-01"), ["09:00"]);
    let longer = Service {
        duration: mins(481),
        ..HALF
    };
    assert_eq!(clocks_on(&supply, &longer, "2026-12-01"), [""; 0]);
}

#[test]
fn times_are_as_far_apart_as_the_step_however_long_the_visit_is() {
    let supply = by("Africa/Johannesburg", vec![daily(&[(540, 630)])]);
    let every = |step| {
        let service = Service {
            step: mins(step),
            ..HALF
        };
        clocks_on(&supply, &service, "2026-12-01").join(" ")
    };
    assert_eq!(every(20), "09:00 09:20 09:40 10:00");
    assert_eq!(every(45), "09:00 09:45");
}

#[test]
fn times_beside_another_visit_are_offered_where_no_gap_shall_be_left() {
    let mut supply = by("Africa/Johannesburg", vec![daily(&[(540, 720)])]);
    let taken = span("2026-12-01T07:40:00Z", "2026-12-01T08:20:00Z"); // 09:40 to 10:20
    supply.people[0].busy.push(taken);
    let filling = Service {
        fills_gaps: true,
        ..HALF
    };
    let on_grid = ["09:00", "10:30", "11:00", "11:30"];
    assert_eq!(clocks_on(&supply, &HALF, "2026-12-01"), on_grid);
    let shown = clocks_on(&supply, &filling, "2026-12-01");
    assert_eq!(
        shown,
        ["09:00", "09:10", "10:20", "10:30", "11:00", "11:30"]
    );
}

// Rooms, devices, classes.

fn room(busy: Vec<Span>) -> Lane {
    Lane {
        hours: Hours::always(),
        busy,
        ..Lane::default()
    }
}

#[test]
fn a_room_that_is_needed_for_the_middle_only_may_be_taken_before_and_after() {
    let mut supply = by("Africa/Johannesburg", vec![daily(&[(540, 600)])]);
    let hour = Service {
        duration: mins(60),
        ..HALF
    };
    let middle = Part {
        from: mins(20),
        to: mins(40),
        before: mins(0),
        after: mins(0),
    };
    let busy = vec![
        span("2026-12-01T07:00:00Z", "2026-12-01T07:20:00Z"),
        span("2026-12-01T07:40:00Z", "2026-12-01T09:00:00Z"),
    ];
    supply.needs.push(Need {
        quantity: 1,
        part: Some(middle),
        pool: vec![room(busy)],
    });
    assert_eq!(clocks_on(&supply, &hour, "2026-12-01"), ["09:00"]);
    supply.needs[0].part = None;
    assert_eq!(clocks_on(&supply, &hour, "2026-12-01"), [""; 0]);
    let now = at("2026-11-30T08:00:00Z");
    let refusal = why_not(&supply, &hour, at("2026-12-01T07:00:00Z"), now);
    assert_eq!(refusal, Some(Refusal::NoRoom));
}

#[test]
fn two_of_a_pool_are_two_that_are_free_for_the_whole_time() {
    let mut supply = by("Africa/Johannesburg", vec![daily(&[(540, 600)])]);
    let hour = Service {
        duration: mins(60),
        ..HALF
    };
    let early = span("2026-12-01T07:00:00Z", "2026-12-01T07:30:00Z");
    let late = span("2026-12-01T07:30:00Z", "2026-12-01T08:00:00Z");
    // At every minute two of the three are free, but never the same two.
    let pool = vec![room(vec![early]), room(vec![late]), room(Vec::new())];
    supply.needs.push(Need {
        quantity: 2,
        part: None,
        pool,
    });
    assert_eq!(clocks_on(&supply, &hour, "2026-12-01"), [""; 0]);
    supply.needs[0].pool.push(room(Vec::new()));
    assert_eq!(clocks_on(&supply, &hour, "2026-12-01"), ["09:00"]);
}

#[test]
fn a_class_shows_its_last_seats_and_is_full_without_any() {
    let mut supply = by("Africa/Johannesburg", vec![daily(&[(540, 630)])]);
    let yoga = Service {
        capacity: 8,
        ..HALF
    };
    let start = at("2026-12-01T07:00:00Z");
    supply.people[0].busy.push(yoga.claim(start).unwrap());
    let with = |seats_left| Supply {
        classes: vec![Class { start, seats_left }],
        ..supply.clone()
    };
    let seats = |supply: &Supply| {
        let slots = slots_on(supply, &yoga, "2026-12-01");
        slots.iter().map(|slot| slot.seats).collect::<Vec<_>>()
    };
    assert_eq!(seats(&with(3)), [3, 8, 8]);
    assert_eq!(seats(&with(0)), [8, 8]);
    let now = at("2026-11-30T08:00:00Z");
    assert_eq!(why_not(&with(1), &yoga, start, now), None);
    assert_eq!(why_not(&with(0), &yoga, start, now), Some(Refusal::Full));
}

#[test]
fn of_several_people_the_refusal_is_that_of_the_one_who_could_almost() {
    let mut busy = daily(&[(540, 1020)]);
    let start = at("2026-12-01T07:00:00Z");
    busy.busy.push(HALF.claim(start).unwrap());
    let closed = daily(&[(1080, 1200)]);
    let supply = by("Africa/Johannesburg", vec![busy, closed]);
    let now = at("2026-11-30T08:00:00Z");
    assert_eq!(why_not(&supply, &HALF, start, now), Some(Refusal::Taken));
}

#[test]
fn nobody_gives_what_nobody_can_give() {
    let supply = by("Africa/Johannesburg", Vec::new());
    assert_eq!(clocks_on(&supply, &HALF, "2026-12-01"), [""; 0]);
    let (start, now) = (at("2026-12-01T07:00:00Z"), at("2026-11-30T08:00:00Z"));
    assert_eq!(why_not(&supply, &HALF, start, now), Some(Refusal::Closed));
}

fn full(day: u16, taken: &[(&str, u16)]) -> Quota {
    let taken = taken.iter().map(|(date, n)| (date.parse().unwrap(), *n));
    Quota {
        limit: Limit {
            day: Some(day),
            week: None,
        },
        taken: taken.collect(),
        moved_from: None,
    }
}

#[test]
fn a_day_on_which_as_many_have_booked_as_may_is_full_for_the_service_or_the_person() {
    let now = at("2026-11-30T08:00:00Z");
    let start = at("2026-12-01T07:00:00Z");
    let mut supply = nine_to_five("Africa/Johannesburg");
    supply.quota = full(2, &[("2026-12-01", 2), ("2026-12-02", 1)]);
    assert_eq!(clocks_on(&supply, &HALF, "2026-12-01"), [""; 0]);
    assert_eq!(clocks_on(&supply, &HALF, "2026-12-02").len(), 16);
    assert_eq!(why_not(&supply, &HALF, start, now), Some(Refusal::DayFull));
    let (from, to) = ("2026-12-01".parse().unwrap(), "2026-12-31".parse().unwrap());
    assert_eq!(full_days(&supply, Window { from, to }), [from].into());
    // With two people, the day goes on with the other one.
    let mut supply = by(
        "Africa/Johannesburg",
        vec![daily(&[(540, 600)]), daily(&[(570, 630)])],
    );
    supply.people[0].quota = full(2, &[("2026-12-01", 2)]);
    assert_eq!(clocks_on(&supply, &HALF, "2026-12-01"), ["09:30", "10:00"]);
    assert_eq!(why_not(&supply, &HALF, start, now), Some(Refusal::DayFull));
    assert!(full_days(&supply, Window { from, to }).is_empty());
}

#[test]
fn the_day_of_a_limit_is_that_of_the_provider_also_where_clocks_change() {
    // 23 hours: the first visit of the day after must not be counted out with it.
    let always = Lane {
        hours: Hours::always(),
        ..Lane::default()
    };
    let mut supply = by("Europe/London", vec![always]);
    supply.quota = full(1, &[("2026-03-29", 1)]);
    let count = |date| slots_on(&supply, &HALF, date).len();
    assert_eq!(
        ["2026-03-28", "2026-03-29", "2026-03-30"].map(count),
        [48, 0, 48]
    );
}

#[test]
fn a_class_shows_no_more_seats_than_may_be_booked_that_day() {
    let mut supply = by("Africa/Johannesburg", vec![daily(&[(540, 600)])]);
    let yoga = Service {
        capacity: 8,
        ..HALF
    };
    supply.quota = full(10, &[("2026-12-01", 7)]);
    let slots = slots_on(&supply, &yoga, "2026-12-01");
    assert_eq!(
        slots.iter().map(|slot| slot.seats).collect::<Vec<_>>(),
        [3, 3]
    );
}

//! Stretches of time in zones with and without changes of the clock, by example and by
//! property.

#![cfg(test)]

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

const ZONES: [&str; 6] = [
    ZONE,
    "Europe/Berlin",
    "America/New_York",
    // Half an hour, in the south.
    "Australia/Lord_Howe",
    // Backwards in summer.
    "Africa/Casablanca",
    "Asia/Kathmandu",
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn written(from: &str, until: &str, zone: &str) -> String {
    format!("reason = \"r\"\nfrom = {from:?}\nuntil = {until:?}\nzone = {zone:?}")
}

fn freeze(from: &str, until: &str, zone: &str) -> Calendar {
    Calendar {
        freezes: vec![toml::from_str(&written(from, until, zone)).unwrap()],
        windows: Vec::new(),
    }
}

/// Until when it is closed at `now`.
#[track_caller]
fn check(calendar: &Calendar, now: &str, until: Option<&str>) {
    let closed = calendar.closed(at(now));
    assert_eq!(closed.and_then(|c| c.until), until.map(at), "at {now}");
}

#[test]
fn a_stretch_of_the_calendar_is_in_its_zone() {
    let holidays = freeze("2026-12-18 17:00", "2027-01-04 08:00", ZONE);
    let end = Some("2027-01-04T06:00:00Z");
    check(&holidays, "2026-12-18T14:59:59Z", None);
    check(&holidays, "2026-12-18T15:00:00Z", end);
    check(&holidays, "2027-01-04T05:59:59Z", end);
    check(&holidays, "2027-01-04T06:00:00Z", None);
}

#[test]
fn without_a_zone_it_is_south_african_time() {
    let text = "reason = \"r\"\nfrom = \"fri 16:00\"\nuntil = \"mon 07:00\"";
    let weekend = Calendar {
        freezes: vec![toml::from_str(text).unwrap()],
        windows: Vec::new(),
    };
    let closed = weekend.closed(at("2026-11-27T14:00:00Z")).unwrap();
    assert_eq!(closed.words(), "until Mon 2026-11-30 07:00 SAST: r");
}

#[test]
fn a_stretch_of_every_week_may_go_over_its_end() {
    // 2026-11-27 is a Friday.
    let weekend = freeze("fri 16:00", "mon 07:00", "UTC");
    let end = Some("2026-11-30T07:00:00Z");
    check(&weekend, "2026-11-27T15:59:59Z", None);
    check(&weekend, "2026-11-27T16:00:00Z", end);
    check(&weekend, "2026-11-29T12:00:00Z", end);
    check(&weekend, "2026-11-30T06:59:59Z", end);
    check(&weekend, "2026-11-30T07:00:00Z", None);
    let all_but_an_hour = freeze("wed 13:00", "wed 12:00", "UTC");
    check(&all_but_an_hour, "2026-11-25T12:30:00Z", None);
    check(
        &all_but_an_hour,
        "2026-11-25T13:00:00Z",
        Some("2026-12-02T12:00:00Z"),
    );
}

#[test]
fn an_hour_that_comes_twice_is_frozen_both_times() {
    // In Berlin 02:00 to 03:00 came twice on 2026-10-25, from 00:00Z and from 01:00Z.
    let night = freeze("2026-10-25 02:15", "2026-10-25 02:45", "Europe/Berlin");
    let end = Some("2026-10-25T01:45:00Z");
    check(&night, "2026-10-25T00:14:59Z", None);
    check(&night, "2026-10-25T00:15:00Z", end);
    check(&night, "2026-10-25T00:50:00Z", end);
    check(&night, "2026-10-25T01:44:59Z", end);
    check(&night, "2026-10-25T01:45:00Z", None);
}

#[test]
fn what_begins_or_ends_in_an_hour_that_is_left_out_does_so_when_the_clock_is_set() {
    // In Berlin 02:00 to 03:00 was left out on 2026-03-29, at 01:00Z.
    let begins = freeze("2026-03-29 02:30", "2026-03-29 04:00", "Europe/Berlin");
    check(&begins, "2026-03-29T00:59:59Z", None);
    check(
        &begins,
        "2026-03-29T01:00:00Z",
        Some("2026-03-29T02:00:00Z"),
    );
    let ends = freeze("2026-03-29 01:00", "2026-03-29 02:00", "Europe/Berlin");
    check(&ends, "2026-03-29T00:59:59Z", Some("2026-03-29T01:00:00Z"));
    check(&ends, "2026-03-29T01:00:00Z", None);
    let within = freeze("2026-03-29 02:10", "2026-03-29 02:50", "Europe/Berlin");
    check(&within, "2026-03-29T00:59:59Z", None);
    check(&within, "2026-03-29T01:00:00Z", None);
}

#[test]
fn outside_of_the_windows_nothing_is_deployed_and_the_next_one_is_told() {
    let window = |from, until| {
        let text = format!("from = {from:?}\nuntil = {until:?}\nzone = \"UTC\"");
        toml::from_str(&text).unwrap()
    };
    let mut calendar = Calendar {
        freezes: Vec::new(),
        windows: vec![
            window("mon 09:00", "mon 12:00"),
            window("wed 09:00", "wed 12:00"),
        ],
    };
    check(&calendar, "2026-11-23T10:00:00Z", None);
    check(
        &calendar,
        "2026-11-23T12:00:00Z",
        Some("2026-11-25T09:00:00Z"),
    );
    check(
        &calendar,
        "2026-11-26T00:00:00Z",
        Some("2026-11-30T09:00:00Z"),
    );
    let closed = calendar.closed(at("2026-11-23T12:00:00Z")).unwrap();
    assert!(closed.words().contains(OUTSIDE), "{}", closed.words());
    // A freeze over the next window puts it off.
    let text = written("2026-11-25 00:00", "2026-11-25 10:00", "UTC");
    calendar.freezes.push(toml::from_str(&text).unwrap());
    check(
        &calendar,
        "2026-11-23T12:00:00Z",
        Some("2026-11-25T10:00:00Z"),
    );
}

#[test]
fn a_window_that_was_once_and_is_over_opens_no_more() {
    let text = "from = \"2026-01-01\"\nuntil = \"2026-01-02\"";
    let calendar = Calendar {
        freezes: Vec::new(),
        windows: vec![toml::from_str(text).unwrap()],
    };
    let closed = calendar.closed(at("2026-11-23T12:00:00Z")).unwrap();
    assert_eq!((closed.until, closed.words().as_str()), (None, OUTSIDE));
}

#[test]
fn a_stretch_that_cannot_be_understood_is_a_mistake() {
    for (from, until, zone, said) in [
        ("fri 16:00", "2026-12-18 17:00", ZONE, "either both"),
        (
            "2026-12-18 17:00",
            "2026-12-18 16:00",
            ZONE,
            "ends before it begins",
        ),
        ("fri 16:00", "fri 16:00", ZONE, "are both"),
        ("friday", "monday", ZONE, "is no time"),
        // An offset would be passed over, and the stretch be hours away.
        (
            "2026-12-18 17:00+00:00",
            "2026-12-18 19:00",
            ZONE,
            "is no time",
        ),
        ("fri 16:00", "mon 07:00", "Moon/Tycho", "is no zone"),
    ] {
        let error = toml::from_str::<Freeze>(&written(from, until, zone)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let unsaid = toml::from_str::<Freeze>("from = \"fri 16:00\"\nuntil = \"mon 07:00\"");
    assert!(unsaid.unwrap_err().to_string().contains("needs a `reason`"));
}

/// A stretch of every week in some zone, and an instant of the years 2024 to 2034.
fn weekly() -> impl Strategy<Value = (Period, Timestamp)> {
    let minute = || (0..7_i8, 0..24_i8, 0..60_i8);
    (
        0..ZONES.len(),
        minute(),
        minute(),
        1_704_067_200..2_019_686_400_i64,
    )
        .prop_filter("a stretch has a length", |(_, from, until, _)| {
            from != until
        })
        .prop_map(|(zone, from, until, second)| {
            let minute = |(day, hour, minute)| Minute {
                day,
                time: Time::constant(hour, minute, 0, 0),
            };
            let period = Period {
                zone: TimeZone::get(ZONES[zone]).unwrap(),
                when: When::Weekly {
                    from: minute(from),
                    until: minute(until),
                },
            };
            (period, Timestamp::from_second(second).unwrap())
        })
}

/// Whether the clock on the wall shows a time of the stretch; true only where it is not set
/// meanwhile.
fn by_the_wall(period: &Period, now: Timestamp) -> bool {
    let When::Weekly { from, until } = period.when else {
        unreachable!("only weekly stretches are drawn")
    };
    let local = period.zone.to_datetime(now);
    let shown = Minute {
        day: local.date().weekday().to_monday_zero_offset(),
        time: local.time(),
    };
    if from < until {
        from <= shown && shown < until
    } else {
        from <= shown || shown < until
    }
}

/// Whether no clock is set within eight days of `now`.
fn is_even(period: &Period, now: Timestamp) -> bool {
    let days = SignedDuration::from_hours(24 * 8);
    let mut changes = period.zone.following(now - days);
    changes
        .next()
        .is_none_or(|change| change.timestamp() > now + days)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn while_no_clock_is_set_it_is_what_the_clock_on_the_wall_says((period, now) in weekly()) {
        prop_assume!(is_even(&period, now));
        prop_assert_eq!(period.at(now).is_some(), by_the_wall(&period, now));
    }

    #[test]
    fn a_stretch_holds_from_its_first_instant_to_its_last((period, now) in weekly()) {
        let second = SignedDuration::from_secs(1);
        let found = period.at(now).or_else(|| period.next(now));
        let stretch = found.expect("every week has a stretch, or the next one");
        prop_assert!(now < stretch.until);
        prop_assert_eq!(period.at(stretch.from), Some(stretch));
        prop_assert_eq!(period.at(stretch.until - second), Some(stretch));
        // The pause between two of them may be all that a clock leaves out.
        prop_assert!(period.at(stretch.until).is_none_or(|next| next.from == stretch.until));
        prop_assert!(period.at(stretch.from - second).is_none_or(|last| last.until == stretch.from));
    }

    #[test]
    fn what_opens_is_open_and_nothing_before_it_is((period, now) in weekly()) {
        let calendar = Calendar {
            freezes: Vec::new(),
            windows: vec![Window(period)],
        };
        if let Some(closed) = calendar.closed(now) {
            let opens = closed.until.expect("every week has a window");
            prop_assert!(now < opens);
            prop_assert!(calendar.closed(opens).is_none());
            prop_assert!(calendar.closed(opens - SignedDuration::from_secs(1)).is_some());
            let within = i64::midpoint(now.as_second(), opens.as_second());
            prop_assert!(calendar.closed(Timestamp::from_second(within).unwrap()).is_some());
        }
    }
}

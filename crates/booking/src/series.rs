//! Visits that repeat: every week, every second week, or every month on the same day. The
//! wall time stays when the clocks change.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The most visits that one series may have.
pub const SERIES_MAX: usize = 53;

/// The days that every month has.
const SHORTEST_MONTH: i8 = 28;

/// How far apart the visits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// On the same weekday of each week.
    Week,
    /// On the same weekday of each second week.
    Fortnight,
    /// On the same day of each month, or on its last where it is shorter.
    Month,
}

impl Every {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Week, Self::Fortnight, Self::Month];

    /// Its name in forms and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Fortnight => "fortnight",
            Self::Month => "month",
        }
    }

    /// The distance of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.as_str() == name)
    }
}

/// Where a series ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After so many visits.
    Count(usize),
    /// With the last visit on or before that day.
    Until(Date),
}

/// How visits repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// How far apart they are.
    pub every: Every,
    /// Where they end.
    pub end: End,
}

impl Repeat {
    /// The wall times of a series that begins at `first`, at most [`SERIES_MAX`]. Each is
    /// counted from the first, so that a short month does not move those after it.
    pub fn occurrences(self, first: DateTime) -> Vec<DateTime> {
        let count = match self.end {
            End::Count(count) => count.min(SERIES_MAX),
            End::Until(_) => SERIES_MAX,
        };
        let nth = |n: i64| match self.every {
            Every::Week => first.checked_add(n.weeks()),
            Every::Fortnight => first.checked_add((2 * n).weeks()),
            Every::Month => first.checked_add(n.months()),
        };
        let is_within = |at: &DateTime| match self.end {
            End::Count(_) => true,
            End::Until(last) => at.date() <= last,
        };
        (0..)
            .map_while(|n| nth(n).ok())
            .take_while(is_within)
            .take(count)
            .collect()
    }

    /// The same as a recurrence rule of RFC 5545, for a series that begins on `first`.
    pub fn rule(self, first: Date) -> String {
        let every = match self.every {
            Every::Week => "FREQ=WEEKLY".to_owned(),
            Every::Fortnight => "FREQ=WEEKLY;INTERVAL=2".to_owned(),
            Every::Month if first.day() <= SHORTEST_MONTH => "FREQ=MONTHLY".to_owned(),
            // The rule alone would leave shorter months out.
            Every::Month => {
                let days: Vec<String> = (SHORTEST_MONTH..=first.day())
                    .map(|day| day.to_string())
                    .collect();
                let days = days.join(",");
                format!("FREQ=MONTHLY;BYMONTHDAY={days};BYSETPOS=-1")
            }
        };
        match self.end {
            End::Count(count) => format!("{every};COUNT={}", count.min(SERIES_MAX)),
            End::Until(last) => format!("{every};UNTIL={}", last.strftime("%Y%m%dT235959")),
        }
    }
}

/// When the clock on the wall shows `at`. A time that comes twice is its first; one that is
/// left out does not exist.
pub fn wall_instant(zone: &TimeZone, at: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => None,
        _ => ambiguous.earlier().ok(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(first: Date, every: Every, end: End) -> Vec<String> {
        let repeat = Repeat { every, end };
        let all = repeat.occurrences(first.at(9, 30, 0, 0));
        assert!(all.iter().all(|at| (at.hour(), at.minute()) == (9, 30)));
        all.iter().map(|at| at.date().to_string()).collect()
    }

    #[test]
    fn the_31st_is_the_last_of_shorter_months_and_the_31st_again_after() {
        let found = days(date(2027, 1, 31), Every::Month, End::Count(5));
        let expected = [
            "2027-01-31",
            "2027-02-28",
            "2027-03-31",
            "2027-04-30",
            "2027-05-31",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_29th_of_february_is_met_in_leap_years() {
        let found = days(date(2028, 1, 29), Every::Month, End::Count(3));
        assert_eq!(found, ["2028-01-29", "2028-02-29", "2028-03-29"]);
        let found = days(date(2027, 1, 29), Every::Month, End::Count(2));
        assert_eq!(found, ["2027-01-29", "2027-02-28"]);
    }

    #[test]
    fn weeks_go_on_over_week_53_and_the_end_of_the_year() {
        // 2026 has 53 weeks by ISO 8601.
        let found = days(date(2026, 12, 28), Every::Week, End::Count(3));
        assert_eq!(found, ["2026-12-28", "2027-01-04", "2027-01-11"]);
        let found = days(date(2026, 12, 28), Every::Fortnight, End::Count(2));
        assert_eq!(found, ["2026-12-28", "2027-01-11"]);
    }

    #[test]
    fn a_series_ends_on_its_day_or_after_its_count_and_is_never_endless() {
        let until = End::Until(date(2027, 1, 18));
        assert_eq!(days(date(2027, 1, 4), Every::Week, until).len(), 3);
        let before = End::Until(date(2027, 1, 17));
        assert_eq!(days(date(2027, 1, 4), Every::Week, before).len(), 2);
        let endless = End::Until(date(9999, 12, 31));
        assert_eq!(
            days(date(2027, 1, 4), Every::Week, endless).len(),
            SERIES_MAX
        );
        assert_eq!(days(date(2027, 1, 4), Every::Month, End::Count(0)).len(), 0);
    }

    #[test]
    fn the_wall_time_of_a_series_stays_when_the_clocks_change() {
        let first = date(2026, 3, 22).at(9, 30, 0, 0);
        let repeat = Repeat {
            every: Every::Week,
            end: End::Count(2),
        };
        let utc = |zone: &str| {
            let zone = TimeZone::get(zone).unwrap();
            let all = repeat.occurrences(first).into_iter();
            all.map(|at| wall_instant(&zone, at).unwrap().to_string())
                .collect::<Vec<_>>()
        };
        let london = ["2026-03-22T09:30:00Z", "2026-03-29T08:30:00Z"];
        assert_eq!(utc("Europe/London"), london);
        // Johannesburg never shifts, also while Europe does.
        let here = ["2026-03-22T07:30:00Z", "2026-03-29T07:30:00Z"];
        assert_eq!(utc("Africa/Johannesburg"), here);
    }

    #[test]
    fn a_visit_whose_wall_time_is_left_out_does_not_exist_and_one_that_comes_twice_is_its_first() {
        let london = TimeZone::get("Europe/London").unwrap();
        let half_past_one = |month, day| date(2026, month, day).at(1, 30, 0, 0);
        assert_eq!(wall_instant(&london, half_past_one(3, 29)), None);
        let twice = wall_instant(&london, half_past_one(10, 25)).unwrap();
        assert_eq!(twice.to_string(), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_series_is_told_as_a_rule_of_the_standard() {
        let rule = |every, end, day| Repeat { every, end }.rule(date(2027, 1, day));
        let four = End::Count(4);
        assert_eq!(rule(Every::Week, four, 4), "FREQ=WEEKLY;COUNT=4");
        assert_eq!(
            rule(Every::Fortnight, four, 4),
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4"
        );
        let until = End::Until(date(2027, 6, 30));
        let monthly = "FREQ=MONTHLY;UNTIL=20270630T235959";
        assert_eq!(rule(Every::Month, until, 28), monthly);
        let last = "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1;COUNT=4";
        assert_eq!(rule(Every::Month, four, 31), last);
    }
}

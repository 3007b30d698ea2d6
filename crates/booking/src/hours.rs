//! Opening hours: wall times by weekday, with days that are different.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::span::Span;
use crate::wall::first_at;

/// Minutes since midnight by the clock on the wall, 0 to 2880. Beyond 1440 it is in
/// the following day, for hours that run past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
    /// The first minute of a day.
    pub const MIDNIGHT: Self = Self(0);

    /// The minute; none beyond 2880.
    pub fn new(minute: u16) -> Option<Self> {
        (minute <= 2 * 24 * 60).then_some(Self(minute))
    }

    /// Minutes since midnight.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// Open from `opens` up to `closes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    opens: Minute,
    closes: Minute,
}

impl Opening {
    /// The whole day.
    pub const ALL_DAY: Self = Self {
        opens: Minute(0),
        closes: Minute(24 * 60),
    };

    /// The opening; none where it would close before it opens, or opens on the day after.
    pub fn new(opens: Minute, closes: Minute) -> Option<Self> {
        (opens < closes && opens.0 < 24 * 60).then_some(Self { opens, closes })
    }

    /// When it opens.
    pub fn opens(self) -> Minute {
        self.opens
    }

    /// When it closes.
    pub fn closes(self) -> Minute {
        self.closes
    }
}

/// What one particular date has instead of its weekday's hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayRule {
    /// Closed all day.
    Closed,
    /// Open at these times only.
    Open(Vec<Opening>),
}

/// The hours of one lane.
#[derive(Debug, Clone, Default)]
pub struct Hours {
    /// By weekday. A weekday that is not here is closed.
    pub weekly: Vec<(Weekday, Opening)>,
    /// Dates that are different; they win over the weekday.
    pub exceptions: BTreeMap<Date, DayRule>,
}

impl Hours {
    /// The hours of what is always open.
    pub fn always() -> Self {
        let week = (1..=7).filter_map(|day| Weekday::from_monday_one_offset(day).ok());
        Self {
            weekly: week.map(|day| (day, Opening::ALL_DAY)).collect(),
            exceptions: BTreeMap::new(),
        }
    }

    /// The openings that begin on the dates `from` to `to`, both included, as instants.
    /// They may overlap or touch.
    pub fn open(&self, zone: &TimeZone, from: Date, to: Date) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut date = from;
        while date <= to {
            for opening in self.openings(date) {
                let ends =
                    first_at(zone, date, opening.opens).zip(first_at(zone, date, opening.closes));
                spans.extend(ends.and_then(|(opens, closes)| Span::new(opens, closes)));
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break, // the end of the calendar
            }
        }
        spans
    }

    fn openings(&self, date: Date) -> Vec<Opening> {
        match self.exceptions.get(&date) {
            Some(DayRule::Closed) => Vec::new(),
            Some(DayRule::Open(openings)) => openings.clone(),
            None => {
                let weekday = date.weekday();
                self.weekly
                    .iter()
                    .filter(|(day, _)| *day == weekday)
                    .map(|(_, o)| *o)
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(opens: u16, closes: u16) -> Hours {
        let opening =
            Opening::new(Minute::new(opens).unwrap(), Minute::new(closes).unwrap()).unwrap();
        Hours {
            weekly: vec![(Weekday::Sunday, opening)],
            exceptions: BTreeMap::new(),
        }
    }

    fn open_on(zone: &str, hours: &Hours, date: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let date: Date = date.parse().unwrap();
        hours
            .open(&zone, date, date)
            .into_iter()
            .map(|s| format!("{} {}", s.start(), s.end()))
            .collect()
    }

    #[test]
    fn an_opening_in_the_hour_that_spring_leaves_out_begins_when_the_clock_jumps() {
        // London, 29 March 2026: 01:00 is followed by 02:00.
        let hours = ("Europe/London", hours(90, 600));
        assert_eq!(
            open_on(hours.0, &hours.1, "2026-03-29"),
            ["2026-03-29T01:00:00Z 2026-03-29T09:00:00Z"]
        );
    }

    #[test]
    fn an_opening_over_the_hour_that_autumn_repeats_is_an_hour_longer() {
        // London, 25 October 2026: 02:00 is followed by 01:00.
        let hours = ("Europe/London", hours(0, 240));
        assert_eq!(
            open_on(hours.0, &hours.1, "2026-10-25"),
            ["2026-10-24T23:00:00Z 2026-10-25T04:00:00Z"]
        );
    }

    #[test]
    fn johannesburg_never_shifts() {
        let hours = ("Africa/Johannesburg", hours(480, 1020));
        for date in ["2026-03-29", "2026-10-25"] {
            let expected = format!("{date}T06:00:00Z {date}T15:00:00Z");
            assert_eq!(open_on(hours.0, &hours.1, date), [expected]);
        }
    }

    #[test]
    fn hours_may_run_past_midnight() {
        let hours = ("Africa/Johannesburg", hours(1320, 1800));
        assert_eq!(
            open_on(hours.0, &hours.1, "2026-10-25"),
            ["2026-10-25T20:00:00Z 2026-10-26T04:00:00Z"]
        );
    }

    #[test]
    fn an_exception_wins_over_the_weekday() {
        let mut hours = ("Africa/Johannesburg", hours(480, 1020));
        hours
            .1
            .exceptions
            .insert("2026-10-25".parse().unwrap(), DayRule::Closed);
        assert!(open_on(hours.0, &hours.1, "2026-10-25").is_empty());
    }
}

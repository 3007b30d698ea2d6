//! Opening hours: wall times by weekday in the provider's zone, with days that are
//! different. Turned into instants here, and nowhere else.
//!
//! A wall time that a clock change leaves out opens or closes when the clock jumps
//! over it; one that comes twice counts the first time.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::span::Span;

/// Minutes since midnight by the clock on the wall, 0 to 2880. Beyond 1440 it is in
/// the following day, for hours that run past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
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
#[derive(Debug, Clone)]
pub struct Hours {
    /// The provider's zone.
    pub zone: TimeZone,
    /// By weekday. A weekday that is not here is closed.
    pub weekly: Vec<(Weekday, Opening)>,
    /// Dates that are different; they win over the weekday.
    pub exceptions: BTreeMap<Date, DayRule>,
}

impl Hours {
    /// The openings that begin on the dates `from` to `to`, both included, as instants.
    /// They may overlap or touch.
    pub fn open(&self, from: Date, to: Date) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut date = from;
        while date <= to {
            for opening in self.openings(date) {
                let ends = self
                    .instant(date, opening.opens)
                    .zip(self.instant(date, opening.closes));
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

    /// The first instant at which the wall clock shows this time or a later one.
    fn instant(&self, date: Date, minute: Minute) -> Option<Timestamp> {
        let day = date
            .checked_add((i64::from(minute.0) / (24 * 60)).days())
            .ok()?;
        let wall = day
            .at(0, 0, 0, 0)
            .checked_add((i64::from(minute.0) % (24 * 60)).minutes())
            .ok()?;
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                ambiguous.earlier().ok()
            }
            AmbiguousOffset::Gap { .. } => {
                let after = ambiguous
                    .later()
                    .ok()?
                    .checked_add(SignedDuration::from_secs(1))
                    .ok()?;
                self.zone
                    .preceding(after)
                    .next()
                    .map(|transition| transition.timestamp())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(zone: &str, opens: u16, closes: u16) -> Hours {
        let opening =
            Opening::new(Minute::new(opens).unwrap(), Minute::new(closes).unwrap()).unwrap();
        Hours {
            zone: TimeZone::get(zone).unwrap(),
            weekly: vec![(Weekday::Sunday, opening)],
            exceptions: BTreeMap::new(),
        }
    }

    fn open_on(hours: &Hours, date: &str) -> Vec<String> {
        let date: Date = date.parse().unwrap();
        hours
            .open(date, date)
            .into_iter()
            .map(|s| format!("{} {}", s.start(), s.end()))
            .collect()
    }

    #[test]
    fn an_opening_in_the_hour_that_spring_leaves_out_begins_when_the_clock_jumps() {
        // London, 29 March 2026: 01:00 is followed by 02:00.
        let hours = hours("Europe/London", 90, 600);
        assert_eq!(
            open_on(&hours, "2026-03-29"),
            ["2026-03-29T01:00:00Z 2026-03-29T09:00:00Z"]
        );
    }

    #[test]
    fn an_opening_over_the_hour_that_autumn_repeats_is_an_hour_longer() {
        // London, 25 October 2026: 02:00 is followed by 01:00.
        let hours = hours("Europe/London", 0, 240);
        assert_eq!(
            open_on(&hours, "2026-10-25"),
            ["2026-10-24T23:00:00Z 2026-10-25T04:00:00Z"]
        );
    }

    #[test]
    fn johannesburg_never_shifts() {
        let hours = hours("Africa/Johannesburg", 480, 1020);
        for date in ["2026-03-29", "2026-10-25"] {
            let expected = format!("{date}T06:00:00Z {date}T15:00:00Z");
            assert_eq!(open_on(&hours, date), [expected]);
        }
    }

    #[test]
    fn hours_may_run_past_midnight() {
        let hours = hours("Africa/Johannesburg", 1320, 1800);
        assert_eq!(
            open_on(&hours, "2026-10-25"),
            ["2026-10-25T20:00:00Z 2026-10-26T04:00:00Z"]
        );
    }

    #[test]
    fn an_exception_wins_over_the_weekday() {
        let mut hours = hours("Africa/Johannesburg", 480, 1020);
        hours
            .exceptions
            .insert("2026-10-25".parse().unwrap(), DayRule::Closed);
        assert!(open_on(&hours, "2026-10-25").is_empty());
    }
}

//! The one place where a time on the wall becomes an instant.
//!
//! A wall time that a clock change leaves out stands for the instant at which the clock
//! jumps over it; one that comes twice, for the first time.

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::hours::Minute;

/// The first instant at which the wall clock shows this time or a later one. None at the
/// end of the calendar.
pub(crate) fn first_at(zone: &TimeZone, date: Date, minute: Minute) -> Option<Timestamp> {
    let minute = i64::from(minute.get());
    let day = date.checked_add((minute / (24 * 60)).days()).ok()?;
    let wall = day.at(0, 0, 0, 0);
    let wall = wall.checked_add((minute % (24 * 60)).minutes()).ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok()
        }
        AmbiguousOffset::Gap { .. } => {
            let jump = ambiguous.later().ok()?;
            let after = jump.checked_add(SignedDuration::from_secs(1)).ok()?;
            let jump = zone.preceding(after).next();
            jump.map(|transition| transition.timestamp())
        }
    }
}

/// The instant at which a day begins: midnight, or when the clock jumps over it.
pub fn day_start(zone: &TimeZone, date: Date) -> Timestamp {
    first_at(zone, date, Minute::MIDNIGHT).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_without_midnight_begins_when_the_clock_jumps_over_it() {
        // Beirut, 29 March 2026: 00:00 is left out. Cairo, 24 April 2026: the same.
        let starts = |zone: &str, date| {
            let start = day_start(&TimeZone::get(zone).unwrap(), date);
            start.to_string()
        };
        let beirut = starts("Asia/Beirut", date(2026, 3, 29));
        assert_eq!(beirut, "2026-03-28T22:00:00Z");
        let cairo = starts("Africa/Cairo", date(2026, 4, 24));
        assert_eq!(cairo, "2026-04-23T22:00:00Z");
    }

    #[test]
    fn days_have_as_many_hours_as_the_wall_clock_gives_them() {
        let hours = |zone: &str, date: Date| {
            let zone = TimeZone::get(zone).unwrap();
            let end = day_start(&zone, date.tomorrow().unwrap());
            end.duration_since(day_start(&zone, date)).as_mins()
        };
        assert_eq!(hours("Europe/London", date(2026, 3, 29)), 23 * 60);
        assert_eq!(hours("Europe/London", date(2026, 10, 25)), 25 * 60);
        assert_eq!(hours("Australia/Lord_Howe", date(2026, 4, 5)), 24 * 60 + 30);
        assert_eq!(hours("Africa/Johannesburg", date(2026, 3, 29)), 24 * 60);
    }
}

//! When somebody is reminded of an appointment: so long before it, but not at night, not
//! after it has begun, and not where it was booked later than that.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

const DAY_MINUTES: i16 = 24 * 60;

/// Minutes on the wall between which nobody is disturbed; it may go over midnight. Where
/// both are the same, there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The first minute of the day that is quiet.
    pub from: i16,
    /// The first one that is not.
    pub until: i16,
}

impl QuietHours {
    /// The quiet time around a wall time: its first moment and its end.
    fn around(self, at: DateTime) -> Option<(DateTime, DateTime)> {
        let minute = i16::from(at.hour()) * 60 + i16::from(at.minute());
        let (first_day, last_day) = match (self.from < self.until, minute) {
            (true, m) if (self.from..self.until).contains(&m) => (0, 0),
            (false, m) if self.from != self.until && m >= self.from => (0, 1),
            (false, m) if self.from != self.until && m < self.until => (-1, 0),
            _ => return None,
        };
        let on = |days: i64, minute: i16| {
            let midnight = at.date().checked_add(Span::new().days(days)).ok()?;
            let minutes = i64::from(minute.clamp(0, DAY_MINUTES - 1));
            let midnight = midnight.at(0, 0, 0, 0);
            midnight.checked_add(Span::new().minutes(minutes)).ok()
        };
        Some((on(first_day, self.from)?, on(last_day, self.until)?))
    }
}

impl QuietHours {
    /// When it is quiet no more, where it is quiet at `at`.
    pub fn ends(self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let (_, ends) = self.around(zone.to_datetime(at))?;
        zone.to_ambiguous_timestamp(ends).compatible().ok()
    }
}

/// The instant of the reminder, `lead` before `start`; one that would come at a quiet hour
/// comes just after it, or just before where the appointment has begun by then. None where
/// that is not after `now`: who books so late needs no reminder.
pub fn reminder(
    start: Timestamp,
    lead: SignedDuration,
    quiet: QuietHours,
    zone: &TimeZone,
    now: Timestamp,
) -> Option<Timestamp> {
    let at = start.checked_sub(lead).ok()?;
    if at <= now {
        return None;
    }
    let Some((begins, ends)) = quiet.around(zone.to_datetime(at)) else {
        return Some(at);
    };
    let instant = |wall| zone.to_ambiguous_timestamp(wall).compatible().ok();
    let after = instant(ends).filter(|after| *after < start);
    let before = || {
        instant(begins)?
            .checked_sub(SignedDuration::from_mins(1))
            .ok()
    };
    after.or_else(before).filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHT: QuietHours = QuietHours {
        from: 20 * 60,
        until: 7 * 60,
    };
    const HOUR: i64 = 60;

    fn at(local: &str) -> Timestamp {
        let wall: DateTime = local.parse().unwrap();
        wall.in_tz("Africa/Johannesburg").unwrap().timestamp()
    }

    /// The reminder as a wall time in Johannesburg.
    fn planned(start: &str, minutes: i64, quiet: QuietHours, now: &str) -> Option<String> {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        let lead = SignedDuration::from_mins(minutes);
        let found = reminder(at(start), lead, quiet, &zone, at(now))?;
        Some(zone.to_datetime(found).to_string())
    }

    #[test]
    fn by_day_it_comes_so_long_before() {
        let found = planned("2027-03-24T09:30", 24 * HOUR, NIGHT, "2027-03-20T12:00");
        assert_eq!(found.as_deref(), Some("2027-03-23T09:30:00"));
    }

    #[test]
    fn at_night_it_comes_in_the_morning() {
        let found = planned("2027-03-24T08:15", 2 * HOUR, NIGHT, "2027-03-20T12:00");
        assert_eq!(found.as_deref(), Some("2027-03-24T07:00:00"));
        let found = planned("2027-03-24T21:30", 24 * HOUR, NIGHT, "2027-03-20T12:00");
        assert_eq!(found.as_deref(), Some("2027-03-24T07:00:00"));
    }

    #[test]
    fn before_an_early_appointment_it_comes_the_evening_before() {
        for start in ["2027-03-24T07:00", "2027-03-24T06:00", "2027-03-24T01:00"] {
            let found = planned(start, 2 * HOUR, NIGHT, "2027-03-20T12:00");
            assert_eq!(found.as_deref(), Some("2027-03-23T19:59:00"), "{start}");
        }
        // Booked when that evening was over.
        let late = planned("2027-03-24T06:00", 2 * HOUR, NIGHT, "2027-03-23T21:00");
        assert_eq!(late, None);
    }

    #[test]
    fn who_books_later_than_that_is_not_reminded() {
        let start = "2027-03-24T12:00";
        assert_eq!(planned(start, 2 * HOUR, NIGHT, "2027-03-24T10:00"), None);
        assert!(planned(start, 2 * HOUR, NIGHT, "2027-03-24T09:59").is_some());
    }

    #[test]
    fn hours_within_a_day_are_quiet_too_and_none_are_where_both_ends_are_one() {
        let noon = QuietHours {
            from: 12 * 60,
            until: 14 * 60,
        };
        let found = planned("2027-03-24T15:00", 2 * HOUR, noon, "2027-03-20T12:00");
        assert_eq!(found.as_deref(), Some("2027-03-24T14:00:00"));
        let never = QuietHours { from: 0, until: 0 };
        let found = planned("2027-03-24T05:00", 2 * HOUR, never, "2027-03-20T12:00");
        assert_eq!(found.as_deref(), Some("2027-03-24T03:00:00"));
    }

    #[test]
    fn whoever_is_reminded_late_waits_for_the_end_of_the_night() {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        let ends = |now| NIGHT.ends(at(now), &zone);
        assert_eq!(ends("2027-03-24T19:59"), None);
        assert_eq!(ends("2027-03-24T20:00"), Some(at("2027-03-25T07:00")));
        assert_eq!(ends("2027-03-25T06:59"), Some(at("2027-03-25T07:00")));
        assert_eq!(ends("2027-03-25T07:00"), None);
    }

    #[test]
    fn it_is_never_quiet_never_late_and_never_in_the_past() {
        let zone = TimeZone::get("Europe/London").unwrap();
        // Around the hour that is missing, and the one that comes twice.
        for day in ["2026-03-29T00:00Z", "2026-10-25T00:00Z"] {
            let midnight: Timestamp = day.parse().unwrap();
            for quarter in 0..(48 * 4) {
                let start = midnight + SignedDuration::from_mins(quarter * 15);
                for lead in [15, 120, 24 * 60] {
                    let now = midnight - SignedDuration::from_hours(12);
                    let lead = SignedDuration::from_mins(lead);
                    let Some(found) = reminder(start, lead, NIGHT, &zone, now) else {
                        continue;
                    };
                    assert!(found < start && found > now, "{start} {found}");
                    let wall = zone.to_datetime(found);
                    assert!(NIGHT.around(wall).is_none(), "{start} {wall}");
                }
            }
        }
    }
}

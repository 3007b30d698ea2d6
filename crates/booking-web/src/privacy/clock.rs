//! By when a request must be answered, and when that becomes urgent. Pure.

use jiff::{SignedDuration, Timestamp};

/// POPIA regulation 3(4) and PAIA s25: thirty days from when it was received.
const DAYS: i64 = 30;

/// The days on which whoever has to answer is warned.
pub(crate) const WARNINGS: [i16; 3] = [20, 25, 30];

/// How urgent a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// So many days are left.
    Days(i64),
    /// Ten days or fewer are left.
    Soon(i64),
    /// It should have been answered so many days ago.
    Late(i64),
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

/// When a request that was received then must be answered.
pub(crate) fn due(received: Timestamp) -> Timestamp {
    received
        .saturating_add(days(DAYS))
        .unwrap_or(Timestamp::MAX)
}

/// What was received before this has waited for so many days.
pub(crate) fn received_before(waited: i16, now: Timestamp) -> Timestamp {
    now.saturating_sub(days(i64::from(waited)))
        .unwrap_or(Timestamp::MIN)
}

/// How urgent a request is that is due then.
pub(crate) fn urgency(due: Timestamp, now: Timestamp) -> Urgency {
    let left = due.duration_since(now).as_hours();
    if left < 0 || due < now {
        Urgency::Late(-left / 24)
    } else if left <= 24 * 10 {
        Urgency::Soon(left / 24)
    } else {
        Urgency::Days(left / 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn thirty_days_go_over_the_ends_of_months_and_leap_days() {
        for (received, expected) in [
            ("2027-01-31T08:00:00Z", "2027-03-02T08:00:00Z"),
            ("2028-01-31T08:00:00Z", "2028-03-01T08:00:00Z"),
            ("2026-12-15T22:30:00Z", "2027-01-14T22:30:00Z"),
        ] {
            assert_eq!(due(at(received)), at(expected));
        }
    }

    #[test]
    fn it_becomes_urgent_when_ten_days_are_left_and_late_when_none_is() {
        let received = at("2027-01-01T08:00:00Z");
        let urgency_on = |day: i64| urgency(due(received), received + days(day));
        assert_eq!(urgency_on(0), Urgency::Days(30));
        assert_eq!(urgency_on(19), Urgency::Days(11));
        assert_eq!(urgency_on(20), Urgency::Soon(10));
        assert_eq!(urgency_on(30), Urgency::Soon(0));
        assert_eq!(urgency_on(32), Urgency::Late(2));
        assert_eq!(received_before(20, received + days(20)), received);
    }
}

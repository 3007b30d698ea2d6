//! When a certificate is to be asked for: pure. At two thirds of its life, and after a failure
//! later and later, so that no authority is asked in a hurry (RFC 8555 §6.6).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The rest after the first failure, which doubles with each, and the longest.
pub(crate) const FIRST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// From when on and until when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

/// When to ask: for a certificate of which there is none, long ago; never before `not_before`.
pub(crate) fn at(certificate: Option<Validity>, not_before: Option<Timestamp>) -> Timestamp {
    let wanted = certificate.map_or(Timestamp::MIN, two_thirds);
    wanted.max(not_before.unwrap_or(Timestamp::MIN))
}

fn two_thirds(validity: Validity) -> Timestamp {
    let life = validity.not_after.duration_since(validity.not_before);
    let used = SignedDuration::from_secs(life.as_secs() / 3 * 2);
    validity
        .not_before
        .checked_add(used)
        .unwrap_or(validity.not_after)
}

/// How long to rest after so many failures in a row; `draw` gives a number below its argument.
/// A quarter is left to chance, so that many who failed together do not come back together.
pub(crate) fn after(failures: u32, draw: impl FnOnce(u64) -> u64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(12));
    let whole = doubled.min(LONGEST);
    let quarter = u64::try_from(whole.as_millis() / 4).unwrap_or(u64::MAX);
    whole.saturating_sub(Duration::from_millis(draw(quarter.max(1))))
}

/// How long to rest after a certificate was signed: one that is due again at once, because its
/// life began long ago, must not be asked for without a pause.
pub(crate) fn between(now: Timestamp, not_after: Timestamp) -> Duration {
    let left = Duration::try_from(not_after.duration_since(now)).unwrap_or(Duration::ZERO);
    (left / 100).clamp(Duration::from_secs(1), FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_certificate_is_due_at_two_thirds_of_its_life_and_after_the_rest() {
        let ninety_days = 90 * 86_400;
        let validity = Validity {
            not_before: at_second(1000),
            not_after: at_second(1000 + ninety_days),
        };
        let due = at_second(1000 + ninety_days / 3 * 2);
        assert_eq!(at(Some(validity), None), due);
        assert_eq!(at(Some(validity), Some(at_second(5))), due);
        let later = at_second(1000 + ninety_days);
        assert_eq!(at(Some(validity), Some(later)), later);
        assert_eq!(at(None, Some(at_second(5))), at_second(5));
        assert_eq!(at(None, None), Timestamp::MIN);
    }

    #[test]
    fn no_certificate_is_asked_for_without_a_pause() {
        for (left, rest) in [(-5, 1), (0, 1), (300, 3), (90 * 86_400, 60)] {
            let rested = between(at_second(1000), at_second(1000 + left));
            assert_eq!(rested, Duration::from_secs(rest), "{left}");
        }
    }

    #[test]
    fn rests_double_up_to_six_hours_and_chance_takes_a_quarter_at_most() {
        let seconds = |failures| after(failures, |_| 0).as_secs();
        let all: Vec<u64> = (1..=12).map(seconds).collect();
        assert_eq!(all[..6], [60, 120, 240, 480, 960, 1920]);
        assert_eq!(all[9..], [21_600; 3]);
        assert_eq!(seconds(u32::MAX), 21_600);
        assert_eq!(after(1, |below| below), Duration::from_secs(45));
    }
}

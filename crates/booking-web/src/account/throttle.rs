//! How long somebody who failed to sign in waits before the next attempt is looked at.
//! Counted by address and network, so that a stranger elsewhere locks nobody out; a
//! browser that has signed in before is counted by itself. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::store::attempt::Failures;

/// Typing errors are human.
const FREE_FAILURES: i32 = 5;
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(15);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// After so long without a failure it begins anew.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is looked at, and counts as failed until it has succeeded.
    Allowed(Failures),
    /// It is not looked at before then.
    NotBefore(Timestamp),
}

/// Decides about an attempt at `now`, after these failures.
pub(crate) fn attempt(failures: Failures, now: Timestamp) -> Attempt {
    if now < failures.free_at {
        return Attempt::NotBefore(failures.free_at);
    }
    let is_forgotten = now.duration_since(failures.last_at) >= FORGOTTEN_AFTER;
    let count = if is_forgotten { 1 } else { failures.count + 1 };
    Attempt::Allowed(Failures {
        count,
        last_at: now,
        free_at: now.checked_add(wait(count)).unwrap_or(now),
    })
}

/// The wait after so many failures: nothing, then 15 s, twice as long each time.
fn wait(failures: i32) -> SignedDuration {
    let beyond = failures - FREE_FAILURES;
    if beyond < 0 {
        return SignedDuration::ZERO;
    }
    let doubled = u32::try_from(beyond)
        .ok()
        .and_then(|n| 1_i32.checked_shl(n));
    doubled
        .filter(|factor| *factor > 0)
        .and_then(|factor| FIRST_WAIT.checked_mul(factor))
        .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::Clock;
    use std::time::Duration;

    fn none(now: Timestamp) -> Failures {
        Failures {
            count: 0,
            last_at: now,
            free_at: now,
        }
    }

    #[test]
    fn each_failure_beyond_five_waits_twice_as_long_up_to_an_hour() {
        let (clock, hands) = Clock::manual("2027-03-24T08:00:00Z".parse().unwrap());
        let mut failures = none(clock.now());
        let mut waits = Vec::new();
        for _ in 0..15 {
            let Attempt::Allowed(next) = attempt(failures, clock.now()) else {
                panic!("it waits although the time is over");
            };
            failures = next;
            let wait = next.free_at.duration_since(clock.now()).as_secs();
            waits.push(wait);
            if wait > 0 {
                hands.advance(Duration::from_secs(wait.unsigned_abs() - 1));
                assert_eq!(
                    attempt(failures, clock.now()),
                    Attempt::NotBefore(failures.free_at)
                );
                hands.advance(Duration::from_secs(1));
            }
        }
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600
            ]
        );
    }

    #[test]
    fn a_day_without_a_failure_begins_anew() {
        let (clock, hands) = Clock::manual("2027-03-24T08:00:00Z".parse().unwrap());
        let many = Failures {
            count: 40,
            last_at: clock.now(),
            free_at: clock.now(),
        };
        hands.advance(Duration::from_secs(24 * 3600));
        let Attempt::Allowed(next) = attempt(many, clock.now()) else {
            panic!("it waits although a day is over");
        };
        assert_eq!((next.count, next.free_at), (1, clock.now()));
    }
}

//! What comes of a try, and what follows from it: done, again later, or never. Pure, but
//! for the chance in when to try again.

use chassis::Random;
use jiff::{SignedDuration, Timestamp};

use crate::store::outbox::Settled;

/// What came of one try to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side has it.
    Sent {
        /// What the other side calls it.
        provider_id: Option<String>,
    },
    /// Nobody is to be disturbed before then; nothing was tried.
    Postponed(Timestamp),
    /// There is no point in it any more; nothing was sent.
    Dropped(String),
    /// Not now; nothing was sent.
    Later {
        reason: String,
        /// The other side does not want to be asked before.
        wait: Option<SignedDuration>,
    },
    /// Nobody knows whether it was sent.
    Unknown(String),
    /// The other side will never take it.
    Refused(String),
}

/// The name of a state that counts as one try, for the counters.
pub(crate) fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Postponed(_) => "postponed",
        Outcome::Dropped(_) => "dropped",
        Outcome::Later { .. } => "later",
        Outcome::Unknown(_) => "unknown",
        Outcome::Refused(_) => "refused",
    }
}

/// How often and when a channel tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// The first wait is up to this long; each next one up to twice as long.
    first: SignedDuration,
    longest: SignedDuration,
    /// After so many failures it is given up.
    tries: i32,
}

/// Mail servers are away for hours at times.
const MAIL: Patience = Patience {
    first: SignedDuration::from_secs(10),
    longest: SignedDuration::from_mins(60),
    tries: 16,
};
/// What a text message says is soon stale.
const SMS: Patience = Patience {
    first: SignedDuration::from_secs(10),
    longest: SignedDuration::from_mins(15),
    tries: 8,
};
const WEBHOOK: Patience = Patience {
    first: SignedDuration::from_secs(5),
    longest: SignedDuration::from_hours(24),
    tries: 18,
};
/// An event is only turned into deliveries; what keeps that from working is ours.
const EVENT: Patience = Patience {
    first: SignedDuration::from_secs(2),
    longest: SignedDuration::from_mins(5),
    tries: 50,
};

impl Patience {
    pub(crate) fn of(channel: &str) -> Self {
        match channel {
            "email" => MAIL,
            "sms" => SMS,
            "webhook" => WEBHOOK,
            _ => EVENT,
        }
    }

    /// How long to wait after the `failures`th failure: any time up to a limit that
    /// doubles, so that those who failed together do not come back together. None where it
    /// is given up.
    pub(crate) fn wait(self, failures: i32, random: &Random) -> Option<SignedDuration> {
        if failures >= self.tries {
            return None;
        }
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(0);
        let factor = 1_i64.checked_shl(doublings.min(40)).unwrap_or(i64::MAX);
        let first = i64::try_from(self.first.as_millis()).unwrap_or(i64::MAX);
        let longest = i64::try_from(self.longest.as_millis()).unwrap_or(i64::MAX);
        let limit = first.saturating_mul(factor).min(longest);
        let bound = u64::try_from(limit).unwrap_or(0).saturating_add(1);
        let millis = i64::try_from(random.below(bound)).unwrap_or(limit);
        Some(SignedDuration::from_millis(millis))
    }
}

/// What is written down about a row after `outcome`; `failures` is how many it had before.
pub(crate) fn settled<'a>(
    outcome: &'a Outcome,
    patience: Patience,
    failures: i32,
    random: &Random,
    now: Timestamp,
) -> Settled<'a> {
    let done = |state, reason| Settled {
        state,
        sent_at: None,
        send_after: None,
        failures: 1,
        provider_id: None,
        reason,
    };
    let again = |state, reason: &'a str, at_least: Option<SignedDuration>| {
        let Some(wait) = patience.wait(failures.saturating_add(1), random) else {
            return done("dead", Some(reason));
        };
        let wait = at_least.map_or(wait, |at_least| wait.max(at_least));
        Settled {
            send_after: Some(now.saturating_add(wait).unwrap_or(now)),
            ..done(state, Some(reason))
        }
    };
    match outcome {
        Outcome::Sent { provider_id } => Settled {
            sent_at: Some(now),
            failures: 0,
            provider_id: provider_id.as_deref(),
            ..done("sent", None)
        },
        Outcome::Postponed(until) => Settled {
            failures: 0,
            send_after: Some(*until),
            ..done("waiting", None)
        },
        Outcome::Dropped(reason) => Settled {
            failures: 0,
            ..done("dropped", Some(reason))
        },
        Outcome::Later { reason, wait } => again("waiting", reason, *wait),
        Outcome::Unknown(reason) => again("unknown", reason, None),
        Outcome::Refused(reason) => done("dead", Some(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_end() {
        let random = Random::seeded(7);
        let longest = |failures| {
            let waits = (0..500).map(|_| WEBHOOK.wait(failures, &random).unwrap());
            waits.max().unwrap()
        };
        let about = |found: SignedDuration, limit: i64| {
            let limit = SignedDuration::from_secs(limit);
            assert!(
                found <= limit && found * 10 > limit * 9,
                "{found} of {limit}"
            );
        };
        about(longest(1), 5);
        about(longest(2), 10);
        about(longest(5), 80);
        about(longest(17), 24 * 3600);
        assert_eq!(WEBHOOK.wait(18, &random), None);
    }

    #[test]
    fn those_who_failed_together_do_not_come_back_together() {
        let random = Random::seeded(7);
        let waits: Vec<_> = (0..1000).map(|_| MAIL.wait(4, &random).unwrap()).collect();
        let early = waits.iter().filter(|w| w.as_secs() < 40).count();
        assert!(
            (400..600).contains(&early),
            "{early} of 1000 in the first half"
        );
    }

    #[test]
    fn the_same_seed_waits_the_same() {
        let waits = |seed| {
            let random = Random::seeded(seed);
            (1..8).map(|n| SMS.wait(n, &random)).collect::<Vec<_>>()
        };
        assert_eq!(waits(3), waits(3));
        assert_ne!(waits(3), waits(4));
    }

    #[test]
    fn nobody_is_asked_before_they_want_to_be() {
        let now = Timestamp::UNIX_EPOCH;
        let outcome = Outcome::Later {
            reason: "busy".to_owned(),
            wait: Some(SignedDuration::from_secs(90)),
        };
        let settled = settled(&outcome, SMS, 0, &Random::seeded(1), now);
        assert_eq!(settled.send_after.unwrap().as_second(), 90);
        assert_eq!((settled.state, settled.failures), ("waiting", 1));
    }

    #[test]
    fn a_refusal_and_one_failure_too_many_end_as_dead_letters_with_their_reason() {
        let (now, random) = (Timestamp::UNIX_EPOCH, Random::seeded(1));
        let refused = Outcome::Refused("550 no such user".to_owned());
        let found = settled(&refused, MAIL, 0, &random, now);
        assert_eq!(
            (found.state, found.reason),
            ("dead", Some("550 no such user"))
        );
        let lost = Outcome::Unknown("no answer".to_owned());
        assert_eq!(settled(&lost, MAIL, 0, &random, now).state, "unknown");
        assert_eq!(
            settled(&lost, MAIL, MAIL.tries - 1, &random, now).state,
            "dead"
        );
    }
}

//! What one request may take: the proxy's own limits, or what a rule of its route says instead.

use std::time::Duration;

use crate::options::Limits;
use crate::table::Rule;

/// What one request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The largest body, bytes.
    pub(crate) body_bytes: u64,
    /// How long the head of the answer may take.
    pub(crate) answer: Duration,
    /// How long a body may stand still.
    pub(crate) body_idle: Duration,
    /// What a body must bring, bytes a second; nought: anything.
    pub(crate) body_rate: u32,
}

impl Bounds {
    /// Whether a body that brought so many bytes was waited for too long.
    pub(crate) fn is_too_slow(&self, bytes: u64, waited: Duration, grace: Duration) -> bool {
        let millis = |rate: u64| bytes.saturating_mul(1000) / rate;
        let paid = match self.body_rate {
            0 => return false,
            rate => Duration::from_millis(millis(rate.into())),
        };
        waited > grace.saturating_add(paid)
    }

    /// Where no rule says anything.
    pub(crate) fn by_default(limits: &Limits) -> Self {
        Self {
            body_bytes: limits.body_bytes,
            answer: limits.answer,
            body_idle: limits.body_idle,
            body_rate: limits.body_rate,
        }
    }

    /// With what a rule says instead.
    pub(crate) fn of(self, rule: &Rule) -> Self {
        let span =
            |said: Option<u32>, else_| said.map_or(else_, |ms| Duration::from_millis(ms.into()));
        Self {
            body_bytes: rule.body_bytes.unwrap_or(self.body_bytes),
            answer: span(rule.answer_ms, self.answer),
            body_idle: span(rule.body_idle_ms, self.body_idle),
            body_rate: rule.body_rate.unwrap_or(self.body_rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_pays_for_the_time_that_it_is_waited_for() {
        let bounds = Bounds::by_default(&Limits {
            body_rate: 1000,
            ..Limits::default()
        });
        let grace = Duration::from_secs(2);
        for (bytes, waited_ms, expected) in [
            (0, 2000, false),
            (0, 2001, true),
            (1000, 3000, false),
            (1000, 3001, true),
            (u64::MAX, 1_000_000, false),
        ] {
            let waited = Duration::from_millis(waited_ms);
            let is_slow = bounds.is_too_slow(bytes, waited, grace);
            assert_eq!(is_slow, expected, "{bytes} in {waited:?}");
        }
        let any = bounds.of(&Rule {
            body_rate: Some(0),
            ..Rule::default()
        });
        assert!(!any.is_too_slow(0, Duration::from_secs(9999), grace));
    }
}

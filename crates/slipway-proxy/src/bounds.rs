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
}

impl Bounds {
    /// Where no rule says anything.
    pub(crate) fn by_default(limits: &Limits) -> Self {
        Self {
            body_bytes: limits.body_bytes,
            answer: limits.answer,
            body_idle: limits.body_idle,
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
        }
    }
}

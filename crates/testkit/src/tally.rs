//! What many visitors saw, counted: a request is counted once, when it ended. Holds
//! the words of the first failures, because a number alone helps nobody.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::visitor::Outcome;

/// Failures that are kept with their words.
const EXAMPLES_MAX: usize = 20;

/// A count of outcomes.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Requests that ended, in whatever way.
    pub requests: u64,
    /// Of them: no answer, a broken one, or a 5xx.
    pub failed: u64,
    /// By the release that answered; those without an answer are under the empty name.
    pub releases: BTreeMap<String, Share>,
    /// By status; 0 is no answer.
    pub statuses: BTreeMap<u16, u64>,
    /// The first failures, in words.
    pub examples: Vec<String>,
    /// When the first and the last failure ended.
    pub failing: Option<(Instant, Instant)>,
    latency: Option<Histogram<u64>>,
}

/// What one release answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Requests.
    pub served: u64,
    /// Of them failed.
    pub failed: u64,
}

impl Tally {
    /// Counts one outcome of a request that is called `what` in messages.
    pub fn add(&mut self, what: &str, outcome: &Outcome) {
        self.requests += 1;
        let (release, status) = match &outcome.answer {
            Ok(answer) => (answer.release().unwrap_or_default(), answer.status.as_u16()),
            Err(_) => ("", 0),
        };
        *self.statuses.entry(status).or_default() += 1;
        let share = self.releases.entry(release.to_owned()).or_default();
        share.served += 1;
        if outcome.is_failed() {
            share.failed += 1;
            self.fail(what, outcome);
        }
        let micros = u64::try_from(outcome.took.as_micros()).unwrap_or(u64::MAX);
        self.histogram().saturating_record(micros);
    }

    /// What one release answered.
    pub fn release(&self, release: &str) -> Share {
        self.releases.get(release).copied().unwrap_or_default()
    }

    /// The time within which `share` (0 to 1) of the requests were answered.
    pub fn quantile(&self, share: f64) -> Duration {
        let micros = self
            .latency
            .as_ref()
            .map_or(0, |h| h.value_at_quantile(share));
        Duration::from_micros(micros)
    }

    /// The slowest answer.
    pub fn slowest(&self) -> Duration {
        Duration::from_micros(self.latency.as_ref().map_or(0, Histogram::max))
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (release, share) in &other.releases {
            let own = self.releases.entry(release.clone()).or_default();
            own.served += share.served;
            own.failed += share.failed;
        }
        let room = EXAMPLES_MAX.saturating_sub(self.examples.len());
        self.examples
            .extend(other.examples.iter().take(room).cloned());
        if let Some((first, last)) = other.failing {
            let own = self.failing.get_or_insert((first, last));
            *own = (own.0.min(first), own.1.max(last));
        }
        if let Some(latency) = &other.latency {
            let added = self.histogram().add(latency);
            added.expect("both histograms have the same bounds");
        }
    }

    fn fail(&mut self, what: &str, outcome: &Outcome) {
        self.failed += 1;
        let own = self.failing.get_or_insert((outcome.ended, outcome.ended));
        own.1 = outcome.ended;
        if self.examples.len() < EXAMPLES_MAX {
            let how = match &outcome.answer {
                Ok(answer) => format!(
                    "{} {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                        .chars()
                        .take(120)
                        .collect::<String>()
                ),
                Err(reason) => reason.clone(),
            };
            self.examples.push(format!("{what}: {how}"));
        }
    }

    fn histogram(&mut self) -> &mut Histogram<u64> {
        self.latency.get_or_insert_with(|| {
            Histogram::new_with_bounds(1, 600_000_000, 3)
                .expect("one microsecond to ten minutes with three digits is a valid range")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visitor::Answer;
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    fn outcome(status: u16, took_ms: u64) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert("x-release", "r1".parse().unwrap());
        Outcome {
            answer: Ok(Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers,
                body: Bytes::new(),
            }),
            took: Duration::from_millis(took_ms),
            ended: Instant::now(),
        }
    }

    #[test]
    fn a_conflict_is_an_answer_and_a_500_a_failure() {
        let mut tally = Tally::default();
        tally.add("book", &outcome(409, 1));
        tally.add("book", &outcome(500, 3));
        assert_eq!((tally.requests, tally.failed), (2, 1));
        assert_eq!(
            tally.release("r1"),
            Share {
                served: 2,
                failed: 1
            }
        );
        assert!(tally.examples[0].starts_with("book: 500"));
    }

    #[test]
    fn merging_keeps_every_count() {
        let (mut one, mut two) = (Tally::default(), Tally::default());
        one.add("a", &outcome(200, 1));
        two.add("a", &outcome(503, 9));
        one.merge(&two);
        assert_eq!((one.requests, one.failed), (2, 1));
        assert!(one.slowest() >= Duration::from_millis(9));
    }
}

//! What was usual on the release before, by what the proxy had counted when the rollout
//! began: from when on an answer is slow, and how many requests went badly. Pure; of too few
//! requests nothing is concluded.

use slipway_journal::ReleaseId;
use slipway_journal::event::judgement::Metric;
use slipway_journal::event::rollout::{Counters, ReleaseCounters, Step};
use slipway_proxy::Slow;

use crate::book::Record;

/// Requests below which shares and quantiles say nothing.
const LEAST: u64 = 200;
/// The share of failed requests that is taken for usual where nothing is known: one in a
/// thousand.
const UNKNOWN_PPM: u32 = 1_000;

/// What was usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History(ReleaseCounters);

impl History {
    /// What is known of `old` from before `record`'s release had traffic; none when too little.
    pub(crate) fn of(record: &Record, old: &ReleaseId) -> Option<Self> {
        let prepared = record.last(|s| *s == Step::Prepare)?.done.as_ref()?;
        Self::in_counters(prepared.counters.as_ref()?, old)
    }

    fn in_counters(counters: &Counters, old: &ReleaseId) -> Option<Self> {
        let counted = counters.releases.iter().find(|r| r.release == *old)?;
        (counted.served >= LEAST).then(|| Self(counted.clone()))
    }

    /// From when on an answer is slow: above 95 % of the answers, and above twice 99 %.
    pub(crate) fn slow(&self) -> Option<Slow> {
        let slow_us = self.quantile(95)?;
        let very_slow_us = self.quantile(99)?.saturating_mul(2).max(slow_us);
        Some(Slow {
            slow_us,
            very_slow_us,
        })
    }

    /// The share of requests that went badly, by metric, per million.
    pub(crate) fn bad_ppm(&self) -> [u32; 3] {
        let slow = self.slow();
        Metric::ALL.map(|metric| match (metric, slow) {
            (Metric::ServerError, _) => self.failed_ppm(),
            (Metric::Slow, Some(slow)) => self.above(slow.slow_us),
            (Metric::VerySlow, Some(slow)) => self.above(slow.very_slow_us),
            (Metric::Slow | Metric::VerySlow, None) => 0,
        })
    }

    /// As a judge counts; a journal of before that was kept knows only requests.
    fn failed_ppm(&self) -> u32 {
        let (place, counted) = (Metric::ServerError.place(), &self.0);
        match &counted.judged {
            Some(arm) => ppm(arm.bad[place], arm.told(Metric::ServerError)),
            None => ppm(counted.failed, counted.served),
        }
    }

    /// What is taken for usual where nothing is known.
    pub(crate) fn unknown_ppm() -> [u32; 3] {
        [UNKNOWN_PPM, 0, 0]
    }

    /// The time that so many per cent of the answers did not exceed.
    fn quantile(&self, percent: u64) -> Option<u64> {
        let total = self.answers();
        let mut seen = 0;
        let reached = self.0.latency.iter().find(|(_, count)| {
            seen += count;
            seen * 100 >= total * percent
        });
        reached.filter(|_| total >= LEAST).map(|(upper, _)| *upper)
    }

    fn above(&self, micros: u64) -> u32 {
        let above = self.0.latency.iter().filter(|(upper, _)| *upper > micros);
        ppm(above.map(|(_, count)| count).sum(), self.answers())
    }

    fn answers(&self) -> u64 {
        self.0.latency.iter().map(|(_, count)| count).sum()
    }
}

fn ppm(part: u64, whole: u64) -> u32 {
    let share = (part * 1_000_000).checked_div(whole).unwrap_or(0);
    u32::try_from(share).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_journal::event::judgement::Arm;

    fn release() -> ReleaseId {
        ReleaseId::try_from("ab".repeat(32)).unwrap()
    }

    fn history(served: u64, latency: Vec<(u64, u64)>) -> Option<History> {
        let counters = Counters {
            releases: vec![ReleaseCounters {
                release: release(),
                served,
                failed: served / 50,
                shielded: 0,
                judged: None,
                retried: 0,
                held: 0,
                slowest_us: 0,
                latency,
            }],
            ..Counters::default()
        };
        History::in_counters(&counters, &release())
    }

    #[test]
    fn slow_is_what_one_answer_in_twenty_was_and_very_slow_twice_what_one_in_a_hundred_was() {
        let latency = vec![(1_000, 940), (2_000, 20), (3_000, 30), (9_000, 10)];
        let history = history(1_000, latency).unwrap();
        let slow = Slow {
            slow_us: 2_000,
            very_slow_us: 6_000,
        };
        assert_eq!(history.slow(), Some(slow));
        assert_eq!(history.bad_ppm(), [20_000, 40_000, 10_000]);
    }

    #[test]
    fn a_client_that_failed_again_and_again_makes_nothing_usual() {
        let mut history = history(1_000, Vec::new()).unwrap();
        history.0.failed = 500;
        history.0.judged = Some(Arm {
            requests: 1_000,
            bad: [1, 0, 0],
            ..Arm::default()
        });
        assert_eq!(history.bad_ppm(), [1_000, 0, 0]);
    }

    #[test]
    fn of_too_few_requests_nothing_is_concluded() {
        assert_eq!(history(199, vec![(1_000, 199)]), None);
        let errors_only = history(1_000, Vec::new()).unwrap();
        assert_eq!(errors_only.slow(), None);
        assert_eq!(errors_only.bad_ppm(), [20_000, 0, 0]);
    }
}

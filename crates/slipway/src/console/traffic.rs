//! The proxy's counts of the last minutes, as rates. Pure: takes what the proxy tells,
//! sample by sample; a proxy that starts again counts from nought and is no gap.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use slipway_proxy::{PoolStats, Stats};

/// Samples that are remembered, at one a second: five minutes.
pub(crate) const BEATS_MAX: usize = 300;
/// Samples that "now" is made of, so that one slow second does not make it jump.
const NOW_BEATS: usize = 5;
/// Samples that the percentiles and failures of "now" are made of.
const RECENT_BEATS: usize = 60;
/// Samples whose latencies are kept; older ones only draw the line.
const LATENCY_BEATS: usize = 10;

/// What was counted of late, by service and release.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    start: String,
    at: Option<Duration>,
    pools: BTreeMap<(String, String), Series>,
}

#[derive(Debug, Clone, Default)]
struct Series {
    seen: Seen,
    beats: VecDeque<Beat>,
}

/// What the proxy had counted at the sample before.
#[derive(Debug, Clone, Default)]
struct Seen {
    served: u64,
    failed: u64,
    latency: BTreeMap<u64, u64>,
}

#[derive(Debug, Clone, Default)]
struct Beat {
    lasted: Duration,
    served: u64,
    failed: u64,
    latency: Vec<(u64, u64)>,
    p99_us: Option<u64>,
}

/// What one release serves now.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Now {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Requests of the last minute, and of them failed.
    pub(crate) served: u64,
    pub(crate) failed: u64,
    /// Time to the first byte of the answer, microseconds; nothing where nobody asked.
    pub(crate) p50_us: Option<u64>,
    pub(crate) p99_us: Option<u64>,
}

/// Requests per second of one sample, and of them failed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) served: f64,
    pub(crate) failed: f64,
    /// The highest 99th percentile of its samples, microseconds; none where nobody asked.
    pub(crate) p99_us: Option<u64>,
}

impl Traffic {
    /// Takes one more sample, made at `at` of a clock that never goes back.
    pub(crate) fn take(&mut self, at: Duration, stats: &Stats) {
        let lasted = self.at.map(|before| at.saturating_sub(before));
        if stats.start != self.start {
            for series in self.pools.values_mut() {
                series.seen = Seen::default();
            }
        }
        for pool in &stats.pools {
            let key = (pool.service.clone(), pool.release.clone());
            let series = self.pools.entry(key).or_default();
            series.take(lasted, pool);
        }
        let told = |key: &(String, String)| {
            stats
                .pools
                .iter()
                .any(|p| p.service == key.0 && p.release == key.1)
        };
        for (key, series) in &mut self.pools {
            if !told(key) {
                series.beat(lasted, Beat::default());
            }
        }
        self.pools
            .retain(|key, series| told(key) || series.beats.iter().any(|b| b.served > 0));
        self.start.clone_from(&stats.start);
        self.at = Some(at);
    }

    /// What `release` of `service` serves now; nothing before the second sample.
    pub(crate) fn now(&self, service: &str, release: &str) -> Option<Now> {
        let beats = &self.series(service, release)?.beats;
        if beats.is_empty() {
            return None;
        }
        let served: u64 = last(beats, NOW_BEATS).map(|b| b.served).sum();
        let lasted: Duration = last(beats, NOW_BEATS).map(|b| b.lasted).sum();
        let mut latency = BTreeMap::new();
        for (bound, count) in last(beats, LATENCY_BEATS).flat_map(|b| &b.latency) {
            *latency.entry(*bound).or_insert(0) += count;
        }
        Some(Now {
            rate: per_second(served, lasted),
            served: last(beats, RECENT_BEATS).map(|b| b.served).sum(),
            failed: last(beats, RECENT_BEATS).map(|b| b.failed).sum(),
            p50_us: percentile(&latency, 50),
            p99_us: percentile(&latency, 99),
        })
    }

    /// The last minutes, oldest first, each point the mean of `width` samples.
    pub(crate) fn line(&self, service: &str, release: &str, width: usize) -> Vec<Point> {
        let Some(series) = self.series(service, release) else {
            return Vec::new();
        };
        let beats: Vec<&Beat> = series.beats.iter().collect();
        // Counted from the newest, so that a point does not change once it is whole.
        beats
            .rchunks(width.max(1))
            .map(|chunk| {
                let lasted = chunk.iter().map(|b| b.lasted).sum();
                Point {
                    served: per_second(chunk.iter().map(|b| b.served).sum(), lasted),
                    failed: per_second(chunk.iter().map(|b| b.failed).sum(), lasted),
                    p99_us: chunk.iter().filter_map(|b| b.p99_us).max(),
                }
            })
            .rev()
            .collect()
    }

    fn series(&self, service: &str, release: &str) -> Option<&Series> {
        self.pools.get(&(service.to_owned(), release.to_owned()))
    }
}

impl Series {
    fn take(&mut self, lasted: Option<Duration>, pool: &PoolStats) {
        let seen = Seen {
            served: pool.served,
            failed: pool.failed,
            latency: pool.latency.iter().copied().collect(),
        };
        let latency: BTreeMap<u64, u64> = seen
            .latency
            .iter()
            .map(|(bound, count)| {
                let before = self.seen.latency.get(bound).copied().unwrap_or(0);
                (*bound, count.saturating_sub(before))
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let beat = Beat {
            lasted: Duration::ZERO,
            served: seen.served.saturating_sub(self.seen.served),
            failed: seen.failed.saturating_sub(self.seen.failed),
            p99_us: percentile(&latency, 99),
            latency: latency.into_iter().collect(),
        };
        self.seen = seen;
        self.beat(lasted, beat);
    }

    /// Without a sample before, what was counted belongs to no known length of time.
    fn beat(&mut self, lasted: Option<Duration>, beat: Beat) {
        let Some(lasted) = lasted.filter(|l| !l.is_zero()) else {
            return;
        };
        self.beats.push_back(Beat { lasted, ..beat });
        if self.beats.len() > BEATS_MAX {
            self.beats.pop_front();
        }
        if let Some(old) = self.beats.iter_mut().rev().nth(LATENCY_BEATS) {
            old.latency = Vec::new();
        }
    }
}

fn last(beats: &VecDeque<Beat>, count: usize) -> impl Iterator<Item = &Beat> {
    beats.iter().rev().take(count)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "requests within minutes stay far below 2^52"
)]
fn per_second(requests: u64, lasted: Duration) -> f64 {
    if lasted.is_zero() {
        return 0.0;
    }
    requests as f64 / lasted.as_secs_f64()
}

/// The upper bound of the bucket that holds the given percentile.
fn percentile(latency: &BTreeMap<u64, u64>, percent: u64) -> Option<u64> {
    let total: u64 = latency.values().sum();
    if total == 0 {
        return None;
    }
    let rank = (total * percent).div_ceil(100);
    let mut counted = 0;
    latency.iter().find_map(|(bound, count)| {
        counted += count;
        (counted >= rank).then_some(*bound)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(start: &str, served: u64, failed: u64, latency: &[(u64, u64)]) -> Stats {
        Stats {
            start: start.into(),
            pools: vec![PoolStats {
                service: "booking".into(),
                release: "one".into(),
                served,
                failed,
                latency: latency.to_vec(),
                ..PoolStats::default()
            }],
            ..Stats::default()
        }
    }

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_first_sample_is_no_rate() {
        let mut traffic = Traffic::default();
        traffic.take(second(10), &stats("a", 5_000, 3, &[]));
        assert_eq!(traffic.now("booking", "one"), None);
        traffic.take(second(11), &stats("a", 5_300, 3, &[]));
        let now = traffic.now("booking", "one").unwrap();
        assert_eq!((now.rate, now.served, now.failed), (300.0, 300, 0));
    }

    #[test]
    fn a_proxy_that_starts_again_is_no_leap_back() {
        let mut traffic = Traffic::default();
        traffic.take(second(1), &stats("a", 100, 0, &[]));
        traffic.take(second(2), &stats("a", 200, 0, &[]));
        traffic.take(second(3), &stats("b", 40, 2, &[]));
        let line = traffic.line("booking", "one", 1);
        let served: Vec<f64> = line.iter().map(|p| p.served).collect();
        assert_eq!(served, [100.0, 40.0]);
        assert_eq!(traffic.now("booking", "one").unwrap().failed, 2);
    }

    #[test]
    fn percentiles_are_of_what_came_since() {
        let mut traffic = Traffic::default();
        traffic.take(second(1), &stats("a", 1000, 0, &[(90_000, 1000)]));
        let later = [(1_000, 98), (5_000, 2), (90_000, 1000)];
        traffic.take(second(2), &stats("a", 1100, 0, &later));
        let now = traffic.now("booking", "one").unwrap();
        assert_eq!((now.p50_us, now.p99_us), (Some(1_000), Some(5_000)));
    }

    #[test]
    fn the_line_keeps_the_slowest_of_each_point() {
        let mut traffic = Traffic::default();
        let mut seen = Vec::new();
        for second in 0..4 {
            seen.push((1_000 * (second + 1), 10));
            traffic.take(
                self::second(second),
                &stats("a", 10 * (second + 1), 0, &seen),
            );
        }
        let line = traffic.line("booking", "one", 2);
        let slowest: Vec<_> = line.iter().map(|p| p.p99_us).collect();
        assert_eq!(slowest, [Some(2_000), Some(4_000)]);
    }

    #[test]
    fn nobody_asking_has_no_percentile() {
        let mut traffic = Traffic::default();
        traffic.take(second(1), &stats("a", 10, 0, &[(1_000, 10)]));
        traffic.take(second(2), &stats("a", 10, 0, &[(1_000, 10)]));
        let now = traffic.now("booking", "one").unwrap();
        assert_eq!((now.rate, now.p50_us, now.p99_us), (0.0, None, None));
    }

    #[test]
    fn a_release_that_is_no_longer_told_fades_and_goes() {
        let mut traffic = Traffic::default();
        traffic.take(second(0), &stats("a", 0, 0, &[]));
        traffic.take(second(1), &stats("a", 50, 0, &[]));
        let none = Stats {
            start: "b".into(),
            ..Stats::default()
        };
        traffic.take(second(2), &none);
        assert_eq!(traffic.line("booking", "one", 1).len(), 2);
        for n in 0..300 {
            traffic.take(second(3 + n), &none);
        }
        assert!(traffic.line("booking", "one", 1).is_empty());
    }

    #[test]
    fn points_are_means_counted_from_the_newest() {
        let mut traffic = Traffic::default();
        for (at, served) in [(0, 0), (1, 10), (2, 20), (3, 40)] {
            traffic.take(second(at), &stats("a", served, 0, &[]));
        }
        let line = traffic.line("booking", "one", 2);
        let served: Vec<f64> = line.iter().map(|p| p.served).collect();
        assert_eq!(served, [10.0, 15.0]);
    }
}

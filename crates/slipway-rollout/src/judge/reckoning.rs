//! The numbers behind the judge: shares, odds, and what one block says for harm. Each gain is
//! the logarithm of a factor whose expectation is at most one while there is no harm.

use slipway_journal::event::judgement::{Arm, Metric};

/// Requests, and the bad ones among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) requests: u64,
    pub(crate) bad: u64,
    /// Who had the bad ones.
    pub(crate) clients: u64,
}

/// Both releases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) baseline: Count,
    pub(crate) canary: Count,
}

/// The least and the highest share that is reckoned with: at nought and one there would be
/// infinities.
const SHARES: (f64, f64) = (0.000_5, 0.9);

impl Count {
    pub(crate) fn new(requests: u64, bad: u64, clients: u64) -> Self {
        Self {
            requests,
            // Both are read from counters that go on meanwhile.
            bad: bad.min(requests),
            clients,
        }
    }

    /// What an arm says of a metric.
    pub(crate) fn of(arm: &Arm, metric: Metric) -> Self {
        Self::new(
            arm.told(metric),
            arm.bad[metric.place()],
            arm.clients(metric),
        )
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bad += other.bad;
        self.clients += other.clients;
    }

    /// What was counted since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            bad: self.bad.saturating_sub(earlier.bad),
            clients: self.clients.saturating_sub(earlier.clients),
        }
    }

    /// Bad among all; none of none.
    pub(crate) fn share(self) -> f64 {
        if self.requests == 0 {
            return 0.0;
        }
        real(self.bad) / real(self.requests)
    }

    /// The logarithm of how much likelier this is with the share `then` than with `now`.
    fn gain(self, then: f64, now: f64) -> f64 {
        let good = real(self.requests - self.bad);
        real(self.bad) * (then / now).ln() + good * ((1.0 - then) / (1.0 - now)).ln()
    }
}

impl Pair {
    pub(crate) fn add(&mut self, other: Self) {
        self.baseline.add(other.baseline);
        self.canary.add(other.canary);
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            baseline: self.baseline.since(earlier.baseline),
            canary: self.canary.since(earlier.canary),
        }
    }

    /// What a block says for harm where the new release's odds are `odds` times the old one's,
    /// whose share was taken for `usual` before the block. While the new release is no worse the
    /// factor's expectation is at most one, whatever share both have: the two factors are linear
    /// in it with slopes that cancel, so that AM-GM bounds their product.
    pub(crate) fn gain(self, usual: f64, odds: f64) -> f64 {
        let usual = usual.clamp(SHARES.0, SHARES.1);
        let harmed = times(usual, odds);
        let (b, c) = (real(self.baseline.requests), real(self.canary.requests));
        if b + c == 0.0 {
            return 0.0;
        }
        let both = (b * usual + c * harmed) / (b + c);
        self.baseline.gain(usual, both) + self.canary.gain(harmed, both)
    }
}

impl Count {
    /// What this says for a share whose odds are `odds` times those of `reference`.
    pub(crate) fn gain_over(self, reference: f64, odds: f64) -> f64 {
        let reference = reference.clamp(SHARES.0, SHARES.1);
        self.gain(times(reference, odds), reference)
    }
}

/// The share whose odds are `odds` times those of `share`.
fn times(share: f64, odds: f64) -> f64 {
    let multiplied = odds * share / (1.0 - share);
    multiplied / (1.0 + multiplied)
}

/// The logarithm of the sum of what `logs` are logarithms of.
pub(crate) fn ln_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + logs.map(|l| (l - most).exp()).sum::<f64>().ln()
}

/// A count as a real number.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of requests stay far below 2^52"
)]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A share in parts per million.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to nought to a million"
)]
pub(crate) fn ppm(share: f64) -> u32 {
    (share * 1e6).round().clamp(0.0, 1e6) as u32
}

/// Parts per million as a share.
pub(crate) fn share(ppm: u32) -> f64 {
    f64::from(ppm) / 1e6
}

/// Per cent as a multiple.
pub(crate) fn multiple(percent: u32) -> f64 {
    f64::from(percent) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How likely `bad` of `requests` are with the share `p`.
    fn likely(count: Count, p: f64) -> f64 {
        let ways =
            (0..count.bad).fold(1.0, |ways, i| ways * real(count.requests - i) / real(i + 1));
        let good = i32::try_from(count.requests - count.bad).unwrap();
        ways * p.powi(i32::try_from(count.bad).unwrap()) * (1.0 - p).powi(good)
    }

    /// The expectation of the factor, by every outcome that there is.
    fn expected(requests: (u64, u64), shares: (f64, f64), usual: f64, odds: f64) -> f64 {
        let mut sum = 0.0;
        for b in 0..=requests.0 {
            for c in 0..=requests.1 {
                let pair = Pair {
                    baseline: Count::new(requests.0, b, b),
                    canary: Count::new(requests.1, c, c),
                };
                let chance = likely(pair.baseline, shares.0) * likely(pair.canary, shares.1);
                sum += chance * pair.gain(usual, odds).exp();
            }
        }
        sum
    }

    #[test]
    fn the_expectation_of_a_block_is_at_most_one_while_the_new_release_is_no_worse() {
        for requests in [(1, 1), (1, 5), (9, 1), (6, 6), (20, 2)] {
            for usual in [0.000_1, 0.005, 0.3, 0.89] {
                for odds in [1.5, 3.0, 10.0, 60.0] {
                    for baseline in [0.0, 0.001, 0.02, 0.3, 0.7, 1.0] {
                        for worse in [0.0, 0.5, 1.0] {
                            let shares = (baseline, baseline * worse);
                            let e = expected(requests, shares, usual, odds);
                            assert!(
                                e <= 1.0 + 1e-9,
                                "{requests:?} {usual} {odds} {shares:?}: {e}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_expectation_grows_where_the_new_release_is_as_bad_as_was_thought_of() {
        assert!(expected((18, 2), (0.01, 0.1), 0.01, 10.0) > 1.1);
    }

    #[test]
    fn beside_a_reference_the_expectation_is_one_there_and_less_below() {
        let expected = |p: f64| -> f64 {
            let outcomes = (0..=10).map(|bad| Count::new(10, bad, bad));
            outcomes
                .map(|c| likely(c, p) * c.gain_over(0.01, 4.0).exp())
                .sum()
        };
        assert!((expected(0.01) - 1.0).abs() < 1e-9);
        assert!(expected(0.002) < 1.0);
        assert!(expected(0.05) > 1.0);
    }

    #[test]
    fn sums_of_logarithms_do_not_overflow() {
        let sum = ln_sum([1000.0, 1000.0].into_iter());
        assert!((sum - 1000.0 - 2.0_f64.ln()).abs() < 1e-9);
        assert!(ln_sum(std::iter::empty()).is_infinite());
    }
}

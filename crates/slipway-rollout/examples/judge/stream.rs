//! Made-up traffic to two releases, the same for the same seed: requests come as they like
//! (Poisson), clients come back, some fail several times in a row. Ticks of 100 ms, which is
//! how often the counts of the proxy are looked at.

use std::collections::HashSet;

use fastrand::Rng;
use slipway_rollout::judge::Arm;

/// Length of a tick, milliseconds.
pub(crate) const TICK_MS: u64 = 100;
/// A client comes back so often on average, seconds.
const RETURN_S: f64 = 30.0;
/// A client counts once for so long, milliseconds.
const ONCE_MS: u64 = 10_000;

/// What the traffic is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Requests per second, both releases together.
    pub(crate) rate: f64,
    /// Share of the new release.
    pub(crate) weight: f64,
    /// Share of server errors at first.
    pub(crate) errors: f64,
    /// And after ten minutes, on both releases, whatever the new one adds.
    pub(crate) drifts_to: f64,
    /// Share of server errors on the new release; as on the old one where there is none.
    pub(crate) harmed: Option<f64>,
    /// Share of slow answers on the new release; as on the old one where there is none.
    pub(crate) slowed: Option<f64>,
    /// A client for whom something fails sees so many failures in a row.
    pub(crate) burst: u64,
}

/// Slow answers, by definition, and very slow ones, on a release that does no harm.
const SLOW: f64 = 0.05;
const VERY_SLOW: f64 = 0.002;

impl Shape {
    /// A release that does no harm, at a rate.
    pub(crate) fn good(rate: f64) -> Self {
        Self {
            rate,
            weight: 0.1,
            errors: 0.005,
            drifts_to: 0.005,
            harmed: None,
            slowed: None,
            burst: 1,
        }
    }

    /// A release with a share of server errors.
    pub(crate) fn harmed(rate: f64, errors: f64) -> Self {
        Self {
            harmed: Some(errors),
            ..Self::good(rate)
        }
    }
}

/// What one release answered in a tick.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answers {
    /// As the proxy counts for the judge: a client once in ten seconds.
    pub(crate) arm: Arm,
    /// Server errors, each of them.
    pub(crate) errors: u64,
    /// Of them those that nobody else could have answered instead, as the request may not be
    /// repeated: every fifth on average.
    pub(crate) unshielded: u64,
}

/// A tick.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tick {
    /// Its end, milliseconds.
    pub(crate) at_ms: u64,
    /// The old release.
    pub(crate) baseline: Answers,
    /// The new one.
    pub(crate) canary: Answers,
}

/// Traffic, tick by tick.
#[derive(Debug)]
pub(crate) struct Stream {
    shape: Shape,
    random: Rng,
    at_ms: u64,
    counted: [HashSet<(usize, u64)>; 2],
    known: [HashSet<(usize, u64)>; 2],
}

impl Stream {
    /// Traffic of a shape; the same for the same seed.
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            // Seeds that differ by one must not begin alike.
            random: Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            at_ms: 0,
            counted: [HashSet::new(), HashSet::new()],
            known: [HashSet::new(), HashSet::new()],
        }
    }

    /// From now on the new release has another share of the traffic.
    pub(crate) fn shift(&mut self, weight: f64) {
        self.shape.weight = weight;
    }

    fn errors(&self, is_canary: bool) -> f64 {
        let shape = &self.shape;
        #[expect(clippy::cast_precision_loss, reason = "minutes in milliseconds")]
        let gone = (self.at_ms as f64 / 600_000.0).min(1.0);
        let usual = shape.errors + (shape.drifts_to - shape.errors) * gone;
        match shape.harmed {
            Some(harmed) if is_canary => harmed,
            _ => usual,
        }
    }

    fn answers(&mut self, is_canary: bool) -> Answers {
        let shape = self.shape;
        let weight = if is_canary {
            shape.weight
        } else {
            1.0 - shape.weight
        };
        #[expect(clippy::cast_precision_loss, reason = "a tenth of a second")]
        let expected = shape.rate * weight * TICK_MS as f64 / 1000.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of people"
        )]
        let clients = ((shape.rate * weight * RETURN_S) as u64).max(3);
        let mut answers = Answers::default();
        answers.arm.clients = Some([0; 3]);
        answers.arm.requests = poisson(&mut self.random, expected);
        let slow = shape.slowed.filter(|_| is_canary).unwrap_or(SLOW);
        let requests = answers.arm.requests;
        for (place, share) in [self.errors(is_canary), slow, VERY_SLOW]
            .into_iter()
            .enumerate()
        {
            let in_a_row = if place == 0 { shape.burst } else { 1 };
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let begins = share / in_a_row as f64;
            for _ in 0..hits(&mut self.random, requests, begins) {
                let client = self.random.u64(0..clients);
                if self.counted[usize::from(is_canary)].insert((place, client)) {
                    answers.arm.bad[place] += 1;
                }
                if self.known[usize::from(is_canary)].insert((place, client)) {
                    answers.arm.clients.get_or_insert_default()[place] += 1;
                }
                answers.arm.requests += in_a_row - 1;
                if place == 0 {
                    answers.errors += in_a_row;
                    answers.unshielded += if self.random.u8(0..5) == 0 {
                        in_a_row
                    } else {
                        0
                    };
                }
            }
        }
        answers
    }
}

impl Iterator for Stream {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        self.at_ms += TICK_MS;
        if self.at_ms.is_multiple_of(ONCE_MS) {
            self.counted.iter_mut().for_each(HashSet::clear);
        }
        let baseline = self.answers(false);
        let canary = self.answers(true);
        Some(Tick {
            at_ms: self.at_ms,
            baseline,
            canary,
        })
    }
}

/// How many of those that come as they like come now (Knuth; the expectation is small).
fn poisson(random: &mut Rng, expected: f64) -> u64 {
    let limit = (-expected).exp();
    let mut left = random.f64();
    let mut count = 0;
    while left > limit {
        left *= random.f64();
        count += 1;
    }
    count
}

/// How many of `tries` hit, each with the chance `share`: by the lengths of the misses between.
fn hits(random: &mut Rng, tries: u64, share: f64) -> u64 {
    if share <= 0.0 || tries == 0 {
        return 0;
    }
    let log = (1.0 - share.min(1.0 - 1e-12)).ln();
    let (mut at, mut hits) = (0, 0);
    loop {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, which is beyond the end"
        )]
        let misses = ((1.0 - random.f64()).ln() / log) as u64;
        at += misses.saturating_add(1).min(tries + 1);
        if at > tries {
            return hits;
        }
        hits += 1;
    }
}

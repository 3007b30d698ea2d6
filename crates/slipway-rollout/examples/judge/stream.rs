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
    tried: [HashSet<u64>; 2],
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
            tried: [HashSet::new(), HashSet::new()],
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
        let slow = shape.slowed.filter(|_| is_canary).unwrap_or(SLOW);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let errors = self.errors(is_canary) / shape.burst as f64;
        for _ in 0..poisson(&mut self.random, expected) {
            let client = self.random.u64(0..clients);
            let bad = [errors, slow, VERY_SLOW].map(|share| self.random.f64() < share);
            self.count(&mut answers.arm, is_canary, client, bad);
            if bad[0] {
                // Whoever meets a burst meets all of it.
                let again = shape.burst - 1;
                answers.arm.requests += again;
                answers.arm.left_out.iter_mut().for_each(|n| *n += again);
                answers.errors += shape.burst;
                let is_unshielded = self.random.u8(0..5) == 0;
                answers.unshielded += if is_unshielded { shape.burst } else { 0 };
            }
        }
        answers
    }

    /// A client is judged by once in ten seconds, by the first answer.
    fn count(&mut self, arm: &mut Arm, is_canary: bool, client: u64, bad: [bool; 3]) {
        let release = usize::from(is_canary);
        arm.requests += 1;
        let is_tried = !self.tried[release].insert(client);
        let clients = arm.clients.get_or_insert_default();
        for (place, is_bad) in bad.into_iter().enumerate() {
            arm.left_out[place] += u64::from(is_tried);
            arm.bad[place] += u64::from(is_bad && !is_tried);
            let is_new = is_bad && !is_tried && self.known[release].insert((place, client));
            clients[place] += u64::from(is_new);
        }
    }
}

impl Iterator for Stream {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        self.at_ms += TICK_MS;
        if self.at_ms.is_multiple_of(ONCE_MS) {
            self.tried.iter_mut().for_each(HashSet::clear);
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

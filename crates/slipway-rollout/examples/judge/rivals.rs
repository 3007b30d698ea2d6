//! What else is used to judge a release, on the same counts: each says at some tick that the
//! release is to be taken back. They see server errors only, each of them.

use slipway_rollout::judge::{Rules, Trial, Verdict, nth, two_arms};

use crate::stream::{Answers, TICK_MS, Tick};

/// Whatever may take a release back.
pub(crate) trait Rule {
    /// Its name in a table.
    fn name(&self) -> &'static str;
    /// Whether the release is to be taken back now.
    fn see(&mut self, tick: &Tick) -> bool;
}

/// All of them, ours first.
pub(crate) fn all() -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(Judge::new()),
        Box::new(Windows::new("fixed windows", 1)),
        Box::new(Windows::new("Flagger's shape", 5)),
        Box::new(Kayenta::default()),
    ]
}

/// Ours, with the part of α that the first step gets.
pub(crate) struct Judge(Trial);

/// What is known of the old release before.
pub(crate) const HISTORY: [u32; 3] = [5_000, 50_000, 2_000];

impl Judge {
    fn new() -> Self {
        let rules = Rules {
            // Only whether it takes the release back is asked here.
            dwell_least_ms: u64::MAX,
            ..nth(two_arms(), 1)
        };
        Self(Trial::new(rules, HISTORY))
    }
}

impl Rule for Judge {
    fn name(&self) -> &'static str {
        "Slipway"
    }

    fn see(&mut self, tick: &Tick) -> bool {
        let verdict = self.0.see(tick.at_ms, tick.baseline.arm, tick.canary.arm);
        matches!(verdict, Verdict::Abort { .. })
    }
}

/// Windows of a minute, each good where 99 % of the answers are: so many bad ones are enough.
/// With one as a plain threshold rule, with five as `threshold: 5` of an analysis in Flagger.
pub(crate) struct Windows {
    name: &'static str,
    enough: u32,
    failed: u32,
    requests: u64,
    errors: u64,
}

const WINDOW_MS: u64 = 60_000;

impl Windows {
    fn new(name: &'static str, enough: u32) -> Self {
        Self {
            name,
            enough,
            failed: 0,
            requests: 0,
            errors: 0,
        }
    }
}

impl Rule for Windows {
    fn name(&self) -> &'static str {
        self.name
    }

    fn see(&mut self, tick: &Tick) -> bool {
        self.requests += tick.canary.arm.requests;
        self.errors += tick.canary.errors;
        if !tick.at_ms.is_multiple_of(WINDOW_MS) {
            return false;
        }
        if self.errors * 100 > self.requests {
            self.failed += 1;
        }
        (self.requests, self.errors) = (0, 0);
        self.failed >= self.enough
    }
}

/// Mann and Whitney's test as Kayenta's classifier uses it: 60 points of each release, the
/// interval of the shift with 98 % confidence, above a quarter of the shift itself. One verdict
/// at the end of ten minutes, so its points are of ten seconds; it asks for 50 at least.
#[derive(Default)]
pub(crate) struct Kayenta {
    baseline: Series,
    canary: Series,
}

#[derive(Default)]
struct Series {
    requests: u64,
    errors: u64,
    points: Vec<f64>,
}

const POINT_MS: u64 = 10_000;
const POINTS: usize = 60;

impl Series {
    fn add(&mut self, answers: &Answers, ends: bool) {
        self.requests += answers.arm.requests;
        self.errors += answers.errors;
        if ends {
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let share = self.errors as f64 / self.requests.max(1) as f64;
            self.points.push(share);
            (self.requests, self.errors) = (0, 0);
        }
    }
}

impl Rule for Kayenta {
    fn name(&self) -> &'static str {
        "Kayenta's shape"
    }

    fn see(&mut self, tick: &Tick) -> bool {
        let ends = tick.at_ms.is_multiple_of(POINT_MS);
        self.baseline.add(&tick.baseline, ends);
        self.canary.add(&tick.canary, ends);
        let is_whole = ends && self.canary.points.len() == POINTS;
        is_whole && is_high(&self.canary.points, &self.baseline.points)
    }
}

/// Whether the shift's interval lies above a quarter of the shift (Hodges and Lehmann's
/// estimate; the interval from the normal approximation of the test).
fn is_high(canary: &[f64], baseline: &[f64]) -> bool {
    let pairs = canary
        .iter()
        .flat_map(|c| baseline.iter().map(move |b| c - b));
    let mut shifts: Vec<f64> = pairs.collect();
    shifts.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "sixty points")]
    let (m, n) = (canary.len() as f64, baseline.len() as f64);
    // 2.326 deviations leave out one per cent on each side.
    let low = m * n / 2.0 - 2.326 * (m * n * (m + n + 1.0) / 12.0).sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among some thousand"
    )]
    let lower = shifts.get(low.max(0.0) as usize).copied();
    let estimate = shifts.get(shifts.len() / 2).copied();
    match (lower, estimate) {
        (Some(lower), Some(estimate)) => lower > 0.25 * estimate && estimate > 0.0,
        _ => false,
    }
}

/// How many ticks ten minutes have.
pub(crate) const TICKS: u64 = 600_000 / TICK_MS;

//! One metric in numbers and words: how strong the evidence for harm is, how high the share of
//! bad requests may be, and what of that is not enough.

use slipway_journal::event::judgement::{Figures, Metric, Rules};

use super::bound;
use super::course::Course;
use super::reckoning::{Count, Pair, multiple, ppm, real, share};

/// The evidence from which on a release is taken back: one judgement has a part of α, and each
/// metric a part of that.
pub(crate) fn ln_e_limit(rules: &Rules) -> f64 {
    let parts = real(Metric::ALL.len() as u64) * f64::from(rules.shares.max(1));
    (parts / share(rules.alpha_ppm)).ln()
}

/// A metric's numbers; `allowed` is what the share of bad requests may be.
pub(crate) fn of(metric: Metric, course: &Course, allowed: f64, rules: &Rules) -> Figures {
    let seen = course.seen();
    Figures {
        metric,
        baseline: (seen.baseline.requests, seen.baseline.bad),
        canary: (seen.canary.requests, seen.canary.bad),
        ln_e_milli: milli(course.ln_e()),
        ln_e_limit_milli: milli(ln_e_limit(rules)),
        bound_ppm: ppm(bound::upper(seen.canary, share(rules.bound_ppm))),
        bound_limit_ppm: ppm(allowed),
    }
}

/// The evidence in words, where it is enough: strong, and of an effect that is worth it beside
/// `usual`, the share that is to be expected.
pub(crate) fn harm(
    metric: Metric,
    course: &Course,
    rules: &Rules,
    usual: impl Fn(Pair) -> f64,
) -> Option<String> {
    let ln_e = course.ln_e();
    if ln_e < ln_e_limit(rules) {
        return None;
    }
    let seen = course.most_telling();
    let usual = usual(seen);
    is_worth_it(seen.canary, usual, rules).then(|| {
        format!(
            "{}: {} of {} requests on the new release ({}), where {} is to be expected; the \
             odds are {} to one that it does harm, and {} are enough",
            words(metric),
            seen.canary.bad,
            seen.canary.requests,
            percent(seen.canary.share()),
            percent(usual),
            rounded(ln_e),
            rounded(ln_e_limit(rules)),
        )
    })
}

/// What keeps a metric from being good enough for more, in words.
pub(crate) fn lacking(figures: &Figures, rules: &Rules) -> Option<String> {
    let name = words(figures.metric);
    if figures.ln_e_milli >= milli(multiple(rules.calm_percent).ln()) {
        return Some(format!(
            "{name}: the odds are {} to one that it does harm, below {} it goes on",
            rounded(thousandths(figures.ln_e_milli)),
            rounded(multiple(rules.calm_percent).ln())
        ));
    }
    (figures.bound_ppm > figures.bound_limit_ppm).then(|| {
        format!(
            "{name}: {} of {} requests; a share of up to {} would stay unseen, and {} is allowed",
            figures.canary.1,
            figures.canary.0,
            percent(share(figures.bound_ppm)),
            percent(share(figures.bound_limit_ppm))
        )
    })
}

fn is_worth_it(canary: Count, usual: f64, rules: &Rules) -> bool {
    canary.clients >= u64::from(rules.bad_least)
        && canary.share() >= multiple(rules.ratio_percent) * usual
        && canary.share() - usual >= share(rules.difference_ppm)
}

fn words(metric: Metric) -> &'static str {
    match metric {
        Metric::ServerError => "server errors",
        Metric::Slow => "slow answers",
        Metric::VerySlow => "very slow answers",
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// What `ln` is the logarithm of, in a form that can be read also where it is huge.
fn rounded(ln: f64) -> String {
    if ln > 1e6_f64.ln() {
        return "more than a million".to_owned();
    }
    format!("{:.0}", ln.exp())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "logarithms of likelihoods of counts stay far below 2^53"
)]
fn milli(ln: f64) -> i64 {
    (ln * 1000.0).round() as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "it was made by `milli`, from a real number"
)]
fn thousandths(milli: i64) -> f64 {
    milli as f64 / 1000.0
}

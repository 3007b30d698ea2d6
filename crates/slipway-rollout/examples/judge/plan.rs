//! A good release through all steps of a canary: how often it comes through, how long that
//! takes, and how often nobody can say.

use slipway_rollout::judge::{Trial, Verdict, nth, two_arms};

use crate::quantile;
use crate::rivals::HISTORY;
use crate::stream::{Shape, Stream};

/// The steps of each plan, as shares of the traffic.
const PLANS: [&[f64]; 2] = [&[0.1, 0.25, 0.5], &[0.25, 0.5]];
/// How a canary ended.
enum End {
    /// At all of the traffic, after so many seconds.
    Through(u64),
    /// At a step whose time was over.
    Inconclusive,
    /// Taken back.
    Back,
}

pub(crate) fn compare(rates: &[f64], runs: u64) {
    println!(
        "| requests a second | steps, % | through | p50, min | p95, min | inconclusive | taken back |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|");
    let each = PLANS
        .iter()
        .flat_map(|plan| rates.iter().map(move |rate| (*plan, rate)));
    for (plan, rate) in each {
        let ends: Vec<End> = (0..runs).map(|seed| canary(plan, *rate, seed)).collect();
        let seconds = || {
            ends.iter().filter_map(|e| match e {
                End::Through(seconds) => Some(*seconds),
                End::Inconclusive | End::Back => None,
            })
        };
        #[expect(clippy::cast_precision_loss, reason = "some thousand runs")]
        let share = |count: usize| 100.0 * count as f64 / ends.len().max(1) as f64;
        let minutes = |at| {
            let seconds = quantile(seconds(), at);
            format!("{}.{}", seconds / 60, seconds % 60 / 6)
        };
        let is = |is: fn(&End) -> bool| share(ends.iter().filter(|e| is(e)).count());
        println!(
            "| {rate} | {} | {:.1} % | {} | {} | {:.1} % | {:.2} % |",
            plan.iter()
                .map(|w| format!("{:.0}", w * 100.0))
                .collect::<Vec<_>>()
                .join(", "),
            share(seconds().count()),
            minutes(0.5),
            minutes(0.95),
            is(|e| matches!(e, End::Inconclusive)),
            is(|e| matches!(e, End::Back))
        );
    }
}

fn canary(plan: &[f64], rate: f64, seed: u64) -> End {
    let mut stream = Stream::new(Shape::good(rate), seed);
    let mut began = 0;
    for (place, weight) in (1..).zip(plan) {
        stream.shift(*weight);
        let mut trial = Trial::new(nth(two_arms(), place), HISTORY);
        let end = stream.by_ref().find_map(|tick| {
            let verdict = trial.see(tick.at_ms - began, tick.baseline.arm, tick.canary.arm);
            match verdict {
                Verdict::Hold { .. } => None,
                Verdict::Advance => Some((tick.at_ms, None)),
                Verdict::Abort { .. } => Some((tick.at_ms, Some(End::Back))),
                Verdict::Inconclusive { .. } => Some((tick.at_ms, Some(End::Inconclusive))),
            }
        });
        match end {
            Some((_, Some(end))) => return end,
            Some((at_ms, None)) => began = at_ms,
            None => return End::Inconclusive,
        }
    }
    End::Through(began / 1000)
}

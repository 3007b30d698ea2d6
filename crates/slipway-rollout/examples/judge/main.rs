//! The judge beside what else is used, on the same made-up traffic: how often a good release is
//! taken back, how soon a bad one is, and how many bad answers it gave until then. Markdown on
//! the standard output. `judge RUNS`; the same runs give the same figures.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod plan;
mod rivals;
mod stream;

use anyhow::Context as _;

use rivals::{Rule, TICKS};
use stream::{Shape, Stream};

const RATES: [f64; 3] = [1.0, 20.0, 500.0];

/// What one rule did on one traffic.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    /// When it took the release back, seconds.
    back_s: Option<f64>,
    /// Server errors of the new release until then.
    errors: u64,
    /// Of them what a shielded canary would have let through.
    unshielded: u64,
}

fn main() -> anyhow::Result<()> {
    let runs = std::env::args().nth(1).unwrap_or_else(|| "2000".to_owned());
    let runs: u64 = runs.parse().context("reading how many runs")?;
    for rate in RATES {
        println!(
            "\n{rate} requests a second, a tenth of them to the new release, {runs} runs of ten minutes\n"
        );
        compare(rate, runs);
    }
    println!("\nThe whole canary with a good release, {runs} runs\n");
    plan::compare(&RATES, runs);
    Ok(())
}

/// Every case, good ones first.
fn cases(rate: f64) -> Vec<(&'static str, Shape)> {
    let good = Shape::good(rate);
    let wrong = Shape {
        errors: 0.015,
        drifts_to: 0.015,
        ..good
    };
    let drifting = Shape {
        errors: 0.002,
        drifts_to: 0.02,
        ..good
    };
    vec![
        ("good", good),
        ("good, both at 1.5 %", wrong),
        ("good, both drift from 0.2 to 2 %", drifting),
        ("good, five errors in a row", Shape { burst: 5, ..good }),
        ("errors 0.5 to 1 %", Shape::harmed(rate, 0.01)),
        ("errors 0.5 to 3 %", Shape::harmed(rate, 0.03)),
        ("errors 0.5 to 50 %", Shape::harmed(rate, 0.5)),
        (
            "slow answers 5 to 20 %",
            Shape {
                slowed: Some(0.2),
                ..good
            },
        ),
    ]
}

fn compare(rate: f64, runs: u64) {
    let names: Vec<_> = rivals::all().iter().map(|r| r.name()).collect();
    println!("| | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(names.len()));
    for (name, shape) in cases(rate) {
        let mut outcomes = vec![Vec::new(); names.len()];
        for seed in 0..runs {
            for (all, one) in outcomes.iter_mut().zip(run(shape, seed)) {
                all.push(one);
            }
        }
        let cells: Vec<String> = outcomes.iter().map(|o| cell(o)).collect();
        println!("| {name} | {} |", cells.join(" | "));
        if let Some(ours) = outcomes.first().filter(|_| shape.harmed.is_some()) {
            let at = |of: fn(&Outcome) -> u64, share| quantile(ours.iter().map(of), share);
            eprintln!(
                "{rate}/s, {name}: bad answers p50 {} p95 {}, shielded p50 {} p95 {}",
                at(|o| o.errors, 0.5),
                at(|o| o.errors, 0.95),
                at(|o| o.unshielded, 0.5),
                at(|o| o.unshielded, 0.95)
            );
        }
    }
}

/// Ten minutes of traffic before every rule.
fn run(shape: Shape, seed: u64) -> Vec<Outcome> {
    let mut rules: Vec<(Box<dyn Rule>, Outcome)> = rivals::all()
        .into_iter()
        .map(|rule| {
            let outcome = Outcome {
                back_s: None,
                errors: 0,
                unshielded: 0,
            };
            (rule, outcome)
        })
        .collect();
    for tick in Stream::new(shape, seed).take(usize::try_from(TICKS).unwrap_or(0)) {
        for (rule, outcome) in &mut rules {
            if outcome.back_s.is_some() {
                continue;
            }
            outcome.errors += tick.canary.errors;
            outcome.unshielded += tick.canary.unshielded;
            if rule.see(&tick) {
                #[expect(clippy::cast_precision_loss, reason = "ten minutes in milliseconds")]
                let seconds = tick.at_ms as f64 / 1000.0;
                outcome.back_s = Some(seconds);
            }
        }
        if rules.iter().all(|(_, outcome)| outcome.back_s.is_some()) {
            break;
        }
    }
    rules.into_iter().map(|(_, outcome)| outcome).collect()
}

/// How often, and where that is not rare, when (median, 95 %) and after how many errors.
fn cell(outcomes: &[Outcome]) -> String {
    let back: Vec<f64> = outcomes.iter().filter_map(|o| o.back_s).collect();
    #[expect(clippy::cast_precision_loss, reason = "some thousand runs")]
    let share = 100.0 * back.len() as f64 / outcomes.len().max(1) as f64;
    if share < 50.0 {
        return format!("{share:.1} %");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ten minutes in tenths of a second"
    )]
    let tenths = |share| quantile(back.iter().map(|s| (s * 10.0) as u64), share);
    let errors = |share| quantile(outcomes.iter().map(|o| o.errors), share);
    let seconds = |share| format!("{}.{}", tenths(share) / 10, tenths(share) % 10);
    format!(
        "{share:.1} %, {} s ({}), {} ({})",
        seconds(0.5),
        seconds(0.95),
        errors(0.5),
        errors(0.95)
    )
}

/// The value that so large a share does not exceed.
pub(crate) fn quantile(values: impl Iterator<Item = u64>, share: f64) -> u64 {
    let mut sorted: Vec<u64> = values.collect();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a short list is a small whole number"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

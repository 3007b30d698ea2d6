//! What was measured, as a table: ours first, then each peer with the ratio of ours to it.

use super::Scene;
use super::load::Round;
use crate::bench::median;

type Figure = fn(&Round) -> f64;
const FIGURES: [(&str, Figure); 4] = [
    ("requests per second", |r| r.requests_per_second),
    ("p50, ms", |r| r.p50_ms),
    ("p99, ms", |r| r.p99_ms),
    ("processor per request, µs", |r| r.cpu_us),
];

/// A table of one scene. Figures are medians; a ratio is the median of the pairs of rounds.
pub(super) fn table(scene: Scene, names: &[&str], rounds: &[Vec<Round>]) -> String {
    let peers = names.get(1..).unwrap_or_default();
    let heads = peers
        .iter()
        .flat_map(|name| [(*name).to_owned(), "ratio (lowest to highest)".to_owned()]);
    let head = ["", names[0]].map(str::to_owned).into_iter().chain(heads);
    let rows = FIGURES.iter().map(|(name, of)| {
        let own: Vec<f64> = rounds[0].iter().map(of).collect();
        let first = [(*name).to_owned(), format!("{:.2}", median(&own))];
        let cells = rounds[1..].iter().flat_map(|peer| {
            let other: Vec<f64> = peer.iter().map(of).collect();
            beside(&own, &other)
        });
        row(first.into_iter().chain(cells))
    });
    let line = format!("|---|{}", "---:|".repeat(2 * names.len() - 1));
    let mut text = format!("\n{scene:?}, {} rounds each, in turn\n\n", rounds[0].len());
    for line in [row(head), line].into_iter().chain(rows) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

/// A peer's figure and the ratio of ours to it.
fn beside(own: &[f64], other: &[f64]) -> [String; 2] {
    let ratios: Vec<f64> = own.iter().zip(other).map(|(a, b)| a / b).collect();
    let lowest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = ratios.iter().copied().fold(0.0, f64::max);
    let ratio = median(&ratios);
    [
        format!("{:.2}", median(other)),
        format!("{ratio:.2} ({lowest:.2} to {highest:.2})"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_the_pairs() {
        let round = |requests_per_second| Round {
            requests_per_second,
            p50_ms: 1.0,
            p99_ms: 1.0,
            cpu_us: 1.0,
        };
        let own = [10.0, 30.0, 20.0].map(round).to_vec();
        let other = [10.0, 10.0, 10.0].map(round).to_vec();
        let text = table(Scene::Tiny, &["slipway", "nginx"], &[own, other]);
        assert!(
            text.contains("| requests per second | 20.00 | 10.00 | 2.00 (1.00 to 3.00) |"),
            "{text}"
        );
    }
}

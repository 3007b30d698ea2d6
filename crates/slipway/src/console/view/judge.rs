//! What the judge sees of a rollout, in words and as bars: how strong the evidence for harm is
//! beside what is enough to take a release back. Pure.

use slipway_journal::event::judgement::{Figures, Metric, Verdict};
use slipway_rollout::Standing;

use crate::console::view::Mood;
use crate::console::words::{capital, number, span};
use crate::reading::verdict_words;

/// The width of a whole bar, in the picture's own units.
const WHOLE: i64 = 240;

/// What the judge sees now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JudgeWords {
    pub(crate) says: String,
    pub(crate) mood: Mood,
    pub(crate) looked: String,
    pub(crate) metrics: Vec<MetricWords>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricWords {
    pub(crate) name: &'static str,
    /// Bad ones of all, on the old release; nothing where it has no traffic to stand beside.
    pub(crate) old: Option<String>,
    pub(crate) new: String,
    /// The bar's length, and what it says.
    pub(crate) filled: i64,
    pub(crate) label: String,
    pub(crate) mood: Mood,
}

/// `standing` in words.
pub(crate) fn judge_words(standing: &Standing) -> JudgeWords {
    let looked = std::time::Duration::from_millis(standing.at_ms);
    JudgeWords {
        says: capital(&verdict_words(&standing.verdict)),
        mood: match standing.verdict {
            Verdict::Advance => Mood::Good,
            Verdict::Hold { .. } => Mood::Busy,
            Verdict::Inconclusive { .. } => Mood::Warn,
            Verdict::Abort { .. } => Mood::Bad,
        },
        looked: span(looked),
        metrics: standing.figures.iter().map(metric_words).collect(),
    }
}

fn metric_words(figures: &Figures) -> MetricWords {
    let limit = figures.ln_e_limit_milli.max(1);
    let enough = odds(figures.ln_e_limit_milli);
    let strength = figures.ln_e_milli.clamp(0, limit);
    MetricWords {
        name: match figures.metric {
            Metric::ServerError => "Server errors",
            Metric::Slow => "Slow answers",
            Metric::VerySlow => "Very slow answers",
        },
        old: (figures.baseline.0 > 0).then(|| of_all(figures.baseline)),
        new: of_all(figures.canary),
        filled: strength * WHOLE / limit,
        label: match figures.ln_e_milli {
            ..=0 => format!("nothing speaks for harm; {enough} to one take it back"),
            now => format!(
                "{} to one that it does harm; {enough} take it back",
                odds(now)
            ),
        },
        mood: match strength {
            s if s >= limit => Mood::Bad,
            // Three to one: from there on nothing advances.
            s if s >= 1_099 => Mood::Warn,
            _ => Mood::Good,
        },
    }
}

fn of_all((all, bad): (u64, u64)) -> String {
    if all == 0 {
        return "no requests yet".to_owned();
    }
    let hundredths = bad.saturating_mul(10_000) / all;
    format!(
        "{} of {} ({}.{:02} %)",
        number(bad),
        number(all),
        hundredths / 100,
        hundredths % 100
    )
}

/// What a logarithm in thousandths is the logarithm of, in a form that can be read.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to nought to a million"
)]
fn odds(ln_milli: i64) -> String {
    let odds = (ln_milli as f64 / 1000.0).exp();
    match odds {
        odds if odds > 1e6 => "more than a million".to_owned(),
        odds => number(odds.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    #[test]
    fn evidence_is_told_beside_what_is_enough() {
        let words = judge_words(&sample::standing());
        assert!(words.says.starts_with("Too early to say"), "{}", words.says);
        assert_eq!((words.mood, words.looked.as_str()), (Mood::Busy, "43.0 s"));
        let errors = &words.metrics[0];
        assert_eq!(errors.old.as_deref(), Some("3 of 1\u{202f}204 (0.24 %)"));
        assert_eq!(errors.new, "2 of 131 (1.52 %)");
        assert_eq!(errors.label, "4 to one that it does harm; 300 take it back");
        assert_eq!((errors.filled, errors.mood), (58, Mood::Warn));
        let slow = &words.metrics[1];
        assert_eq!((slow.filled, slow.mood), (0, Mood::Good));
        assert_eq!(
            slow.label,
            "nothing speaks for harm; 300 to one take it back"
        );
    }

    #[test]
    fn a_release_without_requests_says_so() {
        let mut standing = sample::standing();
        standing.figures[0].canary = (0, 0);
        standing.figures[0].baseline = (0, 0);
        let words = judge_words(&standing);
        assert_eq!(words.metrics[0].new, "no requests yet");
        assert_eq!(words.metrics[0].old, None);
    }
}

//! A receipt in words and units. Pure.

use std::time::Duration;

use slipway_journal::event::rollout::{Receipt, ReleaseTraffic};

use crate::console::view::{Mood, ReleaseWords};
use crate::console::words::{Clockface, When, capital, counted, micros, number, short, span};
use crate::reading::{Reading, Rollout, actor_name, state_name, state_reason};

/// A receipt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReceiptWords {
    pub(crate) id: String,
    pub(crate) short: String,
    pub(crate) service: String,
    pub(crate) environment: String,
    pub(crate) release: ReleaseWords,
    pub(crate) previous: Option<ReleaseWords>,
    pub(crate) end: String,
    pub(crate) mood: Mood,
    pub(crate) reason: Option<String>,
    pub(crate) asked: When,
    pub(crate) actor: String,
    /// The one sentence of it.
    pub(crate) sentence: String,
    /// Names and figures, in order.
    pub(crate) figures: Vec<(&'static str, String)>,
    /// The releases, as heads of the columns of `rows`.
    pub(crate) releases: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// Requests that reached no instance; they count as failed.
    pub(crate) unrouted: Option<String>,
    pub(crate) rollback_now: String,
}

/// One figure, by release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) cells: Vec<Cell>,
}

/// One figure of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) is_bad: bool,
}

/// The receipt of `rollout`, where it has one.
pub(crate) fn receipt_words(
    reading: &Reading,
    rollout: &Rollout,
    face: &Clockface,
) -> Option<ReceiptWords> {
    let receipt = rollout.receipt.as_ref()?;
    Some(ReceiptWords {
        id: receipt.rollout.to_string(),
        short: short(receipt.rollout),
        service: receipt.service.to_string(),
        environment: receipt.environment.to_string(),
        release: ReleaseWords::of(&receipt.release, reading),
        previous: receipt
            .previous
            .as_ref()
            .map(|p| ReleaseWords::of(p, reading)),
        end: state_name(&receipt.end),
        mood: Mood::of(&receipt.end),
        reason: state_reason(&receipt.end).map(|r| capital(&r)),
        asked: face.when(rollout.asked_at),
        actor: actor_name(&rollout.actor).to_owned(),
        sentence: sentence(receipt),
        figures: figures(receipt),
        releases: receipt
            .traffic
            .iter()
            .map(|t| t.release.short().to_owned())
            .collect(),
        rows: rows(&receipt.traffic),
        unrouted: (receipt.unrouted > 0).then(|| {
            counted(
                receipt.unrouted,
                "request reached no instance; the proxy answered it itself, and it counts as failed",
                "requests reached no instance; the proxy answered them itself, and they count as failed",
            )
        }),
        rollback_now: receipt.rollback_now.clone(),
    })
}

fn sentence(receipt: &Receipt) -> String {
    let served = counted(receipt.served(), "request was", "requests were");
    match receipt.failed() {
        0 => format!("{served} answered while it ran, and none failed."),
        failed => format!("{served} answered while it ran; {} failed.", number(failed)),
    }
}

fn figures(receipt: &Receipt) -> Vec<(&'static str, String)> {
    let took = ("Took", span(Duration::from_millis(receipt.took_ms)));
    let switch = receipt.switch_us.map(|us| ("Switch", micros(us)));
    let rollback = receipt.rollback_us.map(|us| ("Rollback", micros(us)));
    std::iter::once(took)
        .chain(switch)
        .chain(rollback)
        .collect()
}

/// The figures as rows: they are more than the releases, and fit a phone this way round.
fn rows(traffic: &[ReleaseTraffic]) -> Vec<Row> {
    let row = |name, figure: fn(&ReleaseTraffic) -> String| Row {
        name,
        cells: traffic
            .iter()
            .map(|t| Cell {
                text: figure(t),
                is_bad: name == "Failed" && t.failed > 0,
            })
            .collect(),
    };
    vec![
        row("Served", |t| number(t.served)),
        row("Failed", |t| number(t.failed)),
        row("Of them shielded", |t| number(t.shielded)),
        row("Retried", |t| number(t.retried)),
        row("Held", |t| number(t.held)),
        row("99 % within", |t| micros(t.p99_us)),
        row("Slowest", |t| micros(t.slowest_us)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    fn words(place: usize) -> Option<ReceiptWords> {
        let reading = sample::reading();
        receipt_words(&reading, &reading.rollouts[place], &sample::face())
    }

    #[test]
    fn a_good_rollout_says_that_none_failed() {
        let words = words(0).unwrap();
        assert_eq!(
            words.sentence,
            "18\u{202f}402 requests were answered while it ran, and none failed."
        );
        assert_eq!(
            words.figures,
            [
                ("Took", "9.4 s".to_owned()),
                ("Switch", "3.8 ms".to_owned())
            ]
        );
    }

    #[test]
    fn a_rollback_says_how_many_failed_and_how_long_it_took() {
        let words = words(1).unwrap();
        assert!(
            words.sentence.ends_with("; 64 failed."),
            "{}",
            words.sentence
        );
        assert_eq!(
            words.figures.last().unwrap(),
            &("Rollback", "6.1 ms".to_owned())
        );
        let failed = words.rows.iter().find(|r| r.name == "Failed").unwrap();
        let cells: Vec<(&str, bool)> = failed
            .cells
            .iter()
            .map(|c| (c.text.as_str(), c.is_bad))
            .collect();
        assert_eq!(cells, [("0", false), ("64", true)]);
    }

    #[test]
    fn a_request_that_reached_no_instance_counts_as_failed() {
        let mut reading = sample::reading();
        reading.rollouts[0].receipt.as_mut().unwrap().unrouted = 3;
        let words = receipt_words(&reading, &reading.rollouts[0], &sample::face()).unwrap();
        assert!(
            words.sentence.ends_with("; 3 failed."),
            "{}",
            words.sentence
        );
        assert!(
            words
                .unrouted
                .unwrap()
                .starts_with("3 requests reached no instance")
        );
    }

    #[test]
    fn a_request_that_the_live_release_answered_instead_did_not_fail_and_counts_once() {
        let mut reading = sample::reading();
        let receipt = reading.rollouts[1].receipt.as_mut().unwrap();
        let served: u64 = receipt.traffic.iter().map(|t| t.served).sum();
        receipt.traffic[1].shielded = 60;
        assert_eq!((receipt.served(), receipt.failed()), (served - 60, 4));
        let words = receipt_words(&reading, &reading.rollouts[1], &sample::face()).unwrap();
        assert!(
            words.sentence.ends_with("; 4 failed."),
            "{}",
            words.sentence
        );
        assert!(words.rows.iter().any(|r| r.name == "Of them shielded"));
    }

    #[test]
    fn a_running_rollout_has_no_receipt() {
        assert_eq!(words(2), None);
    }
}

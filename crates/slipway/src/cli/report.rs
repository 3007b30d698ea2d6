//! What `deploy`, `rollback`, `cancel` and `ship` say of a rollout in the end: the receipt
//! for a person, one JSON object for a program, and whether it is good.

use serde::Serialize;
use slipway_journal::event::rollout::{Receipt, RolloutState, Trigger};
use slipway_journal::{EnvironmentName, ReleaseId, RolloutId, ServiceName};

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::receipt;
use crate::reading::{Reading, Rollout, short_id};
use crate::terminal::{self, BOLD, DIM, GOOD, WARN, paint};

/// One rollout, as a program reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) rollout: RolloutId,
    pub(crate) service: ServiceName,
    pub(crate) environment: EnvironmentName,
    pub(crate) release: ReleaseId,
    pub(crate) previous: Option<ReleaseId>,
    pub(crate) state: RolloutState,
    /// Whether the release is live, or was until a newer one came.
    pub(crate) good: bool,
    /// From the request to the newest event, milliseconds.
    pub(crate) took_ms: u64,
    pub(crate) quarantined: bool,
    pub(crate) triggers: Vec<Fired>,
    pub(crate) receipt: Option<Receipt>,
}

/// A trigger that fired.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fired {
    pub(crate) trigger: Trigger,
    pub(crate) evidence: String,
}

impl Report {
    /// The report of `rollout`, with what `reading` knows of its release.
    pub(crate) fn of(rollout: &Rollout, reading: &Reading) -> Self {
        let last = rollout.timeline.last().map_or(rollout.asked_at, |m| m.at);
        let took = last.duration_since(rollout.asked_at).as_millis();
        Self {
            rollout: rollout.rollout,
            service: rollout.service.clone(),
            environment: rollout.environment.clone(),
            release: rollout.release.clone(),
            previous: rollout.previous.clone(),
            state: rollout.state.clone(),
            good: is_good(&rollout.state),
            took_ms: u64::try_from(took).unwrap_or(0),
            quarantined: reading.quarantined.contains_key(&rollout.release),
            triggers: rollout
                .triggers
                .iter()
                .map(|(trigger, evidence)| Fired {
                    trigger: *trigger,
                    evidence: evidence.clone(),
                })
                .collect(),
            receipt: rollout.receipt.clone(),
        }
    }

    /// The exit code of a deployment that ended so.
    pub(crate) fn exit(&self) -> Exit {
        if self.good {
            Exit::Success
        } else {
            Exit::Failed
        }
    }
}

/// Whether the release has all traffic, or had it until it was replaced in order.
pub(crate) fn is_good(state: &RolloutState) -> bool {
    matches!(
        state,
        RolloutState::Live | RolloutState::Baking | RolloutState::Retired | RolloutState::Done
    )
}

/// Prints the end of a rollout: its receipt, or why there is none, and what to do next.
pub(crate) fn print(rollout: &Rollout, context: &Context) {
    if let Some(receipt) = &rollout.receipt {
        terminal::line("");
        receipt::print(rollout, receipt);
    } else {
        let reason = rollout.reason().map_or_else(String::new, |r| {
            format!(": {}", terminal::wrapped(&r, 76, "  "))
        });
        let style = terminal::state_style(&rollout.state);
        terminal::line(format!(
            "{} {} {}{reason}",
            paint(BOLD, &rollout.service),
            rollout.release.short(),
            paint(style, rollout.state_words()),
        ));
    }
    if let Some(next) = next(rollout, context) {
        terminal::line(format!(
            "  {} {next}",
            paint(DIM, format!("{:<12}", "next"))
        ));
    }
}

/// What a person may want to do after this end.
fn next(rollout: &Rollout, context: &Context) -> Option<String> {
    let short = short_id(rollout.rollout);
    match &rollout.state {
        RolloutState::Live | RolloutState::Baking => {
            let address = context.running().ok()?.listen.first().copied()?;
            Some(format!("http://{address}"))
        }
        RolloutState::Failed { .. }
        | RolloutState::RolledBack { .. }
        | RolloutState::Halted { .. } => Some(format!("slipway why {short}")),
        _ => None,
    }
}

/// What is said when the keyboard stops the watching of a rollout.
pub(crate) fn interrupted(what: &str) -> Exit {
    terminal::note(format!(
        "\n{} stopped watching; {what} goes on without this terminal",
        paint(WARN, "…")
    ));
    let hint = |verb: &str, words: &str| {
        terminal::note(format!("  {} {words}", paint(GOOD, format!("{verb:<18}"))));
    };
    hint("slipway status", "shows how far it is");
    hint("slipway cancel", "takes it back before visitors see it");
    hint("slipway rollback", "takes it back afterwards");
    Exit::Interrupted
}

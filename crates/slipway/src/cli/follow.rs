//! Follows one rollout by reading the journal's file, so that it goes on while control is
//! away. Leaves a line for every step that is done; never changes anything.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use slipway_journal::event::rollout::RolloutState;
use slipway_journal::{RolloutId, Seq};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::watch::Progress;
use crate::reading::{Moment, Reading, Rollout, What, state_name, state_reason, step_name};
use crate::terminal::{self, BAD, BOLD, DIM, GOOD, WARN, paint};

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Entries read at a time.
const PAGE: u32 = 1000;
/// How long the receipt may come after the end that it belongs to. Control lets the traffic
/// settle before it; the rest is for a control that has to be started again in between.
const RECEIPT_WITHIN: Duration = slipway_rollout::SETTLE.saturating_add(Duration::from_secs(30));

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// The release is live and was observed for a while, or the rollout ended without.
    Settled,
    /// The rollout ended.
    Ended,
}

impl Until {
    fn holds(self, rollout: &Rollout) -> bool {
        match self {
            // While it is merely live it may still be taken back; the receipt follows.
            Self::Settled => {
                rollout.is_settled()
                    && (rollout.state != RolloutState::Live || rollout.receipt.is_some())
            }
            Self::Ended => rollout.state.is_end(),
        }
    }
}

/// How following ended.
pub(crate) enum Followed {
    /// What was waited for is there.
    Over(Box<Rollout>),
    /// The keyboard said stop; the rollout goes on.
    Interrupted,
}

/// Follows `rollout`, with what was read of it before `from` taken as known.
pub(crate) async fn follow(
    context: &Context,
    id: RolloutId,
    until: Until,
    from: Seq,
) -> anyhow::Result<Followed> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening to the keyboard")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening to signals")?;
    let progress = Progress::start("asking for the rollout");
    let mut view = View::new(context, id, from);
    let watched = tokio::select! {
        rollout = view.watch(until, &progress) => rollout.map(|r| Followed::Over(Box::new(r))),
        _ = interrupt.recv() => Ok(Followed::Interrupted),
        _ = terminate.recv() => Ok(Followed::Interrupted),
    };
    progress.clear();
    watched
}

/// The rollout as far as it was read and shown.
struct View<'a> {
    context: &'a Context,
    id: RolloutId,
    reading: Reading,
    /// Entries up to here are history and are not shown.
    from: Seq,
    shown: Vec<bool>,
}

impl<'a> View<'a> {
    fn new(context: &'a Context, id: RolloutId, from: Seq) -> Self {
        Self {
            context,
            id,
            reading: Reading::default(),
            from,
            shown: Vec::new(),
        }
    }

    async fn watch(&mut self, until: Until, progress: &Progress) -> anyhow::Result<Rollout> {
        let mut over: Option<Instant> = None;
        let mut looked = Instant::now();
        loop {
            self.read().await?;
            if let Some(rollout) = self.reading.rollout(self.id) {
                show(rollout, &mut self.shown, progress);
                if until.holds(rollout) {
                    let since = *over.get_or_insert_with(Instant::now);
                    if has_receipt_of_state(rollout) || since.elapsed() > RECEIPT_WITHIN {
                        return Ok(rollout.clone());
                    }
                    progress.say("its last requests end; then comes the receipt");
                }
            }
            if looked.elapsed() > Duration::from_secs(1) {
                looked = Instant::now();
                self.check_running()?;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Reads what is new in the file.
    async fn read(&mut self) -> anyhow::Result<()> {
        let path = self.context.state.journal();
        loop {
            let after = self.reading.seq;
            let entries = slipway_journal::read_file(&path, after, PAGE).await;
            let entries = entries.with_context(|| format!("reading {}", path.display()))?;
            for entry in &entries {
                self.reading.take(entry);
                if entry.seq <= self.from {
                    let known = self.reading.rollout(self.id);
                    self.shown = vec![true; known.map_or(0, |r| r.timeline.len())];
                }
            }
            if entries.is_empty() {
                return Ok(());
            }
        }
    }

    fn check_running(&self) -> anyhow::Result<()> {
        if self.context.running().is_ok() {
            return Ok(());
        }
        Err(Failure::unreachable(
            "Slipway was stopped while the rollout went on; it was left where it stands",
        )
        .hint("`slipway up` starts it, and it finishes or takes back what it finds")
        .into())
    }
}

/// A receipt that was written for the state in which the rollout is.
fn has_receipt_of_state(rollout: &Rollout) -> bool {
    let Some(receipt) = &rollout.receipt else {
        return false;
    };
    !rollout.state.is_end() || receipt.end == rollout.state || receipt.end.is_end()
}

/// Leaves a line for everything that is done and not shown yet, and says what goes on.
fn show(rollout: &Rollout, shown: &mut Vec<bool>, progress: &Progress) {
    shown.resize(rollout.timeline.len().max(shown.len()), false);
    let mut now = None;
    for (moment, shown) in rollout.timeline.iter().zip(shown.iter_mut()) {
        if *shown {
            continue;
        }
        if let What::Step { step, done: None } = &moment.what {
            now = Some(step_name(step));
            continue;
        }
        *shown = true;
        if let Some(line) = line_of(moment) {
            progress.leave(&line);
        }
    }
    if rollout.state.is_end() {
        return;
    }
    let waits = match (&rollout.state, rollout.waits_for()) {
        (RolloutState::Holding { reason }, _) => Some(format!("waits: {reason}")),
        (_, Some(approval)) => Some(format!("waits: {approval}")),
        _ => None,
    };
    let words = match &rollout.state {
        RolloutState::Live => "watching what visitors get".to_owned(),
        state => state_name(state),
    };
    progress.say(&waits.or(now).unwrap_or(words));
}

fn line_of(moment: &Moment) -> Option<String> {
    let text = match &moment.what {
        What::Step { step, done } => {
            let (took, observed) = done.as_ref()?;
            format!(
                "  {} {} {}",
                paint(GOOD, "✓"),
                step_name(step),
                paint(DIM, format!("{} · {observed}", terminal::span(*took)))
            )
        }
        What::Trigger { trigger, evidence } => format!(
            "  {} {}: {evidence}",
            paint(BAD, "!"),
            crate::reading::trigger_name(*trigger)
        ),
        What::Steered { order, reason } => format!(
            "  {} {}: {reason}",
            paint(WARN, "…"),
            crate::reading::steering_words(*order)
        ),
        What::Death { how, .. } => {
            format!("  {} an instance ended by itself: {how}", paint(BAD, "!"))
        }
        What::State { state } => return state_line(state),
    };
    Some(terminal::cut(&text, 80))
}

/// Only the states that a person waits for; the others are seen as steps.
fn state_line(state: &RolloutState) -> Option<String> {
    let reason = state_reason(state).map_or_else(String::new, |reason| {
        format!(": {}", terminal::wrapped(&reason, 76, "    "))
    });
    match state {
        RolloutState::Live => Some(format!(
            "  {} {}",
            paint(GOOD, "✓"),
            paint(BOLD, "live: every new request goes to the new release")
        )),
        RolloutState::Holding { .. } => Some(format!("  {} holding{reason}", paint(WARN, "…"))),
        RolloutState::RolledBack { .. }
        | RolloutState::Cancelled { .. }
        | RolloutState::Superseded { .. } => Some(format!(
            "  {} {}{reason}",
            paint(WARN, "↩"),
            state_name(state)
        )),
        RolloutState::Failed { .. } | RolloutState::Halted { .. } => Some(format!(
            "  {} {}{reason}",
            paint(BAD, "✗"),
            state_name(state)
        )),
        _ => None,
    }
}

//! What came of a step, as events: that it was done, what was seen, and every state that
//! follows from it, in one append.

use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{Counters, RolloutState, Step, Trigger};
use slipway_journal::{InstanceId, RolloutId, Slot};

use crate::book::{Book, NOT_SERVED, Record};
use crate::core::{Core, Hold};
use crate::driver::Driver;
use crate::ledger::executor;
use crate::policy::Policy;
use crate::runtime::Running;
use crate::strategy::{self, Next, View};

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Effect {
    /// It was done.
    Done(Box<Observed>),
    /// It cannot be done; before traffic moved that is the end of the rollout.
    Failed(String),
    /// Its table is not served and never will be; the step is chosen anew.
    NotServed(String),
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) words: String,
    pub(crate) took: Option<Duration>,
    pub(crate) counters: Option<Counters>,
    pub(crate) started: Option<(InstanceId, Running)>,
    pub(crate) stopped: Option<(InstanceId, String)>,
}

impl Effect {
    /// Done, in words.
    pub(crate) fn done(words: String) -> Self {
        Self::Done(Box::new(Observed {
            words,
            ..Observed::default()
        }))
    }
}

impl Driver {
    /// Commits what came of a step, with every state that follows from it.
    pub(crate) async fn report(
        &self,
        record: &Record,
        step: &Step,
        effect: Effect,
    ) -> Result<(), Hold> {
        let (id, step) = (record.id, step.clone());
        let now = self.core.pace.now();
        let policy = self.core.settings(&self.service)?.policy.clone();
        let decide = |book: &Book| {
            let Some(record) = book.rollouts.get(&id) else {
                return (Vec::new(), ());
            };
            let mut events = reported(book, record, &step, effect);
            let mut next = book.clone();
            for event in &events {
                next.event(event, now);
            }
            follow(&mut next, id, &policy, now, &mut events);
            (events, ())
        };
        Ok(self.core.ledger.decide(executor(), decide).await?)
    }
}

/// The events that say what came of a step.
fn reported(book: &Book, record: &Record, step: &Step, effect: Effect) -> Vec<RolloutEvent> {
    let rollout = record.id;
    let done =
        |observed: String, took: Option<Duration>, counters: Option<Counters>| RolloutEvent::Done {
            rollout,
            step: step.clone(),
            observed,
            took_us: took.and_then(|t| u64::try_from(t.as_micros()).ok()),
            counters: counters.map(Box::new),
        };
    match effect {
        Effect::NotServed(reason) => vec![done(format!("{NOT_SERVED}: {reason}"), None, None)],
        Effect::Failed(reason) => {
            let is_moved = matches!(step, Step::Shift { .. } | Step::Restore { .. });
            let words = if is_moved {
                format!("{NOT_SERVED}: {reason}")
            } else {
                format!("failed: {reason}")
            };
            let mut events = vec![done(words, None, None)];
            events.extend(failed(book, record, step, reason));
            events
        }
        Effect::Done(observed) => {
            let mut events = Vec::new();
            if let Some((instance, running)) = observed.started {
                events.push(started(rollout, instance, running));
            }
            if let Some((instance, how)) = observed.stopped {
                let owner = book.instances.get(&instance).map_or(rollout, |i| i.owner);
                events.push(RolloutEvent::InstanceExited {
                    rollout: owner,
                    instance,
                    how,
                    expected: true,
                });
            }
            events.push(done(observed.words, observed.took, observed.counters));
            events
        }
    }
}

/// What follows where a step cannot be done.
fn failed(book: &Book, record: &Record, step: &Step, reason: String) -> Vec<RolloutEvent> {
    let is_batch = matches!(step, Step::Start { .. } | Step::AwaitReady) && record.has_traffic();
    let mut events = Vec::new();
    let state = match step {
        Step::Restore { .. } => Some(RolloutState::Halted { reason }),
        _ if record.stage.is_end() => None,
        // Earlier batches have visitors, who get the old release back.
        _ if is_batch => {
            events.push(RolloutEvent::TriggerFired {
                rollout: record.id,
                trigger: Trigger::FailedHealth,
                evidence: format!("the next batch is not ready: {reason}"),
            });
            (!strategy::is_warm(book, record)).then_some(RolloutState::Halted { reason })
        }
        _ => Some(RolloutState::Failed { reason }),
    };
    let entered = state.map(|state| strategy::entering(record, state));
    events.extend(entered.into_iter().flatten());
    events
}

pub(crate) fn started(rollout: RolloutId, instance: InstanceId, running: Running) -> RolloutEvent {
    RolloutEvent::InstanceStarted {
        rollout,
        instance,
        pid: running.identity.pid,
        start_ticks: running.identity.start_ticks,
        boot: running.identity.boot,
        address: running.address.to_string(),
    }
}

/// Adds the states that follow without any effect, so that they are committed together with
/// what led to them.
fn follow(
    book: &mut Book,
    id: RolloutId,
    policy: &Policy,
    now: Timestamp,
    events: &mut Vec<RolloutEvent>,
) {
    loop {
        let Some(record) = book.rollouts.get(&id) else {
            return;
        };
        // From here on the next decision needs to know more than the journal.
        if matches!(
            record.stage,
            RolloutState::Locked | RolloutState::Prepared | RolloutState::Baking
        ) {
            return;
        }
        let view = View {
            book,
            record,
            policy,
            migrates: false,
            routed: &[Slot::Blue, Slot::Green],
            now,
            generation: book.generation.next(),
            instance: InstanceId(id.0),
        };
        let Next::Enter(state) = strategy::next(&view) else {
            return;
        };
        let more = strategy::entering(record, state);
        for event in &more {
            book.event(event, now);
        }
        events.extend(more);
    }
}

impl Core {
    /// Commits events that need no decision.
    pub(crate) async fn note(&self, events: Vec<RolloutEvent>) -> Result<(), Hold> {
        Ok(self.ledger.decide(executor(), |_| (events, ())).await?)
    }
}

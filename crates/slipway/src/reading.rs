//! What the journal says, as a picture of now: rollouts, releases, quarantines.
//! A pure fold over entries; the command line and the console read the same one.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::judgement::Verdict;
use slipway_journal::event::rollout::{
    Receipt, RolloutEvent, RolloutState, Steering, Step, Trigger,
};
use slipway_journal::{
    Actor, EnvironmentName, Event, InstanceId, ReleaseId, RolloutId, Seq, ServiceName, Slot,
};
use slipway_rollout::Approval;
use slipway_rollout::approval::either;
use slipway_rollout::strategy::WHOLE;

use crate::lock::Locks;

/// Everything that is shown, as of entry `seq`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Reading {
    pub(crate) seq: Seq,
    /// In the order in which they were asked for.
    pub(crate) rollouts: Vec<Rollout>,
    /// In the order in which they were made.
    pub(crate) releases: Vec<Release>,
    pub(crate) quarantined: BTreeMap<ReleaseId, String>,
    pub(crate) locks: Locks,
}

/// One release that the pipeline made.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Release {
    pub(crate) release: ReleaseId,
    pub(crate) service: ServiceName,
    pub(crate) commit: String,
    pub(crate) at: Timestamp,
}

/// One rollout.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rollout {
    pub(crate) rollout: RolloutId,
    pub(crate) service: ServiceName,
    pub(crate) environment: EnvironmentName,
    pub(crate) release: ReleaseId,
    pub(crate) previous: Option<ReleaseId>,
    pub(crate) slot: Slot,
    pub(crate) actor: Actor,
    pub(crate) asked_at: Timestamp,
    pub(crate) state: RolloutState,
    pub(crate) timeline: Vec<Moment>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) triggers: Vec<(Trigger, String)>,
    pub(crate) receipt: Option<Receipt>,
    /// The approvals that it needs and has, where it needs any.
    pub(crate) approval: Option<Approval>,
}

/// One line of a rollout's timeline.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) what: What,
}

/// What a line of a timeline says.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum What {
    /// A new state.
    State {
        /// The state.
        state: RolloutState,
    },
    /// A step, and once it is done, how long it took and what was seen.
    Step {
        /// The step.
        step: Step,
        /// How long it took, and what was seen.
        done: Option<(Duration, String)>,
    },
    /// A trigger fired.
    Trigger {
        /// Which one.
        trigger: Trigger,
        /// Its evidence.
        evidence: String,
    },
    /// A person said how a share of the traffic goes on.
    Steered {
        /// How.
        order: Steering,
        /// Why.
        reason: String,
    },
    /// An instance ended although nobody asked it to.
    Death {
        /// The instance.
        instance: InstanceId,
        /// How it ended.
        how: String,
    },
}

/// One instance, as the journal knows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Instance {
    pub(crate) instance: InstanceId,
    pub(crate) pid: i32,
    pub(crate) address: String,
    pub(crate) ended: Option<String>,
}

impl Rollout {
    /// Whether visitors may be on the new release.
    pub(crate) fn has_traffic(&self) -> bool {
        matches!(
            self.state,
            RolloutState::Shifting { .. } | RolloutState::Live | RolloutState::Baking
        )
    }

    /// The share of the traffic that it has for now, also while it holds.
    pub(crate) fn share(&self) -> Option<u16> {
        let mut states = self.timeline.iter().rev().filter_map(|m| match &m.what {
            What::State { state } => Some(state),
            _ => None,
        });
        match states.find(|state| !matches!(state, RolloutState::Holding { .. }))? {
            RolloutState::Shifting { weight } if *weight < WHOLE => Some(*weight),
            _ => None,
        }
    }

    /// Whether a person holds it at its share.
    pub(crate) fn is_held(&self) -> bool {
        let mut said = self.timeline.iter().rev().filter_map(|m| match &m.what {
            What::State {
                state: RolloutState::Shifting { .. },
            } => Some(false),
            What::Steered { order, .. } => Some(*order == Steering::Hold),
            _ => None,
        });
        self.share().is_some() && said.next() == Some(true)
    }

    /// The approvals that it waits for.
    pub(crate) fn waits_for(&self) -> Option<&Approval> {
        let approval = self.approval.as_ref()?;
        let waits = self.state == RolloutState::Queued && !approval.is_given();
        waits.then_some(approval)
    }

    /// The name of its state, or that it waits for somebody.
    pub(crate) fn state_words(&self) -> String {
        match self.waits_for() {
            Some(_) => "waits for approval".to_owned(),
            None => state_name(&self.state),
        }
    }

    /// Why it is where it is, where something says so.
    pub(crate) fn reason(&self) -> Option<String> {
        match self.waits_for() {
            Some(approval) => Some(approval.to_string()),
            None => state_reason(&self.state),
        }
    }

    /// Whether this rollout ever reached `Live`.
    pub(crate) fn went_live(&self) -> bool {
        self.timeline.iter().any(|m| {
            matches!(
                m.what,
                What::State {
                    state: RolloutState::Live
                }
            )
        })
    }

    /// Whether this rollout waits for nothing but time or an end.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.is_end()
            || matches!(
                self.state,
                RolloutState::Live | RolloutState::Baking | RolloutState::Retired
            )
    }
}

impl Reading {
    /// The reading of all `entries`.
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = &'a slipway_journal::Entry>) -> Self {
        let mut reading = Self::default();
        for entry in entries {
            reading.take(entry);
        }
        reading
    }

    /// Takes one more entry into account.
    pub(crate) fn take(&mut self, entry: &slipway_journal::Entry) {
        self.seq = entry.seq;
        self.locks.take(entry);
        match &entry.event {
            Event::Pipeline(PipelineEvent::ReleaseMade {
                service,
                release,
                commit,
                ..
            }) => {
                self.releases.retain(|r| r.release != *release);
                self.releases.push(Release {
                    release: release.clone(),
                    service: service.clone(),
                    commit: commit.clone(),
                    at: entry.at,
                });
            }
            Event::Rollout(event) => self.rollout_event(entry, event),
            Event::Pipeline(_) | Event::Control(_) | Event::Unknown(_) => {}
        }
    }

    /// A release in quarantine that is of the same service and commit as `release`, and why it is
    /// there.
    pub(crate) fn condemned_with(&self, release: &ReleaseId) -> Option<(&ReleaseId, &str)> {
        let source = |of: &ReleaseId| {
            let made = self.releases.iter().find(|made| made.release == *of)?;
            let commit = made.commit.as_str();
            // Files that differ from a commit, or from none, may be any.
            let is_whole = !commit.ends_with("-dirty") && commit != "unversioned";
            is_whole.then_some((&made.service, commit))
        };
        let wanted = source(release)?;
        let mut condemned = self.quarantined.iter();
        let found = condemned.find(|(other, _)| *other != release && source(other) == Some(wanted));
        found.map(|(other, reason)| (other, reason.as_str()))
    }

    /// The rollout `id`.
    pub(crate) fn rollout(&self, id: RolloutId) -> Option<&Rollout> {
        self.rollouts.iter().rev().find(|r| r.rollout == id)
    }

    /// The newest release of `service`.
    pub(crate) fn latest(&self, service: &ServiceName) -> Option<&Release> {
        self.releases.iter().rev().find(|r| r.service == *service)
    }

    fn rollout_event(&mut self, entry: &slipway_journal::Entry, event: &RolloutEvent) {
        match event {
            RolloutEvent::Requested {
                rollout,
                service,
                environment,
                release,
                previous,
                slot,
            } => {
                self.rollouts.push(Rollout {
                    rollout: *rollout,
                    service: service.clone(),
                    environment: environment.clone(),
                    release: release.clone(),
                    previous: previous.clone(),
                    slot: *slot,
                    actor: entry.actor.clone(),
                    asked_at: entry.at,
                    state: RolloutState::Queued,
                    timeline: Vec::new(),
                    instances: Vec::new(),
                    triggers: Vec::new(),
                    receipt: None,
                    approval: None,
                });
            }
            RolloutEvent::Quarantined {
                release, reason, ..
            } => {
                self.quarantined.insert(release.clone(), reason.clone());
            }
            RolloutEvent::QuarantineLifted { release, .. } => {
                self.quarantined.remove(release);
            }
            RolloutEvent::ReceiptIssued { receipt } => {
                if let Some(rollout) = self.find(receipt.rollout) {
                    rollout.receipt = Some(receipt.as_ref().clone());
                }
            }
            RolloutEvent::Entered { rollout, .. }
            | RolloutEvent::Intent { rollout, .. }
            | RolloutEvent::Done { rollout, .. }
            | RolloutEvent::InstanceStarted { rollout, .. }
            | RolloutEvent::InstanceExited { rollout, .. }
            | RolloutEvent::Judged { rollout, .. }
            | RolloutEvent::Steered { rollout, .. }
            | RolloutEvent::ApprovalAsked { rollout, .. }
            | RolloutEvent::Approved { rollout, .. }
            | RolloutEvent::Declined { rollout, .. }
            | RolloutEvent::TriggerFired { rollout, .. } => {
                if let Some(rollout) = self.find(*rollout) {
                    rollout.take(entry.at, event);
                }
            }
        }
    }

    fn find(&mut self, id: RolloutId) -> Option<&mut Rollout> {
        self.rollouts.iter_mut().rev().find(|r| r.rollout == id)
    }
}

impl Rollout {
    fn take(&mut self, at: Timestamp, event: &RolloutEvent) {
        self.approval = Approval::after(self.approval.take(), event);
        match event {
            RolloutEvent::Entered { state, .. } => {
                self.state = state.clone();
                self.note(
                    at,
                    What::State {
                        state: state.clone(),
                    },
                );
            }
            RolloutEvent::Intent { step, .. } => {
                // A step that is repeated after a crash is still one step.
                let open =
                    |m: &Moment| matches!(&m.what, What::Step { step: s, done: None } if s == step);
                if !self.timeline.iter().any(open) {
                    self.note(
                        at,
                        What::Step {
                            step: step.clone(),
                            done: None,
                        },
                    );
                }
            }
            RolloutEvent::Done { step, observed, .. } => self.finish(at, step, observed),
            RolloutEvent::InstanceStarted {
                instance,
                pid,
                address,
                ..
            } => {
                self.instances.retain(|i| i.instance != *instance);
                self.instances.push(Instance {
                    instance: *instance,
                    pid: *pid,
                    address: address.clone(),
                    ended: None,
                });
            }
            RolloutEvent::InstanceExited {
                instance,
                how,
                expected,
                ..
            } => self.exited(at, *instance, how, *expected),
            RolloutEvent::Steered { order, reason, .. } => {
                let (order, reason) = (*order, reason.clone());
                self.note(at, What::Steered { order, reason });
            }
            RolloutEvent::TriggerFired {
                trigger, evidence, ..
            } => {
                self.triggers.push((*trigger, evidence.clone()));
                self.note(
                    at,
                    What::Trigger {
                        trigger: *trigger,
                        evidence: evidence.clone(),
                    },
                );
            }
            _ => {}
        }
    }

    fn exited(&mut self, at: Timestamp, instance: InstanceId, how: &str, expected: bool) {
        for known in self.instances.iter_mut().filter(|i| i.instance == instance) {
            known.ended = Some(how.to_owned());
        }
        if !expected {
            let how = how.to_owned();
            self.note(at, What::Death { instance, how });
        }
    }

    fn note(&mut self, at: Timestamp, what: What) {
        self.timeline.push(Moment { at, what });
    }

    fn finish(&mut self, at: Timestamp, finished: &Step, observed: &str) {
        for moment in self.timeline.iter_mut().rev() {
            if let What::Step {
                step,
                done: done @ None,
            } = &mut moment.what
                && step == finished
            {
                let took = Duration::try_from(at.duration_since(moment.at)).unwrap_or_default();
                *done = Some((took, observed.to_owned()));
                return;
            }
        }
    }
}

/// The end of a rollout's id, by which people call it; its start is only the time.
pub(crate) fn short_id(rollout: RolloutId) -> String {
    let id = rollout.to_string();
    id.get(id.len().saturating_sub(8)..)
        .unwrap_or(&id)
        .to_owned()
}

/// The state's name, as it is written everywhere.
pub(crate) fn state_name(state: &RolloutState) -> String {
    match state {
        RolloutState::Shifting { weight } => format!("shifting {} %", weight / 100),
        RolloutState::Queued => "queued".into(),
        RolloutState::Locked => "locked".into(),
        RolloutState::Prepared => "prepared".into(),
        RolloutState::Expanded => "expanded".into(),
        RolloutState::Started => "started".into(),
        RolloutState::Ready => "ready".into(),
        RolloutState::Preview => "preview".into(),
        RolloutState::Live => "live".into(),
        RolloutState::Baking => "baking".into(),
        RolloutState::Retired => "retired".into(),
        RolloutState::Done => "done".into(),
        RolloutState::Holding { .. } => "holding".into(),
        RolloutState::Cancelled { .. } => "cancelled".into(),
        RolloutState::Superseded { .. } => "superseded".into(),
        RolloutState::Failed { .. } => "failed".into(),
        RolloutState::RolledBack { .. } => "rolled back".into(),
        RolloutState::Halted { .. } => "halted".into(),
    }
}

/// Why a rollout is where it is, where its state says so.
pub(crate) fn state_reason(state: &RolloutState) -> Option<String> {
    match state {
        RolloutState::Holding { reason }
        | RolloutState::Cancelled { reason }
        | RolloutState::Failed { reason }
        | RolloutState::RolledBack { reason }
        | RolloutState::Halted { reason } => Some(reason.clone()),
        RolloutState::Superseded { by } => Some(format!("rollout {by} took its place")),
        _ => None,
    }
}

/// What a step does, in words.
pub(crate) fn step_name(step: &Step) -> String {
    match step {
        Step::Prepare => "check the release and prepare".into(),
        Step::Expand => "expand the schema".into(),
        Step::Start { .. } => "start an instance".into(),
        Step::Work { role, .. } => format!("start a worker {role}"),
        Step::AwaitReady => "wait until it is ready".into(),
        Step::Preview { generation } => format!("preview, table {generation}"),
        Step::Shift { weight, generation } => {
            format!(
                "move traffic to {}, table {generation}",
                share_name(*weight)
            )
        }
        Step::Restore { generation } => format!("bring traffic back, table {generation}"),
        Step::Drain { generation } => format!("drain what is older than table {generation}"),
        Step::Unroute { slot, generation } => {
            format!("take {slot} out of the routes, table {generation}")
        }
        Step::Hold { generation } => format!("let visitors wait, table {generation}"),
        Step::Thin {
            instances,
            generation,
            ..
        } => format!(
            "take {} of the old release out of the routes, table {generation}",
            instances.len()
        ),
        Step::Stop { .. } => "stop an instance".into(),
        Step::Reroute { slot, generation } => {
            format!("tell the routes where {slot} answers now, table {generation}")
        }
    }
}

/// A share of the traffic, as it is written everywhere.
pub(crate) fn share_name(weight: u16) -> String {
    match weight % 100 {
        0 => format!("{} %", weight / 100),
        part => format!("{}.{part:02} %", weight / 100),
    }
}

/// What the judge said, in words.
pub(crate) fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Advance => "good enough for more".into(),
        Verdict::Hold { lacking } => format!("too early to say: {lacking}"),
        Verdict::Abort { evidence, .. } => format!("it does harm. {evidence}"),
        Verdict::Inconclusive { lacking } => format!("cannot say: {lacking}"),
    }
}

/// What a person said of a share, in words.
pub(crate) fn steering_words(order: Steering) -> &'static str {
    match order {
        Steering::Hold => "the share stays",
        Steering::Resume => "the judge decides again",
        Steering::Advance => "the next share follows",
    }
}

/// The trigger's name, as it is written everywhere.
pub(crate) fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::InstanceDeath => "instance death",
        Trigger::ErrorBurst => "error burst",
        Trigger::FailedHealth => "failed health",
        Trigger::Judge => "the judge",
        Trigger::Deadline => "deadline",
        Trigger::Person => "a person",
    }
}

/// What was said of a rollout before it begins, in words; nothing of other events.
pub(crate) fn approval_words(event: &RolloutEvent) -> String {
    match event {
        RolloutEvent::ApprovalAsked {
            need,
            by,
            until,
            overrides,
            ..
        } => {
            let names: Vec<&str> = by.iter().map(String::as_str).collect();
            let why = overrides.as_ref().map_or_else(String::new, |reason| {
                format!(", to override the calendar: {reason}")
            });
            let names = either(&names);
            format!("waits for {need} approvals by {names} until {until}{why}")
        }
        RolloutEvent::Approved { by, .. } => format!("approved by {by}"),
        RolloutEvent::Declined { by, reason, .. } => format!("declined by {by}: {reason}"),
        _ => String::new(),
    }
}

/// Who did it.
pub(crate) fn actor_name(actor: &Actor) -> &str {
    match actor {
        Actor::Person(name) | Actor::System(name) => name,
    }
}

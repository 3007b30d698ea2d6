//! The state machine: what the journal says of rollouts, as a fold over its entries.
//! Pure; the same entries always give the same book, and nothing is known that is not here.

mod instance;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use slipway_journal::event::judgement::Verdict;
use slipway_journal::event::rollout::{Counters, Receipt, RolloutState, Steering, Step, Trigger};
use slipway_journal::event::{ControlEvent, RolloutEvent};
use slipway_journal::{
    Entry, EnvironmentName, Event, Generation, InstanceId, ReleaseId, RoleName, RolloutId,
    ServiceName, Slot,
};

use crate::approval::Approval;
use crate::strategy::WHOLE;

pub use instance::Instance;

/// Everything that the journal says of the rollouts of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    environment: EnvironmentName,
    /// By id, which is the order in which they were asked for.
    pub rollouts: BTreeMap<RolloutId, Record>,
    order: Vec<RolloutId>,
    /// The rollout whose release visitors reach.
    pub live: BTreeMap<ServiceName, RolloutId>,
    /// Every instance that was ever meant to start.
    pub instances: BTreeMap<InstanceId, Instance>,
    /// Releases that need a person's word, with the reason.
    pub quarantined: BTreeMap<ReleaseId, String>,
    /// The highest table that was ever meant to be served.
    pub generation: Generation,
}

/// One rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: RolloutId,
    /// What it is a rollout of.
    pub service: ServiceName,
    /// What it brings.
    pub release: ReleaseId,
    /// The place of the new release. Foretold when asked for, certain once locked.
    pub slot: Slot,
    /// The rollout that was live when this one was locked.
    pub previous: Option<RolloutId>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Where it stands; while it holds, where it stood before.
    pub stage: RolloutState,
    /// Since when.
    pub stage_at: Timestamp,
    /// What it waits for, while it holds.
    pub holding: Option<String>,
    /// Every step that was ever intended, in order.
    pub steps: Vec<Stepped>,
    /// How often control was started while it was under way.
    pub restarts: u32,
    /// What the judge said, in order.
    pub verdicts: Vec<Judged>,
    /// What persons said of its shares of the traffic, in order.
    pub steered: Vec<Steered>,
    /// What fired.
    pub triggers: Vec<Fired>,
    /// Its accounts, the latest last.
    pub receipts: Vec<Receipt>,
    /// The approvals that it needs and has, where it needs any.
    pub approval: Option<Approval>,
    /// A release of its service was taken back since somebody approved this one last: what lies
    /// between the live release and it is another change now.
    pub is_shaken: bool,
}

/// A step, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepped {
    /// The step.
    pub step: Step,
    /// When it was intended.
    pub intended_at: Timestamp,
    /// Whether it looks after what is live or warm, beside the rollout's own course.
    pub is_care: bool,
    /// What was seen, once it was done.
    pub done: Option<Seen>,
}

/// What was seen when a step was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub observed: String,
    /// From the decision to the end of the effect, microseconds.
    pub took_us: Option<u64>,
    /// What the proxy had counted.
    pub counters: Option<Counters>,
}

/// A trigger that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// Which one.
    pub trigger: Trigger,
    /// Its evidence.
    pub evidence: String,
    /// When.
    pub at: Timestamp,
}

/// What the judge said. From what it did is in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Share of the new release then, in hundredths of a per cent.
    pub weight: u16,
    /// The verdict.
    pub verdict: Verdict,
}

/// What a person said of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steered {
    /// The share then, in hundredths of a per cent.
    pub weight: u16,
    /// The order.
    pub order: Steering,
    /// How often the judge had spoken by then.
    pub verdicts: usize,
}

impl Stepped {
    /// Whether it was done, and not given up for another step of its kind.
    pub fn held(&self) -> bool {
        self.done
            .as_ref()
            .is_some_and(|seen| !seen.observed.starts_with(NOT_SERVED))
    }
}

impl Record {
    /// The first step of the rollout's own course that was intended and not done.
    pub fn open_step(&self) -> Option<&Stepped> {
        self.steps.iter().find(|s| s.done.is_none() && !s.is_care)
    }

    /// The steps of looking after its instances that were intended and not done.
    pub fn open_cares(&self) -> impl Iterator<Item = &Stepped> {
        self.steps.iter().filter(|s| s.done.is_none() && s.is_care)
    }

    /// The last step that `is` true of, done or not.
    pub fn last(&self, is: impl Fn(&Step) -> bool) -> Option<&Stepped> {
        self.steps.iter().rev().find(|s| is(&s.step))
    }

    /// Whether a step that `is` true of was done.
    pub fn did(&self, is: impl Fn(&Step) -> bool) -> bool {
        self.steps.iter().any(|s| s.held() && is(&s.step))
    }

    /// Whether visitors may be on the new release: traffic was meant to move to it, and not back.
    pub fn has_traffic(&self) -> bool {
        let shifts = self
            .steps
            .iter()
            .filter(|s| matches!(s.step, Step::Shift { .. }));
        let mut moved = shifts.filter(|s| s.done.is_none() || s.held());
        moved.next().is_some() && !self.is_restored()
    }

    /// Whether traffic was brought back.
    pub fn is_restored(&self) -> bool {
        self.did(|s| matches!(s, Step::Restore { .. }))
    }

    /// Takes what somebody said of it into account: the counts, the judge, or a person.
    fn hear(&mut self, event: &RolloutEvent, at: Timestamp) {
        match event {
            RolloutEvent::TriggerFired {
                trigger, evidence, ..
            } => self.triggers.push(Fired {
                trigger: *trigger,
                evidence: evidence.clone(),
                at,
            }),
            RolloutEvent::Judged {
                weight, judgement, ..
            } => self.verdicts.push(Judged {
                weight: *weight,
                verdict: judgement.verdict.clone(),
            }),
            RolloutEvent::Steered { order, .. } => {
                let order = *order;
                let verdicts = self.verdicts.len();
                let said = self.share().map(|weight| Steered {
                    weight,
                    order,
                    verdicts,
                });
                self.steered.extend(said);
            }
            _ => {}
        }
    }

    /// The share of the traffic that it has for now; none where it has none, or all for good.
    pub fn share(&self) -> Option<u16> {
        match self.stage {
            RolloutState::Shifting { weight } if weight < WHOLE => Some(weight),
            _ => None,
        }
    }

    /// What the judge said last of the share that it has, after whatever a person said of it.
    pub fn verdict(&self) -> Option<&Verdict> {
        let share = self.share()?;
        let mut of_share = self.steered.iter().filter(|s| s.weight == share);
        let heard = of_share.next_back().map_or(0, |s| s.verdicts);
        let later = self.verdicts.iter().skip(heard).rev();
        let mut said = later.filter(|j| j.weight == share).map(|j| &j.verdict);
        said.next()
    }

    /// What a person said last of the share that it has.
    pub fn steering(&self) -> Option<Steering> {
        let last = self.steered.last()?;
        (self.share() == Some(last.weight)).then_some(last.order)
    }

    /// Whether it begins only when more people have said yes; nothing waits for it until then.
    pub fn awaits_approval(&self) -> bool {
        let lacks = |approval: &Approval| !approval.is_given();
        self.stage == RolloutState::Queued && self.approval.as_ref().is_some_and(lacks)
    }

    /// Whether it waits for nothing but its turn.
    pub fn is_next(&self) -> bool {
        self.stage == RolloutState::Queued && !self.awaits_approval()
    }

    /// Whether the rollout may still be taken back without touching traffic.
    pub fn is_before_traffic(&self) -> bool {
        !self.stage.is_end() && !self.has_traffic() && !self.is_restored()
    }
}

impl Book {
    /// An empty book of one environment; rollouts of others are passed over.
    pub fn new(environment: EnvironmentName) -> Self {
        Self {
            environment,
            rollouts: BTreeMap::new(),
            order: Vec::new(),
            live: BTreeMap::new(),
            instances: BTreeMap::new(),
            quarantined: BTreeMap::new(),
            generation: Generation(0),
        }
    }

    /// The book that `entries` give.
    pub fn of<'a>(
        environment: EnvironmentName,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Self {
        let mut book = Self::new(environment);
        for entry in entries {
            book.take(entry);
        }
        book
    }

    /// Takes one more entry into account.
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Rollout(event) => self.event(event, entry.at),
            Event::Control(ControlEvent::Started { .. }) => {
                let records = self.rollouts.values_mut();
                for record in records.filter(|r| !r.stage.is_end()) {
                    record.restarts += 1;
                }
            }
            _ => {}
        }
    }

    /// The rollouts of `service` in the order in which they were asked for.
    pub fn of_service<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Record> {
        self.order
            .iter()
            .filter_map(|id| self.rollouts.get(id))
            .filter(move |r| r.service == *service)
    }

    /// The rollout whose release visitors of `service` reach.
    pub fn live_of(&self, service: &ServiceName) -> Option<&Record> {
        self.live.get(service).and_then(|id| self.rollouts.get(id))
    }

    /// The instances that run a rollout's release and were not seen to end.
    pub fn alive_of(&self, owner: RolloutId) -> impl Iterator<Item = &Instance> {
        self.instances
            .values()
            .filter(move |i| i.owner == owner && i.is_alive())
    }

    /// Of them those that answer visitors and are to go on.
    pub fn serving_of(&self, owner: RolloutId) -> impl Iterator<Item = &Instance> {
        self.alive_of(owner)
            .filter(|i| i.role.is_none() && !i.stopping)
    }

    /// How many rollouts have something left to do.
    pub fn unfinished(&self) -> u32 {
        let waits = |r: &&Record| r.open_step().is_some() || !r.stage.is_end();
        let count = self.rollouts.values().filter(waits).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The services that ever had a rollout.
    pub fn services(&self) -> BTreeSet<ServiceName> {
        self.rollouts.values().map(|r| r.service.clone()).collect()
    }

    /// Takes an event at an instant into account.
    pub fn event(&mut self, event: &RolloutEvent, at: Timestamp) {
        match event {
            RolloutEvent::Requested { environment, .. } => {
                if *environment == self.environment {
                    self.requested(event, at);
                }
            }
            RolloutEvent::Entered { rollout, state } => self.entered(*rollout, state, at),
            RolloutEvent::Intent { rollout, step } => self.intended(*rollout, step, at),
            RolloutEvent::Done {
                rollout,
                step,
                observed,
                took_us,
                counters,
            } => {
                let seen = Seen {
                    at,
                    observed: observed.clone(),
                    took_us: *took_us,
                    counters: counters.as_deref().cloned(),
                };
                self.done(*rollout, step, seen);
            }
            RolloutEvent::InstanceStarted { instance, .. }
            | RolloutEvent::InstanceExited { instance, .. } => {
                if let Some(known) = self.instances.get_mut(instance) {
                    known.take(event, at);
                }
            }
            RolloutEvent::TriggerFired { rollout, .. }
            | RolloutEvent::Judged { rollout, .. }
            | RolloutEvent::Steered { rollout, .. } => {
                if let Some(record) = self.rollouts.get_mut(rollout) {
                    record.hear(event, at);
                }
            }
            RolloutEvent::Quarantined {
                rollout,
                release,
                reason,
            } => {
                if self.rollouts.contains_key(rollout) {
                    self.quarantined.insert(release.clone(), reason.clone());
                }
            }
            RolloutEvent::QuarantineLifted { release, .. } => {
                self.quarantined.remove(release);
            }
            RolloutEvent::ApprovalAsked { rollout, .. }
            | RolloutEvent::Approved { rollout, .. }
            | RolloutEvent::Declined { rollout, .. } => {
                if let Some(record) = self.rollouts.get_mut(rollout) {
                    record.approval = Approval::after(record.approval.take(), event);
                    record.is_shaken = false;
                }
            }
            RolloutEvent::ReceiptIssued { receipt } => {
                if let Some(record) = self.rollouts.get_mut(&receipt.rollout) {
                    record.receipts.push(receipt.as_ref().clone());
                }
            }
        }
    }

    fn requested(&mut self, event: &RolloutEvent, at: Timestamp) {
        let RolloutEvent::Requested {
            rollout,
            service,
            release,
            slot,
            ..
        } = event
        else {
            return;
        };
        let record = Record {
            id: *rollout,
            service: service.clone(),
            release: release.clone(),
            slot: *slot,
            previous: None,
            asked_at: at,
            stage: RolloutState::Queued,
            stage_at: at,
            holding: None,
            steps: Vec::new(),
            restarts: 0,
            verdicts: Vec::new(),
            steered: Vec::new(),
            triggers: Vec::new(),
            receipts: Vec::new(),
            approval: None,
            is_shaken: false,
        };
        self.rollouts.insert(*rollout, record);
        self.order.push(*rollout);
    }

    fn entered(&mut self, rollout: RolloutId, state: &RolloutState, at: Timestamp) {
        let live = self
            .rollouts
            .get(&rollout)
            .and_then(|r| self.live_of(&r.service))
            .map(|r| (r.id, r.slot));
        let Some(record) = self.rollouts.get_mut(&rollout) else {
            return;
        };
        if let RolloutState::Holding { reason } = state {
            record.holding = Some(reason.clone());
            return;
        }
        let held = record.holding.take().is_some();
        // The time that a rollout without traffic had to wait is not held against it.
        let anew = record.stage != *state || matches!(state, RolloutState::Halted { .. });
        if anew || (held && record.is_before_traffic()) {
            record.stage = state.clone();
            record.stage_at = at;
        }
        if *state == RolloutState::Locked {
            // Only now is it certain what this rollout takes the place of.
            record.previous = live.map(|(id, _)| id);
            record.slot = live.map_or(record.slot, |(_, slot)| slot.other());
        }
        if matches!(state, RolloutState::RolledBack { .. }) {
            let service = record.service.clone();
            let of_service = self.rollouts.values_mut().filter(|r| r.service == service);
            for waiting in of_service.filter(|r| r.approval.is_some()) {
                waiting.is_shaken = true;
            }
        }
    }

    fn intended(&mut self, rollout: RolloutId, step: &Step, at: Timestamp) {
        let Some(record) = self.rollouts.get_mut(&rollout) else {
            return;
        };
        let owner = |instance: &InstanceId| self.instances.get(instance).map(|i| i.owner);
        let is_care = match step {
            Step::Reroute { .. } | Step::Work { .. } => true,
            // A rolling rollout starts instances while it has a share; nobody looks after it then.
            Step::Start { .. } => !matches!(
                record.stage,
                RolloutState::Expanded | RolloutState::Shifting { weight: ..WHOLE }
            ),
            Step::Stop { instance } => owner(instance) == Some(rollout) && keeps(&record.stage),
            _ => false,
        };
        record.steps.push(Stepped {
            step: step.clone(),
            intended_at: at,
            is_care,
            done: None,
        });
        match step {
            Step::Start { instance } => self.expect(*instance, rollout, None),
            Step::Work { instance, role } => self.expect(*instance, rollout, Some(role.clone())),
            Step::Stop { instance } => self.leave(std::slice::from_ref(instance)),
            Step::Thin { instances, .. } => self.leave(instances),
            _ => {}
        }
        if let Some(generation) = generation_of(step) {
            self.generation = self.generation.max(generation);
        }
    }

    fn expect(&mut self, id: InstanceId, owner: RolloutId, role: Option<RoleName>) {
        let instance = Instance::expected(id, owner, role);
        self.instances.insert(id, instance);
    }

    fn leave(&mut self, instances: &[InstanceId]) {
        for instance in instances {
            if let Some(known) = self.instances.get_mut(instance) {
                known.stopping = true;
            }
        }
    }

    fn done(&mut self, rollout: RolloutId, step: &Step, seen: Seen) {
        let Some(record) = self.rollouts.get_mut(&rollout) else {
            return;
        };
        let open = record
            .steps
            .iter_mut()
            .find(|s| s.done.is_none() && s.step == *step);
        let Some(open) = open else {
            return;
        };
        let served = !seen.observed.starts_with(NOT_SERVED);
        open.done = Some(seen);
        let service = record.service.clone();
        match step {
            Step::Shift { weight, .. } if served && *weight >= WHOLE => {
                self.live.insert(service, rollout);
            }
            Step::Restore { .. } if served => {
                if let Some(previous) = record.previous {
                    self.live.insert(service, previous);
                }
            }
            _ => {}
        }
    }
}

/// Whether a rollout in this stage keeps its own instances.
fn keeps(stage: &RolloutState) -> bool {
    matches!(
        stage,
        RolloutState::Shifting { .. }
            | RolloutState::Live
            | RolloutState::Baking
            | RolloutState::Retired
            | RolloutState::Done
            | RolloutState::Halted { .. }
    )
}

/// How an observation begins when a table was never served and another took its number.
pub(crate) const NOT_SERVED: &str = "not served";

/// The table that a step publishes.
pub(crate) fn generation_of(step: &Step) -> Option<Generation> {
    match step {
        Step::Preview { generation }
        | Step::Shift { generation, .. }
        | Step::Restore { generation }
        | Step::Unroute { generation, .. }
        | Step::Hold { generation }
        | Step::Thin { generation, .. }
        | Step::Reroute { generation, .. } => Some(*generation),
        Step::Prepare
        | Step::Expand
        | Step::Start { .. }
        | Step::Work { .. }
        | Step::AwaitReady
        | Step::Drain { .. }
        | Step::Stop { .. } => None,
    }
}

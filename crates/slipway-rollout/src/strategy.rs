//! The course of a rollout as a pure function: what the journal says and what is so now give
//! the next step. Never acts. Blue-green shifts once, from 0 to 100 per cent, after the preview
//! was looked at; a canary shifts in steps, each of which the judge has to let pass. `rolling`
//! and `recreate` are what they add.

mod recreate;
mod rolling;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::judgement::Verdict;
use slipway_journal::event::rollout::{RolloutState, Steering, Step, Trigger};
use slipway_journal::{Generation, InstanceId, RolloutId, Slot};

use crate::book::{Book, Instance, Record, Stepped};
use crate::policy::{Policy, Strategy, Unsure};

/// Everything that the next step depends on.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What the journal says.
    pub book: &'a Book,
    /// The rollout.
    pub record: &'a Record,
    /// Its numbers.
    pub policy: &'a Policy,
    /// Whether its release brings migrations.
    pub migrates: bool,
    /// The slots that the served table has pools for.
    pub routed: &'a [Slot],
    /// Now.
    pub now: Timestamp,
    /// The number of the next table.
    pub generation: Generation,
    /// The id of the next instance.
    pub instance: InstanceId,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A step was intended and nothing says that it was done: look, and finish it.
    Finish(Step),
    /// Enter a state.
    Enter(RolloutState),
    /// Do a step; entering a state is part of the same decision.
    Do {
        /// The state, where it changes.
        enter: Option<RolloutState>,
        /// The step.
        step: Step,
    },
    /// Give an account, and then enter a state.
    Account {
        /// The state, where it changes.
        enter: Option<RolloutState>,
    },
    /// Look at the traffic until then.
    Watch {
        /// When there is something else to do.
        until: Timestamp,
    },
    /// Nothing, for ever.
    Over,
}

/// The next step of a rollout.
pub fn next(view: &View<'_>) -> Next {
    let record = view.record;
    if let Some(next) = back(view) {
        return next;
    }
    if let Some(open) = record.open_step() {
        return Next::Finish(open.step.clone());
    }
    match &record.stage {
        // Its end, for want of approvals, is decided elsewhere.
        RolloutState::Queued if record.awaits_approval() => Next::Over,
        RolloutState::Queued if view.record.is_shaken => Next::Enter(RolloutState::Cancelled {
            reason: "a release was taken back since it was approved, so it is another change now; \
                     order it again"
                .to_owned(),
        }),
        RolloutState::Queued => Next::Enter(RolloutState::Locked),
        RolloutState::Locked => locked(view),
        RolloutState::Prepared if view.migrates && !record.did(|s| *s == Step::Expand) => {
            act(Step::Expand)
        }
        RolloutState::Prepared => Next::Enter(RolloutState::Expanded),
        RolloutState::Expanded => expanded(view),
        RolloutState::Started if !record.did(|s| *s == Step::AwaitReady) => act(Step::AwaitReady),
        RolloutState::Started => Next::Enter(RolloutState::Ready),
        RolloutState::Ready => Next::Do {
            enter: Some(RolloutState::Preview),
            step: preview(view),
        },
        RolloutState::Preview if !record.did(|s| matches!(s, Step::Preview { .. })) => {
            act(preview(view))
        }
        RolloutState::Preview => shift_after(view, 0),
        RolloutState::Shifting { weight } => match (&view.policy.strategy, record.previous) {
            (Strategy::Rolling(rolling), Some(previous)) => {
                rolling::shifting(view, rolling, previous, *weight)
            }
            _ => shifting(view, *weight),
        },
        RolloutState::Live => match due(view, view.policy.observe) {
            Some(until) => Next::Watch { until },
            None => Next::Account {
                enter: Some(RolloutState::Baking),
            },
        },
        RolloutState::Baking => baking(view),
        RolloutState::Retired => Next::Account {
            enter: Some(RolloutState::Done),
        },
        RolloutState::Failed { .. }
        | RolloutState::Cancelled { .. }
        | RolloutState::Superseded { .. }
        | RolloutState::RolledBack { .. } => clear_away(view),
        RolloutState::Halted { .. } if !is_accounted(record) => Next::Account { enter: None },
        RolloutState::Done | RolloutState::Halted { .. } | RolloutState::Holding { .. } => {
            Next::Over
        }
    }
}

/// What brings the old release back. Nobody waits for an instance that takes its time to end.
fn back(view: &View<'_>) -> Option<Next> {
    let record = view.record;
    let open = |s: &&Stepped| s.done.is_none() && !s.is_care;
    let is_restore = |s: &&Stepped| matches!(s.step, Step::Restore { .. });
    let mut restores = record.steps.iter().filter(open).filter(is_restore);
    if let Some(restore) = restores.next() {
        return Some(Next::Finish(restore.step.clone()));
    }
    let may_act = |s: &Stepped| matches!(s.step, Step::Stop { .. });
    if must_restore(view.book, record) && record.open_step().is_none_or(may_act) {
        let generation = view.generation;
        return Some(act(Step::Restore { generation }));
    }
    let is_over = matches!(record.stage, RolloutState::RolledBack { .. });
    (record.is_restored() && !is_over).then(|| {
        let reason = reason_of(record);
        Next::Enter(RolloutState::RolledBack { reason })
    })
}

/// All of the traffic, in hundredths of a per cent.
pub const WHOLE: u16 = 10_000;

/// The events by which a rollout enters a state.
pub fn entering(record: &Record, state: RolloutState) -> Vec<RolloutEvent> {
    let rollout = record.id;
    let condemned = match &state {
        RolloutState::RolledBack { reason } => Some(RolloutEvent::Quarantined {
            rollout,
            release: record.release.clone(),
            reason: reason.clone(),
        }),
        _ => None,
    };
    std::iter::once(RolloutEvent::Entered { rollout, state })
        .chain(condemned)
        .collect()
}

/// Whether the old release can have the traffic back by publishing one table: none of its
/// instances was told to stop but those of earlier batches, and one is alive.
pub fn is_warm(book: &Book, record: &Record) -> bool {
    let Some(previous) = record.previous else {
        return false;
    };
    let thinned = thinned(record);
    let told_to_stop = record.steps.iter().any(|s| match &s.step {
        Step::Stop { instance } => is_of(book, instance, previous) && !thinned.contains(instance),
        _ => false,
    });
    !told_to_stop && book.serving_of(previous).next().is_some()
}

/// How many instances of a release a later rollout has taken, and not given back.
pub fn taken(book: &Book, release: &Record) -> usize {
    let takers = successors(book, release).filter(|r| !has_given_up(r));
    let taken: BTreeSet<InstanceId> = takers
        .flat_map(|r| thinned(r).into_iter().chain(stopped(r)))
        .filter(|i| is_of(book, i, release.id))
        .filter(|i| book.instances.get(i).is_some_and(|i| i.role.is_none()))
        .collect();
    taken.len()
}

/// Whether a later rollout keeps visitors waiting while none of a release's instances runs, or
/// has still instances of its own there.
pub fn is_displaced(book: &Book, release: &Record) -> bool {
    let holds = |r: &&Record| r.steps.iter().any(|s| matches!(s.step, Step::Hold { .. }));
    successors(book, release)
        .filter(holds)
        .any(|r| !has_given_up(r) || book.alive_of(r.id).next().is_some())
}

/// The rollouts that were to take a release's place.
fn successors<'a>(book: &'a Book, release: &'a Record) -> impl Iterator<Item = &'a Record> {
    book.of_service(&release.service)
        .filter(|r| r.previous == Some(release.id))
}

fn has_given_up(record: &Record) -> bool {
    record.is_restored()
        || matches!(
            record.stage,
            RolloutState::Cancelled { .. }
                | RolloutState::Superseded { .. }
                | RolloutState::Failed { .. }
                | RolloutState::RolledBack { .. }
        )
}

/// The instances that the batches of a rollout took out.
fn thinned(record: &Record) -> BTreeSet<InstanceId> {
    let of_step = |step: &Step| match step {
        Step::Thin { instances, .. } => instances.clone(),
        _ => Vec::new(),
    };
    record.steps.iter().flat_map(|s| of_step(&s.step)).collect()
}

/// The instances that a rollout told to stop.
fn stopped(record: &Record) -> impl Iterator<Item = InstanceId> {
    record.steps.iter().filter_map(|s| match s.step {
        Step::Stop { instance } => Some(instance),
        _ => None,
    })
}

/// Whether the account of the state that the rollout is in was given.
pub fn is_accounted(record: &Record) -> bool {
    record
        .receipts
        .last()
        .is_some_and(|r| r.end == record.stage)
}

/// Whether nothing of a rollout that ended is left: its account is given, no instance of its
/// own runs, and whatever table named them was followed by one that does not, and drained.
pub fn is_cleared(book: &Book, record: &Record) -> bool {
    let gone = book.alive_of(record.id).next().is_none();
    let drained = match record.last(|s| is_unroute(s, record.slot)).map(|s| &s.step) {
        Some(Step::Unroute { generation, .. }) => {
            let drain = Step::Drain {
                generation: *generation,
            };
            record.did(|s| *s == drain)
        }
        _ => true,
    };
    is_accounted(record) && gone && drained && !is_shown(record)
}

/// Whether a trigger asks for the old release, and it can have the traffic.
pub fn must_restore(book: &Book, record: &Record) -> bool {
    let Some(fired) = record.triggers.last() else {
        return false;
    };
    let may = match &record.stage {
        // Nothing automatic is safe any more; a person may still decide.
        // One that was tried and refused needs a new word.
        RolloutState::Halted { .. } => {
            fired.trigger == Trigger::Person && fired.at > record.stage_at
        }
        stage => !stage.is_end(),
    };
    may && record.has_traffic() && is_warm(book, record)
}

fn reason_of(record: &Record) -> String {
    record.triggers.last().map_or_else(
        || "traffic was brought back".to_owned(),
        |fired| fired.evidence.clone(),
    )
}

fn locked(view: &View<'_>) -> Next {
    let record = view.record;
    // What an earlier rollout left in this place goes first.
    let keep = [Some(record.id), record.previous];
    if let Some(next) = take_out_others(view, record.slot, &keep) {
        return next;
    }
    if record.did(|s| *s == Step::Prepare) {
        Next::Enter(RolloutState::Prepared)
    } else {
        act(Step::Prepare)
    }
}

fn expanded(view: &View<'_>) -> Next {
    if let Some(next) = rolling::parting(view) {
        return next;
    }
    match (&view.policy.strategy, view.record.previous) {
        (Strategy::Rolling(rolling), Some(previous)) => {
            return rolling::expanded(view, rolling, previous);
        }
        (Strategy::Recreate(_), Some(previous)) => {
            if let Some(next) = recreate::room(view, previous) {
                return next;
            }
        }
        _ => {}
    }
    let started = view
        .record
        .steps
        .iter()
        .filter(|s| matches!(s.step, Step::Start { .. }) && s.held());
    if started.count() < usize::try_from(view.policy.instances.max(1)).unwrap_or(usize::MAX) {
        let instance = view.instance;
        act(Step::Start { instance })
    } else {
        Next::Enter(RolloutState::Started)
    }
}

fn preview(view: &View<'_>) -> Step {
    let generation = if is_direct(view.record) {
        view.book.generation
    } else {
        view.generation
    };
    Step::Preview { generation }
}

/// Whether no table could show the new release to testers only, because there is no old one or
/// everybody waits. Its instances are then looked at directly, and no number is used up.
pub(crate) fn is_direct(record: &Record) -> bool {
    record.previous.is_none() || record.did(|s| matches!(s, Step::Hold { .. }))
}

fn shifting(view: &View<'_>, weight: u16) -> Next {
    let is_shift = |s: &Step| matches!(s, Step::Shift { weight: w, .. } if *w == weight);
    let is_shifted = view.record.did(is_shift);
    if weight >= WHOLE && is_shifted {
        return Next::Enter(RolloutState::Live);
    }
    if let Some(next) = rolling::complete(view) {
        return next;
    }
    if !is_shifted {
        return act(shift(view, weight));
    }
    if may_pass(view) {
        return shift_after(view, weight);
    }
    // Until the judge has said something.
    Next::Watch {
        until: Timestamp::MAX,
    }
}

/// All of the traffic moves, and has moved then.
fn whole(view: &View<'_>) -> Next {
    let is_whole = |s: &Step| matches!(s, Step::Shift { weight: WHOLE, .. });
    if view.record.did(is_whole) {
        Next::Enter(RolloutState::Live)
    } else {
        act(shift(view, WHOLE))
    }
}

/// The next share of the traffic; all of it where there is no release to stand beside.
fn shift_after(view: &View<'_>, weight: u16) -> Next {
    let weight = match (&view.policy.strategy, view.record.previous) {
        // Everybody waits, because the release before was stopped.
        _ if is_direct(view.record) => WHOLE,
        (Strategy::Rolling(rolling), Some(previous)) => rolling::share(view, rolling, previous),
        // Nobody who wants the former release back waits for the judge.
        (Strategy::Canary(_), Some(previous)) if is_return(view, previous) => WHOLE,
        (strategy, Some(_)) => strategy.after(weight),
        (_, None) => WHOLE,
    };
    move_to(view, weight)
}

/// Whether the release is the one that the live one had followed.
fn is_return(view: &View<'_>, previous: RolloutId) -> bool {
    let live = view.book.rollouts.get(&previous);
    let former = live.and_then(|live| view.book.rollouts.get(&live.previous?));
    former.is_some_and(|former| former.release == view.record.release)
}

fn move_to(view: &View<'_>, weight: u16) -> Next {
    Next::Do {
        enter: Some(RolloutState::Shifting { weight }),
        step: shift(view, weight),
    }
}

/// Whether what a person or else the judge said of this share lets the next one follow.
fn may_pass(view: &View<'_>) -> bool {
    match view.record.steering() {
        Some(Steering::Hold) => return false,
        Some(Steering::Advance) => return true,
        Some(Steering::Resume) | None => {}
    }
    // Nobody judges any more since the policy was changed; what follows is all of the traffic.
    if !matches!(view.policy.strategy, Strategy::Canary(_)) {
        return true;
    }
    match view.record.verdict() {
        Some(Verdict::Advance) => true,
        Some(Verdict::Inconclusive { .. }) => view.policy.strategy.unsure() == Unsure::Continue,
        Some(Verdict::Hold { .. } | Verdict::Abort { .. }) | None => false,
    }
}

fn shift(view: &View<'_>, weight: u16) -> Step {
    Step::Shift {
        weight,
        generation: view.generation,
    }
}

/// How long the old release stays warm: twice as long where a step was passed without the
/// judge's word.
fn bake(view: &View<'_>) -> Duration {
    let is_unsure = |v: &Verdict| matches!(v, Verdict::Inconclusive { .. });
    let record = view.record;
    let is_pressed = record.steered.iter().any(|s| s.order == Steering::Advance);
    let unseen = is_pressed || record.verdicts.iter().any(|j| is_unsure(&j.verdict));
    let bake = view.policy.bake * if unseen { 2 } else { 1 };
    bake.max(view.policy.skew.unwrap_or_default())
}

/// Whether a rollout that waits may have the place of the old release: not while pages that were
/// loaded from it keep it.
pub fn may_yield(record: &Record, policy: &Policy, now: Timestamp) -> bool {
    let until = record.stage_at.checked_add(policy.skew.unwrap_or_default());
    record.stage == RolloutState::Baking && until.is_ok_and(|until| now >= until)
}

fn baking(view: &View<'_>) -> Next {
    let record = view.record;
    let no_room = match &view.policy.strategy {
        Strategy::Rolling(rolling) => rolling.surge.up(view.policy.instances) == 0,
        _ => record.did(|s| matches!(s, Step::Hold { .. })),
    };
    let nothing_warm = record.previous.is_none() || no_room;
    if let Some(until) = due(view, bake(view))
        && !nothing_warm
        && !(is_waited_for(view) && may_yield(record, view.policy, view.now))
        && !record.did(|s| is_unroute(s, record.slot.other()))
    {
        return Next::Watch { until };
    }
    match take_out_others(view, record.slot.other(), &[Some(record.id)]) {
        Some(next) => next,
        None => Next::Enter(RolloutState::Retired),
    }
}

fn clear_away(view: &View<'_>) -> Next {
    let record = view.record;
    if !is_accounted(record) {
        return Next::Account { enter: None };
    }
    // Its workers first: no request waits for them.
    let mut own = view.book.alive_of(record.id);
    if let Some(worker) = own.find(|i| i.role.is_some()) {
        let instance = worker.id;
        return act(Step::Stop { instance });
    }
    let own = view.book.alive_of(record.id).map(|i| i.id).collect();
    take_out(view, record.slot, is_shown(record), own).unwrap_or(Next::Over)
}

/// Whether the table was last told of the rollout's own pool, and not that it is gone.
fn is_shown(record: &Record) -> bool {
    let shows = |s: &Step| match s {
        Step::Preview { .. } => !is_direct(record),
        Step::Shift { .. } => true,
        step => is_unroute(step, record.slot),
    };
    let last = record
        .steps
        .iter()
        .rev()
        .find(|s| (s.done.is_none() || s.held()) && shows(&s.step));
    last.is_some_and(|s| !matches!(s.step, Step::Unroute { .. }))
}

/// Takes out whatever instances of the service belong to no rollout of `keep`.
fn take_out_others(view: &View<'_>, slot: Slot, keep: &[Option<RolloutId>]) -> Option<Next> {
    let service = &view.record.service;
    let is_other = |i: &&Instance| {
        let owner = view.book.rollouts.get(&i.owner);
        i.is_alive()
            && !keep.contains(&Some(i.owner))
            && owner.is_some_and(|o| o.service == *service)
    };
    let others = view.book.instances.values().filter(is_other);
    let others = others.map(|i| i.id).collect();
    take_out(view, slot, view.routed.contains(&slot), others)
}

/// Out of the table, then drained, then stopped, one step after the other.
fn take_out(view: &View<'_>, slot: Slot, routed: bool, instances: Vec<InstanceId>) -> Option<Next> {
    let record = view.record;
    if routed {
        let generation = view.generation;
        return Some(act(Step::Unroute { slot, generation }));
    }
    let unroute = record.last(|s| is_unroute(s, slot)).filter(|s| s.held());
    if let Some(Step::Unroute { generation, .. }) = unroute.map(|s| &s.step) {
        let drain = Step::Drain {
            generation: *generation,
        };
        if !record.did(|s| *s == drain) {
            return Some(act(drain));
        }
    }
    let instance = instances.into_iter().next()?;
    Some(act(Step::Stop { instance }))
}

/// Whether a later rollout of the service waits for this one.
fn is_waited_for(view: &View<'_>) -> bool {
    view.book
        .of_service(&view.record.service)
        .any(|r| r.id != view.record.id && r.is_next())
}

/// The instant at which the stage has lasted `long`; none when it has.
fn due(view: &View<'_>, long: Duration) -> Option<Timestamp> {
    let due = view.record.stage_at.checked_add(long).ok()?;
    (view.now < due).then_some(due)
}

fn is_of(book: &Book, instance: &InstanceId, owner: RolloutId) -> bool {
    book.instances
        .get(instance)
        .is_some_and(|i| i.owner == owner)
}

fn is_unroute(step: &Step, of: Slot) -> bool {
    matches!(step, Step::Unroute { slot, .. } if *slot == of)
}

fn act(step: Step) -> Next {
    Next::Do { enter: None, step }
}

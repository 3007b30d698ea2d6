//! Looking after what is live or warm, beside any rollout: which instance is to be started
//! again, when, and when the table must hear of it. Pure.

mod staff;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{Generation, InstanceId, RoleName, RolloutId, ServiceName, Slot};
use slipway_proxy::Route;

use crate::book::{Book, Record};
use crate::policy::{Policy, Strategy};
use crate::strategy;

/// A death counts for the back-off for so long.
const MEMORY: Duration = Duration::from_secs(60);
/// The longest wait before an instance is started again.
const LONGEST: Duration = Duration::from_secs(30);

/// What looking after a service asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// A step under the rollout that owns the instance.
    Do {
        /// The owner.
        rollout: RolloutId,
        /// The step.
        step: Step,
    },
    /// An instance runs and must prove itself before the table hears of it.
    Prove {
        /// The instance.
        instance: InstanceId,
    },
    /// Nothing before then.
    Wait {
        /// Until when.
        until: Timestamp,
    },
}

/// Everything that a repair depends on.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// What the journal says.
    pub book: &'a Book,
    /// The service.
    pub service: &'a ServiceName,
    /// How it is routed now.
    pub route: Option<&'a Route>,
    /// Instances that proved themselves since control started.
    pub proved: &'a BTreeSet<InstanceId>,
    /// How many workers of each role the live release is to have; none where that cannot be
    /// known now.
    pub roles: Option<&'a BTreeMap<RoleName, u32>>,
    /// Its numbers.
    pub policy: &'a Policy,
    /// Now.
    pub now: Timestamp,
    /// The number of the next table.
    pub generation: Generation,
    /// The id of the next instance.
    pub instance: InstanceId,
}

/// What is to be done next for what is live and warm, the live first.
pub fn repair(sight: &Sight<'_>) -> Option<Repair> {
    let mut wait: Option<Timestamp> = None;
    for record in cared_for(sight.book, sight.service) {
        match repair_of(sight, record) {
            Some(Repair::Wait { until }) => {
                wait = Some(wait.map_or(until, |w| w.min(until)));
            }
            Some(repair) => return Some(repair),
            None => {}
        }
    }
    match staff::repair(sight) {
        Some(Repair::Wait { until }) => wait = Some(wait.map_or(until, |w| w.min(until))),
        Some(repair) => return Some(repair),
        None => {}
    }
    wait.map(|until| Repair::Wait { until })
}

/// The rollouts whose instances are to be kept: the live one, and the one that is warm.
pub fn cared_for<'a>(book: &'a Book, service: &ServiceName) -> Vec<&'a Record> {
    let Some(live) = book.live_of(service) else {
        return Vec::new();
    };
    let leaving = live
        .steps
        .iter()
        .any(|s| matches!(&s.step, Step::Unroute { slot, .. } if *slot == live.slot.other()));
    // Whoever comes next takes the place of what is warm, and clears it first.
    let is_taken = book.of_service(service).any(|r| {
        let is_next = Some(r.id) != live.previous && r.id != live.id && !r.stage.is_end();
        is_next && r.stage != RolloutState::Queued && r.slot == live.slot.other()
    });
    let warm = live
        .previous
        .filter(|_| !leaving && !is_taken && keeps_warm(live))
        .and_then(|id| book.rollouts.get(&id));
    let live = Some(live).filter(|r| !condemned(book, r));
    let kept = live.into_iter().chain(warm);
    kept.filter(|r| !strategy::is_displaced(book, r)).collect()
}

/// Whether the old release is about to get the visitors back.
fn condemned(book: &Book, record: &Record) -> bool {
    !record.triggers.is_empty() && !record.stage.is_end() && strategy::is_warm(book, record)
}

fn keeps_warm(live: &Record) -> bool {
    matches!(
        live.stage,
        RolloutState::Shifting { .. }
            | RolloutState::Live
            | RolloutState::Baking
            | RolloutState::Halted { .. }
    )
}

fn repair_of(sight: &Sight<'_>, record: &Record) -> Option<Repair> {
    let rollout = record.id;
    let mine = || {
        sight
            .book
            .instances
            .values()
            .filter(move |i| i.owner == rollout && i.exited.is_none() && !i.stopping)
            .filter(|i| i.role.is_none())
    };
    let routed = targets(sight.route, record.slot);
    let good: BTreeSet<InstanceId> = mine()
        .filter(|i| i.is_alive())
        .map(|i| i.id)
        .filter(|i| routed.contains(i) || sight.proved.contains(i))
        .collect();
    // A table without a target would be refused; the proxy holds requests meanwhile.
    let waits = |r: &Route| r.hold && r.live == record.slot.to_string();
    if !good.is_empty() && (good != routed || sight.route.is_some_and(waits)) {
        let (slot, generation) = (record.slot, sight.generation);
        let step = Step::Reroute { slot, generation };
        return Some(Repair::Do { rollout, step });
    }
    if let Some(unproved) = mine().find(|i| i.is_alive() && !good.contains(&i.id)) {
        return Some(Repair::Prove {
            instance: unproved.id,
        });
    }
    if mine().count() >= wanted(sight, record) {
        return None;
    }
    let until = start_again_at(sight, rollout, None);
    if sight.now < until {
        return Some(Repair::Wait { until });
    }
    let instance = sight.instance;
    let step = Step::Start { instance };
    Some(Repair::Do { rollout, step })
}

/// How many instances of a release are to run: fewer while it makes room for another, or waits
/// until there is room.
fn wanted(sight: &Sight<'_>, record: &Record) -> usize {
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let wanted = sight.policy.instances.max(1);
    let left = size(wanted).saturating_sub(strategy::taken(sight.book, record));
    match (&sight.policy.strategy, record.previous) {
        (Strategy::Rolling(rolling), Some(previous)) => {
            let most = size(wanted.saturating_add(rolling.surge.up(wanted)));
            left.min(most.saturating_sub(instances_of(sight, previous)))
        }
        _ => left,
    }
}

/// Those of another release that still run, also where they are about to end.
fn instances_of(sight: &Sight<'_>, owner: RolloutId) -> usize {
    let alive = sight.book.alive_of(owner);
    alive.filter(|i| i.role.is_none()).count()
}

/// The instances of a slot that the table names.
pub fn targets(route: Option<&Route>, slot: Slot) -> BTreeSet<InstanceId> {
    route
        .and_then(|r| r.pools.get(&slot.to_string()))
        .into_iter()
        .flat_map(|p| &p.targets)
        .filter_map(|t| t.instance.parse().ok())
        .collect()
}

/// When the next one of a role, or of those that answer visitors, may be started: later each time
/// that one died.
fn start_again_at(sight: &Sight<'_>, rollout: RolloutId, role: Option<&RoleName>) -> Timestamp {
    let deaths: Vec<Timestamp> = sight
        .book
        .instances
        .values()
        .filter(|i| i.owner == rollout && i.role.as_ref() == role && !i.stopping)
        .filter_map(|i| i.exited.as_ref().map(|(_, at)| *at))
        .filter(|at| Duration::try_from(sight.now.duration_since(*at)).is_ok_and(|d| d <= MEMORY))
        .collect();
    let Some(last) = deaths.iter().max() else {
        return sight.now;
    };
    let doublings = u32::try_from(deaths.len() - 1).unwrap_or(u32::MAX).min(10);
    let wait = sight.policy.restart_after * 2_u32.pow(doublings);
    last.checked_add(wait.min(LONGEST)).unwrap_or(sight.now)
}

//! Worker roles follow the visitors: the release that they reach has its workers, and every
//! other one's are asked to end as soon as those are there. So a switch starts the new ones and
//! then ends the old ones, and going back does the same the other way round. Where two releases'
//! workers may not run at once, the others have ended before the first one starts. Pure.

use slipway_journal::RoleName;
use slipway_journal::event::rollout::{RolloutState, Step};

use super::{Repair, Sight, condemned, start_again_at};
use crate::book::{Instance, Record};
use crate::strategy;

/// What is to be done next for the workers of a service.
pub(super) fn repair(sight: &Sight<'_>) -> Option<Repair> {
    let (live, roles) = (sight.book.live_of(sight.service)?, sight.roles?);
    if condemned(sight.book, live) || strategy::is_displaced(sight.book, live) {
        return None;
    }
    if !sight.policy.workers_overlap {
        if let Some(repair) = dismiss(sight, live) {
            return Some(repair);
        }
        // Whoever waits here hears of their end.
        if others(sight, live).next().is_some() {
            return None;
        }
    }
    let mut wait = None;
    for (role, wanted) in roles {
        match fill(sight, live, role, *wanted) {
            Some(Repair::Wait { until }) => wait = Some(wait.map_or(until, |w| until.min(w))),
            Some(repair) => return Some(repair),
            None => {}
        }
    }
    // Until all are there the others go on.
    match wait {
        Some(until) => Some(Repair::Wait { until }),
        None => dismiss(sight, live),
    }
}

/// One more of a role, where one is lacking.
fn fill(sight: &Sight<'_>, live: &Record, role: &RoleName, wanted: u32) -> Option<Repair> {
    if of_role(sight, live, role).count() >= size(wanted) {
        return None;
    }
    let until = start_again_at(sight, live.id, Some(role));
    if sight.now < until {
        return Some(Repair::Wait { until });
    }
    let step = Step::Work {
        instance: sight.instance,
        role: role.clone(),
    };
    let rollout = live.id;
    Some(Repair::Do { rollout, step })
}

/// One of those that nobody wants: of another release, or beyond what is wanted.
fn dismiss(sight: &Sight<'_>, live: &Record) -> Option<Repair> {
    let stays = |worker: &Instance| {
        let role = worker.role.as_ref();
        let wanted = role.and_then(|role| Some((role, *sight.roles?.get(role)?)));
        worker.owner == live.id
            && wanted.is_some_and(|(role, wanted)| {
                let mut first = of_role(sight, live, role).take(size(wanted));
                first.any(|i| i.id == worker.id)
            })
    };
    let mut workers = sight.book.instances.values().filter(|i| {
        let owner = sight.book.rollouts.get(&i.owner);
        i.role.is_some() && i.is_alive() && !i.stopping && owner.is_some_and(|o| is_ours(sight, o))
    });
    let worker = workers.find(|worker| !stays(worker))?;
    Some(Repair::Do {
        rollout: worker.owner,
        step: Step::Stop {
            instance: worker.id,
        },
    })
}

/// The workers of other releases that run or may, also where they are about to end.
fn others<'a>(sight: &Sight<'a>, live: &Record) -> impl Iterator<Item = &'a Instance> {
    let (sight, live) = (*sight, live.id);
    let is_other = move |i: &&Instance| {
        let owner = sight.book.rollouts.get(&i.owner);
        i.owner != live && owner.is_some_and(|owner| owner.service == *sight.service)
    };
    let workers = sight.book.instances.values();
    let workers = workers.filter(|i| i.role.is_some() && i.exited.is_none());
    workers.filter(is_other)
}

/// Whether a rollout's workers are looked after here: what is left of one that was called off or
/// taken back is cleared away by whoever drives it.
fn is_ours(sight: &Sight<'_>, owner: &Record) -> bool {
    let is_cleared_away = matches!(
        owner.stage,
        RolloutState::Cancelled { .. }
            | RolloutState::Superseded { .. }
            | RolloutState::Failed { .. }
            | RolloutState::RolledBack { .. }
    );
    owner.service == *sight.service && !is_cleared_away
}

/// The workers of a role that run or are about to.
fn of_role<'a>(
    sight: &Sight<'a>,
    live: &Record,
    role: &RoleName,
) -> impl Iterator<Item = &'a Instance> {
    let owner = live.id;
    let there = |i: &&Instance| i.exited.is_none() && !i.stopping;
    let instances = sight.book.instances.values().filter(there);
    instances.filter(move |i| i.owner == owner && i.role.as_ref() == Some(role))
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

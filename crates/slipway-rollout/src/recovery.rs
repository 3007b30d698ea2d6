//! What the world says after a crash, or after a death: which events it asks for, and what
//! became of a step that was intended and not reported. Pure; nothing is remembered.

use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{Step, Trigger};
use slipway_journal::{Generation, InstanceId};

use crate::book::{Book, Instance, Record, generation_of};

/// What became of a table that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is served.
    Served,
    /// It never was, and may still be.
    NotYet,
    /// Another took its number; it never will be.
    Overtaken {
        /// The one that is served.
        by: Generation,
    },
}

/// What became of the table of `step`, where `served` is what the proxy serves.
pub fn published(step: &Step, served: Generation) -> Option<Published> {
    let wanted = generation_of(step)?;
    Some(match served.cmp(&wanted) {
        std::cmp::Ordering::Equal => Published::Served,
        std::cmp::Ordering::Less => Published::NotYet,
        std::cmp::Ordering::Greater => Published::Overtaken { by: served },
    })
}

/// The events that the end of instances asks for: that they ended, and where a release with
/// traffic lost one while the old release still runs, that it is to be taken back.
pub fn deaths(book: &Book, dead: &[(InstanceId, String)], now: Timestamp) -> Vec<RolloutEvent> {
    let mut events = Vec::new();
    for (instance, how) in dead {
        let Some(known) = book.instances.get(instance) else {
            continue;
        };
        // One that is being stopped is reported by whoever stops it.
        if known.is_alive() && !known.stopping {
            events.push(RolloutEvent::InstanceExited {
                rollout: known.owner,
                instance: *instance,
                how: how.clone(),
                expected: false,
            });
            let is_grave = known.role.is_none() || is_restless(book, known, now);
            let fired = bereaved(book, known.owner).filter(|r| is_grave && survives(book, r, dead));
            if let Some(record) = fired
                && !is_fired(&events, record)
            {
                events.push(RolloutEvent::TriggerFired {
                    rollout: record.id,
                    trigger: Trigger::InstanceDeath,
                    evidence: match &known.role {
                        None => format!("an instance with traffic ended: {how}"),
                        Some(role) => {
                            format!("a worker {role} ended for the third time in a minute: {how}")
                        }
                    },
                });
            }
        }
    }
    events
}

/// Whether this is the third death of its role within a minute. A worker has no visitors, and
/// one that is started again has done no harm.
fn is_restless(book: &Book, worker: &Instance, now: Timestamp) -> bool {
    let is_late = |at: Timestamp| {
        Duration::try_from(now.duration_since(at)).is_ok_and(|ago| ago <= Duration::from_secs(60))
    };
    let same = |i: &&Instance| i.owner == worker.owner && i.role == worker.role && !i.stopping;
    let dead = book.instances.values().filter(same);
    let lately = dead.filter(|i| i.exited.as_ref().is_some_and(|(_, at)| is_late(*at)));
    lately.count() >= 2
}

/// The rollout that lost an instance, where that is a reason to take it back.
fn bereaved(book: &Book, owner: slipway_journal::RolloutId) -> Option<&Record> {
    let record = book.rollouts.get(&owner)?;
    let may = record.has_traffic() && !record.stage.is_end() && record.triggers.is_empty();
    may.then_some(record)
}

/// Whether the old release has an instance left. Where it has none, the machine was started
/// anew or the cause is shared: both are started again, and nothing moves.
fn survives(book: &Book, record: &Record, dead: &[(InstanceId, String)]) -> bool {
    crate::strategy::is_warm(book, record)
        && record.previous.is_some_and(|previous| {
            book.serving_of(previous)
                .any(|i| dead.iter().all(|(d, _)| *d != i.id))
        })
}

fn is_fired(events: &[RolloutEvent], record: &Record) -> bool {
    events
        .iter()
        .any(|e| matches!(e, RolloutEvent::TriggerFired { rollout, .. } if *rollout == record.id))
}

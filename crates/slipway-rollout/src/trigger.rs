//! What takes a release back, as a pure function of what the proxy counted. No data never
//! says that all is well, and never that something is wrong either: it says nothing.
//!
//! Burst: within the last 1, 2, … or 5 seconds ≥ 10 requests failed, they are ≥ 20 % of the
//! served, ≥ 3 different clients among those of one second; all in `Policy::burst`.

use std::collections::BTreeSet;

use slipway_journal::event::rollout::{Counters, Trigger};
use slipway_journal::{ReleaseId, ServiceName};
use slipway_proxy::{Health, PoolStats, Stats};

use crate::policy::Burst;

/// Failed looks in a row that make an instance a failed one.
const FAILED_LOOKS: u32 = 3;
/// Requests of the old release below which its share of failures means nothing.
const OLD_SERVED_LEAST: u64 = 20;

/// Everything that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The service.
    pub service: &'a ServiceName,
    /// The release that has the traffic.
    pub new: &'a ReleaseId,
    /// The one that had it before.
    pub old: Option<&'a ReleaseId>,
    /// What the proxy counted.
    pub stats: &'a Stats,
    /// What it had counted before the rollout touched anything.
    pub before: Option<&'a Counters>,
    /// What it had counted when traffic moved.
    pub at_shift: Option<&'a Counters>,
    /// The numbers of the burst rule.
    pub burst: &'a Burst,
    /// Instances of the new release that are known to have ended.
    pub ended: &'a BTreeSet<String>,
}

/// What to do about a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The old release gets the traffic back.
    Restore,
    /// No automatic move is safe.
    Halt {
        /// Why.
        reason: String,
    },
}

/// The first trigger that fires, with its evidence.
pub fn look(facts: &Facts<'_>) -> Option<(Trigger, String)> {
    let new = pool(facts.stats, facts.service, facts.new)?;
    burst(facts, new)
        .map(|evidence| (Trigger::ErrorBurst, evidence))
        .or_else(|| failed_health(facts, new).map(|evidence| (Trigger::FailedHealth, evidence)))
}

/// Whether the old release would do better. `warm` says whether it is there at all.
pub fn judge(facts: &Facts<'_>, trigger: Trigger, warm: bool) -> Verdict {
    if !warm {
        return halt("there is no warm release to go back to; traffic stays where it is");
    }
    let Some(old) = facts.old else {
        return halt("there is no earlier release to go back to; traffic stays where it is");
    };
    if let Some(old) = pool(facts.stats, facts.service, old) {
        let down = old.targets.iter().filter(|t| t.health == Health::Down);
        if !old.targets.is_empty() && down.count() == old.targets.len() {
            return halt(
                "shared cause: no instance of the old release answers its health look either",
            );
        }
    }
    if trigger == Trigger::ErrorBurst
        && let Some(share) = shared(facts)
    {
        return halt(&share);
    }
    Verdict::Restore
}

fn burst(facts: &Facts<'_>, new: &PoolStats) -> Option<String> {
    let rule = facts.burst;
    // The shortest time first: good answers before the first bad one must not hide it.
    (1..=rule.window_s).find_map(|seconds| {
        let window = Window::of(new, seconds, since(facts));
        let is_burst = window.failed >= rule.failed
            && window.failed * 100 >= window.served * rule.share_percent
            && window.clients >= rule.clients;
        is_burst.then(|| {
            format!(
                "{} of {} requests failed within {seconds} s ({} %), {} or more clients in one \
                 second; the limit is {} and {} %",
                window.failed,
                window.served,
                percent(window.failed, window.served),
                window.clients,
                rule.failed,
                rule.share_percent
            )
        })
    })
}

fn failed_health(facts: &Facts<'_>, new: &PoolStats) -> Option<String> {
    let there = new.targets.iter();
    let there: Vec<_> = there
        .filter(|t| !facts.ended.contains(&t.instance))
        .collect();
    let failed: Vec<_> = there
        .iter()
        .filter(|t| t.failures >= FAILED_LOOKS)
        .collect();
    if failed.is_empty() || failed.len() * 2 < there.len() {
        return None;
    }
    let last = failed
        .iter()
        .find_map(|t| t.last_failure.as_deref())
        .unwrap_or("the proxy did not say what it saw");
    Some(format!(
        "{} of {} instances failed {FAILED_LOOKS} health looks in a row: {last}",
        failed.len(),
        there.len()
    ))
}

/// Why the cause may be shared: the old release failed about as much before traffic moved.
fn shared(facts: &Facts<'_>) -> Option<String> {
    let (old_failed, old_served) = before_shift(facts)?;
    if old_served < OLD_SERVED_LEAST || old_failed * 100 < old_served * facts.burst.old_percent {
        return None;
    }
    let new = pool(facts.stats, facts.service, facts.new)?;
    let window = Window::of(new, facts.burst.window_s, since(facts));
    // Twice as bad is not the same cause any more: fewer requests fail on the old release.
    let worse = window.failed * old_served >= 2 * old_failed * window.served;
    (!worse).then(|| {
        format!(
            "shared cause: {} % of the requests failed on the new release, and {} % on the old \
             one before the switch",
            percent(window.failed, window.served),
            percent(old_failed, old_served)
        )
    })
}

/// Failed and served of the old release between the rollout's start and the shift.
fn before_shift(facts: &Facts<'_>) -> Option<(u64, u64)> {
    let (before, shift) = (facts.before?, facts.at_shift?);
    if before.start != shift.start {
        return None;
    }
    let of = |counters: &Counters| {
        let old = counters
            .releases
            .iter()
            .find(|r| Some(&r.release) == facts.old);
        old.map_or((0, 0), |r| (r.failed, r.served))
    };
    let (first, last) = (of(before), of(shift));
    Some((
        last.0.saturating_sub(first.0),
        last.1.saturating_sub(first.1),
    ))
}

/// The proxy's second from which on the new release is judged; what it did in an earlier life
/// is not held against it.
fn since(facts: &Facts<'_>) -> u64 {
    facts
        .before
        .filter(|b| b.start == facts.stats.start)
        .map_or(0, |b| b.second + 1)
}

/// What came of the requests of the last seconds.
struct Window {
    served: u64,
    failed: u64,
    /// The most different clients that failed in one second: fewer than all there were.
    clients: u32,
}

impl Window {
    fn of(pool: &PoolStats, seconds: u64, since: u64) -> Self {
        let last = pool.seconds.iter().map(|s| s.at).max().unwrap_or(0);
        let inside = pool
            .seconds
            .iter()
            .filter(|s| s.at + seconds > last && s.at >= since);
        let mut window = Self {
            served: 0,
            failed: 0,
            clients: 0,
        };
        for second in inside {
            window.served += second.served;
            window.failed += second.failed;
            window.clients = window.clients.max(second.failed_clients);
        }
        window
    }
}

/// What the proxy counted for one release.
pub(crate) fn pool<'a>(
    stats: &'a Stats,
    service: &ServiceName,
    release: &ReleaseId,
) -> Option<&'a PoolStats> {
    stats
        .pools
        .iter()
        .find(|p| p.service == service.as_str() && p.release == release.as_str())
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or(0)
}

fn halt(reason: &str) -> Verdict {
    Verdict::Halt {
        reason: reason.to_owned(),
    }
}

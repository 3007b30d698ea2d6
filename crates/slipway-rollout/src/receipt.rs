//! The account of a rollout, as a pure function of what the proxy counted and the journal
//! says. Counts of different starts of the proxy are added up, never mixed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use slipway_journal::event::rollout::{
    Counters, Receipt, ReleaseCounters, ReleaseTraffic, RolloutState, Step,
};
use slipway_journal::{EnvironmentName, ReleaseId, ServiceName};
use slipway_proxy::Stats;

use crate::book::{Book, Record};
use crate::court;

/// What the proxy counted for `service`, as the journal keeps it.
pub fn counters(stats: &Stats, service: &ServiceName) -> Counters {
    let pools = || stats.pools.iter().filter(|p| p.service == service.as_str());
    let seconds = stats.pools.iter().flat_map(|p| &p.seconds).map(|s| s.at);
    let unrouted = stats
        .unrouted
        .iter()
        .filter(|u| u.service == service.as_str())
        .map(|u| u.requests);
    Counters {
        start: stats.start.clone(),
        second: seconds.max().unwrap_or(0),
        unrouted: unrouted.sum(),
        releases: pools()
            .filter_map(|p| {
                Some(ReleaseCounters {
                    release: p.release.parse().ok()?,
                    served: p.served,
                    failed: p.failed,
                    shielded: p.shielded,
                    judged: p.bad.map(|_| court::arm(p)),
                    retried: p.retried,
                    held: p.held,
                    slowest_us: p.slowest_us,
                    latency: p.latency.clone(),
                })
            })
            .collect(),
    }
}

/// What was counted since a first look, over restarts of the proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    base: Counters,
    last: Option<Counters>,
    carried: BTreeMap<ReleaseId, Amount>,
    carried_unrouted: u64,
}

/// What one release served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Amount {
    served: u64,
    failed: u64,
    shielded: u64,
    retried: u64,
    held: u64,
    slowest_us: u64,
    latency: BTreeMap<u64, u64>,
}

impl Tally {
    /// The tally that the journal's looks give; the first one is where it begins.
    pub fn of(record: &Record) -> Self {
        let mut tally = Self::default();
        for seen in record.steps.iter().filter_map(|s| s.done.as_ref()) {
            if let Some(counters) = &seen.counters {
                tally.see(counters.clone());
            }
        }
        tally
    }

    /// Takes a later look into account.
    pub fn see(&mut self, now: Counters) {
        match self.last.take() {
            None => self.base = now.clone(),
            Some(last) if last.start == now.start => {}
            Some(last) => {
                // The proxy started anew: what it had counted stands, and it counts from nought.
                self.carry(&last);
                self.base = Counters {
                    start: now.start.clone(),
                    ..Counters::default()
                };
            }
        }
        self.last = Some(now);
    }

    /// Requests that reached no instance.
    pub fn unrouted(&self) -> u64 {
        let last = self.last.as_ref().map_or(0, |l| l.unrouted);
        self.carried_unrouted + last.saturating_sub(self.base.unrouted)
    }

    /// What `release` served.
    pub fn traffic(&self, release: &ReleaseId) -> ReleaseTraffic {
        let mut amount = self.carried.get(release).cloned().unwrap_or_default();
        if let Some(last) = &self.last {
            amount.add(&since(&self.base, last, release));
        }
        ReleaseTraffic {
            release: release.clone(),
            served: amount.served,
            failed: amount.failed,
            shielded: amount.shielded,
            retried: amount.retried,
            held: amount.held,
            slowest_us: amount.slowest_us,
            p99_us: amount.percentile_99(),
        }
    }

    fn carry(&mut self, last: &Counters) {
        for release in last.releases.iter().map(|r| &r.release) {
            let amount = since(&self.base, last, release);
            self.carried
                .entry(release.clone())
                .or_default()
                .add(&amount);
        }
        self.carried_unrouted += last.unrouted.saturating_sub(self.base.unrouted);
    }
}

fn since(base: &Counters, last: &Counters, release: &ReleaseId) -> Amount {
    let of = |counters: &Counters| {
        counters
            .releases
            .iter()
            .find(|r| r.release == *release)
            .cloned()
    };
    let Some(last) = of(last) else {
        return Amount::default();
    };
    let Some(base) = of(base) else {
        return Amount {
            served: last.served,
            failed: last.failed,
            shielded: last.shielded,
            retried: last.retried,
            held: last.held,
            slowest_us: last.slowest_us,
            latency: last.latency.into_iter().collect(),
        };
    };
    let before: BTreeMap<u64, u64> = base.latency.into_iter().collect();
    let latency: BTreeMap<u64, u64> = last
        .latency
        .into_iter()
        .map(|(bound, count)| {
            (
                bound,
                count.saturating_sub(before.get(&bound).copied().unwrap_or(0)),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    // The proxy keeps one maximum since its start. Where it did not rise, the highest bucket
    // that was counted in says how slow the slowest can have been.
    let highest = latency.keys().next_back().copied().unwrap_or(0);
    let slowest_us = if last.slowest_us > base.slowest_us {
        last.slowest_us
    } else {
        highest.min(last.slowest_us)
    };
    let failed = last.failed.saturating_sub(base.failed);
    Amount {
        served: last.served.saturating_sub(base.served),
        failed,
        // An older control did not count it, and began with none.
        shielded: last.shielded.saturating_sub(base.shielded).min(failed),
        retried: last.retried.saturating_sub(base.retried),
        held: last.held.saturating_sub(base.held),
        slowest_us,
        latency,
    }
}

impl Amount {
    fn add(&mut self, other: &Self) {
        self.served += other.served;
        self.failed += other.failed;
        self.shielded += other.shielded;
        self.retried += other.retried;
        self.held += other.held;
        self.slowest_us = self.slowest_us.max(other.slowest_us);
        for (bound, count) in &other.latency {
            *self.latency.entry(*bound).or_default() += count;
        }
    }

    /// The bound of the bucket in which the 99th of a hundred answers lies.
    fn percentile_99(&self) -> u64 {
        let all: u64 = self.latency.values().sum();
        let rank = (all * 99).div_ceil(100);
        let mut seen = 0;
        for (bound, count) in &self.latency {
            seen += count;
            if seen >= rank {
                return (*bound).min(self.slowest_us);
            }
        }
        0
    }
}

/// The account of `record` as of `now`, its end being `end`.
pub fn receipt(
    book: &Book,
    record: &Record,
    environment: &EnvironmentName,
    tally: &Tally,
    end: RolloutState,
    now: Timestamp,
) -> Receipt {
    let previous = record
        .previous
        .and_then(|id| book.rollouts.get(&id))
        .map(|r| r.release.clone());
    let is_shift = |s: &Step| matches!(s, Step::Shift { .. });
    let took = |is: &dyn Fn(&Step) -> bool| {
        let step = record.steps.iter().rev().find(|s| s.held() && is(&s.step));
        step.and_then(|s| s.done.as_ref())
    };
    let switch = took(&is_shift);
    let restore = took(&|s: &Step| matches!(s, Step::Restore { .. }));
    let until = switch.map_or(now, |seen| seen.at);
    let took_ms = until.duration_since(record.asked_at).as_millis();
    let releases = [Some(&record.release), previous.as_ref()];
    Receipt {
        rollout: record.id,
        service: record.service.clone(),
        environment: environment.clone(),
        release: record.release.clone(),
        took_ms: u64::try_from(took_ms).unwrap_or(0),
        switch_us: switch.and_then(|seen| seen.took_us),
        rollback_us: restore.and_then(|seen| seen.took_us),
        traffic: releases
            .into_iter()
            .flatten()
            .map(|release| tally.traffic(release))
            .collect(),
        unrouted: tally.unrouted(),
        rollback_now: crate::plan::rollback(book, &record.service).to_string(),
        previous,
        end,
    }
}

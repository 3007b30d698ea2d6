//! The proxy of the simulated world: the table that it serves and the one on its disk, what it
//! counted since its start, how targets do by its looks, and which requests are in flight.

use std::collections::BTreeMap;
use std::time::Duration;

use slipway_proxy::stats::Unrouted;
use slipway_proxy::{Bad, Health, PoolStats, Second, Stats, Table, Target, TargetStats};

use crate::tests::machine::Machine;

/// One client counts once for each kind within this long, as in the real one.
const ONCE_WITHIN: Duration = Duration::from_secs(10);
/// Seconds that are kept.
const SECONDS: usize = 15;

#[derive(Debug)]
pub(crate) struct Plane {
    /// What is served.
    pub(crate) table: Table,
    /// Whether it runs.
    pub(crate) is_up: bool,
    /// Whether it was told to say nothing to control.
    pub(crate) is_silent: bool,
    /// Whether it is one that does not tell what went badly.
    pub(crate) is_old: bool,
    /// How many starts there were.
    pub(crate) start: u64,
    began: Duration,
    pools: BTreeMap<(String, String), PoolStats>,
    unrouted: BTreeMap<String, u64>,
    looks: BTreeMap<String, Look>,
    offended: BTreeMap<(String, u64, bool), Duration>,
    pub(crate) flights: Vec<Flight>,
    /// Requests of older tables that never end, until a test says so.
    pub(crate) stuck: u64,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    health: Health,
    failures: u32,
    next: Duration,
}

/// A request that is not answered yet.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) service: String,
    pub(crate) release: String,
    pub(crate) client: u64,
    pub(crate) target: Target,
    pub(crate) generation: u64,
    pub(crate) began: Duration,
    pub(crate) ends: Duration,
}

impl Plane {
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            table: Table::default(),
            is_up: true,
            is_silent: false,
            is_old: false,
            start: 1,
            began: now,
            pools: BTreeMap::new(),
            unrouted: BTreeMap::new(),
            looks: BTreeMap::new(),
            offended: BTreeMap::new(),
            flights: Vec::new(),
            stuck: 0,
        }
    }

    /// Whether control gets an answer.
    pub(crate) fn speaks(&self) -> bool {
        self.is_up && !self.is_silent
    }

    /// It is killed; gives the requests that nobody answers any more.
    pub(crate) fn kill(&mut self) -> Vec<Flight> {
        self.is_up = false;
        std::mem::take(&mut self.flights)
    }

    /// The keeper started it again: the table is that on disk, the counts are nought.
    pub(crate) fn revive(&mut self, now: Duration) {
        *self = Self {
            table: self.table.clone(),
            is_silent: self.is_silent,
            is_old: self.is_old,
            start: self.start + 1,
            stuck: self.stuck,
            ..Self::new(now)
        };
    }

    /// Looks at every target whose turn it is.
    pub(crate) fn look(&mut self, machine: &Machine, now: Duration) {
        if !self.is_up {
            return;
        }
        let routes = self.table.routes.values();
        let targets = routes.flat_map(|r| r.pools.values().map(move |p| (r, p)));
        for (route, pool) in targets {
            let every = Duration::from_millis(route.health.every_ms.into());
            for target in &pool.targets {
                let look = self.looks.entry(target.instance.clone()).or_insert(Look {
                    health: Health::Unknown,
                    failures: 0,
                    next: now,
                });
                if look.next > now {
                    continue;
                }
                look.next = now + every;
                let answer = machine.answer(target.address, now);
                let release = answer.as_ref().ok().and_then(|a| a.release.clone());
                let is_good = answer.is_ok_and(|a| a.status < 300)
                    && release.as_deref() == Some(pool.release.as_str());
                look.failures = if is_good { 0 } else { look.failures + 1 };
                if is_good {
                    look.health = Health::Up;
                } else if look.failures >= route.health.down_after {
                    look.health = Health::Down;
                }
            }
        }
    }

    pub(crate) fn is_down(&self, target: &Target) -> bool {
        let look = self.looks.get(&target.instance);
        look.is_some_and(|l| l.health == Health::Down)
    }

    pub(crate) fn reached_nobody(&mut self, service: &str) {
        *self.unrouted.entry(service.to_owned()).or_default() += 1;
    }

    /// Counts a request that a release answered, or did not.
    pub(crate) fn count(&mut self, flight: &Flight, failed: bool, slow: bool, now: Duration) {
        let is_slow = slow
            && self.table.routes.get(&flight.service).is_some_and(|r| {
                let limit = r.slow.map(|s| s.slow_us);
                limit.is_some_and(|limit| limit < LATE_US)
            });
        let offends = |bad: bool, plane: &mut Self| {
            let key = (flight.release.clone(), flight.client, bad);
            let last = plane.offended.get(&key);
            let is_new = last.is_none_or(|at| now >= *at + ONCE_WITHIN);
            if is_new {
                plane.offended.insert(key, now);
            }
            u64::from(is_new)
        };
        let bad_failed = if failed { offends(true, self) } else { 0 };
        let bad_slow = if is_slow { offends(false, self) } else { 0 };
        let second = now.saturating_sub(self.began).as_secs();
        let key = (flight.service.clone(), flight.release.clone());
        let pool = self.pools.entry(key).or_default();
        pool.service.clone_from(&flight.service);
        pool.release.clone_from(&flight.release);
        pool.served += 1;
        pool.failed += u64::from(failed);
        let bad = pool.bad.get_or_insert_default();
        bad.failed += bad_failed;
        bad.slow += bad_slow;
        let micros = if slow { LATE_US } else { QUICK_US };
        pool.slowest_us = pool.slowest_us.max(micros);
        match pool.latency.iter_mut().find(|(bound, _)| *bound == micros) {
            Some((_, count)) => *count += 1,
            None => pool.latency.push((micros, 1)),
        }
        pool.latency.sort_unstable();
        if pool.seconds.last().is_none_or(|s| s.at != second) {
            let at = second;
            pool.seconds.push(Second {
                at,
                ..Second::default()
            });
            let old = pool.seconds.len().saturating_sub(SECONDS);
            pool.seconds.drain(..old);
        }
        if let Some(last) = pool.seconds.last_mut() {
            last.served += 1;
            last.failed += u64::from(failed);
            // Hardly ever does one client fail twice within a second.
            last.failed_clients = u32::try_from(last.failed.min(64)).unwrap_or(64);
        }
    }

    /// Requests that tables older than this one routed and that are not answered.
    pub(crate) fn older(&self, generation: u64) -> u64 {
        let older = self.flights.iter().filter(|f| f.generation < generation);
        self.stuck + u64::try_from(older.count()).unwrap_or(u64::MAX)
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut pools: Vec<PoolStats> = self.pools.values().cloned().collect();
        if self.is_old {
            for pool in &mut pools {
                pool.bad = None;
            }
        }
        for (service, route) in &self.table.routes {
            for told in route.pools.values() {
                let is_it = |p: &&mut PoolStats| p.release == told.release && p.service == *service;
                let targets = told.targets.iter().map(|t| self.target(t));
                match pools.iter_mut().find(is_it) {
                    Some(pool) => pool.targets.extend(targets),
                    None => pools.push(PoolStats {
                        service: service.clone(),
                        release: told.release.clone(),
                        targets: targets.collect(),
                        // One that answered nothing yet tells that nothing went badly.
                        bad: (!self.is_old).then(Bad::default),
                        ..PoolStats::default()
                    }),
                }
            }
        }
        let unrouted = self.unrouted.iter().map(|(service, requests)| Unrouted {
            service: service.clone(),
            requests: *requests,
            ..Unrouted::default()
        });
        Stats {
            start: format!("start {}", self.start),
            generation: self.table.generation,
            pools,
            unrouted: unrouted.collect(),
            ..Stats::default()
        }
    }

    fn target(&self, target: &Target) -> TargetStats {
        let look = self.looks.get(&target.instance);
        TargetStats {
            instance: target.instance.clone(),
            health: look.map_or(Health::Unknown, |l| l.health),
            failures: look.map_or(0, |l| l.failures),
            last_failure: None,
            in_flight: 0,
        }
    }
}

/// How long a good answer takes, and a late one, microseconds.
const QUICK_US: u64 = 10_000;
const LATE_US: u64 = 2_000_000;

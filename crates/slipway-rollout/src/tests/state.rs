//! What the simulated world consists of, and what must never happen in it: a table that leads to
//! nobody, an instance that is stopped under its visitors. Whatever did is written down.

use std::collections::VecDeque;
use std::time::Duration;

use chassis::Random;
use slipway_journal::InstanceId;
use slipway_proxy::{ClientError, Stats, Table, Target};

use crate::tests::crowd::{Crowd, Seen};
use crate::tests::machine::Machine;
use crate::tests::plane::Plane;

/// Control cannot know of a death that is as young as this.
const UNNOTICED: Duration = Duration::from_secs(2);
/// As many answers of the proxy about its counts are remembered.
const ACCOUNTS: usize = 200;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) plane: Plane,
    pub(crate) crowd: Crowd,
    pub(crate) accounts: VecDeque<Account>,
    pub(crate) violations: Vec<String>,
    /// How long requests may go on before an instance is stopped under them.
    pub(crate) window: Duration,
    /// How often answers of the proxy get lost, per cent.
    pub(crate) lossy: u64,
    /// What the visitors had seen when the proxy started.
    pub(crate) seen_at_start: Seen,
    /// Testers who wait for an answer, and whether they get none.
    pub(crate) visiting: u64,
    pub(crate) is_slow: bool,
    /// Free bytes on the disk.
    pub(crate) room: u64,
    pub(crate) passed: Duration,
    random: Random,
    /// Whether releases may never run at once.
    pub(crate) is_exclusive: bool,
    /// As many instances must be routed wherever two releases are.
    pub(crate) least: usize,
    /// The most instances that ever ran at once.
    pub(crate) most: usize,
    /// How often anything was asked for.
    pub(crate) asked: u64,
}

/// What the proxy said of its counts, and what visitors had counted by then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) at: Duration,
    pub(crate) stats: Stats,
    pub(crate) seen: Seen,
    pub(crate) seen_at_start: Seen,
}

impl State {
    pub(crate) fn new(now: Duration, seed: u64) -> Self {
        Self {
            machine: Machine::default(),
            plane: Plane::new(now),
            crowd: Crowd::new(seed ^ 0x00C0_FFEE),
            accounts: VecDeque::new(),
            violations: Vec::new(),
            window: Duration::ZERO,
            lossy: 0,
            seen_at_start: Seen::new(),
            visiting: 0,
            is_slow: false,
            room: u64::MAX,
            passed: now,
            random: Random::seeded(seed ^ 0x10_55),
            is_exclusive: false,
            least: 0,
            most: 0,
            asked: 0,
        }
    }

    /// How many of the targets take connections.
    pub(crate) fn ready(&self, targets: &[Target], now: Duration) -> usize {
        let ready = targets
            .iter()
            .filter(|t| self.machine.of(t).is_some_and(|p| p.is_ready(now)));
        ready.count()
    }

    /// Whether somebody would answer, or whether control cannot know yet that nobody does.
    fn is_anybody(&self, targets: &[Target], now: Duration) -> bool {
        targets.iter().any(|t| {
            let process = self.machine.of(t);
            process
                .is_some_and(|p| p.is_ready(now) || p.died.is_some_and(|at| now < at + UNNOTICED))
        })
    }

    fn check_table(&mut self, table: &Table, now: Duration) {
        for (service, route) in &table.routes {
            let split = route.split.as_ref().map(|s| &s.pool);
            for name in std::iter::once(&route.live).chain(split) {
                let pool = route.pools.get(name);
                let before = self.plane.table.routes.get(service);
                let before = before.and_then(|r| r.pools.get(name));
                let targets = pool.map(|p| p.targets.clone()).unwrap_or_default();
                let waits = route.hold && *name == route.live;
                // Visitors of instances that are all dead already are no worse off than before.
                let is_worse = before.is_none_or(|p| self.is_anybody(&p.targets, now));
                if !self.is_anybody(&targets, now) && is_worse && !waits {
                    self.violations.push(format!(
                        "table {} leads visitors of {service} to nobody",
                        table.generation
                    ));
                }
            }
        }
        if table.generation <= self.plane.table.generation {
            self.violations
                .push(format!("table {} comes late", table.generation));
        }
        for route in table.routes.values() {
            let Some(split) = &route.split else { continue };
            let shared = [&route.live, &split.pool];
            let shared = shared.into_iter().filter_map(|n| route.pools.get(n));
            let there: usize = shared.map(|p| self.ready(&p.targets, now)).sum();
            if there < self.least {
                self.violations.push(format!(
                    "table {} has {there} instances where {} are needed",
                    table.generation, self.least
                ));
            }
        }
    }

    pub(crate) fn check_start(&mut self, release: &str) {
        let alive = || self.machine.processes.values().filter(|p| p.is_alive());
        let others = alive().any(|p| p.release != release);
        self.most = self.most.max(alive().count());
        if others && self.is_exclusive {
            let violation = format!("{release} runs beside another release");
            self.violations.push(violation);
        }
    }

    pub(crate) fn check_stop(&mut self, instance: InstanceId, now: Duration) {
        let process = self.machine.processes.get(&instance);
        if process.is_none_or(|p| !p.is_alive()) {
            return;
        }
        let name = instance.to_string();
        let young = self
            .plane
            .flights
            .iter()
            .filter(|f| f.target.instance == name && now < f.began + self.window);
        if self.plane.stuck > 0 || young.count() > 0 {
            self.violations.push(format!(
                "{instance} is stopped while requests are in flight"
            ));
        }
        for route in self.plane.table.routes.values() {
            let split = route.split.as_ref().map(|s| &s.pool);
            let live = Some(&route.live).filter(|_| !route.hold);
            let reached = live.into_iter().chain(split);
            let mut reached = reached.filter_map(|n| route.pools.get(n));
            if reached.any(|p| p.targets.iter().any(|t| t.instance == name)) {
                self.violations
                    .push(format!("{instance} is stopped while visitors reach it"));
            }
        }
    }

    pub(crate) fn publish(&mut self, table: &Table, now: Duration) -> Result<(), ClientError> {
        self.asked += 1;
        if !self.plane.speaks() {
            return Err(silent());
        }
        let is_lost = self.random.below(100) < self.lossy;
        if is_lost && self.random.below(2) == 0 {
            return Err(silent());
        }
        self.check_table(table, now);
        if table.generation <= self.plane.table.generation {
            let refused = format!("{} is served", self.plane.table.generation);
            return Err(ClientError::Refused(refused));
        }
        self.plane.table = table.clone();
        if is_lost { Err(silent()) } else { Ok(()) }
    }

    /// What the proxy says when it is asked something.
    pub(crate) fn ask<T>(&mut self, answer: impl FnOnce(&mut Self) -> T) -> Result<T, ClientError> {
        self.asked += 1;
        if !self.plane.speaks() || self.random.below(200) < self.lossy {
            return Err(silent());
        }
        Ok(answer(self))
    }

    pub(crate) fn account(&mut self, now: Duration) -> Stats {
        let stats = self.plane.stats();
        self.accounts.push_back(Account {
            at: now,
            stats: stats.clone(),
            seen: self.crowd.seen.clone(),
            seen_at_start: self.seen_at_start.clone(),
        });
        if self.accounts.len() > ACCOUNTS {
            self.accounts.pop_front();
        }
        stats
    }
}

fn silent() -> ClientError {
    ClientError::Silent {
        socket: "nowhere".into(),
        reason: "it was told to be silent".to_owned(),
    }
}

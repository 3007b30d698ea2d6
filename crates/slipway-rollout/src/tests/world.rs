//! The world outside of the engine, made up: processes that are entries in a map, a proxy
//! that is a table, visitors who come as time goes by. It outlives every crash, and writes
//! down whatever must never happen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::Clock;
use futures_util::future::BoxFuture;
use slipway_journal::InstanceId;
use slipway_proxy::{
    ClientError, Generation, Health, PoolStats, Second, Stats, Table, TargetStats,
};
use tokio::sync::watch;

use crate::http::Answer;
use crate::process::ProcessIdentity;
use crate::runtime::clues::Clues;
use crate::runtime::{Running, Runtime, Spec};
use crate::tests::fuse::Fuse;
use crate::traffic::{Traffic, Visit};

/// The world. Clones are the same world, each with a fuse of its own.
#[derive(Debug, Clone)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
    clock: Clock,
    pub(crate) fuse: Fuse,
}

/// What the proxy tells of its counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Voice {
    /// Everything.
    #[default]
    Clear,
    /// Nothing.
    Silent,
    /// Not what went badly, as one that is older than control.
    Old,
}

#[derive(Debug, Default)]
struct State {
    processes: BTreeMap<InstanceId, Process>,
    table: Table,
    /// Releases that fail a third of their requests.
    bad: BTreeSet<String>,
    /// Releases that never answer a look well.
    sick: BTreeSet<String>,
    /// Whether releases may never run at once.
    is_exclusive: bool,
    /// As many instances must be routed wherever two releases are.
    least: usize,
    /// The most instances that ever ran at once.
    most: usize,
    counts: BTreeMap<String, PoolStats>,
    violations: Vec<String>,
    voice: Voice,
    /// Testers who wait for an answer, and whether they get none.
    visiting: u64,
    is_slow: bool,
    /// Requests that older tables routed and that are not answered yet.
    in_flight: u64,
}

#[derive(Debug, Clone)]
struct Process {
    release: String,
    running: Running,
    is_alive: bool,
}

impl World {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            state: Arc::default(),
            changed: watch::Sender::new(0),
            clock,
            fuse: Fuse::default(),
        }
    }

    pub(crate) fn with(&self, fuse: Fuse) -> Self {
        Self {
            fuse,
            ..self.clone()
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.send_modify(|n| *n += 1);
        result
    }

    pub(crate) fn make_bad(&self, release: &str) {
        self.state().bad.insert(release.to_owned());
    }

    pub(crate) fn make_sick(&self, release: &str) {
        self.state().sick.insert(release.to_owned());
    }

    /// From now on two releases may never run at once.
    pub(crate) fn make_exclusive(&self) {
        self.state().is_exclusive = true;
    }

    /// From now on so many instances must be there for visitors while two releases share them.
    pub(crate) fn need(&self, least: usize) {
        let mut state = self.state();
        state.least = least;
        state.most = 0;
    }

    /// The most instances that ran at once since `need`.
    pub(crate) fn most(&self) -> usize {
        self.state().most
    }

    pub(crate) fn silence_proxy(&self, silent: bool) {
        self.state().voice = if silent { Voice::Silent } else { Voice::Clear };
    }

    /// The proxy that runs is an older one, or not.
    pub(crate) fn make_proxy_old(&self, is_old: bool) {
        self.state().voice = if is_old { Voice::Old } else { Voice::Clear };
    }

    /// Testers get their answers late, or not.
    pub(crate) fn slow_down(&self, is_slow: bool) {
        self.change(|state| state.is_slow = is_slow);
    }

    /// How many testers wait for an answer.
    pub(crate) fn visiting(&self) -> u64 {
        self.state().visiting
    }

    /// So many requests of older tables are not answered yet.
    pub(crate) fn keep_in_flight(&self, requests: u64) {
        self.change(|state| state.in_flight = requests);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// How many instances of each release run.
    pub(crate) fn alive(&self) -> BTreeMap<String, usize> {
        let mut alive = BTreeMap::new();
        for process in self.state().processes.values().filter(|p| p.is_alive) {
            *alive.entry(process.release.clone()).or_default() += 1;
        }
        alive
    }

    /// Kills the `n`th instance that runs, where there are as many.
    pub(crate) fn kill(&self, n: usize) {
        self.change(|state| {
            let victim = state.processes.values_mut().filter(|p| p.is_alive).nth(n);
            if let Some(victim) = victim {
                victim.is_alive = false;
            }
        });
    }

    /// Kills one instance of a release.
    pub(crate) fn kill_one(&self, release: &str) {
        self.change(|state| {
            let of_release = |p: &&mut Process| p.release == release && p.is_alive;
            if let Some(victim) = state.processes.values_mut().find(of_release) {
                victim.is_alive = false;
            }
        });
    }

    /// Kills every instance of a release.
    pub(crate) fn kill_all(&self, release: &str) {
        self.change(|state| {
            let of_release = |p: &&mut Process| p.release == release;
            for process in state.processes.values_mut().filter(of_release) {
                process.is_alive = false;
            }
        });
    }

    /// How many instances that run visitors reach; none where they wait.
    pub(crate) fn reached(&self) -> usize {
        let state = self.state();
        let Some(route) = state.table.routes.values().find(|r| !r.hold) else {
            return 0;
        };
        let live = route.pools.get(&route.live);
        live.map_or(0, |pool| state.targets_alive(&pool.targets))
    }

    /// The release that visitors reach.
    pub(crate) fn live(&self) -> Option<String> {
        let state = self.state();
        let route = state.table.routes.values().next()?;
        Some(route.pools.get(&route.live)?.release.clone())
    }
}

impl State {
    fn targets_alive(&self, targets: &[slipway_proxy::Target]) -> usize {
        let alive = |t: &&slipway_proxy::Target| {
            let process = t.instance.parse().ok().and_then(|i| self.processes.get(&i));
            process.is_some_and(|p: &Process| p.is_alive)
        };
        targets.iter().filter(alive).count()
    }

    fn check_table(&mut self, table: &Table) {
        for (service, route) in &table.routes {
            let live = route.pools.get(&route.live);
            let before = self.table.routes.get(service);
            let before = before.and_then(|r| r.pools.get(&r.live));
            // Visitors of instances that died meanwhile are no worse off than before.
            let targets = live.map(|p| p.targets.clone()).unwrap_or_default();
            if self.targets_alive(&targets) == 0 && before != live {
                self.violations.push(format!(
                    "table {} leads visitors of {service} to nobody",
                    table.generation
                ));
            }
            let share = route.split.as_ref().and_then(|s| route.pools.get(&s.pool));
            let there =
                share.map(|s| self.targets_alive(&s.targets) + self.targets_alive(&targets));
            if there.is_some_and(|there| there < self.least) {
                self.violations.push(format!(
                    "table {} has {there:?} instances where {} are needed",
                    table.generation, self.least
                ));
            }
        }
    }

    fn check_start(&mut self, started: &Process) {
        let alive = || self.processes.values().filter(|p| p.is_alive);
        let others = alive().any(|p| p.release != started.release);
        self.most = self.most.max(alive().count());
        if others && self.is_exclusive {
            let violation = format!("{} runs beside another release", started.release);
            self.violations.push(violation);
        }
    }

    fn check_stop(&mut self, instance: InstanceId) {
        if self.in_flight > 0 {
            self.violations.push(format!(
                "{instance} is stopped while requests are in flight"
            ));
        }
        let name = instance.to_string();
        for route in self.table.routes.values() {
            let live = route.pools.get(&route.live).filter(|_| !route.hold);
            if live.is_some_and(|p| p.targets.iter().any(|t| t.instance == name)) {
                self.violations
                    .push(format!("{instance} is stopped while visitors reach it"));
            }
        }
    }

    /// Visitors who came since the last look: ten each time, and ten more where a share of
    /// them goes elsewhere.
    fn visit(&mut self, second: u64) {
        let Some(route) = self.table.routes.values().find(|r| !r.hold) else {
            return;
        };
        let names = std::iter::once(&route.live).chain(route.split.as_ref().map(|s| &s.pool));
        let pools = names.filter_map(|name| route.pools.get(name));
        let releases: Vec<String> = pools.map(|pool| pool.release.clone()).collect();
        for release in releases {
            self.visit_release(&release, second);
        }
    }

    fn visit_release(&mut self, release: &str, second: u64) {
        let failed = if self.bad.contains(release) { 3 } else { 0 };
        let counts = self.counts.entry(release.to_owned()).or_default();
        release.clone_into(&mut counts.release);
        counts.service = "shop".to_owned();
        counts.served += 10;
        counts.failed += failed;
        counts.bad.get_or_insert_default().failed += failed;
        if counts.seconds.last().is_none_or(|s| s.at != second) {
            counts.seconds.push(Second {
                at: second,
                ..Second::default()
            });
        }
        if let Some(now) = counts.seconds.last_mut() {
            now.served += 10;
            now.failed += failed;
            now.failed_clients = u32::try_from(now.failed).unwrap_or(64).min(64);
        }
    }

    fn stats(&self) -> Stats {
        let mut pools: Vec<PoolStats> = self.counts.values().cloned().collect();
        for pool in &mut pools {
            if self.voice == Voice::Old {
                pool.bad = None;
            }
            let routes = self.table.routes.values().flat_map(|r| r.pools.values());
            for target in routes
                .filter(|p| p.release == pool.release)
                .flat_map(|p| &p.targets)
            {
                let is_alive = self.targets_alive(std::slice::from_ref(target)) == 1;
                pool.targets.push(TargetStats {
                    instance: target.instance.clone(),
                    health: if is_alive { Health::Up } else { Health::Down },
                    failures: 0,
                    last_failure: None,
                    in_flight: 0,
                });
            }
        }
        Stats {
            start: "the only one".to_owned(),
            generation: self.table.generation,
            pools,
            ..Stats::default()
        }
    }
}

fn silent() -> ClientError {
    ClientError::Silent {
        socket: "nowhere".into(),
        reason: "it was told to be silent".to_owned(),
    }
}

impl Traffic for World {
    fn table(&self) -> BoxFuture<'_, Result<Table, ClientError>> {
        Box::pin(async {
            let state = self.state();
            if state.voice == Voice::Silent {
                Err(silent())
            } else {
                Ok(state.table.clone())
            }
        })
    }

    fn publish<'a>(&'a self, table: &'a Table) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            self.fuse.burn("before publish").await;
            let published = self.change(|state| {
                if state.voice == Voice::Silent {
                    return Err(silent());
                }
                if table.generation <= state.table.generation {
                    let refused = format!("{} is served", state.table.generation);
                    return Err(ClientError::Refused(refused));
                }
                state.check_table(table);
                state.table = table.clone();
                Ok(())
            });
            self.fuse.burn("after publish").await;
            published
        })
    }

    fn drained(
        &self,
        _generation: Generation,
        _within: Duration,
    ) -> BoxFuture<'_, Result<u64, ClientError>> {
        Box::pin(async {
            let mut changed = self.changed.subscribe();
            loop {
                {
                    let state = self.state();
                    if state.voice == Voice::Silent {
                        return Err(silent());
                    }
                    if state.in_flight == 0 {
                        return Ok(0);
                    }
                }
                if changed.changed().await.is_err() {
                    return Err(silent());
                }
            }
        })
    }

    fn stats(&self) -> BoxFuture<'_, Result<Stats, ClientError>> {
        Box::pin(async {
            let second = self.clock.monotonic().as_secs();
            self.change(|state| {
                if state.voice == Voice::Silent {
                    return Err(silent());
                }
                state.visit(second);
                Ok(state.stats())
            })
        })
    }

    fn visit<'a>(&'a self, visit: Visit<'a>) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let mut changed = self.changed.subscribe();
            self.change(|state| state.visiting += 1);
            while self.state().is_slow {
                changed.changed().await.map_err(|e| e.to_string())?;
            }
            let mut state = self.state();
            state.visiting -= 1;
            let route = state.table.routes.get("shop").ok_or("no route")?;
            let preview = route.preview.as_ref().filter(|p| p.token == visit.token);
            let name = preview.map_or(&route.live, |p| &p.pool);
            let pool = route.pools.get(name).ok_or("no pool")?;
            Ok(answer(&pool.release))
        })
    }
}

impl Runtime for World {
    fn start(&self, spec: Spec) -> BoxFuture<'_, Result<Running, String>> {
        Box::pin(async move {
            self.fuse.burn("before start").await;
            let running = self.change(|state| {
                let number = i32::try_from(state.processes.len()).unwrap_or(0) + 1;
                let port = 20_000 + u16::try_from(number).unwrap_or(0);
                let process = state
                    .processes
                    .entry(spec.instance)
                    .or_insert_with(|| Process {
                        release: spec.release.to_string(),
                        running: Running {
                            identity: ProcessIdentity {
                                pid: number,
                                start_ticks: 1,
                                boot: "this one".to_owned(),
                            },
                            address: SocketAddr::from(([127, 0, 0, 1], port)),
                        },
                        is_alive: true,
                    });
                let process = process.clone();
                state.check_start(&process);
                process.is_alive.then(|| process.running.clone())
            });
            self.fuse.burn("after start").await;
            running.ok_or_else(|| "it was killed before".to_owned())
        })
    }

    fn find(&self, instance: InstanceId) -> BoxFuture<'_, Result<Option<Running>, String>> {
        Box::pin(async move {
            let state = self.state();
            let process = state.processes.get(&instance).filter(|p| p.is_alive);
            Ok(process.map(|p| p.running.clone()))
        })
    }

    fn stop(
        &self,
        instance: InstanceId,
        _grace: Duration,
    ) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            self.fuse.burn("before stop").await;
            self.change(|state| {
                state.check_stop(instance);
                if let Some(process) = state.processes.get_mut(&instance) {
                    process.is_alive = false;
                }
            });
            self.fuse.burn("after stop").await;
            Ok("ended when asked".to_owned())
        })
    }

    fn ended(&self, instance: InstanceId) -> BoxFuture<'_, String> {
        Box::pin(async move {
            let mut changed = self.changed.subscribe();
            loop {
                {
                    let state = self.state();
                    if state.processes.get(&instance).is_none_or(|p| !p.is_alive) {
                        return "killed".to_owned();
                    }
                }
                if changed.changed().await.is_err() {
                    return "the world ended".to_owned();
                }
            }
        })
    }

    fn run(&self, _spec: Spec, _within: Duration) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async {
            self.fuse.burn("before run").await;
            self.fuse.burn("after run").await;
            Ok(String::new())
        })
    }

    fn probe<'a>(
        &'a self,
        address: SocketAddr,
        _path: &'a str,
        _within: Duration,
    ) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let state = self.state();
            let process = state
                .processes
                .values()
                .find(|p| p.running.address == address && p.is_alive);
            process
                .map(|p| Answer {
                    status: if state.sick.contains(&p.release) {
                        503
                    } else {
                        200
                    },
                    ..answer(&p.release)
                })
                .ok_or_else(|| "connection refused".to_owned())
        })
    }

    fn holds(&self, _instance: InstanceId, _address: SocketAddr) -> BoxFuture<'_, bool> {
        Box::pin(async { false })
    }

    fn clues(&self, _instance: InstanceId) -> BoxFuture<'_, Clues> {
        Box::pin(async { Clues::default() })
    }

    fn room(&self) -> Result<u64, String> {
        Ok(u64::MAX)
    }
}

fn answer(release: &str) -> Answer {
    Answer {
        status: 200,
        release: Some(release.to_owned()),
        body: String::new(),
    }
}

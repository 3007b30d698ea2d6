//! The world outside of the engine, made up: a machine with processes, a proxy with a table,
//! visitors who come as time goes by. It outlives every crash, and writes down whatever must
//! never happen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::Clock;
use futures_util::future::BoxFuture;
use slipway_journal::InstanceId;
use slipway_proxy::{ClientError, Generation, Stats, Table};

use crate::changes::Changes;
use crate::http::Answer;
use crate::runtime::clues::Clues;
use crate::runtime::{Running, Runtime, Spec};
use crate::tests::fuse::Fuse;
use crate::tests::hands::Hands;
use crate::tests::machine::{Mood, Process, answer};
use crate::tests::state::State;
use crate::tests::story::Story;
use crate::traffic::{Traffic, Visit};

/// A probe that gets no answer takes so long.
const PROBE: Duration = Duration::from_secs(2);

/// The world. Clones are the same world, each with a fuse of its own.
#[derive(Debug, Clone)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    changed: Changes,
    clock: Clock,
    hands: Arc<Hands>,
    pub(crate) fuse: Fuse,
    pub(crate) story: Story,
}

impl World {
    pub(crate) fn new(clock: Clock, hands: Arc<Hands>, seed: u64) -> Self {
        let state = State::new(clock.monotonic(), seed);
        Self {
            state: Arc::new(Mutex::new(state)),
            changed: Changes::default(),
            clock,
            hands,
            fuse: Fuse::default(),
            story: Story::default(),
        }
    }

    pub(crate) fn with(&self, fuse: Fuse) -> Self {
        Self {
            fuse,
            ..self.clone()
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and lets everybody know who waits for that.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.tell();
        result
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Lets everything happen that time brings.
    pub(crate) fn pass(&self) {
        let now = self.now();
        self.change(|state| {
            let span = now.saturating_sub(state.passed);
            state.passed = now;
            let State {
                machine,
                plane,
                crowd,
                ..
            } = state;
            machine.age(now);
            plane.look(machine, now);
            crowd.land(plane, machine, now);
            crowd.come(plane, machine, span, now);
        });
    }

    pub(crate) fn make_bad(&self, release: &str) {
        self.change(|state| state.machine.turn(release, Mood::Fails(30)));
    }

    /// It never answers a look well.
    pub(crate) fn make_sick(&self, release: &str) {
        self.change(|state| state.machine.turn(release, Mood::Deaf));
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

    /// How many instances that run visitors reach; none where they wait.
    pub(crate) fn reached(&self) -> usize {
        let (state, now) = (self.state(), self.now());
        let Some(route) = state.plane.table.routes.values().find(|r| !r.hold) else {
            return 0;
        };
        let live = route.pools.get(&route.live);
        live.map_or(0, |pool| state.ready(&pool.targets, now))
    }

    pub(crate) fn silence_proxy(&self, silent: bool) {
        self.change(|state| state.plane.is_silent = silent);
    }

    /// The proxy that runs is an older one, which does not tell what went badly, or not.
    pub(crate) fn make_proxy_old(&self, is_old: bool) {
        self.change(|state| state.plane.is_old = is_old);
    }

    /// Kills the proxy with everything that is in flight in it.
    pub(crate) fn kill_proxy(&self) {
        self.change(|state| {
            let lost = state.plane.kill();
            state.crowd.lose(&lost);
        });
    }

    /// Starts it again.
    pub(crate) fn revive_proxy(&self) {
        let now = self.now();
        self.change(|state| {
            state.plane.revive(now);
            state.seen_at_start = state.crowd.seen.clone();
        });
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
        self.change(|state| state.plane.stuck = requests);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// How many instances of each release run.
    pub(crate) fn alive(&self) -> BTreeMap<String, usize> {
        let mut alive = BTreeMap::new();
        let state = self.state();
        for process in state.machine.processes.values().filter(|p| p.is_alive()) {
            *alive.entry(process.release.clone()).or_default() += 1;
        }
        alive
    }

    /// Kills the `n`th instance that runs, where there are as many.
    pub(crate) fn kill(&self, n: usize) {
        let now = self.now();
        self.change(|state| {
            let mut alive = state.machine.processes.values_mut();
            let victim = alive.by_ref().filter(|p| p.is_alive()).nth(n);
            if let Some(victim) = victim {
                victim.died = Some(now);
            }
        });
    }

    /// Kills so many instances of a release at most.
    pub(crate) fn kill_of(&self, release: &str, most: usize) {
        let now = self.now();
        let of_release = |p: &Process| p.release == release;
        self.change(|state| state.machine.kill(now, of_release, most));
    }

    /// Kills one instance of a release.
    pub(crate) fn kill_one(&self, release: &str) {
        self.kill_of(release, 1);
    }

    /// Kills every instance of a release.
    pub(crate) fn kill_all(&self, release: &str) {
        self.kill_of(release, usize::MAX);
    }

    /// The release that visitors reach.
    pub(crate) fn live(&self) -> Option<String> {
        let state = self.state();
        let route = state.plane.table.routes.values().next()?;
        Some(route.pools.get(&route.live)?.release.clone())
    }

    fn tell(&self, who: &'static str, what: impl FnOnce() -> String) {
        self.story.tell(self.now(), who, what);
    }
}

impl Traffic for World {
    fn table(&self) -> BoxFuture<'_, Result<Table, ClientError>> {
        Box::pin(async { self.state().ask(|state| state.plane.table.clone()) })
    }

    fn publish<'a>(&'a self, table: &'a Table) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            self.fuse.burn("before publish").await;
            let now = self.now();
            let published = self.change(|state| state.publish(table, now));
            self.tell("proxy", || {
                format!("table {}: {published:?} {}", table.generation, shown(table))
            });
            self.fuse.burn("after publish").await;
            published
        })
    }

    fn drained(
        &self,
        generation: Generation,
        within: Duration,
    ) -> BoxFuture<'_, Result<u64, ClientError>> {
        Box::pin(async move {
            let mut changed = self.changed.listen();
            let until = self.now() + within;
            loop {
                let left = self.state().ask(|state| state.plane.older(generation.0))?;
                if left == 0 || self.now() >= until {
                    return Ok(left);
                }
                changed.changed().await;
            }
        })
    }

    fn stats(&self) -> BoxFuture<'_, Result<Stats, ClientError>> {
        let now = self.now();
        Box::pin(async move { self.state().ask(|state| state.account(now)) })
    }

    fn visit<'a>(&'a self, visit: Visit<'a>) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let mut changed = self.changed.listen();
            self.change(|state| state.visiting += 1);
            while self.state().is_slow {
                changed.changed().await;
            }
            let now = self.now();
            let mut state = self.state();
            state.visiting -= 1;
            if !state.plane.is_up {
                return Err("connection refused".to_owned());
            }
            let mut routes = state.plane.table.routes.values();
            let shown = routes.find_map(|route| {
                let preview = route.preview.as_ref()?;
                let pool = route.pools.get(&preview.pool)?;
                (preview.token == visit.token).then_some(pool)
            });
            let pool = shown.ok_or("no such preview")?;
            let mut targets = pool.targets.iter();
            if !targets.any(|t| state.machine.of(t).is_some_and(|p| p.is_ready(now))) {
                return Err("nobody is there".to_owned());
            }
            match state.machine.mood(&pool.release).failing() {
                100 => Ok(answer(500, &pool.release)),
                _ => Ok(answer(200, &pool.release)),
            }
        })
    }
}

impl Runtime for World {
    fn start(&self, spec: Spec) -> BoxFuture<'_, Result<Running, String>> {
        Box::pin(async move {
            self.fuse.burn("before start").await;
            let now = self.now();
            let running = self.change(|state| {
                let running = state.machine.start(&spec, now);
                state.check_start(spec.release.as_str());
                running
            });
            let number = self.story.named("instance-") + 1;
            self.story
                .name(&spec.instance.to_string(), || format!("instance-{number}"));
            self.tell("machine", || {
                format!("starts {} of {}", spec.instance, spec.release)
            });
            self.fuse.burn("after start").await;
            running.ok_or_else(|| "it cannot be started, or was killed before".to_owned())
        })
    }

    fn find(&self, instance: InstanceId) -> BoxFuture<'_, Result<Option<Running>, String>> {
        Box::pin(async move {
            let state = self.state();
            let process = state.machine.processes.get(&instance);
            let alive = process.filter(|p| p.is_alive());
            Ok(alive.map(|p| p.running.clone()))
        })
    }

    fn stop(
        &self,
        instance: InstanceId,
        _grace: Duration,
    ) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            self.fuse.burn("before stop").await;
            let now = self.now();
            self.change(|state| {
                state.check_stop(instance, now);
                if let Some(process) = state.machine.processes.get_mut(&instance) {
                    process.died.get_or_insert(now);
                }
            });
            self.tell("machine", || format!("stops {instance}"));
            self.fuse.burn("after stop").await;
            Ok("ended when asked".to_owned())
        })
    }

    fn ended(&self, instance: InstanceId) -> BoxFuture<'_, String> {
        Box::pin(async move {
            let mut changed = self.changed.listen();
            loop {
                {
                    let state = self.state();
                    let process = state.machine.processes.get(&instance);
                    if process.is_none_or(|p| !p.is_alive()) {
                        return "killed".to_owned();
                    }
                }
                changed.changed().await;
            }
        })
    }

    fn run(&self, spec: Spec, _within: Duration) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            self.fuse.burn("before run").await;
            let is_unfit = self
                .state()
                .machine
                .unfit
                .contains(&spec.release.to_string());
            self.fuse.burn("after run").await;
            if is_unfit {
                Err("no such table".to_owned())
            } else {
                Ok(String::new())
            }
        })
    }

    fn probe<'a>(
        &'a self,
        address: SocketAddr,
        _path: &'a str,
        _within: Duration,
    ) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let now = self.now();
            let answer = self.state().machine.answer(address, now);
            if answer.as_ref().is_err_and(|e| e == "no answer") {
                self.hands.sleep(PROBE).await;
            }
            answer
        })
    }

    fn holds(&self, _instance: InstanceId, _address: SocketAddr) -> BoxFuture<'_, bool> {
        Box::pin(async { false })
    }

    fn clues(&self, _instance: InstanceId) -> BoxFuture<'_, Clues> {
        Box::pin(async { Clues::default() })
    }

    fn room(&self) -> Result<u64, String> {
        Ok(self.state().room)
    }
}

/// Where a table leads to, in a line.
fn shown(table: &Table) -> String {
    let routes = table.routes.iter().map(|(service, route)| {
        let of = |name: &String| {
            let pool = route.pools.get(name);
            pool.map_or_else(String::new, |p| {
                format!("{} x{}", p.release, p.targets.len())
            })
        };
        let split = route.split.as_ref();
        let split = split.map_or_else(String::new, |s| format!(", {} {}", s.weight, of(&s.pool)));
        format!("{service} to {}{split}", of(&route.live))
    });
    routes.collect::<Vec<_>>().join("; ")
}

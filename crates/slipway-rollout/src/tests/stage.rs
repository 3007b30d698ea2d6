//! A stage for one simulation: the world, simulated time, a journal on disk or in memory,
//! releases on disk, and the engine that is started on it again and again.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chassis::{Clock, Random, Shutdown};
use jiff::Timestamp;
use slipway_journal::{Actor, EnvironmentName, Journal, Manifest, ReleaseId, ServiceName};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::book::Book;
use crate::core::{Core, ServiceSettings};
use crate::engine::Engine;
use crate::ledger::{Ledger, Paper};
use crate::pace::Pace;
use crate::policy::Policy;
use crate::shelf::Shelf;
use crate::tests::fuse::Fuse;
use crate::tests::hands::Hands;
use crate::tests::paper::Sheets;
use crate::tests::story::Story;
use crate::tests::world::World;

/// As many steps of time belong to a simulation that ends.
const TICKS: usize = 20_000;
/// Turns of the tasks after which nothing happens any more, if nothing did.
const TURNS: usize = 8;

pub(crate) struct Stage {
    folder: TempDir,
    clock: Clock,
    pub(crate) hands: Arc<Hands>,
    random: Random,
    pub(crate) world: World,
    /// The journal, where it is in memory.
    pub(crate) sheets: Option<Sheets>,
    pub(crate) service: ServiceName,
    pub(crate) policy: Policy,
    /// Services beside the first, and how their rollouts go.
    pub(crate) others: BTreeMap<ServiceName, Policy>,
    /// Time goes on by so much at most at once.
    pub(crate) beat: Duration,
    running: Option<(Engine, Shutdown)>,
    fuse: Fuse,
}

pub(crate) fn person() -> Actor {
    Actor::Person("thandi".into())
}

pub(crate) fn environment() -> EnvironmentName {
    "production".parse().unwrap()
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (clock, manual) = Clock::manual(start);
        let hands = Arc::new(Hands::new(clock.clone(), manual));
        Self {
            folder,
            random: Random::seeded(seed),
            world: World::new(clock.clone(), Arc::clone(&hands), seed),
            hands,
            clock,
            sheets: None,
            service: "shop".parse().unwrap(),
            policy: Policy {
                bake: Duration::from_secs(5),
                ..Policy::default()
            },
            others: BTreeMap::new(),
            beat: Duration::from_millis(100),
            running: None,
            fuse: Fuse::default(),
        }
    }

    /// The same as `in_memory`, of which nobody wants to hear the story.
    pub(crate) fn quiet(seed: u64) -> Self {
        Self::in_memory(seed, Story::default())
    }

    /// A stage on which nothing happens outside of simulated time: the same seed gives the same
    /// course.
    pub(crate) fn in_memory(seed: u64, story: Story) -> Self {
        let mut stage = Self::new(seed);
        let mut sheets = Sheets::new(stage.clock.clone(), Arc::clone(&stage.hands));
        sheets.story = story.clone();
        stage.world.story = story;
        stage.sheets = Some(sheets);
        stage
    }

    pub(crate) fn release(&self, name: &str) -> ReleaseId {
        self.release_of(&self.service, name)
    }

    pub(crate) fn release_of(&self, service: &ServiceName, name: &str) -> ReleaseId {
        let manifest = Manifest {
            service: service.clone(),
            start: vec![name.to_owned()],
            migrate: Some(vec!["migrate".to_owned()]),
            health: "/health".to_owned(),
            preview: vec!["/".to_owned()],
            workers: BTreeMap::new(),
            files: Vec::new(),
        };
        let folder = self.folder.path().join(manifest.id().as_str());
        fs::create_dir_all(folder.join("content")).unwrap();
        let text = serde_json::to_vec(&manifest).unwrap();
        fs::write(folder.join("manifest.json"), text).unwrap();
        fs::write(folder.join("provenance.json"), r#"{"verdicts":[]}"#).unwrap();
        manifest.id()
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    pub(crate) fn engine(&self) -> Engine {
        self.running.as_ref().unwrap().0.clone()
    }

    pub(crate) fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    /// Starts an engine that is killed at a point.
    pub(crate) async fn start(&mut self, fuse: Fuse) {
        self.fuse = fuse.clone();
        let paper = self.paper(fuse.clone()).await;
        let ledger = Ledger::open(paper, environment(), fuse.clone())
            .await
            .unwrap();
        let world = Arc::new(self.world.with(fuse));
        let shutdown = Shutdown::new();
        let core = Core {
            ledger,
            traffic: world.clone(),
            runtime: world,
            shelf: Shelf::new(self.folder.path().to_owned()),
            pace: Pace::simulated(self.clock.clone(), Arc::clone(&self.hands)),
            random: self.random.clone(),
            environment: environment(),
            services: RwLock::default(),
            standings: RwLock::default(),
            shutdown: shutdown.clone(),
            publishing: Mutex::new(()),
        };
        let starting = Engine::run(core, self.settings());
        match self.alive(starting).await {
            Some(Ok(engine)) => self.running = Some((engine, shutdown)),
            // What it cannot write down at its start ends it; the keeper starts it again.
            Some(Err(error)) => {
                assert!(self.sheets.is_some(), "{error}");
                shutdown.request();
            }
            None => shutdown.request(),
        }
    }

    /// What the services are to get.
    pub(crate) fn settings(&self) -> BTreeMap<ServiceName, ServiceSettings> {
        let first = (&self.service, &self.policy);
        let all = std::iter::once(first).chain(&self.others);
        let settings = |policy: &Policy| ServiceSettings {
            policy: policy.clone(),
            ..ServiceSettings::default()
        };
        all.map(|(name, policy)| (name.clone(), settings(policy)))
            .collect()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some() && !self.fuse.is_burnt()
    }

    /// Whether control was killed, and is not cleared away yet.
    pub(crate) fn is_dead(&self) -> bool {
        self.running.is_some() && self.fuse.is_burnt()
    }

    /// Whatever is still running of the engine is gone, and nothing was said to it.
    pub(crate) async fn crash(&mut self) {
        if let Some((engine, shutdown)) = self.running.take() {
            shutdown.request();
            drop(engine);
        }
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    /// The journal, once the writer before is gone.
    async fn paper(&self, fuse: Fuse) -> Arc<dyn Paper> {
        if let Some(sheets) = &self.sheets {
            return Arc::new(sheets.with(fuse));
        }
        let path = self.folder.path().join("journal.db");
        testkit::wait::answer(Duration::from_secs(30), async || {
            Journal::open(&path, self.clock.clone()).await.ok()
        })
        .await
        .map(|journal| -> Arc<dyn Paper> { Arc::new(journal) })
        .unwrap()
    }

    /// What the journal says.
    pub(crate) async fn book(&self) -> Book {
        if let Some(sheets) = &self.sheets {
            return Book::of(environment(), &sheets.entries());
        }
        let path = self.folder.path().join("journal.db");
        let entries = slipway_journal::replay_file(&path).await.unwrap();
        Book::of(environment(), &entries)
    }

    /// Lets time go by until `work` is done; none when control is killed before.
    pub(crate) async fn alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        for _ in 0..TICKS {
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = self.settle() => {}
            }
            if self.fuse.is_burnt() {
                return None;
            }
            self.tick();
        }
        panic!("the simulation does not end");
    }

    /// Lets time go by until `is_so`, or control is killed; whether it was.
    pub(crate) async fn until(&self, mut is_so: impl FnMut(&Book) -> bool) -> bool {
        let engine = self.engine();
        for _ in 0..TICKS {
            self.settle().await;
            if self.fuse.is_burnt() {
                return false;
            }
            if is_so(&engine.book()) {
                return true;
            }
            self.tick();
        }
        panic!("it never is so: {:#?}", engine.book());
    }

    /// Lets time go by until the next thing happens.
    pub(crate) fn tick(&self) {
        self.hands.tick(self.beat);
        self.world.pass();
    }

    /// Waits until everybody waits for time to go by, or control is killed.
    pub(crate) async fn settle(&self) {
        if self.sheets.is_some() {
            return self.settle_in_memory().await;
        }
        loop {
            for _ in 0..30 {
                tokio::task::yield_now().await;
            }
            if self.fuse.is_burnt() || !self.fuse.is_busy() {
                return;
            }
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    }

    /// The same where nothing happens outside of this thread.
    async fn settle_in_memory(&self) {
        let mut before = None;
        while before != Some(self.happened()) && !self.fuse.is_burnt() {
            before = Some(self.happened());
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Grows with everything that the engine does.
    fn happened(&self) -> (u64, u64, usize) {
        let written = self.sheets.as_ref().map_or(0, Sheets::len);
        (self.world.state().asked, self.hands.waited(), written)
    }
}

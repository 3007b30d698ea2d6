//! A stage for one simulation: the world, simulated time, a real journal on disk, releases on
//! disk, and the engine that is started on it again and again.

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
use crate::ledger::Ledger;
use crate::pace::Pace;
use crate::policy::Policy;
use crate::shelf::Shelf;
use crate::tests::fuse::Fuse;
use crate::tests::hands::Hands;
use crate::tests::world::World;

/// As many steps of time belong to a simulation that ends.
const TICKS: usize = 20_000;

pub(crate) struct Stage {
    folder: TempDir,
    clock: Clock,
    hands: Arc<Hands>,
    random: Random,
    pub(crate) world: World,
    pub(crate) service: ServiceName,
    pub(crate) policy: Policy,
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
        Self {
            folder,
            hands: Arc::new(Hands::new(clock.clone(), manual)),
            random: Random::seeded(seed),
            world: World::new(clock.clone()),
            clock,
            service: "shop".parse().unwrap(),
            policy: Policy {
                bake: Duration::from_secs(5),
                ..Policy::default()
            },
            running: None,
            fuse: Fuse::default(),
        }
    }

    pub(crate) fn release(&self, name: &str) -> ReleaseId {
        let manifest = Manifest {
            service: self.service.clone(),
            start: vec![name.to_owned()],
            migrate: Some(vec!["migrate".to_owned()]),
            health: "/health".to_owned(),
            preview: vec!["/".to_owned()],
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
        let journal = self.journal().await;
        let ledger = Ledger::open(journal, environment(), fuse.clone())
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
        let settings = ServiceSettings {
            policy: self.policy.clone(),
            ..ServiceSettings::default()
        };
        let services = BTreeMap::from([(self.service.clone(), settings)]);
        let starting = Engine::run(core, services);
        if let Some(engine) = self.alive(starting).await {
            self.running = Some((engine.unwrap(), shutdown));
        } else {
            shutdown.request();
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some() && !self.fuse.is_burnt()
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
    async fn journal(&self) -> Journal {
        let path = self.folder.path().join("journal.db");
        testkit::wait::answer(Duration::from_secs(30), async || {
            Journal::open(&path, self.clock.clone()).await.ok()
        })
        .await
        .unwrap()
    }

    /// What the journal says.
    pub(crate) async fn book(&self) -> Book {
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
            self.hands.tick();
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
            if !self.hands.tick() {
                break;
            }
        }
        panic!("it never is so: {:#?}", engine.book());
    }

    /// Waits until everybody waits for time to go by, or control is killed.
    async fn settle(&self) {
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
}

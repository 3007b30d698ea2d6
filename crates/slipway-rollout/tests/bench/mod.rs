//! A workshop for rollouts: a real proxy on real sockets, a real journal, releases whose
//! processes are the example `instance`, and visitors. Everything is gone with it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::{Clock, Random, Shutdown};
use rustix::process::Signal;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{Receipt, RolloutState};
use slipway_journal::{
    Actor, EnvironmentName, Event, Journal, Manifest, Outcome, ReleaseFile, ReleaseId, RolloutId,
    ServiceName,
};
use slipway_rollout::process::ProcessIdentity;
use slipway_rollout::{Engine, Ground, Order, Policy, Refusal, ServiceSettings};
use tempfile::TempDir;
use testkit::tally::Tally;
use testkit::visitor::Visitor;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Speaks as `slipway launch` does.
const LAUNCHER: &str = r#"#!/bin/sh
set -e
while [ $# -gt 0 ]; do
  case "$1" in
    --uid) uid=$2; shift 2;;
    --gid) gid=$2; shift 2;;
    --folder) cd "$2"; shift 2;;
    --) shift; break;;
  esac
done
if [ -n "$uid" ]; then exec setsid setpriv --reuid "$uid" --regid "$gid" --clear-groups -- "$@"; fi
exec setsid "$@"
"#;

pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) service: ServiceName,
    pub(crate) public: SocketAddr,
    proxy: Shutdown,
    control: Option<Control>,
    policy: Policy,
}

struct Control {
    engine: Engine,
    journal: Journal,
    shutdown: Shutdown,
}

pub(crate) fn person() -> Actor {
    Actor::Person("thandi".into())
}

pub(crate) fn end_of(state: &RolloutState) -> bool {
    state.is_end()
}

pub(crate) fn reached(wanted: &RolloutState) -> impl Fn(&RolloutState) -> bool + use<> {
    let wanted = wanted.clone();
    move |state| {
        assert!(
            *state == wanted || !state.is_end(),
            "ended as {state:?} instead of {wanted:?}"
        );
        *state == wanted
    }
}

impl Bench {
    pub(crate) async fn start(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open.clone()).unwrap();
        for part in ["releases", "instances", "proxy"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let launcher = folder.path().join("launch");
        fs::write(&launcher, LAUNCHER).unwrap();
        fs::set_permissions(&launcher, open).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let public = listener.local_addr().unwrap();
        let proxy = Shutdown::new();
        serve(listener, folder.path(), proxy.clone());
        let mut bench = Self {
            folder,
            service: "shop".parse().unwrap(),
            public,
            proxy,
            control: None,
            policy,
        };
        bench.proxy_answers().await;
        bench.start_control().await;
        bench
    }

    async fn proxy_answers(&self) {
        let client = self.client();
        let answers = testkit::wait::answer(PATIENCE, async || client.stats().await.ok()).await;
        assert!(answers.is_some(), "the proxy does not answer");
    }

    pub(crate) fn client(&self) -> slipway_proxy::Client {
        slipway_proxy::Client::new(self.folder.path().join("proxy/admin.sock"))
    }

    async fn start_control(&mut self) {
        let path = self.folder.path();
        let clock = Clock::system();
        let journal = Journal::open(&path.join("journal.db"), clock.clone())
            .await
            .unwrap();
        let shutdown = Shutdown::new();
        let ground = Ground {
            journal: journal.clone(),
            proxy: self.client(),
            public: vec![self.public],
            announced_by: slipway_proxy::Trust::Nobody,
            releases: path.join("releases"),
            instances: path.join("instances"),
            launcher: vec![OsString::from(path.join("launch"))],
            clock,
            random: Random::system(),
            environment: environment(),
        };
        let settings = ServiceSettings {
            after: Vec::new(),
            rules: Vec::new(),
            slow_start: Duration::ZERO,
            hosts: Vec::new(),
            env: BTreeMap::new(),
            policy: self.policy.clone(),
        };
        let services = BTreeMap::from([(self.service.clone(), settings)]);
        let engine = Engine::start(ground, services, shutdown.clone())
            .await
            .unwrap();
        self.control = Some(Control {
            engine,
            journal,
            shutdown,
        });
    }

    /// Ends control without a word to anybody, and starts another.
    pub(crate) async fn restart_control(&mut self) {
        let control = self.control.take().unwrap();
        control.shutdown.request();
        drop(control);
        let path = self.folder.path().join("journal.db");
        // The lock is free once every task of the old one is gone.
        let gone = testkit::wait::answer(PATIENCE, async || {
            Journal::open(&path, Clock::system()).await.ok()
        });
        assert!(gone.await.is_some());
        self.start_control().await;
    }

    fn control(&self) -> &Control {
        self.control.as_ref().unwrap()
    }

    pub(crate) fn engine(&self) -> Engine {
        self.control().engine.clone()
    }

    /// A release whose processes do as `mode` says; `salt` makes it differ from others.
    pub(crate) fn release(&self, mode: &str, salt: &str) -> ReleaseId {
        let program = fs::read(example()).unwrap();
        let content = [
            ("instance", program, true),
            ("mode", mode.as_bytes().to_vec(), false),
            ("salt", salt.as_bytes().to_vec(), false),
        ];
        let files = content.iter().map(|(path, bytes, executable)| ReleaseFile {
            path: (*path).to_owned(),
            executable: *executable,
            bytes: bytes.len() as u64,
            digest: blake3::hash(bytes).to_hex().to_string(),
        });
        let manifest = Manifest {
            service: self.service.clone(),
            start: vec!["./instance".into(), "serve".into()],
            migrate: Some(vec!["./instance".into(), "migrate".into()]),
            health: if mode == "moved" { "/up" } else { "/health" }.into(),
            // What fails now and then must pass its preview.
            preview: vec![
                if mode == "third-fails" {
                    "/preview"
                } else {
                    "/"
                }
                .into(),
            ],
            workers: BTreeMap::new(),
            files: files.collect(),
        };
        let id = manifest.id();
        let folder = self.folder(&id);
        fs::create_dir_all(folder.join("content")).unwrap();
        for (path, bytes, executable) in content {
            let path = folder.join("content").join(path);
            fs::write(&path, bytes).unwrap();
            let mode = if executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let text = serde_json::to_vec(&manifest).unwrap();
        fs::write(folder.join("manifest.json"), text).unwrap();
        self.verdict(&id, "unit", Outcome::Met);
        id
    }

    fn folder(&self, release: &ReleaseId) -> PathBuf {
        self.folder.path().join("releases").join(release.as_str())
    }

    pub(crate) fn overwrite(&self, release: &ReleaseId, file: &str, content: &[u8]) {
        fs::write(self.folder(release).join("content").join(file), content).unwrap();
    }

    /// What a release is made of cannot be known any more; its processes run on.
    pub(crate) fn lose(&self, release: &ReleaseId) {
        fs::remove_file(self.folder(release).join("manifest.json")).unwrap();
    }

    /// Waits until the proxy has counted so many requests of a release.
    pub(crate) async fn served(&self, least: u64) {
        let client = self.client();
        let enough = testkit::wait::answer(PATIENCE, async || {
            let stats = client.stats().await.ok()?;
            stats.pools.iter().any(|p| p.served >= least).then_some(())
        });
        assert!(enough.await.is_some(), "the visitors are too few");
    }

    pub(crate) fn verdict(&self, release: &ReleaseId, gate: &str, outcome: Outcome) {
        let verdicts = serde_json::json!({
            "verdicts": [{ "gate": gate, "outcome": outcome, "findings": [] }]
        });
        let path = self.folder(release).join("provenance.json");
        fs::write(path, verdicts.to_string()).unwrap();
    }

    pub(crate) fn order(&self, release: &ReleaseId) -> Order {
        Order {
            service: self.service.clone(),
            release: release.clone(),
            force: false,
        }
    }

    pub(crate) async fn deploy(&self, release: &ReleaseId) -> Result<RolloutId, Refusal> {
        let order = self.order(release);
        self.engine().deploy(person(), order).await.unwrap()
    }

    /// Deploys a first release and waits until it is all over.
    pub(crate) async fn live(&self, release: &ReleaseId) -> RolloutId {
        let rollout = self.deploy(release).await.unwrap();
        self.until(rollout, reached(&RolloutState::Done)).await;
        rollout
    }

    pub(crate) async fn events(&self) -> Vec<RolloutEvent> {
        let entries = self.control().journal.replay().await.unwrap();
        let rollouts = entries.into_iter().filter_map(|e| match e.event {
            Event::Rollout(event) => Some(event),
            _ => None,
        });
        rollouts.collect()
    }

    /// Waits until a rollout entered a state that is wanted.
    pub(crate) async fn until(
        &self,
        id: RolloutId,
        wanted: impl Fn(&RolloutState) -> bool,
    ) -> RolloutState {
        let state = testkit::wait::answer(PATIENCE, async || {
            self.events().await.into_iter().find_map(|e| match e {
                RolloutEvent::Entered { rollout, state } if rollout == id && wanted(&state) => {
                    Some(state)
                }
                _ => None,
            })
        })
        .await;
        match state {
            Some(state) => state,
            None => panic!("not within {PATIENCE:?}; {:#?}", self.events().await),
        }
    }

    pub(crate) async fn until_event(&self, is: impl Fn(&RolloutEvent) -> bool) {
        let seen = testkit::wait::answer(PATIENCE, async || {
            self.events().await.iter().any(&is).then_some(())
        });
        let seen = seen.await.is_some();
        assert!(seen, "{:#?}", self.events().await);
    }

    /// Waits until a rollout that ended has left nothing behind.
    pub(crate) async fn cleared(&self, id: RolloutId) {
        let gone = testkit::wait::answer(PATIENCE, async || {
            let events = self.events().await;
            let mut book = slipway_rollout::book::Book::new(environment());
            for event in &events {
                book.event(event, jiff::Timestamp::UNIX_EPOCH);
            }
            slipway_rollout::strategy::is_cleared(&book, &book.rollouts[&id]).then_some(())
        });
        let gone = gone.await.is_some();
        assert!(gone, "{:#?}", self.events().await);
    }

    /// The first account of a rollout.
    pub(crate) async fn receipt(&self, id: RolloutId) -> Receipt {
        self.find_receipt(id, |_| true).await
    }

    /// The account of its end.
    pub(crate) async fn receipt_of_end(&self, id: RolloutId) -> Receipt {
        self.find_receipt(id, |r| r.end.is_end()).await
    }

    async fn find_receipt(&self, id: RolloutId, wanted: impl Fn(&Receipt) -> bool) -> Receipt {
        testkit::wait::answer(PATIENCE, async || {
            self.events().await.into_iter().find_map(|e| match e {
                RolloutEvent::ReceiptIssued { receipt }
                    if receipt.rollout == id && wanted(&receipt) =>
                {
                    Some(*receipt)
                }
                _ => None,
            })
        })
        .await
        .unwrap()
    }

    /// The processes of a rollout that run.
    pub(crate) async fn instances(&self, id: RolloutId) -> Vec<ProcessIdentity> {
        let events = self.events().await.into_iter();
        let started = events.filter_map(|e| match e {
            RolloutEvent::InstanceStarted {
                rollout,
                pid,
                start_ticks,
                boot,
                ..
            } if rollout == id => Some(ProcessIdentity {
                pid,
                start_ticks,
                boot,
            }),
            _ => None,
        });
        started.filter(ProcessIdentity::is_alive).collect()
    }

    /// How the instances of a release do, as the proxy sees them.
    pub(crate) async fn health_of(&self, release: &ReleaseId) -> Vec<slipway_proxy::Health> {
        let stats = self.client().stats().await.unwrap();
        let pools = stats.pools.into_iter();
        let of_release = pools.filter(|pool| pool.release == release.as_str());
        of_release
            .flat_map(|pool| pool.targets)
            .map(|target| target.health)
            .collect()
    }

    /// The release that answers a visitor now.
    pub(crate) async fn answering(&self) -> String {
        let outcome = Visitor::new(self.public, "somebody").get("/").await;
        let answer = outcome.answer.unwrap();
        answer.release().unwrap_or("nobody").to_owned()
    }

    /// Visitors who ask for one page after the other until they are stopped: for so many that
    /// each of them is judged by for every kind of question.
    pub(crate) fn visitors(&self, count: u32) -> Visitors {
        let stop = Shutdown::new();
        let tasks = (0..count).map(|n| {
            let (mut visitor, stop) = (
                Visitor::new(self.public, &format!("visitor {n}")),
                stop.clone(),
            );
            tokio::spawn(async move {
                let mut tally = Tally::default();
                let mut pages = (0..40).cycle().map(|page| format!("/{page}"));
                while !stop.is_requested() {
                    let page = pages.next().unwrap_or_default();
                    tally.add("GET /", &visitor.get(&page).await);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                tally
            })
        });
        Visitors {
            tasks: tasks.collect(),
            stop,
        }
    }

    pub(crate) async fn fill_the_disk(&self) {
        let path = self.folder.path().join("journal.db");
        let pages = fs::metadata(&path).unwrap().len() / 4096;
        let pages = u32::try_from(pages).unwrap();
        self.control().journal.limit_pages(pages).await.unwrap();
    }

    pub(crate) async fn make_room(&self) {
        let journal = &self.control().journal;
        journal.limit_pages(1_000_000).await.unwrap();
    }

    /// Ends everything, in order.
    pub(crate) fn stop(mut self) {
        let control = self.control.take().unwrap();
        control.shutdown.request();
        self.proxy.request();
    }
}

impl Drop for Bench {
    /// No process outlives the test, also when it failed.
    fn drop(&mut self) {
        let instances = fs::read_dir(self.folder.path().join("instances")).unwrap();
        for instance in instances.flatten() {
            let Ok(text) = fs::read(instance.path().join("pid.json")) else {
                continue;
            };
            let identity: ProcessIdentity = serde_json::from_slice(&text).unwrap();
            identity.stop(Signal::KILL, SECOND).unwrap();
        }
        self.proxy.request();
    }
}

pub(crate) struct Visitors {
    tasks: Vec<tokio::task::JoinHandle<Tally>>,
    stop: Shutdown,
}

impl Visitors {
    pub(crate) async fn stop(self) -> Tally {
        self.stop.request();
        let mut all = Tally::default();
        for task in self.tasks {
            all.merge(&task.await.unwrap());
        }
        all
    }
}

fn environment() -> EnvironmentName {
    "production".parse().unwrap()
}

fn serve(listener: TcpListener, folder: &Path, shutdown: Shutdown) {
    let (state, admin) = (folder.join("proxy"), folder.join("proxy/admin.sock"));
    let world = (Clock::system(), Random::system());
    let options = slipway_proxy::Options::new(vec![listener], state, admin, world);
    tokio::spawn(async move { slipway_proxy::serve(options, shutdown).await.unwrap() });
}

/// The example program, built together with the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().unwrap().parent().unwrap();
    let path = target.join("examples/instance");
    assert!(path.exists(), "cargo build -p slipway-rollout --examples");
    path
}

//! A proxy of its own for each test, and tables in few words.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use chassis::{Clock, Random, Shutdown};
use slipway_proxy::{
    Client, Generation, Health, HealthCheck, Limits, Options, Pool, PoolStats, Route, ServeError,
    Stats, Table, Target, Trust, serve,
};
use tempfile::TempDir;
use testkit::origin::Origin;
use testkit::wait;
use tokio::task::JoinHandle;

use crate::caller::{Caller, SOON};

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    listener: TcpListener,
    folder: TempDir,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default(), Trust::Nobody).await
    }

    pub(crate) async fn start_with(limits: Limits, trust: Trust) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_on(listener, tempfile::tempdir().unwrap(), limits, trust).await
    }

    pub(crate) async fn start_on(
        listener: TcpListener,
        folder: TempDir,
        limits: Limits,
        trust: Trust,
    ) -> Self {
        Self::start_so(listener, folder, |options| {
            options.limits = limits;
            options.trust = trust;
        })
        .await
    }

    /// With whatever options a test wants.
    pub(crate) async fn start_so(
        listener: TcpListener,
        folder: TempDir,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let admin = folder.path().join("admin.sock");
        let listeners = vec![listener.try_clone().unwrap()];
        let world = (Clock::system(), Random::system());
        let mut options = Options::new(listeners, folder.path().to_owned(), admin.clone(), world);
        options.workers = 2;
        change(&mut options);
        let shutdown = Shutdown::new();
        let task = tokio::spawn(serve(options, shutdown.clone()));
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            client: Client::new(admin),
            listener,
            folder,
            shutdown,
            task,
        };
        let answers = wait::answer(SOON, async || proxy.client.table().await.ok()).await;
        assert!(answers.is_some(), "the proxy does not start");
        proxy
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::new(self.address)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Publishes a table and waits until every target in it was looked at.
    pub(crate) async fn publish(&self, table: &Table) {
        self.client.publish(table).await.unwrap();
        self.until("every target was looked at", |stats| {
            let mut targets = stats.pools.iter().flat_map(|pool| &pool.targets);
            targets.all(|target| target.health != Health::Unknown)
        })
        .await;
    }

    pub(crate) async fn stats(&self) -> Stats {
        self.client.stats().await.unwrap()
    }

    pub(crate) async fn pool(&self, release: &str) -> PoolStats {
        let stats = self.stats().await;
        let found = stats.pools.into_iter().find(|pool| pool.release == release);
        found.unwrap_or_default()
    }

    /// Waits until the statistics are so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Stats) -> bool) -> Stats {
        let mut last = None;
        let found = wait::answer(SOON, async || {
            let stats = self.stats().await;
            let so = is_so(&stats);
            last = Some(stats.clone());
            so.then_some(stats)
        })
        .await;
        found.unwrap_or_else(|| panic!("it does not come that {what}: {last:#?}"))
    }

    /// Waits until the counts of a release are so.
    pub(crate) async fn until_pool(
        &self,
        release: &str,
        what: &str,
        is_so: impl Fn(&PoolStats) -> bool,
    ) -> PoolStats {
        let stats = self
            .until(what, |stats| {
                stats
                    .pools
                    .iter()
                    .any(|pool| pool.release == release && is_so(pool))
            })
            .await;
        stats
            .pools
            .into_iter()
            .find(|pool| pool.release == release)
            .unwrap()
    }

    pub(crate) fn request_end(&self) {
        self.shutdown.request();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends it as a signal would, and gives what the next one starts with.
    pub(crate) async fn stop(self) -> (TcpListener, TempDir) {
        self.shutdown.request();
        tokio::time::timeout(SOON, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        (self.listener, self.folder)
    }
}

/// A route of the pools `blue` and `green`, with `blue` live.
pub(crate) fn route(blue: &[&Origin], green: &[&Origin]) -> Route {
    let mut pools = BTreeMap::new();
    for (name, origins) in [("blue", blue), ("green", green)] {
        if let [first, ..] = origins {
            pools.insert(name.to_owned(), pool(first.release(), origins));
        }
    }
    Route {
        hosts: Vec::new(),
        pools,
        live: "blue".to_owned(),
        split: None,
        preview: None,
        hold: false,
        rules: Vec::new(),
        maintenance: None,
        skew: None,
        slow: None,
        slow_start_ms: 0,
        health: HealthCheck {
            path: "/health".to_owned(),
            every_ms: 50,
            timeout_ms: 2000,
            down_after: 2,
            up_after: 1,
        },
    }
}

pub(crate) fn pool(release: &str, origins: &[&Origin]) -> Pool {
    let targets = origins.iter().enumerate().map(|(index, origin)| Target {
        instance: format!("{release}-{index}"),
        address: origin.address(),
    });
    Pool {
        release: release.to_owned(),
        targets: targets.collect(),
        health: None,
    }
}

pub(crate) fn table(generation: u64, route: Route) -> Table {
    Table {
        generation: Generation(generation),
        routes: BTreeMap::from([("web".to_owned(), route)]),
    }
}

/// A proxy in front of one origin.
pub(crate) async fn simple() -> (Proxy, Origin) {
    with_limits(Limits::default()).await
}

pub(crate) async fn with_limits(limits: Limits) -> (Proxy, Origin) {
    let origin = Origin::start("r1").await.unwrap();
    let proxy = Proxy::start_with(limits, Trust::Nobody).await;
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    (proxy, origin)
}

//! What all threads of a proxy share: the published table, everything that outlives
//! tables, and the way by which a new table comes to be served.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chassis::Random;
use tokio::sync::Mutex;

use crate::access::Log;
use crate::bounds::Bounds;
use crate::check;
use crate::descriptors;
use crate::disk;
use crate::look::Looks;
use crate::options::{Limits, Options, Trust};
use crate::peers::Peers;
use crate::published::Published;
use crate::secure::Shield;
use crate::shard::Shards;
use crate::snapshot::{Fleet, ReadyPool, Snapshot};
use crate::stats::{Health, Stats, Unrouted};
use crate::table::{Table, TableError};

/// How long a new proxy may call itself not ready while targets are unknown.
const UNKNOWN_AT_MOST: Duration = Duration::from_secs(5);

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) published: Arc<Published>,
    pub(crate) limits: Limits,
    pub(crate) trust: Trust,
    pub(crate) announced_by: Trust,
    pub(crate) peers: Arc<Peers>,
    /// What TLS is offered with.
    pub(crate) shield: Option<Shield>,
    /// Where requests are written down.
    pub(crate) access_log: Option<Log>,
    pub(crate) key: [u8; 32],
    pub(crate) random: Random,
    pub(crate) started: Instant,
    /// Requests refused before they reached a pool.
    pub(crate) refused: Shards,
    /// Requests that matched no route.
    pub(crate) unrouted: Shards,
    /// Client connections now.
    pub(crate) connections: AtomicUsize,
    /// Workers that accept.
    pub(crate) accepting: AtomicUsize,
    workers: usize,
    start: String,
    folder: PathBuf,
    fleet: Fleet,
    /// Whoever publishes holds this.
    looks: Mutex<Looks>,
}

/// Why a table is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error(transparent)]
    Refused(#[from] TableError),
    #[error("the table cannot be made durable: {0}")]
    Disk(#[from] io::Error),
}

impl Plane {
    /// Reads what was served last. Blocking.
    pub(crate) fn load(
        options: &Options,
        workers: usize,
        shield: Option<Shield>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&options.folder)?;
        let table = disk::load(&options.folder)?.unwrap_or_default();
        let fleet = Fleet::new(workers, Bounds::by_default(&options.limits));
        let snapshot = fleet.ready(table, 1);
        let access_log = options.access_log.as_ref();
        let access_log = access_log.map(|log| Log::start(log, options.clock.clone()));
        let files = chassis::descriptors::raise();
        let limits = descriptors::fitted(options.limits.clone(), files, workers);
        Ok(Self {
            published: Arc::new(Published::new(snapshot)),
            peers: Peers::new(limits.connections_per_peer),
            limits,
            trust: options.trust.clone(),
            announced_by: options.announced_by.clone(),
            shield,
            access_log: access_log.transpose()?,
            key: disk::visitor_key(&options.folder, &options.random)?,
            start: options.random.uuid(options.clock.now()).to_string(),
            random: options.random.clone(),
            started: Instant::now(),
            refused: Shards::new(workers),
            unrouted: Shards::new(workers),
            connections: AtomicUsize::new(0),
            accepting: AtomicUsize::new(0),
            workers,
            folder: options.folder.clone(),
            fleet,
            looks: Mutex::default(),
        })
    }

    /// Begins to look at the targets of the table that is served.
    pub(crate) async fn look(&self) {
        let mut looks = self.looks.lock().await;
        looks.follow(&self.published.current(), &self.fleet, &self.published);
    }

    /// Makes a table durable, then serves it.
    pub(crate) async fn publish(&self, table: Table) -> Result<(), PublishError> {
        let mut looks = self.looks.lock().await;
        let current = self.published.current();
        if table == current.table {
            return Ok(());
        }
        if table.generation <= current.table.generation {
            return Err(PublishError::Refused(TableError::Stale {
                offered: table.generation,
                current: current.table.generation,
            }));
        }
        check::structure(&table)?;
        let snapshot = self.fleet.ready(table.clone(), current.serial + 1);
        check_health(&snapshot, &current)?;
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || disk::save(&folder, &table))
            .await
            .map_err(io::Error::other)??;
        let generation = snapshot.table.generation;
        self.published.publish(snapshot);
        let current = self.published.current();
        looks.follow(&current, &self.fleet, &self.published);
        self.fleet.forget_targets(&current);
        tracing::info!(%generation, "a routing table is served");
        Ok(())
    }

    /// Whether requests are answered: workers accept, and targets were looked at.
    pub(crate) fn is_ready(&self) -> bool {
        let unknown = self
            .published
            .current()
            .pools()
            .flat_map(|pool| &pool.targets)
            .any(|target| target.health() == Health::Unknown);
        self.accepting.load(Ordering::Acquire) == self.workers
            && (!unknown || self.started.elapsed() >= UNKNOWN_AT_MOST)
    }

    /// Everything that was counted.
    pub(crate) fn stats(&self) -> Stats {
        let snapshot = self.published.current();
        let now = self.started.elapsed().as_secs();
        let pools = self.fleet.counters().into_iter().map(|counters| {
            let mut stats = counters.stats(now);
            stats.targets = snapshot
                .pools()
                .filter(|pool| Arc::ptr_eq(&pool.counters, &counters))
                .flat_map(|pool| &pool.targets)
                .map(|target| target.stats())
                .collect();
            stats
        });
        let nowhere = Unrouted {
            service: String::new(),
            requests: self.unrouted.sum(),
            maintained: 0,
        };
        let unrouted = self.fleet.services().into_iter().map(|service| Unrouted {
            service: service.name.clone(),
            requests: service.unrouted.sum(),
            maintained: service.maintained.sum(),
        });
        Stats {
            start: self.start.clone(),
            generation: snapshot.table.generation,
            oldest_in_flight: self.published.oldest_in_flight(),
            pools: pools.collect(),
            unrouted: std::iter::once(nowhere)
                .chain(unrouted)
                .filter(|unrouted| unrouted.requests + unrouted.maintained > 0)
                .collect(),
            refused: self.refused.sum(),
            certificate_problem: self.shield.as_ref().and_then(Shield::problem),
        }
    }
}

/// Refuses a table that would move visitors to targets that are all known to be down.
fn check_health(snapshot: &Snapshot, current: &Snapshot) -> Result<(), TableError> {
    let reached: Vec<&ReadyPool> = reached_pools(current).map(|(_, pool)| pool).collect();
    for (name, pool) in reached_pools(snapshot) {
        // Where visitors are already, a table for another purpose makes nothing worse.
        let is_move = !reached
            .iter()
            .any(|before| Arc::ptr_eq(&before.counters, &pool.counters));
        let is_down = pool
            .targets
            .iter()
            .all(|target| target.health() == Health::Down);
        if is_move && is_down {
            let failure = pool
                .targets
                .iter()
                .find_map(|target| target.stats().last_failure);
            return Err(TableError::Route {
                route: name.to_owned(),
                reason: format!(
                    "no instance of the pool that visitors are to reach is up: {}",
                    failure.unwrap_or_default()
                ),
            });
        }
    }
    Ok(())
}

/// The pools that visitors reach.
fn reached_pools(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &ReadyPool)> {
    snapshot.routes.iter().flat_map(|route| {
        std::iter::once(route.live)
            .chain(route.split.map(|split| split.pool))
            .filter_map(|pool| Some((route.service.name.as_str(), route.pools.get(pool)?)))
    })
}

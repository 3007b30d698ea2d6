//! A table made ready to be served: names resolved, targets and counters attached, and the
//! count of the requests in flight that were routed by it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;

use crate::bounds::Bounds;
use crate::counters::Counters;
use crate::shard::Shards;
use crate::skew::ReadySkew;
use crate::table::{Pool, Route, Slow, Table};
use crate::target::{TargetKey, TargetState};

/// A table made ready.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Tells snapshots apart within one run; it grows with each.
    pub(crate) serial: u64,
    pub(crate) table: Table,
    pub(crate) routes: Vec<ReadyRoute>,
    /// Requests in flight that were routed by this table.
    pub(crate) in_flight: Shards,
    hosts: HashMap<String, usize>,
    rest: Option<usize>,
}

/// A route made ready.
#[derive(Debug)]
pub(crate) struct ReadyRoute {
    pub(crate) service: Arc<Service>,
    pub(crate) pools: Vec<ReadyPool>,
    pub(crate) live: usize,
    pub(crate) split: Option<ReadySplit>,
    pub(crate) preview: Option<(usize, blake3::Hash)>,
    pub(crate) hold: bool,
    pub(crate) slow: Option<Slow>,
    /// By path, the longest first.
    pub(crate) rules: Vec<(String, Bounds)>,
    pub(crate) maintenance: Option<ReadyMaintenance>,
    pub(crate) skew: Option<ReadySkew>,
}

/// What visitors see instead of the service.
#[derive(Debug)]
pub(crate) struct ReadyMaintenance {
    pub(crate) page: Bytes,
    pub(crate) token: Option<blake3::Hash>,
    pub(crate) retry_after: HeaderValue,
}

/// A pool made ready.
#[derive(Debug)]
pub(crate) struct ReadyPool {
    pub(crate) counters: Arc<Counters>,
    pub(crate) targets: Vec<Arc<TargetState>>,
}

/// A split made ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadySplit {
    pub(crate) pool: usize,
    pub(crate) weight: u16,
    pub(crate) epoch: u64,
}

/// What outlives tables, by service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// Requests that wait now.
    pub(crate) waiting: AtomicUsize,
    /// Requests that reached no target.
    pub(crate) unrouted: Shards,
    /// Requests that saw the maintenance page.
    pub(crate) maintained: Shards,
}

/// Everything that outlives tables: services and counters for good, targets while a table
/// or a request has them.
#[derive(Debug)]
pub(crate) struct Fleet {
    workers: usize,
    /// Where no rule says anything else.
    bounds: Bounds,
    services: Mutex<HashMap<String, Arc<Service>>>,
    counters: Mutex<HashMap<(String, String), Arc<Counters>>>,
    targets: Mutex<HashMap<TargetKey, Arc<TargetState>>>,
}

impl Snapshot {
    /// The route for a host name in lower case, without port and last dot.
    pub(crate) fn route(&self, host: &str) -> Option<usize> {
        if self.hosts.is_empty() {
            return self.rest;
        }
        self.hosts.get(host).copied().or(self.rest)
    }

    /// Every pool.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &ReadyPool> {
        self.routes.iter().flat_map(|route| &route.pools)
    }
}

impl ReadyRoute {
    /// What holds for a path, where a rule is for it.
    pub(crate) fn bounds(&self, path: &str) -> Option<Bounds> {
        let mut rules = self.rules.iter();
        rules
            .find(|(begin, _)| path.starts_with(begin.as_str()))
            .map(|(_, bounds)| *bounds)
    }
}

impl Fleet {
    pub(crate) fn new(workers: usize, bounds: Bounds) -> Self {
        Self {
            workers,
            bounds,
            services: Mutex::default(),
            counters: Mutex::default(),
            targets: Mutex::default(),
        }
    }

    /// Makes a table ready, with everything that is known from tables before.
    pub(crate) fn ready(&self, table: Table, serial: u64) -> Snapshot {
        let mut routes = Vec::new();
        let mut hosts = HashMap::new();
        let mut rest = None;
        for (name, route) in &table.routes {
            let index = routes.len();
            for host in &route.hosts {
                hosts.insert(host.trim_end_matches('.').to_ascii_lowercase(), index);
            }
            if route.hosts.is_empty() {
                rest = Some(index);
            }
            routes.push(self.ready_route(name, route));
        }
        Snapshot {
            serial,
            routes,
            in_flight: Shards::new(self.workers),
            hosts,
            rest,
            table,
        }
    }

    /// Forgets the targets that `snapshot`, which is served now, does not have.
    pub(crate) fn forget_targets(&self, snapshot: &Snapshot) {
        lock(&self.targets).retain(|key, _| {
            snapshot
                .pools()
                .any(|pool| pool.targets.iter().any(|target| target.key == *key))
        });
    }

    /// The state of a target, where some table has it.
    pub(crate) fn target(&self, key: &TargetKey) -> Option<Arc<TargetState>> {
        lock(&self.targets).get(key).cloned()
    }

    /// Every pool that was ever in a table, in order of name.
    pub(crate) fn counters(&self) -> Vec<Arc<Counters>> {
        let mut all: Vec<_> = lock(&self.counters)
            .iter()
            .map(|(key, counters)| (key.clone(), Arc::clone(counters)))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.into_iter().map(|(_, counters)| counters).collect()
    }

    /// Every service that was ever in a table, in order of name.
    pub(crate) fn services(&self) -> Vec<Arc<Service>> {
        let mut all: Vec<_> = lock(&self.services).values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn ready_route(&self, name: &str, route: &Route) -> ReadyRoute {
        let index = |pool: &str| route.pools.keys().position(|name| name == pool);
        ReadyRoute {
            service: self.service(name),
            pools: route
                .pools
                .values()
                .map(|pool| self.ready_pool(name, pool, route.slow_start_ms))
                .collect(),
            // The check before made sure that each of these is there.
            live: index(&route.live).unwrap_or(0),
            split: route.split.as_ref().and_then(|split| {
                Some(ReadySplit {
                    pool: index(&split.pool)?,
                    weight: split.weight,
                    epoch: split.epoch,
                })
            }),
            preview: route.preview.as_ref().and_then(|preview| {
                Some((
                    index(&preview.pool)?,
                    blake3::hash(preview.token.as_bytes()),
                ))
            }),
            hold: route.hold,
            rules: self.ready_rules(route),
            skew: route
                .skew
                .as_ref()
                .map(|skew| ReadySkew::of(name, route, skew)),
            maintenance: route
                .maintenance
                .as_ref()
                .map(|maintenance| ReadyMaintenance {
                    page: Bytes::from(maintenance.page.clone()),
                    token: maintenance
                        .token
                        .as_ref()
                        .map(|token| blake3::hash(token.as_bytes())),
                    retry_after: HeaderValue::from(maintenance.retry_after_s),
                }),
            slow: route.slow,
        }
    }

    fn ready_rules(&self, route: &Route) -> Vec<(String, Bounds)> {
        let mut rules: Vec<_> = route
            .rules
            .iter()
            .map(|rule| (rule.path.clone(), self.bounds.of(rule)))
            .collect();
        rules.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        rules
    }

    fn ready_pool(&self, service: &str, pool: &Pool, slow_start_ms: u32) -> ReadyPool {
        let key = (service.to_owned(), pool.release.clone());
        let counters = lock(&self.counters)
            .entry(key)
            .or_insert_with(|| Arc::new(Counters::new(service, &pool.release, self.workers)))
            .clone();
        let mut known = lock(&self.targets);
        let targets = pool.targets.iter().map(|target| {
            let key = TargetKey {
                service: service.to_owned(),
                release: pool.release.clone(),
                instance: target.instance.clone(),
                address: target.address,
            };
            let target = known
                .entry(key.clone())
                .or_insert_with(|| Arc::new(TargetState::new(key, self.workers)));
            target.warms_for(slow_start_ms);
            Arc::clone(target)
        });
        ReadyPool {
            counters,
            targets: targets.collect(),
        }
    }

    fn service(&self, name: &str) -> Arc<Service> {
        lock(&self.services)
            .entry(name.to_owned())
            .or_insert_with(|| {
                Arc::new(Service {
                    name: name.to_owned(),
                    waiting: AtomicUsize::new(0),
                    unrouted: Shards::new(self.workers),
                    maintained: Shards::new(self.workers),
                })
            })
            .clone()
    }
}

/// A place among the requests that wait; given up when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Service>);

impl Place {
    /// A place, unless `most` are taken.
    pub(crate) fn take(service: &Arc<Service>, most: usize) -> Option<Self> {
        let before = service.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(Arc::clone(service));
        (before < most).then_some(place)
    }

    /// Whether it is a place of this service.
    pub(crate) fn is_of(&self, service: &Arc<Service>) -> bool {
        Arc::ptr_eq(&self.0, service)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

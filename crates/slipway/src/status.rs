//! What runs now, looked at where it runs: processes, the proxy's table and counts,
//! accessories, the unfinished rollout. Works while control is away; changes nothing.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_journal::{EnvironmentName, ServiceName};
use slipway_proxy::{Client, Health, Pool, PoolStats, Route, Stats, Table};
use slipway_rollout::process::ProcessIdentity;

use crate::accessories;
use crate::accessories::record::Record as Accessory;
use crate::acme::shelf::Shelf;
use crate::control::wire::Plan;
use crate::environment::{Closed, Environment};
use crate::keeper::record::Record;
use crate::local_http;
use crate::lock::Lock;
use crate::reading::{Reading, Rollout};
use crate::state::State;

/// Everything that runs in one state folder.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Status {
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) state: PathBuf,
    pub(crate) listen: Vec<String>,
    pub(crate) console: Option<String>,
    pub(crate) processes: Processes,
    pub(crate) accessories: Vec<AccessoryStatus>,
    /// Why the certificate that is to be fetched was not, at the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_problem: Option<String>,
    /// As the proxy tells it; none while it does not answer.
    pub(crate) proxy: Option<ProxyStatus>,
    pub(crate) services: Vec<ServiceStatus>,
    /// The locks that stop deployments now.
    pub(crate) locks: Vec<Lock>,
    /// Why nothing is deployed at this time.
    pub(crate) closed: Option<Closed>,
}

/// The three roles.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Processes {
    pub(crate) keeper: ProcessStatus,
    pub(crate) proxy: ProcessStatus,
    pub(crate) control: ProcessStatus,
}

/// One process of Slipway's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ProcessStatus {
    pub(crate) pid: Option<i32>,
    pub(crate) running: bool,
    /// Whether it answers on its socket; the keeper has none and answers by running.
    pub(crate) answers: bool,
}

/// One program beside the services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AccessoryStatus {
    pub(crate) name: &'static str,
    pub(crate) pid: i32,
    pub(crate) port: u16,
    pub(crate) running: bool,
}

/// The table and the counts of the proxy, as they are.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProxyStatus {
    pub(crate) table: Table,
    pub(crate) stats: Stats,
}

/// One service.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ServiceStatus {
    pub(crate) service: ServiceName,
    /// The services that it stands on.
    pub(crate) after: Vec<ServiceName>,
    pub(crate) live: Option<PoolStatus>,
    /// The other pool of the table: warm after a switch, coming before one.
    pub(crate) warm: Option<PoolStatus>,
    /// For how many seconds after they were loaded pages of the warm release keep it; none where
    /// they do not.
    pub(crate) pages_s: Option<u32>,
    /// Its workers that run, of whatever release.
    pub(crate) workers: Vec<WorkerStatus>,
    /// The newest rollout that is not over.
    pub(crate) rollout: Option<Rollout>,
    /// What rolling back would be; none while control does not answer.
    pub(crate) rollback: Option<Plan>,
}

/// The instances of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PoolStatus {
    pub(crate) slot: String,
    pub(crate) release: String,
    pub(crate) served: u64,
    pub(crate) failed: u64,
    pub(crate) instances: Vec<InstanceStatus>,
}

/// One process of a worker role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct WorkerStatus {
    pub(crate) role: String,
    pub(crate) release: String,
    pub(crate) instance: String,
    pub(crate) pid: i32,
}

/// One running copy of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct InstanceStatus {
    pub(crate) instance: String,
    pub(crate) address: String,
    pub(crate) pid: Option<i32>,
    pub(crate) health: Health,
    pub(crate) in_flight: u64,
}

impl ServiceStatus {
    /// One that nothing is known of yet.
    fn new(service: ServiceName) -> Self {
        Self {
            service,
            after: Vec::new(),
            live: None,
            warm: None,
            pages_s: None,
            workers: Vec::new(),
            rollout: None,
            rollback: None,
        }
    }
}

impl Status {
    /// Adds what the environment's file says, and what stops deployments at `now`.
    pub(crate) fn see(
        &mut self,
        reading: &Reading,
        environment: Option<&Environment>,
        now: Timestamp,
    ) {
        self.locks = reading.locks.held(now).cloned().collect();
        self.closed = environment.and_then(|environment| environment.calendar().closed(now));
        for (service, settings) in environment.iter().flat_map(|e| &e.service) {
            let place = self.services.binary_search_by(|s| s.service.cmp(service));
            let place = place.unwrap_or_else(|place| {
                self.services
                    .insert(place, ServiceStatus::new(service.clone()));
                place
            });
            if let Some(status) = self.services.get_mut(place) {
                status.after.clone_from(&settings.after);
            }
        }
    }
}

/// Looks at everything in `state`; `reading` is what its journal says.
pub(crate) async fn gather(state: &State, reading: &Reading) -> anyhow::Result<Status> {
    let record = Record::read(state)?;
    let proxy = ask_proxy(state).await;
    let answers = local_http::answers(&state.control_socket(), "/v1/ready").await;
    let keeper = process(record.as_ref().map(|r| &r.keeper), None);
    let of = |identity: Option<&ProcessIdentity>, answers| process(identity, Some(answers));
    Ok(Status {
        environment: record.as_ref().and_then(|r| r.environment.clone()),
        state: state.root().to_path_buf(),
        listen: record.as_ref().map(Record::visited).unwrap_or_default(),
        console: record.as_ref().map(|r| format!("http://{}", r.console)),
        processes: Processes {
            keeper,
            proxy: of(
                record.as_ref().and_then(|r| r.proxy.as_ref()),
                proxy.is_some(),
            ),
            control: of(record.as_ref().and_then(|r| r.control.as_ref()), answers),
        },
        accessories: accessories(state)?,
        certificate_problem: Shelf(state.certificates()).record().problem,
        services: services(state, proxy.as_ref(), reading),
        locks: Vec::new(),
        closed: None,
        proxy,
    })
}

async fn ask_proxy(state: &State) -> Option<ProxyStatus> {
    let client = Client::new(state.proxy_socket());
    let (table, stats) = tokio::join!(client.table(), client.stats());
    Some(ProxyStatus {
        table: table.ok()?,
        stats: stats.ok()?,
    })
}

fn process(identity: Option<&ProcessIdentity>, answers: Option<bool>) -> ProcessStatus {
    let Some(identity) = identity else {
        return ProcessStatus::default();
    };
    let running = identity.is_alive();
    ProcessStatus {
        pid: Some(identity.pid),
        running,
        answers: answers.unwrap_or(running),
    }
}

fn accessories(state: &State) -> anyhow::Result<Vec<AccessoryStatus>> {
    let mut found = Vec::new();
    for name in accessories::NAMES {
        if let Some(record) = Accessory::read(state, name)? {
            found.push(AccessoryStatus {
                name,
                pid: record.process.pid,
                port: record.port,
                running: record.runs(),
            });
        }
    }
    Ok(found)
}

/// The services that have a route or had a rollout, by name.
fn services(state: &State, proxy: Option<&ProxyStatus>, reading: &Reading) -> Vec<ServiceStatus> {
    let routed = proxy.iter().flat_map(|p| p.table.routes.keys());
    let mut names: Vec<ServiceName> = routed.filter_map(|name| name.parse().ok()).collect();
    names.extend(reading.rollouts.iter().map(|r| r.service.clone()));
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|service| one_service(state, proxy, reading, service))
        .collect()
}

fn one_service(
    state: &State,
    proxy: Option<&ProxyStatus>,
    reading: &Reading,
    service: ServiceName,
) -> ServiceStatus {
    let route = proxy.and_then(|p| p.table.routes.get(service.as_str()));
    let stats = proxy.map(|p| p.stats.pools.as_slice()).unwrap_or_default();
    let pool = |slot: &str, pool: &Pool| {
        let counted = stats
            .iter()
            .find(|s| s.service == service.as_str() && s.release == pool.release);
        pool_status(state, slot, pool, counted)
    };
    let live = route.and_then(|r| r.pools.get_key_value(&r.live));
    let other = route.and_then(|r| r.pools.iter().find(|(slot, _)| **slot != r.live));
    let newest = reading.rollouts.iter().rev();
    let rollout = newest
        .filter(|r| r.service == service && !r.state.is_end())
        // What does something, before what waits for people.
        .max_by_key(|r| (!r.is_settled() && r.waits_for().is_none(), r.asked_at))
        .cloned();
    ServiceStatus {
        live: live.map(|(slot, p)| pool(slot, p)),
        warm: other.map(|(slot, p)| pool(slot, p)),
        pages_s: other.and_then(|(slot, _)| kept(route?, slot)),
        workers: workers(state, &service),
        rollout,
        ..ServiceStatus::new(service)
    }
}

/// For how many seconds pages of a pool keep it.
fn kept(route: &Route, pool: &str) -> Option<u32> {
    let skew = route.skew.as_ref()?;
    skew.pools.iter().any(|p| p == pool).then_some(skew.for_s)
}

/// The workers of a service that run, oldest first.
fn workers(state: &State, service: &ServiceName) -> Vec<WorkerStatus> {
    let Ok(entries) = std::fs::read_dir(state.instances()) else {
        return Vec::new();
    };
    let mut workers: Vec<WorkerStatus> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|instance| {
            let known = InstanceProcess::read(state, &instance)?;
            let is_ours = known.service.as_deref() == Some(service.as_str());
            (is_ours && known.process.is_alive()).then_some(())?;
            Some(WorkerStatus {
                role: known.role?,
                release: known.release.unwrap_or_default(),
                pid: known.process.pid,
                instance,
            })
        })
        .collect();
    workers.sort_by(|a, b| a.instance.cmp(&b.instance));
    workers
}

fn pool_status(state: &State, slot: &str, pool: &Pool, counted: Option<&PoolStats>) -> PoolStatus {
    let instances = pool.targets.iter().map(|target| {
        let seen = counted.and_then(|c| c.targets.iter().find(|t| t.instance == target.instance));
        InstanceStatus {
            instance: target.instance.clone(),
            address: target.address.to_string(),
            pid: pid_of(state, &target.instance),
            health: seen.map_or(Health::Unknown, |t| t.health),
            in_flight: seen.map_or(0, |t| t.in_flight),
        }
    });
    PoolStatus {
        slot: slot.to_owned(),
        release: pool.release.clone(),
        served: counted.map_or(0, |c| c.served),
        failed: counted.map_or(0, |c| c.failed),
        instances: instances.collect(),
    }
}

/// What `pid.json` of an instance says.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct InstanceProcess {
    #[serde(flatten)]
    pub(crate) process: ProcessIdentity,
    #[serde(default)]
    pub(crate) service: Option<String>,
    #[serde(default)]
    pub(crate) release: Option<String>,
    /// Its worker role; none where it answers visitors.
    #[serde(default)]
    pub(crate) role: Option<String>,
}

impl InstanceProcess {
    /// Reads it; none where it is not there or cannot be read.
    pub(crate) fn read(state: &State, instance: &str) -> Option<Self> {
        let path = state.instances().join(instance).join("pid.json");
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

fn pid_of(state: &State, instance: &str) -> Option<i32> {
    let known = InstanceProcess::read(state, instance)?;
    known.process.is_alive().then_some(known.process.pid)
}

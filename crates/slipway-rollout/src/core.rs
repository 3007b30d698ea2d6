//! What every part of the engine shares: the ledger, the edges to proxy and processes, time,
//! and the one lock under which tables are published.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chassis::{Random, SecretString, Shutdown};
use slipway_journal::{
    EnvironmentName, Generation, InstanceId, JournalError, Manifest, ReleaseId, RoleName,
    RolloutId, ServiceName, Slot,
};
use slipway_proxy::{ClientError, Table};
use tokio::sync::{Mutex, MutexGuard};

use crate::book::{Book, Record, generation_of};
use crate::court::Standing;
use crate::history::History;
use crate::ledger::Ledger;
use crate::pace::Pace;
use crate::policy::Policy;
use crate::recovery::{self, Published};
use crate::routing::{self, Change, Manner, Side};
use crate::runtime::{Runtime, Spec};
use crate::shelf::Shelf;
use crate::strategy;
use crate::traffic::Traffic;

/// What one service gets in this environment.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// Host names that lead to it; none means any.
    pub hosts: Vec<String>,
    /// Its variables; `{internal_port}` in them is filled for each instance.
    pub env: BTreeMap<String, SecretString>,
    /// The services that it stands on: nothing new of it is brought in while one of them is not
    /// live, or changes.
    pub after: Vec<ServiceName>,
    /// Limits of its own for requests, by path.
    pub rules: Vec<slipway_proxy::Rule>,
    /// Over how long the share of requests of an instance that came up grows to that of the
    /// others; nought: it has it at once.
    pub slow_start: Duration,
    /// How its rollouts go.
    pub policy: Policy,
}

/// Why nothing can be done now. Traffic stays as it is; it is tried again.
#[derive(Debug)]
pub(crate) struct Hold(pub(crate) String);

impl From<JournalError> for Hold {
    fn from(error: JournalError) -> Self {
        Self(format!("the journal takes nothing: {error}"))
    }
}

impl From<ClientError> for Hold {
    fn from(error: ClientError) -> Self {
        Self(error.to_string())
    }
}

/// What became of a table that was to be published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Publication {
    /// It is served.
    Served,
    /// It was served already.
    Found,
    /// It cannot be: another has its number.
    Overtaken(String),
    /// The proxy, or the table itself, says no.
    Refused(String),
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) ledger: Ledger,
    pub(crate) traffic: Arc<dyn Traffic>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) shelf: Shelf,
    pub(crate) pace: Pace,
    pub(crate) random: Random,
    pub(crate) environment: EnvironmentName,
    pub(crate) services: RwLock<BTreeMap<ServiceName, Arc<ServiceSettings>>>,
    /// What the judge of each service sees now.
    pub(crate) standings: RwLock<BTreeMap<ServiceName, Standing>>,
    pub(crate) shutdown: Shutdown,
    /// Held from the choice of a table's number until the table is served: no two tables of
    /// this engine race. Taken before the ledger's turn, never after.
    pub(crate) publishing: Mutex<()>,
}

/// The right to publish, with the table that is served.
pub(crate) struct Right<'a> {
    _guard: MutexGuard<'a, ()>,
    pub(crate) served: Table,
}

impl Core {
    pub(crate) fn settings(&self, service: &ServiceName) -> Result<Arc<ServiceSettings>, Hold> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.get(service).cloned().ok_or_else(|| {
            Hold(format!(
                "the environment has no service {service} any more; add it to its file again"
            ))
        })
    }

    /// Tells what the judge of a service sees now.
    pub(crate) fn tell(&self, service: &ServiceName, standing: Standing) {
        let standings = self.standings.write();
        let mut standings = standings.unwrap_or_else(PoisonError::into_inner);
        standings.insert(service.clone(), standing);
    }

    /// No judge looks at the service.
    pub(crate) fn tell_nothing(&self, service: &ServiceName) {
        let standings = self.standings.write();
        let mut standings = standings.unwrap_or_else(PoisonError::into_inner);
        standings.remove(service);
    }

    pub(crate) fn known_services(&self) -> Vec<ServiceName> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.keys().cloned().collect()
    }

    /// Takes new settings; gives the services that are new. One that is gone keeps what it had,
    /// because its instances still run.
    pub(crate) fn configure(
        &self,
        settings: BTreeMap<ServiceName, ServiceSettings>,
    ) -> Vec<ServiceName> {
        let mut services = self
            .services
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        for (service, settings) in settings {
            if services
                .insert(service.clone(), Arc::new(settings))
                .is_none()
            {
                new.push(service);
            }
        }
        new
    }

    pub(crate) fn new_instance(&self) -> InstanceId {
        InstanceId(self.random.uuid(self.pace.now()))
    }

    pub(crate) fn new_rollout(&self) -> RolloutId {
        RolloutId(self.random.uuid(self.pace.now()))
    }

    pub(crate) fn record(&self, id: RolloutId) -> Result<Record, Hold> {
        self.ledger
            .book()
            .rollouts
            .get(&id)
            .cloned()
            .ok_or_else(|| Hold(format!("the journal knows no rollout {id}")))
    }

    pub(crate) async fn manifest(&self, release: &ReleaseId) -> Result<Manifest, Hold> {
        let release = release.clone();
        self.on_shelf(move |shelf| shelf.manifest(&release))
            .await?
            .map_err(|refusal| Hold(refusal.to_string()))
    }

    /// Looks at releases on disk without keeping other tasks waiting.
    pub(crate) async fn on_shelf<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Shelf) -> T + Send + 'static,
    ) -> Result<T, Hold> {
        let shelf = self.shelf.clone();
        let looked = self.pace.aside(move || look(&shelf)).await;
        looked.map_err(|error| Hold(error.to_string()))
    }

    /// Waits for the right to publish and looks at what is served.
    pub(crate) async fn right(&self) -> Result<Right<'_>, Hold> {
        let guard = self.publishing.lock().await;
        let served = self.traffic.table().await?;
        Ok(Right {
            _guard: guard,
            served,
        })
    }

    /// Publishes the table of an intended step, or finds out what became of it.
    pub(crate) async fn publish(
        &self,
        right: &Right<'_>,
        record: &Record,
        step: &slipway_journal::event::rollout::Step,
        change: &Change,
    ) -> Result<Publication, Hold> {
        let served = Generation(right.served.generation.0);
        match recovery::published(step, served) {
            Some(Published::Served) => return Ok(Publication::Found),
            Some(Published::Overtaken { by }) => {
                return Ok(Publication::Overtaken(format!("table {by} is served")));
            }
            Some(Published::NotYet) | None => {}
        }
        let generation = generation_of(step).unwrap_or(served);
        let manner = self.manner(record, change).await?;
        let service = &record.service;
        let table = match routing::changed(&right.served, generation, service, &manner, change) {
            Ok(table) => table,
            Err(reason) => return Ok(Publication::Refused(reason.to_string())),
        };
        match self.traffic.publish(&table).await {
            Ok(()) => Ok(Publication::Served),
            Err(ClientError::Refused(reason)) => Ok(Publication::Refused(format!(
                "the proxy refuses the table: {reason}"
            ))),
            Err(silent) => Err(silent.into()),
        }
    }

    async fn manner(&self, record: &Record, change: &Change) -> Result<Manner, Hold> {
        // A rollback asks for the manifest of the old release, not of the one that is bad.
        let health = match change.release() {
            Some(release) => self.manifest(release).await?.health,
            None => String::new(),
        };
        let settings = self.settings(&record.service)?;
        Ok(Manner {
            hosts: settings.hosts.clone(),
            rules: settings.rules.clone(),
            slow_start: settings.slow_start,
            health,
            slow: self.history(record).and_then(|h| h.slow()),
            pages: settings
                .policy
                .skew
                .map(|long| (long, self.left(record, change))),
        })
    }

    /// The slot that visitors leave by a change of their own release, while it is warm. Those of a
    /// release that is taken back get what everybody gets.
    fn left(&self, record: &Record, change: &Change) -> Option<Slot> {
        let comes = |side: &Side| side.slot == record.slot;
        let is_new = matches!(change, Change::Live { side } if comes(side));
        let is_warm = strategy::is_warm(&self.ledger.book(), record);
        (is_new && is_warm).then(|| record.slot.other())
    }

    /// What was usual on the release before that of `record`.
    fn history(&self, record: &Record) -> Option<History> {
        let book = self.ledger.book();
        let previous = book.rollouts.get(&record.previous?)?;
        History::of(record, &previous.release)
    }

    pub(crate) async fn spec(
        &self,
        record: &Record,
        instance: InstanceId,
        command: impl FnOnce(Manifest) -> Vec<String>,
    ) -> Result<Spec, Hold> {
        let manifest = self.manifest(&record.release).await?;
        Ok(Spec {
            instance,
            service: record.service.clone(),
            release: record.release.clone(),
            role: self.role_of(instance),
            content: self.shelf.content(&record.release),
            argv: command(manifest),
            env: self.settings(&record.service)?.env.clone(),
        })
    }

    fn role_of(&self, instance: InstanceId) -> Option<RoleName> {
        let book = self.ledger.book();
        book.instances.get(&instance).and_then(|i| i.role.clone())
    }

    /// Waits, unless the engine is to end.
    pub(crate) async fn rest(&self, long: Duration) {
        tokio::select! {
            biased;
            () = self.pace.sleep(long) => {}
            () = self.shutdown.requested() => {}
        }
    }
}

/// The instances of a rollout as the table is told of them.
pub(crate) fn side(book: &Book, record: &Record) -> Side {
    Side {
        slot: record.slot,
        release: record.release.clone(),
        instances: book
            .serving_of(record.id)
            .filter_map(|i| Some((i.id, address_of(i)?)))
            .collect(),
    }
}

pub(crate) fn address_of(instance: &crate::book::Instance) -> Option<SocketAddr> {
    let (_, address) = instance.running.as_ref()?;
    address.parse().ok()
}

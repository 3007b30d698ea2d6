//! The engine's interface: start, deploy, roll back, cancel. Everything returns at once; what
//! comes of it is in the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use chassis::{Clock, Random, Shutdown};
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Steering, Trigger};
use slipway_journal::{
    Actor, EnvironmentName, InstanceId, Journal, ReleaseId, RolloutId, ServiceName, Slot,
};
use slipway_proxy::Trust;
use tokio::sync::Mutex;

use crate::approval::Asked;
use crate::book::{Book, Record};
use crate::caretaker::Caretaker;
use crate::consent;
use crate::core::{Core, Hold, ServiceSettings};
use crate::court::Standing;
use crate::driver::Driver;
use crate::error::RolloutError;
use crate::footing;
use crate::ledger::{Ledger, trigger};
use crate::pace::Pace;
use crate::plan::{self, RollbackPlan};
use crate::prospect::{self, Way};
use crate::recovery;
use crate::refusal::Refusal;
use crate::runtime::process::Processes;
use crate::shelf::Shelf;
use crate::strategy;
use crate::traffic::Proxy;

/// Everything that the engine stands on.
#[derive(Debug)]
pub struct Ground {
    /// The journal; nobody else writes events of rollouts.
    pub journal: Journal,
    /// The proxy's own interface.
    pub proxy: slipway_proxy::Client,
    /// Where visitors come in; previews are looked at through the first of them.
    pub public: Vec<SocketAddr>,
    /// From which peers the proxy wants to hear first, by the PROXY protocol, who comes.
    pub announced_by: Trust,
    /// The folder of releases.
    pub releases: PathBuf,
    /// The folder of instances.
    pub instances: PathBuf,
    /// The program that starts instances in a session of their own, `[slipway, launch]`.
    pub launcher: Vec<OsString>,
    /// The time.
    pub clock: Clock,
    /// Randomness for ids, ports and tokens.
    pub random: Random,
    /// The environment that is looked after.
    pub environment: EnvironmentName,
}

/// What is to be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The service.
    pub service: ServiceName,
    /// The release.
    pub release: ReleaseId,
    /// Whether a person insists on a release that was taken back before, or that has nothing to
    /// stand on.
    pub force: bool,
}

/// Brings releases in and takes them back. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) core: Arc<Core>,
    recovered: u32,
}

impl Engine {
    /// Reads the journal, looks at the world, and takes up whatever was left unfinished. Ends
    /// with `shutdown`; instances and traffic go on without it.
    pub async fn start(
        ground: Ground,
        services: BTreeMap<ServiceName, ServiceSettings>,
        shutdown: Shutdown,
    ) -> Result<Self, RolloutError> {
        let folder = ground.instances.clone();
        let random = ground.random.clone();
        let runtime =
            Processes::new(ground.instances, ground.launcher, random).map_err(|source| {
                RolloutError::File {
                    path: folder,
                    source,
                }
            })?;
        let ledger = Ledger::open(
            Arc::new(ground.journal),
            ground.environment.clone(),
            #[cfg(test)]
            crate::tests::fuse::Fuse::default(),
        );
        let core = Core {
            ledger: ledger.await?,
            traffic: Arc::new(Proxy {
                client: ground.proxy,
                public: ground.public,
                announced_by: ground.announced_by,
            }),
            runtime: Arc::new(runtime),
            shelf: Shelf::new(ground.releases),
            pace: Pace::real(ground.clock),
            random: ground.random,
            environment: ground.environment,
            services: RwLock::default(),
            standings: RwLock::default(),
            shutdown,
            publishing: Mutex::new(()),
        };
        Self::run(core, services).await
    }

    pub(crate) async fn run(
        core: Core,
        services: BTreeMap<ServiceName, ServiceSettings>,
    ) -> Result<Self, RolloutError> {
        let recovered = core.ledger.book().unfinished();
        call_the_roll(&core).await?;
        let core = Arc::new(core);
        let engine = Self { core, recovered };
        engine.take(services);
        tokio::spawn(consent::expire(Arc::clone(&engine.core)));
        Ok(engine)
    }

    /// Takes new settings. They hold for whatever is decided from now on: instances that run
    /// keep their variables until they are started again.
    #[expect(
        clippy::unused_async,
        reason = "callers need not care that nothing is waited for"
    )]
    pub async fn configure(&self, services: BTreeMap<ServiceName, ServiceSettings>) {
        self.take(services);
    }

    /// Starts the tasks of services that are new: one that drives rollouts and one that looks
    /// after instances.
    fn take(&self, services: BTreeMap<ServiceName, ServiceSettings>) {
        for service in self.core.configure(services) {
            let driver = Driver {
                core: Arc::clone(&self.core),
                service: service.clone(),
                court: Arc::default(),
            };
            tokio::spawn(driver.run());
            tokio::spawn(Caretaker::new(Arc::clone(&self.core), service).run());
        }
        self.core.ledger.stir();
    }

    /// How many rollouts were found unfinished and taken up again.
    pub fn recovered(&self) -> u32 {
        self.recovered
    }

    /// Asks for a release. What it comes to is in the journal, under the rollout that is given
    /// back. A rollout that has no traffic yet is superseded; one that has is waited for.
    pub async fn deploy(
        &self,
        actor: Actor,
        order: Order,
    ) -> Result<Result<RolloutId, Refusal>, RolloutError> {
        self.ask(actor, order, None).await
    }

    pub(crate) async fn ask(
        &self,
        actor: Actor,
        order: Order,
        asked: Option<Asked>,
    ) -> Result<Result<RolloutId, Refusal>, RolloutError> {
        let Ok(settings) = self.core.settings(&order.service) else {
            return Ok(Err(self.unknown_service(order.service)));
        };
        let wanted = order.clone();
        let check = move |shelf: &Shelf| shelf.check(&wanted.release, &wanted.service);
        match self.core.on_shelf(check).await {
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => return Ok(Err(refusal)),
            Err(Hold(what)) => {
                return Ok(Err(Refusal::ContentMismatch {
                    release: order.release,
                    what,
                }));
            }
        }
        let (id, environment) = (self.core.new_rollout(), self.core.environment.clone());
        let may_force = order.force && matches!(actor, Actor::Person(_));
        let decide = |book: &Book| {
            if let Some(refusal) = refused(book, &order, &settings.after, may_force) {
                return (Vec::new(), Err(refusal));
            }
            let mut events = requested(book, id, &order, environment, asked.is_some());
            events.extend(asked.map(|asked| asked.event(id)));
            (events, Ok(id))
        };
        Ok(self.core.ledger.decide(actor, decide).await?)
    }

    /// Brings the traffic back to the release before: by one table while that is warm, else as
    /// a rollout of its own. Before the new release has traffic, it is cancelled.
    pub async fn rollback(
        &self,
        actor: Actor,
        service: &ServiceName,
        reason: String,
    ) -> Result<Result<RolloutId, Refusal>, RolloutError> {
        if self.core.settings(service).is_err() {
            return Ok(Err(self.unknown_service(service.clone())));
        }
        let decide = |book: &Book| match back(book, service, &reason) {
            Back::At(events, rollout) => (events, Ok(rollout)),
            Back::Slow(release) => (Vec::new(), Err(Some(release))),
            Back::Nothing => (Vec::new(), Err(None)),
        };
        match self.core.ledger.decide(actor.clone(), decide).await? {
            Ok(rollout) => Ok(Ok(rollout)),
            Err(Some(release)) => {
                let order = Order {
                    service: service.clone(),
                    release,
                    force: true,
                };
                self.deploy(actor, order).await
            }
            Err(None) => {
                let why = plan::rollback(&self.core.ledger.book(), service).to_string();
                Ok(Err(Refusal::NothingToRollBackTo { why }))
            }
        }
    }

    /// Calls off a rollout that has no traffic yet.
    pub async fn cancel(
        &self,
        actor: Actor,
        rollout: RolloutId,
        reason: String,
    ) -> Result<Result<(), Refusal>, RolloutError> {
        let decide = |book: &Book| match book.rollouts.get(&rollout) {
            None => (Vec::new(), Err(Refusal::UnknownRollout { rollout })),
            Some(r) if r.stage.is_end() => (Vec::new(), Err(Refusal::AlreadyOver { rollout })),
            Some(r) if r.is_before_traffic() => {
                let state = RolloutState::Cancelled { reason };
                (strategy::entering(r, state), Ok(()))
            }
            Some(_) => (Vec::new(), Err(Refusal::HasTraffic { rollout })),
        };
        Ok(self.core.ledger.decide(actor, decide).await?)
    }

    /// Says how a rollout goes on that has the share `seen` of the traffic, as whoever says it
    /// saw; refused when it has another one by now.
    pub async fn steer(
        &self,
        actor: Actor,
        rollout: RolloutId,
        (order, seen): (Steering, u16),
        reason: String,
    ) -> Result<Result<(), Refusal>, RolloutError> {
        let decide = |book: &Book| match book.rollouts.get(&rollout) {
            None => (Vec::new(), Err(Refusal::UnknownRollout { rollout })),
            Some(record) => match unsteerable(record, order, seen) {
                Some(why) => (Vec::new(), Err(Refusal::NotSteerable { rollout, why })),
                None => (steered(record, order, reason), Ok(())),
            },
        };
        Ok(self.core.ledger.decide(actor, decide).await?)
    }

    /// What the judge sees of a rollout that it looks at now.
    pub fn standing(&self, rollout: RolloutId) -> Option<Standing> {
        let standings = self.core.standings.read();
        let standings = standings.unwrap_or_else(PoisonError::into_inner);
        standings.values().find(|s| s.rollout == rollout).cloned()
    }

    /// What rolling `service` back would mean now.
    #[expect(
        clippy::unused_async,
        reason = "callers need not care that it is a reading of the book"
    )]
    pub async fn rollback_plan(&self, service: &ServiceName) -> RollbackPlan {
        plan::rollback(&self.core.ledger.book(), service)
    }

    /// What the journal says now.
    #[cfg(test)]
    pub(crate) fn book(&self) -> Book {
        self.core.ledger.book().clone()
    }

    /// The same without a copy. Never held over an await.
    #[cfg(test)]
    pub(crate) fn look(&self) -> std::sync::RwLockReadGuard<'_, Book> {
        self.core.ledger.book()
    }

    /// Whether a table could be published now.
    #[cfg(test)]
    pub(crate) fn may_publish(&self) -> bool {
        self.core.publishing.try_lock().is_ok()
    }

    /// The services that it looks after.
    pub fn services(&self) -> Vec<ServiceName> {
        self.core.known_services()
    }

    fn unknown_service(&self, service: ServiceName) -> Refusal {
        Refusal::UnknownService {
            service,
            known: self.core.known_services(),
        }
    }
}

/// What a rollback is.
enum Back {
    /// Events under a rollout that is there.
    At(Vec<RolloutEvent>, RolloutId),
    /// A rollout of an earlier release.
    Slow(ReleaseId),
    /// There is nothing to go back to.
    Nothing,
}

fn back(book: &Book, service: &ServiceName, reason: &str) -> Back {
    match prospect::way(book, service) {
        Way::CallOff(coming) => {
            let state = RolloutState::Cancelled {
                reason: format!("rolled back before it had traffic: {reason}"),
            };
            Back::At(strategy::entering(coming, state), coming.id)
        }
        Way::Switch(moving) => {
            let fired = RolloutEvent::TriggerFired {
                rollout: moving.id,
                trigger: Trigger::Person,
                evidence: reason.to_owned(),
            };
            Back::At(vec![fired], moving.id)
        }
        Way::Redeploy(_, previous) => Back::Slow(previous.release.clone()),
        Way::Nowhere(_) => Back::Nothing,
    }
}

fn refused(book: &Book, order: &Order, after: &[ServiceName], may_force: bool) -> Option<Refusal> {
    let release = order.release.clone();
    if let Some(reason) = book.quarantined.get(&release)
        && !may_force
    {
        let reason = reason.clone();
        return Some(Refusal::Quarantined { release, reason });
    }
    let under_way = book
        .of_service(&order.service)
        .find(|r| r.release == release && (r.is_before_traffic() || is_shifting(r)));
    if let Some(rollout) = under_way {
        return Some(Refusal::AlreadyUnderWay {
            rollout: rollout.id,
        });
    }
    let live = book.live_of(&order.service);
    let replaced = book
        .of_service(&order.service)
        .any(Record::is_before_traffic);
    if live.is_some_and(|l| l.release == release) && !replaced {
        return Some(Refusal::AlreadyLive { release });
    }
    // Who insists may be bringing back what was there before.
    let unfooted = (!may_force).then(|| footing::unfooted(book, &order.service, after));
    unfooted.flatten().map(Refusal::from)
}

fn is_shifting(record: &Record) -> bool {
    matches!(record.stage, RolloutState::Shifting { .. })
}

/// The events that a new rollout begins with; what it supersedes ends in the same append. One that
/// `waits` for approval supersedes only others that do: nobody stops by an order alone what was
/// approved.
fn requested(
    book: &Book,
    id: RolloutId,
    order: &Order,
    environment: EnvironmentName,
    waits: bool,
) -> Vec<RolloutEvent> {
    let moving = book
        .of_service(&order.service)
        .find(|r| is_shifting(r) && !r.stage.is_end());
    let live = moving.or_else(|| book.live_of(&order.service));
    let mut events = vec![
        RolloutEvent::Requested {
            rollout: id,
            service: order.service.clone(),
            environment,
            release: order.release.clone(),
            previous: live.map(|r| r.release.clone()),
            slot: live.map_or(Slot::Blue, |r| r.slot.other()),
        },
        RolloutEvent::Entered {
            rollout: id,
            state: RolloutState::Queued,
        },
    ];
    for older in book.of_service(&order.service) {
        if older.is_before_traffic() && (!waits || older.awaits_approval()) {
            let state = RolloutState::Superseded { by: id };
            events.extend(strategy::entering(older, state));
        }
    }
    events
}

/// Why nobody can say how a rollout goes on.
fn unsteerable(record: &Record, order: Steering, seen: u16) -> Option<&'static str> {
    let is_held = record.steering() == Some(Steering::Hold);
    match record.share() {
        None => return Some("has no share of the traffic that could be held or made larger"),
        Some(share) if share != seen => return Some("has another share of the traffic by now"),
        Some(_) => {}
    }
    if !record.triggers.is_empty() {
        return Some("is being taken back");
    }
    match (order, is_held) {
        (Steering::Hold, true) => Some("is held already"),
        (Steering::Resume, false) => Some("is not held by anybody"),
        _ => None,
    }
}

fn steered(record: &Record, order: Steering, reason: String) -> Vec<RolloutEvent> {
    let rollout = record.id;
    let state = match order {
        Steering::Hold => Some(RolloutState::Holding {
            reason: format!("held: {reason}"),
        }),
        Steering::Resume | Steering::Advance => {
            record.holding.as_ref().map(|_| record.stage.clone())
        }
    };
    let said = RolloutEvent::Steered {
        rollout,
        order,
        reason,
    };
    let entered = state.map(|state| RolloutEvent::Entered { rollout, state });
    std::iter::once(said).chain(entered).collect()
}

/// Looks which instances still run, and writes down in one append which do not: only together
/// do they tell a release that died from a machine that was started anew.
async fn call_the_roll(core: &Core) -> Result<(), RolloutError> {
    let expected: BTreeSet<InstanceId> = {
        let book = core.ledger.book();
        let alive = book.instances.values().filter(|i| i.is_alive());
        alive.map(|i| i.id).collect()
    };
    let mut dead = Vec::new();
    for instance in expected {
        match core.runtime.find(instance).await {
            Ok(Some(_)) => {}
            Ok(None) => dead.push((
                instance,
                "it did not run any more when control came back".to_owned(),
            )),
            Err(reason) => tracing::warn!(%instance, reason, "it is not known whether it runs"),
        }
    }
    let now = core.pace.now();
    let decide = |book: &Book| (recovery::deaths(book, &dead, now), ());
    Ok(core.ledger.decide(trigger(), decide).await?)
}

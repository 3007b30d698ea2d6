//! What is done to keep the instances of a service: started again, put down, told to the
//! table. Each is intended in the journal first, like any step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::Step;
use slipway_journal::{
    Generation, InstanceId, Manifest, ReleaseId, RoleName, RolloutId, ServiceName,
};
use slipway_proxy::Route;

use crate::book::{Book, NOT_SERVED, Record, Stepped};
use crate::care::{self, Repair, Sight};
use crate::core::{Core, Hold, Publication, side};
use crate::ledger::executor;
use crate::outcome::started;
use crate::policy::Policy;
use crate::recovery;
use crate::routing::{Change, Side};

/// What mends one service.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) core: Arc<Core>,
    pub(crate) service: ServiceName,
    /// Instances that proved themselves since control started.
    pub(crate) proved: BTreeSet<InstanceId>,
    /// The worker roles of the release that was live at the last look.
    pub(crate) roles: Option<(ReleaseId, BTreeSet<RoleName>)>,
}

impl Hand {
    /// Finds out which worker roles the live release has, where that is not known yet.
    pub(crate) async fn learn_roles(&mut self) {
        let live = {
            let book = self.core.ledger.book();
            book.live_of(&self.service).map(|r| r.release.clone())
        };
        let known = self.roles.as_ref().map(|(release, _)| release);
        if known == live.as_ref() {
            return;
        }
        self.roles = None;
        let Some(live) = live else {
            return;
        };
        match self.core.manifest(&live).await {
            Ok(manifest) => self.roles = Some((live, manifest.workers.into_keys().collect())),
            Err(Hold(reason)) => {
                tracing::warn!(service = %self.service, reason, "its workers stay as they are");
            }
        }
    }

    /// How many workers of each role there are to be; none where another release is live than
    /// the one whose roles are known.
    fn wanted_roles(&self, book: &Book, policy: &Policy) -> Option<BTreeMap<RoleName, u32>> {
        let (release, roles) = self.roles.as_ref()?;
        book.live_of(&self.service)
            .filter(|live| live.release == *release)?;
        let wanted = |role: &RoleName| policy.workers.get(role).copied().unwrap_or(1);
        Some(roles.iter().map(|r| (r.clone(), wanted(r))).collect())
    }

    pub(crate) async fn route(&self) -> Result<Option<Route>, Hold> {
        if self.core.ledger.book().live_of(&self.service).is_none() {
            return Ok(None);
        }
        let mut table = self.core.traffic.table().await?;
        Ok(table.routes.remove(self.service.as_str()))
    }

    pub(crate) fn sight<T>(
        &self,
        route: Option<&Route>,
        fresh: (Generation, InstanceId),
        now: Timestamp,
        see: impl FnOnce(Sight<'_>) -> T,
    ) -> Result<T, Hold> {
        let settings = self.core.settings(&self.service)?;
        let book = self.core.ledger.book();
        let roles = self.wanted_roles(&book, &settings.policy);
        Ok(see(Sight {
            book: &book,
            service: &self.service,
            route,
            proved: &self.proved,
            roles: roles.as_ref(),
            policy: &settings.policy,
            now,
            generation: fresh.0,
            instance: fresh.1,
        }))
    }

    pub(crate) fn owner(&self, instance: InstanceId) -> Result<Record, Hold> {
        let book = self.core.ledger.book();
        let owner = book.instances.get(&instance).map(|i| i.owner);
        owner
            .and_then(|o| book.rollouts.get(&o).cloned())
            .ok_or_else(|| Hold(format!("nobody owns the instance {instance}")))
    }

    /// Decides on a step and does it, where it is still what is wanted.
    pub(crate) async fn act(
        &self,
        rollout: RolloutId,
        step: &Step,
        route: Option<&Route>,
    ) -> Result<(), Hold> {
        match step {
            Step::Start { instance } | Step::Work { instance, .. } => {
                let service = &self.service;
                let decide = |book: &Book| {
                    let wanted = care::cared_for(book, service);
                    let wanted = match step {
                        Step::Work { .. } => wanted.first(),
                        _ => wanted.iter().find(|r| r.id == rollout),
                    };
                    if wanted.is_some_and(|r| r.id == rollout) {
                        let step = step.clone();
                        (vec![RolloutEvent::Intent { rollout, step }], true)
                    } else {
                        (Vec::new(), false)
                    }
                };
                if self.core.ledger.decide(executor(), decide).await? {
                    self.start(rollout, *instance, step).await?;
                }
                Ok(())
            }
            Step::Reroute { .. } => self.reroute(rollout, route).await,
            _ => Ok(()),
        }
    }

    async fn start(
        &self,
        rollout: RolloutId,
        instance: InstanceId,
        step: &Step,
    ) -> Result<(), Hold> {
        let record = self.core.record(rollout)?;
        let command = |mut manifest: Manifest| match step {
            Step::Work { role, .. } => {
                let worker = manifest.workers.remove(role);
                worker.map(|w| w.start).unwrap_or_default()
            }
            _ => manifest.start,
        };
        let spec = self.core.spec(&record, instance, command).await?;
        let events = match self.core.runtime.start(spec).await {
            Ok(running) => {
                let words = format!("process {} at {}", running.identity.pid, running.address);
                vec![
                    started(rollout, instance, running),
                    done(rollout, step.clone(), words),
                ]
            }
            Err(how) => {
                let words = format!("failed: {how}");
                let exited = RolloutEvent::InstanceExited {
                    rollout,
                    instance,
                    how,
                    expected: false,
                };
                vec![exited, done(rollout, step.clone(), words)]
            }
        };
        self.core.note(events).await
    }

    /// Decides that an instance that did not prove itself is to end, unless a table leads visitors
    /// to it by now.
    pub(crate) async fn put_down(&self, instance: InstanceId) -> Result<(), Hold> {
        // No table names it from here until the journal says that it stops, and none after that.
        let right = self.core.right().await?;
        let routes = right.served.routes.values();
        let pools = routes.flat_map(|r| r.pools.values());
        let mut named = pools.flat_map(|p| &p.targets).map(|t| &t.instance);
        if named.any(|name| *name == instance.to_string()) {
            return Ok(());
        }
        self.dismiss(instance).await
    }

    /// Decides that an instance is to end, where it still is to go on.
    pub(crate) async fn dismiss(&self, instance: InstanceId) -> Result<(), Hold> {
        let rollout = self.owner(instance)?.id;
        let decide = |book: &Book| match book.instances.get(&instance) {
            Some(known) if known.is_alive() && !known.stopping => {
                let step = Step::Stop { instance };
                (vec![RolloutEvent::Intent { rollout, step }], ())
            }
            _ => (Vec::new(), ()),
        };
        Ok(self.core.ledger.decide(executor(), decide).await?)
    }

    /// Writes down that an instance that was to end has.
    pub(crate) async fn note_end(&self, instance: InstanceId, how: String) -> Result<(), Hold> {
        let rollout = self.owner(instance)?.id;
        let exited = RolloutEvent::InstanceExited {
            rollout,
            instance,
            how: how.clone(),
            expected: true,
        };
        let events = vec![exited, done(rollout, Step::Stop { instance }, how)];
        self.core.note(events).await
    }

    /// Tells the table which instances of a rollout are good, where it says something else.
    async fn reroute(&self, rollout: RolloutId, route: Option<&Route>) -> Result<(), Hold> {
        let right = self.core.right().await?;
        let served = Generation(right.served.generation.0);
        let service = self.service.as_str();
        // Somebody published between the look and the lock; look again.
        if right.served.routes.get(service) != route {
            return Ok(());
        }
        let fresh = (
            self.core.ledger.book().generation.max(served).next(),
            self.core.new_instance(),
        );
        let now = self.core.pace.now();
        let wanted = self.sight(route, fresh, now, |sight| care::repair(&sight))?;
        let Some(Repair::Do { rollout: r, step }) = wanted else {
            return Ok(());
        };
        if r != rollout || !matches!(step, Step::Reroute { .. }) {
            return Ok(());
        }
        let intent = RolloutEvent::Intent {
            rollout,
            step: step.clone(),
        };
        let decide = |book: &Book| {
            let wanted = care::cared_for(book, &self.service);
            if wanted.iter().any(|r| r.id == rollout) {
                (vec![intent], true)
            } else {
                (Vec::new(), false)
            }
        };
        if self.core.ledger.decide(executor(), decide).await? {
            self.publish(&right, rollout, &step).await?;
        }
        Ok(())
    }

    async fn publish(
        &self,
        right: &crate::core::Right<'_>,
        rollout: RolloutId,
        step: &Step,
    ) -> Result<(), Hold> {
        let record = self.core.record(rollout)?;
        let route = right.served.routes.get(self.service.as_str());
        let good = self.good_side(&record, route);
        let count = good.instances.len();
        let change = if route.is_some() {
            Change::Elsewhere { side: good }
        } else {
            Change::Live { side: good }
        };
        let words = match self.core.publish(right, &record, step, &change).await? {
            Publication::Served | Publication::Found => format!("{count} instances are routed"),
            Publication::Overtaken(reason) | Publication::Refused(reason) => {
                format!("{NOT_SERVED}: {reason}")
            }
        };
        let refused = words.starts_with(NOT_SERVED);
        let events = vec![done(rollout, step.clone(), words.clone())];
        self.core.note(events).await?;
        if refused { Err(Hold(words)) } else { Ok(()) }
    }

    /// The instances that the table names already or that proved themselves, and that live.
    fn good_side(&self, record: &Record, route: Option<&Route>) -> Side {
        let book = self.core.ledger.book();
        let routed = care::targets(route, record.slot);
        let mut good = side(&book, record);
        good.instances
            .retain(|(i, _)| routed.contains(i) || self.proved.contains(i));
        good
    }

    /// The instances that are to end and are not known to have, beside any rollout.
    pub(crate) fn leaving(&self) -> Vec<InstanceId> {
        let book = self.core.ledger.book();
        let steps = book.of_service(&self.service).flat_map(Record::open_cares);
        let stops = steps.filter_map(|s| match s.step {
            Step::Stop { instance } => Some(instance),
            _ => None,
        });
        stops.collect()
    }

    /// Finishes a step of looking after that was intended before a restart; those that end
    /// instances are waited for elsewhere.
    pub(crate) async fn finish_open(&self) -> Result<bool, Hold> {
        let open = {
            let book = self.core.ledger.book();
            let is_stop = |s: &&Stepped| matches!(s.step, Step::Stop { .. });
            book.of_service(&self.service).find_map(|r| {
                let mut open = r.open_cares().filter(|s| !is_stop(s));
                open.next().map(|s| (r.id, s.step.clone()))
            })
        };
        let Some((rollout, step)) = open else {
            return Ok(false);
        };
        match &step {
            Step::Start { instance } | Step::Work { instance, .. } => {
                self.start(rollout, *instance, &step).await?;
            }
            _ => {
                let right = self.core.right().await?;
                let served = right.served.generation;
                // A table that is served is done; one that is not is chosen anew, because the
                // instances may have changed since.
                let words = match recovery::published(&step, Generation(served.0)) {
                    Some(recovery::Published::Served) => format!("table {served} is served"),
                    _ => format!("{NOT_SERVED}: table {served} is served"),
                };
                self.core.note(vec![done(rollout, step, words)]).await?;
            }
        }
        Ok(true)
    }
}

fn done(rollout: RolloutId, step: Step, observed: String) -> RolloutEvent {
    RolloutEvent::Done {
        rollout,
        step,
        observed,
        took_us: None,
        counters: None,
    }
}

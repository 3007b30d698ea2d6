//! What is done to keep the instances of a service: started again, put down, told to the
//! table. Each is intended in the journal first, like any step.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::Step;
use slipway_journal::{Generation, InstanceId, RolloutId, ServiceName};
use slipway_proxy::Route;

use crate::book::{Book, NOT_SERVED, Record};
use crate::care::{self, Repair, Sight};
use crate::core::{Core, Hold, Publication, side};
use crate::ledger::executor;
use crate::outcome::started;
use crate::recovery;
use crate::routing::{Change, Side};

/// What mends one service.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) core: Arc<Core>,
    pub(crate) service: ServiceName,
    /// Instances that proved themselves since control started.
    pub(crate) proved: BTreeSet<InstanceId>,
}

impl Hand {
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
        Ok(see(Sight {
            book: &book,
            service: &self.service,
            route,
            proved: &self.proved,
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
            Step::Start { instance } => {
                let service = &self.service;
                let decide = |book: &Book| {
                    let wanted = care::cared_for(book, service);
                    if wanted.iter().any(|r| r.id == rollout) {
                        let step = step.clone();
                        (vec![RolloutEvent::Intent { rollout, step }], true)
                    } else {
                        (Vec::new(), false)
                    }
                };
                if self.core.ledger.decide(executor(), decide).await? {
                    self.start(rollout, *instance).await?;
                }
                Ok(())
            }
            Step::Reroute { .. } => self.reroute(rollout, route).await,
            _ => Ok(()),
        }
    }

    async fn start(&self, rollout: RolloutId, instance: InstanceId) -> Result<(), Hold> {
        let record = self.core.record(rollout)?;
        let spec = self.core.spec(&record, instance, |m| m.start).await?;
        let events = match self.core.runtime.start(spec).await {
            Ok(running) => {
                let words = format!("process {} at {}", running.identity.pid, running.address);
                vec![
                    started(rollout, instance, running),
                    done(rollout, Step::Start { instance }, words),
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
                vec![exited, done(rollout, Step::Start { instance }, words)]
            }
        };
        self.core.note(events).await
    }

    /// Stops an instance that did not prove itself, unless a table leads visitors to it by now.
    pub(crate) async fn put_down(&self, instance: InstanceId) -> Result<(), Hold> {
        let rollout = self.owner(instance)?.id;
        // No table names it from here until the journal says that it stops, and none after that.
        let right = self.core.right().await?;
        let routes = right.served.routes.values();
        let pools = routes.flat_map(|r| r.pools.values());
        let mut named = pools.flat_map(|p| &p.targets).map(|t| &t.instance);
        if named.any(|name| *name == instance.to_string()) {
            return Ok(());
        }
        let decide = |book: &Book| match book.instances.get(&instance) {
            Some(known) if known.is_alive() && !known.stopping => {
                let step = Step::Stop { instance };
                (vec![RolloutEvent::Intent { rollout, step }], true)
            }
            _ => (Vec::new(), false),
        };
        let is_decided = self.core.ledger.decide(executor(), decide).await?;
        drop(right);
        if is_decided {
            self.stop(rollout, instance).await?;
        }
        Ok(())
    }

    async fn stop(&self, rollout: RolloutId, instance: InstanceId) -> Result<(), Hold> {
        let grace = self.core.settings(&self.service)?.policy.stop_grace;
        let how = self
            .core
            .runtime
            .stop(instance, grace)
            .await
            .map_err(Hold)?;
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

    /// Finishes a step of looking after that was intended before a restart.
    pub(crate) async fn finish_open(&self) -> Result<bool, Hold> {
        let open = {
            let book = self.core.ledger.book();
            book.of_service(&self.service)
                .find_map(|r| r.open_care().map(|s| (r.id, s.step.clone())))
        };
        let Some((rollout, step)) = open else {
            return Ok(false);
        };
        match &step {
            Step::Start { instance } => self.start(rollout, *instance).await?,
            Step::Stop { instance } => self.stop(rollout, *instance).await?,
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

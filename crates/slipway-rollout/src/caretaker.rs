//! Looks after the instances of one service beside any rollout: hears of deaths, decides
//! which repair is next, and waits. What a repair does is in `mending`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use slipway_journal::event::rollout::Step;
use slipway_journal::{InstanceId, RolloutId, ServiceName};

use crate::book::Book;
use crate::care::{self, Repair};
use crate::core::{Core, Hold};
use crate::ledger::trigger;
use crate::mending::Hand;
use crate::recovery;

/// The wait before what could not be done is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Looks after one service.
pub(crate) struct Caretaker {
    hand: Hand,
    /// Whose end is waited for.
    watched: BTreeSet<InstanceId>,
    ends: FuturesUnordered<BoxFuture<'static, (InstanceId, String)>>,
    proving: Option<(InstanceId, BoxFuture<'static, Result<(), String>>)>,
    /// Whose stop is under way: nobody else waits for an instance that takes its time.
    leaving: BTreeSet<InstanceId>,
    /// They touch nothing but the processes: whoever waited here for the journal would keep
    /// everybody else from it.
    stops: FuturesUnordered<BoxFuture<'static, (InstanceId, Result<String, String>)>>,
}

impl Caretaker {
    pub(crate) fn new(core: Arc<Core>, service: ServiceName) -> Self {
        Self {
            hand: Hand {
                core,
                service,
                proved: BTreeSet::new(),
                roles: None,
            },
            watched: BTreeSet::new(),
            ends: FuturesUnordered::new(),
            proving: None,
            leaving: BTreeSet::new(),
            stops: FuturesUnordered::new(),
        }
    }

    /// Looks after the service until the engine ends; the instances go on.
    pub(crate) async fn run(mut self) {
        let shutdown = self.hand.core.shutdown.clone();
        tokio::select! {
            // Who is to end never does one thing more, however little it has to wait for.
            biased;
            () = shutdown.requested() => {}
            () = self.care() => {}
        }
    }

    async fn care(&mut self) {
        let mut changes = self.hand.core.ledger.changes();
        loop {
            changes.mark_unchanged();
            self.watch_the_living();
            let wait = match self.repair().await {
                Ok(Some(until)) => Some(until),
                Ok(None) => None,
                Err(Hold(reason)) => {
                    tracing::warn!(service = %self.hand.service, reason, "instances cannot be looked after");
                    self.hand.core.pace.now().checked_add(AGAIN).ok()
                }
            };
            let pace = self.hand.core.pace.clone();
            let timer = async move {
                match wait {
                    Some(until) => pace.sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            // In this order, whichever is first: after each of them all is looked at again.
            tokio::select! {
                biased;
                Some((instance, how)) = self.ends.next(), if !self.ends.is_empty() => {
                    self.bury(instance, how).await;
                }
                Some((instance, stopped)) = self.stops.next(), if !self.stops.is_empty() => {
                    self.left(instance, stopped).await;
                }
                (instance, proof) = prove(&mut self.proving) => self.judge(instance, proof).await,
                () = changes.changed() => {}
                () = timer => {}
            }
        }
    }

    /// Waits for the end of every instance that is not waited for yet.
    fn watch_the_living(&mut self) {
        let living: Vec<InstanceId> = {
            let book = self.hand.core.ledger.book();
            let of_service = |owner: RolloutId| {
                let owner = book.rollouts.get(&owner);
                owner.is_some_and(|o| o.service == self.hand.service)
            };
            let living = book
                .instances
                .values()
                .filter(|i| i.is_alive() && of_service(i.owner));
            living.map(|i| i.id).collect()
        };
        for instance in living {
            if self.watched.insert(instance) {
                let runtime = Arc::clone(&self.hand.core.runtime);
                let end = async move { (instance, runtime.ended(instance).await) };
                self.ends.push(end.boxed());
            }
        }
    }

    /// Asks those to end that are to.
    fn see_off(&mut self) -> Result<(), Hold> {
        let grace = self.hand.core.settings(&self.hand.service)?;
        let grace = grace.policy.stop_grace;
        for instance in self.hand.leaving() {
            if self.leaving.insert(instance) {
                let runtime = Arc::clone(&self.hand.core.runtime);
                let stop = async move { (instance, runtime.stop(instance, grace).await) };
                self.stops.push(stop.boxed());
            }
        }
        Ok(())
    }

    async fn left(&mut self, instance: InstanceId, stopped: Result<String, String>) {
        let noted = match stopped {
            Ok(how) => self.hand.note_end(instance, how).await,
            Err(reason) => Err(Hold(reason)),
        };
        if let Err(Hold(reason)) = noted {
            tracing::warn!(%instance, reason, "it cannot be stopped");
            self.hand.core.rest(AGAIN).await;
            self.leaving.remove(&instance);
        }
    }

    /// Writes an end down. Where that is not possible the instance is waited for again, which
    /// says the same at once.
    async fn bury(&mut self, instance: InstanceId, how: String) {
        let now = self.hand.core.pace.now();
        let decide = |book: &Book| (recovery::deaths(book, &[(instance, how)], now), ());
        self.hand.proved.remove(&instance);
        if let Err(error) = self.hand.core.ledger.decide(trigger(), decide).await {
            tracing::error!(%instance, %error, "its end cannot be written down");
            self.hand.core.rest(AGAIN).await;
            self.watched.remove(&instance);
        }
    }

    async fn judge(&mut self, instance: InstanceId, proof: Result<(), String>) {
        self.proving = None;
        match proof {
            Ok(()) => {
                self.hand.proved.insert(instance);
            }
            Err(reason) => {
                tracing::warn!(%instance, reason, "an instance that was started again is not ready");
                if let Err(Hold(reason)) = self.hand.put_down(instance).await {
                    tracing::warn!(%instance, reason, "it cannot be stopped");
                    self.hand.core.rest(AGAIN).await;
                }
            }
        }
    }

    /// One repair, or the instant before which there is none.
    async fn repair(&mut self) -> Result<Option<Timestamp>, Hold> {
        self.see_off()?;
        if self.hand.finish_open().await? {
            return self.soon();
        }
        self.hand.learn_roles().await;
        let route = self.hand.route().await?;
        let (known, now) = (
            self.hand.core.ledger.book().generation,
            self.hand.core.pace.now(),
        );
        let fresh = (known.next(), self.hand.core.new_instance());
        let repair = self
            .hand
            .sight(route.as_ref(), fresh, now, |sight| care::repair(&sight))?;
        match repair {
            None => Ok(None),
            Some(Repair::Wait { until }) => Ok(Some(until)),
            Some(Repair::Prove { instance }) => {
                self.start_proving(instance).await?;
                Ok(None)
            }
            Some(Repair::Do {
                step: Step::Stop { instance },
                ..
            }) => {
                self.hand.dismiss(instance).await?;
                self.soon()
            }
            Some(Repair::Do { rollout, step }) => {
                self.hand.act(rollout, &step, route.as_ref()).await?;
                self.soon()
            }
        }
    }

    /// Look again at once: something was done.
    #[expect(clippy::unnecessary_wraps, reason = "the answer of a repair")]
    fn soon(&self) -> Result<Option<Timestamp>, Hold> {
        Ok(Some(self.hand.core.pace.now()))
    }

    async fn start_proving(&mut self, instance: InstanceId) -> Result<(), Hold> {
        if self.proving.as_ref().is_some_and(|(i, _)| *i == instance) {
            return Ok(());
        }
        let owner = self.hand.owner(instance)?;
        let health = self.hand.core.manifest(&owner.release).await?.health;
        let policy = self.hand.core.settings(&self.hand.service)?.policy.clone();
        let core = Arc::clone(&self.hand.core);
        let proof = async move {
            let proved = core.prove(instance, &owner.release, &health, &policy).await;
            proved.map(|_| ())
        };
        self.proving = Some((instance, proof.boxed()));
        Ok(())
    }
}

async fn prove(
    proving: &mut Option<(InstanceId, BoxFuture<'static, Result<(), String>>)>,
) -> (InstanceId, Result<(), String>) {
    match proving {
        Some((instance, proof)) => (*instance, proof.await),
        None => std::future::pending().await,
    }
}

//! Drives the rollouts of one service, one at a time: asks the strategy, commits what it
//! decides, acts, commits what was seen. The only part that moves a rollout on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Steering, Step, Trigger};
use slipway_journal::{Generation, InstanceId, RolloutId, ServiceName, Slot};
use tokio::sync::Mutex;

use crate::book::{Book, Record, generation_of};
use crate::core::{Core, Hold};
use crate::court::Court;
use crate::ledger::{self, executor};
use crate::policy::Policy;
use crate::receipt::{Tally, counters, receipt};
use crate::routing;
use crate::strategy::{self, Next, View};

/// The wait before what could not be done is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// The traffic of a release that lost it settles for so long at most before its account:
/// whoever waits for a receipt waits longer.
pub const SETTLE: Duration = Duration::from_secs(5);

/// Drives one service.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    pub(crate) core: Arc<Core>,
    pub(crate) service: ServiceName,
    /// Who judges what is watched: goes on where looking is broken off and begun again.
    pub(crate) court: Arc<Mutex<Option<Court>>>,
}

/// What is so now, beside what the journal says.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    policy: Policy,
    migrates: bool,
    routed: Vec<Slot>,
    now: Timestamp,
    generation: Generation,
    instance: InstanceId,
}

impl Scene {
    pub(crate) fn view<'a>(&'a self, book: &'a Book, record: &'a Record) -> View<'a> {
        View {
            book,
            record,
            policy: &self.policy,
            migrates: self.migrates,
            routed: &self.routed,
            now: self.now,
            generation: self.generation,
            instance: self.instance,
        }
    }
}

impl Driver {
    /// Drives until the engine ends. Whatever is dropped then is taken up again from the
    /// journal, as after a crash.
    pub(crate) async fn run(self) {
        let shutdown = self.core.shutdown.clone();
        tokio::select! {
            // Who is to end never does one thing more, however little it has to wait for.
            biased;
            () = shutdown.requested() => {}
            () = self.drive() => {}
        }
    }

    async fn drive(&self) {
        let mut changes = self.core.ledger.changes();
        let mut held_since: Option<Duration> = None;
        loop {
            changes.mark_unchanged();
            let current = self.current();
            let Some(id) = current else {
                changes.changed().await;
                continue;
            };
            match self.advance(id).await {
                Ok(()) => {
                    held_since = None;
                    if let Err(hold) = self.resume(id).await {
                        tracing::warn!(rollout = %id, reason = hold.0, "cannot resume");
                    }
                }
                Err(Hold(reason)) => {
                    let now = self.core.pace.monotonic();
                    if held_since.is_none() {
                        tracing::warn!(rollout = %id, reason, "the rollout holds; traffic is untouched");
                    }
                    let since = *held_since.get_or_insert(now);
                    self.hold(id, &reason, now.saturating_sub(since)).await;
                    self.core.rest(AGAIN).await;
                }
            }
        }
    }

    /// The first rollout that has something left to do.
    fn current(&self) -> Option<RolloutId> {
        let book = self.core.ledger.book();
        book.of_service(&self.service)
            .find(|r| is_unfinished(&book, r))
            .map(|r| r.id)
    }

    async fn scene(&self, record: &Record, routed: Vec<Slot>, served: u64) -> Result<Scene, Hold> {
        let migrates = match record.stage {
            RolloutState::Prepared => {
                let manifest = self.core.manifest(&record.release).await?;
                manifest.migrate.is_some()
            }
            _ => false,
        };
        let known = self.core.ledger.book().generation;
        Ok(Scene {
            policy: self.core.settings(&self.service)?.policy.clone(),
            migrates,
            routed,
            now: self.core.pace.now(),
            generation: known.max(Generation(served)).next(),
            instance: self.core.new_instance(),
        })
    }

    /// One decision and what follows from it.
    async fn advance(&self, id: RolloutId) -> Result<(), Hold> {
        let record = self.core.record(id)?;
        let table = self.core.traffic.table().await?;
        let routed = routing::routed(&table, &self.service);
        let scene = self.scene(&record, routed, table.generation.0).await?;
        if is_late(&record, &scene) {
            return self.give_up_late(&record, &scene).await;
        }
        let next = strategy::next(&scene.view(&self.core.ledger.book(), &record));
        match &next {
            Next::Finish(step) => self.perform(&record, step, None).await,
            Next::Enter(state) => {
                let state = state.clone();
                self.commit(id, &scene, &next, move |r| strategy::entering(r, state))
                    .await?;
                Ok(())
            }
            Next::Do { step, .. } if generation_of(step).is_some() => {
                self.decide_and_publish(&record, scene).await
            }
            Next::Do { enter, step } => {
                let decided = self.core.pace.monotonic();
                let intent = intent(enter.clone(), step.clone());
                if self.commit(id, &scene, &next, intent).await? {
                    self.perform(&record, step, Some(decided)).await?;
                }
                Ok(())
            }
            Next::Account { enter } => self.account(&record, &scene, &next, enter.clone()).await,
            Next::Watch { until } => self.watch(&record, *until).await,
            Next::Over => Ok(()),
        }
    }

    /// A step with a table: its number is chosen, committed and served under one lock.
    async fn decide_and_publish(&self, record: &Record, scene: Scene) -> Result<(), Hold> {
        let decided = self.core.pace.monotonic();
        let right = self.core.right().await?;
        let known = self.core.ledger.book().generation;
        let served = Generation(right.served.generation.0);
        let scene = Scene {
            generation: known.max(served).next(),
            ..scene
        };
        let next = {
            let book = self.core.ledger.book();
            let Some(now) = book.rollouts.get(&record.id) else {
                return Ok(());
            };
            strategy::next(&scene.view(&book, now))
        };
        let Next::Do { enter, step } = &next else {
            return Ok(());
        };
        let lacking = lacks_instances(&self.core.ledger.book(), record.id, &next);
        if let Some(reason) = lacking {
            return self.fail(record, &reason).await;
        }
        let intent = intent(enter.clone(), step.clone());
        if self.commit(record.id, &scene, &next, intent).await? {
            self.publish(record, step, right, Some(decided)).await?;
        }
        Ok(())
    }

    /// Commits the events of `next`, where that is still the next step; whether it was.
    pub(crate) async fn commit(
        &self,
        id: RolloutId,
        scene: &Scene,
        next: &Next,
        events: impl FnOnce(&Record) -> Vec<RolloutEvent>,
    ) -> Result<bool, Hold> {
        let decide = |book: &Book| match book.rollouts.get(&id) {
            Some(record)
                if strategy::next(&scene.view(book, record)) == *next
                    && lacks_instances(book, id, next).is_none() =>
            {
                (events(record), true)
            }
            _ => (Vec::new(), false),
        };
        Ok(self.core.ledger.decide(executor(), decide).await?)
    }

    async fn fail(&self, record: &Record, reason: &str) -> Result<(), Hold> {
        let (id, reason) = (record.id, reason.to_owned());
        let decide = |book: &Book| match book.rollouts.get(&id) {
            Some(record) if record.is_before_traffic() => (
                strategy::entering(record, RolloutState::Failed { reason }),
                (),
            ),
            _ => (Vec::new(), ()),
        };
        Ok(self.core.ledger.decide(executor(), decide).await?)
    }

    async fn give_up_late(&self, record: &Record, scene: &Scene) -> Result<(), Hold> {
        let id = record.id;
        let reason = format!(
            "no progress within {} s; the last state was reached at {}",
            scene.policy.progress_within.as_secs(),
            record.stage_at
        );
        let decide = |book: &Book| match book.rollouts.get(&id) {
            Some(record) if record.is_before_traffic() => {
                let fired = RolloutEvent::TriggerFired {
                    rollout: id,
                    trigger: Trigger::Deadline,
                    evidence: reason.clone(),
                };
                let failed = RolloutState::Failed { reason };
                let mut events = vec![fired];
                events.extend(strategy::entering(record, failed));
                (events, ())
            }
            _ => (Vec::new(), ()),
        };
        Ok(self.core.ledger.decide(ledger::trigger(), decide).await?)
    }

    /// Writes down that the rollout waits, once that has lasted.
    async fn hold(&self, id: RolloutId, reason: &str, lasted: Duration) {
        let Ok(settings) = self.core.settings(&self.service) else {
            return;
        };
        if lasted < settings.policy.silence {
            return;
        }
        if let Err(Hold(reason)) = self.write_hold(id, reason).await {
            tracing::error!(rollout = %id, reason, "that it holds cannot be written down");
        }
    }

    pub(crate) async fn write_hold(&self, id: RolloutId, reason: &str) -> Result<(), Hold> {
        let reason = reason.to_owned();
        let decide = |book: &Book| match book.rollouts.get(&id) {
            Some(r) if !r.stage.is_end() && r.holding.is_none() => {
                let state = RolloutState::Holding { reason };
                (strategy::entering(r, state), ())
            }
            _ => (Vec::new(), ()),
        };
        Ok(self.core.ledger.decide(executor(), decide).await?)
    }

    /// Goes back to the state before the hold.
    pub(crate) async fn resume(&self, id: RolloutId) -> Result<(), Hold> {
        let decide = |book: &Book| match book.rollouts.get(&id) {
            // What a person holds only a person lets go on.
            Some(r) if r.holding.is_some() && r.steering() != Some(Steering::Hold) => {
                let state = r.stage.clone();
                let entered = RolloutEvent::Entered { rollout: id, state };
                (vec![entered], ())
            }
            _ => (Vec::new(), ()),
        };
        Ok(self.core.ledger.decide(executor(), decide).await?)
    }

    /// Gives the account of a rollout and enters the state that it belongs to.
    async fn account(
        &self,
        record: &Record,
        scene: &Scene,
        next: &Next,
        enter: Option<RolloutState>,
    ) -> Result<(), Hold> {
        let restore = record.last(|s| matches!(s, Step::Restore { .. }));
        if let Some(generation) = restore.and_then(|s| generation_of(&s.step)) {
            let generation = slipway_proxy::Generation(generation.0);
            // What is still in flight then is counted as far as it came.
            let left = self.core.traffic.drained(generation, SETTLE).await?;
            tracing::debug!(left, "the traffic of the release has settled");
        }
        let stats = self.core.traffic.stats().await?;
        let mut tally = Tally::of(record);
        if record.did(|s| *s == Step::Prepare) {
            tally.see(counters(&stats, &self.service));
        }
        let book = self.core.ledger.book().clone();
        let end = enter.clone().unwrap_or_else(|| record.stage.clone());
        let environment = &self.core.environment;
        let now = self.core.pace.now();
        let receipt = Box::new(receipt(&book, record, environment, &tally, end, now));
        let events = move |r: &Record| {
            let mut events = vec![RolloutEvent::ReceiptIssued { receipt }];
            events.extend(enter.into_iter().flat_map(|s| strategy::entering(r, s)));
            events
        };
        self.commit(record.id, scene, next, events).await?;
        Ok(())
    }
}

/// Whether a rollout without traffic made no progress for too long.
fn is_late(record: &Record, scene: &Scene) -> bool {
    let waits = matches!(record.stage, RolloutState::Queued);
    let lasted = scene.now.duration_since(record.stage_at);
    record.is_before_traffic()
        && !waits
        && record.holding.is_none()
        && Duration::try_from(lasted).is_ok_and(|d| d > scene.policy.progress_within)
}

/// A release that lost an instance before it had traffic does not get any.
fn lacks_instances(book: &Book, id: RolloutId, next: &Next) -> Option<String> {
    let Next::Do {
        step: Step::Preview { .. } | Step::Shift { .. },
        ..
    } = next
    else {
        return None;
    };
    let record = book.rollouts.get(&id).filter(|r| r.is_before_traffic())?;
    let started = record
        .steps
        .iter()
        .filter(|s| matches!(s.step, Step::Start { .. }) && s.held());
    let how = book
        .instances
        .values()
        .filter(|i| i.owner == id)
        .find_map(|i| i.exited.as_ref().map(|(how, _)| how.clone()));
    (book.serving_of(id).count() < started.count()).then(|| {
        format!(
            "an instance ended before the release had traffic: {}; `slipway logs` shows what it \
             wrote",
            how.unwrap_or_else(|| "it is not there".to_owned())
        )
    })
}

fn intent(enter: Option<RolloutState>, step: Step) -> impl FnOnce(&Record) -> Vec<RolloutEvent> {
    move |record| {
        let rollout = record.id;
        let mut events: Vec<RolloutEvent> = enter
            .into_iter()
            .flat_map(|state| strategy::entering(record, state))
            .collect();
        events.push(RolloutEvent::Intent { rollout, step });
        events
    }
}

/// Whether a rollout may have something left to do; cheap, and wrong only towards asking the
/// strategy once more.
fn is_unfinished(book: &Book, record: &Record) -> bool {
    if record.open_step().is_some() || strategy::must_restore(book, record) {
        return true;
    }
    match &record.stage {
        RolloutState::Done => false,
        RolloutState::Queued => record.is_next(),
        RolloutState::Halted { .. } => record.is_restored() || !strategy::is_accounted(record),
        stage if stage.is_end() => !strategy::is_cleared(book, record),
        _ => true,
    }
}

//! What the driver does for each step: an idempotent effect, then what was seen is committed
//! together with everything that follows from it.

use std::time::Duration;

use slipway_journal::event::rollout::Step;
use slipway_journal::{Generation, InstanceId, RolloutId};

use crate::book::{Record, Stepped, generation_of};
use crate::core::{Hold, Publication, Right, side};
use crate::driver::Driver;
use crate::outcome::{Effect, Observed};
use crate::policy::{Policy, Strategy};
use crate::receipt::counters;
use crate::routing::Change;
use crate::shelf::Shelf;
use crate::strategy::{self, WHOLE};

impl Driver {
    /// Does a step that is intended, and commits what was seen. `decided` is none where the
    /// step was intended before a restart.
    pub(crate) async fn perform(
        &self,
        record: &Record,
        step: &Step,
        decided: Option<Duration>,
    ) -> Result<(), Hold> {
        if generation_of(step).is_some() && !is_direct(record, step) {
            let right = self.core.right().await?;
            return self.publish(record, step, right, decided).await;
        }
        let effect = match step {
            Step::Prepare => self.prepare(record).await?,
            Step::Expand => self.expand(record).await?,
            Step::Start { instance } => self.start(record, *instance).await?,
            Step::AwaitReady => {
                let ready = self.unless_called_off(record, self.await_ready(record));
                let ready = self.while_watched(record, ready).await?;
                ready.unwrap_or_else(given_up)
            }
            Step::Preview { .. } => {
                self.unless_called_off(record, self.look_at_preview(record, None))
                    .await?
            }
            Step::Drain { .. } => {
                let drain = self.drain(record, step);
                self.unless_called_off(record, drain).await?
            }
            Step::Stop { instance } => {
                match self.while_watched(record, self.stop(*instance)).await? {
                    Some(stopped) => stopped,
                    // It ends all the same, and that is waited for later.
                    None => return Ok(()),
                }
            }
            // These have a table and were published above.
            Step::Shift { .. }
            | Step::Restore { .. }
            | Step::Unroute { .. }
            | Step::Hold { .. }
            | Step::Thin { .. }
            // And this is done by whoever looks after the service.
            | Step::Work { .. }
            | Step::Reroute { .. } => return Ok(()),
        };
        self.report(record, step, effect).await
    }

    /// Publishes the table of a step that is intended. What is looked at afterwards keeps
    /// nobody else from publishing.
    pub(crate) async fn publish(
        &self,
        record: &Record,
        step: &Step,
        right: Right<'_>,
        decided: Option<Duration>,
    ) -> Result<(), Hold> {
        if is_direct(record, step) {
            drop(right);
            let look = self.look_at_preview(record, None);
            let effect = self.unless_called_off(record, look).await?;
            return self.report(record, step, effect).await;
        }
        let change = self.change(record, step)?;
        let published = self.core.publish(&right, record, step, &change).await?;
        drop(right);
        let took = self.since(record, step, decided);
        let generation = generation_of(step).unwrap_or_default();
        let effect = match published {
            Publication::Overtaken(reason) => Effect::NotServed(reason),
            Publication::Refused(reason) => match step {
                // Nothing of these can be given up; they are tried again.
                Step::Unroute { .. } | Step::Thin { .. } => return Err(Hold(reason)),
                _ => Effect::Failed(reason),
            },
            Publication::Served | Publication::Found => {
                let words = format!("table {generation} is served");
                self.after_publishing(record, step, &change, words, took)
                    .await?
            }
        };
        self.report(record, step, effect).await
    }

    async fn after_publishing(
        &self,
        record: &Record,
        step: &Step,
        change: &Change,
        words: String,
        took: Option<Duration>,
    ) -> Result<Effect, Hold> {
        let mut observed = Observed {
            words,
            took,
            ..Observed::default()
        };
        match (step, change) {
            (Step::Preview { .. }, Change::Preview { token, .. }) => {
                // After a restart the token of the served table is the one that counts.
                let served = self.core.traffic.table().await?;
                let route = served.routes.get(record.service.as_str());
                let shown = route
                    .and_then(|r| r.preview.as_ref())
                    .map(|p| p.token.clone());
                let token = shown.unwrap_or_else(|| token.clone());
                let look = self.look_at_preview(record, Some(token));
                match self.unless_called_off(record, look).await? {
                    Effect::Done(seen) => {
                        observed.words = format!("{}; {}", observed.words, seen.words);
                    }
                    other => return Ok(other),
                }
            }
            (Step::Shift { .. }, _) => {
                // What a silent proxy cannot tell is not waited for: traffic has moved.
                let stats = self.core.traffic.stats().await.ok();
                observed.counters = stats.map(|s| counters(&s, &record.service));
            }
            (Step::Restore { .. }, Change::Live { side }) => {
                let verified = self.verify(record, side).await?;
                observed.words = format!("{}; {verified}", observed.words);
            }
            _ => {}
        }
        Ok(Effect::Done(Box::new(observed)))
    }

    /// What the table is to say, by what the journal says now.
    fn change(&self, record: &Record, step: &Step) -> Result<Change, Hold> {
        let book = self.core.ledger.book();
        let own = || side(&book, record);
        let previous = || {
            let previous = record.previous.and_then(|id| book.rollouts.get(&id));
            previous.ok_or_else(|| Hold("there is no earlier release".to_owned()))
        };
        Ok(match step {
            Step::Preview { .. } => Change::Preview {
                side: own(),
                token: self.core.random.token(),
            },
            Step::Shift { weight, .. } if *weight < WHOLE => Change::Share {
                side: own(),
                weight: *weight,
                epoch: epoch(record.id),
            },
            Step::Shift { .. } => Change::Live { side: own() },
            Step::Restore { .. } => Change::Live {
                side: side(&book, previous()?),
            },
            Step::Unroute { slot, .. } => Change::Without { slot: *slot },
            Step::Hold { .. } => Change::Held,
            Step::Thin { weight, .. } => Change::Fewer {
                side: side(&book, previous()?),
                weight: (*weight > 0).then_some(*weight),
            },
            _ => return Err(Hold("the step has no table".to_owned())),
        })
    }

    /// From the decision until now; after a restart by the journal's own times.
    fn since(&self, record: &Record, step: &Step, decided: Option<Duration>) -> Option<Duration> {
        // A person or a trigger decides before the intent is chosen.
        let fired = match step {
            Step::Restore { .. } => record.triggers.last().map(|f| f.at),
            _ => None,
        };
        let measured = decided.map(|d| self.core.pace.monotonic().saturating_sub(d));
        let intended = record.last(|s| s == step).map(|s| s.intended_at);
        let by_journal = fired
            .or(intended)
            .and_then(|at| Duration::try_from(self.core.pace.now().duration_since(at)).ok());
        match (fired, measured) {
            (None, Some(measured)) => Some(measured),
            (Some(_), Some(measured)) => by_journal.map(|d| d.max(measured)).or(Some(measured)),
            (_, None) => by_journal,
        }
    }

    /// The effect, or that it was given up because the rollout was called off meanwhile.
    async fn unless_called_off(
        &self,
        record: &Record,
        effect: impl Future<Output = Result<Effect, Hold>>,
    ) -> Result<Effect, Hold> {
        let mut changes = self.core.ledger.changes();
        let (id, ended) = (record.id, record.stage.is_end());
        let called_off = async {
            loop {
                {
                    let book = self.core.ledger.book();
                    let off = book.rollouts.get(&id).is_some_and(|now| {
                        now.stage.is_end() != ended || strategy::must_restore(&book, now)
                    });
                    if off {
                        return;
                    }
                }
                changes.changed().await;
            }
        };
        tokio::select! {
            biased;
            () = called_off => Ok(Effect::done("given up, because the rollout was called off".to_owned())),
            effect = effect => effect,
        }
    }

    /// An effect that takes its time, while a release has traffic; nothing where a trigger fires
    /// before its end.
    async fn while_watched<T>(
        &self,
        record: &Record,
        effect: impl Future<Output = Result<T, Hold>>,
    ) -> Result<Option<T>, Hold> {
        if !record.has_traffic() {
            return Ok(Some(effect.await?));
        }
        tokio::select! {
            biased;
            done = effect => Ok(Some(done?)),
            () = self.watch_for_ever(record) => Ok(None),
        }
    }

    async fn prepare(&self, record: &Record) -> Result<Effect, Hold> {
        let (release, service) = (record.release.clone(), record.service.clone());
        let check = move |shelf: &Shelf| shelf.check(&release, &service);
        let checked = self.core.on_shelf(check).await?;
        let manifest = match checked {
            Ok(manifest) => manifest,
            Err(refusal) => return Ok(Effect::Failed(refusal.to_string())),
        };
        let settings = self.core.settings(&self.service)?;
        let policy = &settings.policy;
        match self.core.runtime.room() {
            Err(reason) => return Ok(Effect::Failed(reason)),
            Ok(free) if free < policy.disk_bytes => {
                return Ok(Effect::Failed(format!(
                    "only {} MiB of disk are free and {} are needed; remove old releases or logs",
                    free / MEBIBYTE,
                    policy.disk_bytes / MEBIBYTE
                )));
            }
            Ok(_) => {}
        }
        let stats = self.core.traffic.stats().await?;
        let files = manifest.files.len();
        Ok(Effect::Done(Box::new(Observed {
            words: format!("{files} files are as the manifest says; the proxy answers"),
            counters: Some(counters(&stats, &self.service)),
            ..Observed::default()
        })))
    }

    async fn expand(&self, record: &Record) -> Result<Effect, Hold> {
        // The folder of the migration has the rollout's own id; no instance can have it.
        let folder = InstanceId(record.id.0);
        let migrate = |m: slipway_journal::Manifest| m.migrate.unwrap_or_default();
        let spec = self.core.spec(record, folder, migrate).await?;
        let command = spec.argv.join(" ");
        let within = self.core.settings(&self.service)?.policy.migrate_within;
        Ok(match self.core.runtime.run(spec, within).await {
            Ok(_) => Effect::done(format!("`{command}` succeeded")),
            Err(reason) => Effect::Failed(format!("the migration `{command}` failed: {reason}")),
        })
    }

    async fn start(&self, record: &Record, instance: InstanceId) -> Result<Effect, Hold> {
        let spec = self.core.spec(record, instance, |m| m.start).await?;
        Ok(match self.core.runtime.start(spec).await {
            Err(reason) => Effect::Failed(reason),
            Ok(running) => Effect::Done(Box::new(Observed {
                words: format!("process {} at {}", running.identity.pid, running.address),
                started: Some((instance, running)),
                ..Observed::default()
            })),
        })
    }

    async fn stop(&self, instance: InstanceId) -> Result<Effect, Hold> {
        let grace = self.core.settings(&self.service)?.policy.stop_grace;
        let how = self
            .core
            .runtime
            .stop(instance, grace)
            .await
            .map_err(Hold)?;
        Ok(Effect::Done(Box::new(Observed {
            words: how.clone(),
            stopped: Some((instance, how)),
            ..Observed::default()
        })))
    }

    async fn await_ready(&self, record: &Record) -> Result<Effect, Hold> {
        let health = self.core.manifest(&record.release).await?.health;
        let settings = self.core.settings(&self.service)?;
        let policy = &settings.policy;
        let instances = started_anew(record);
        let proofs = instances
            .iter()
            .map(|i| self.core.prove(*i, &record.release, &health, policy));
        let proved = futures_util::future::try_join_all(proofs).await;
        Ok(match proved {
            Err(reason) => Effect::Failed(reason),
            Ok(took) => Effect::done(format!(
                "{} instances answered {health} as {} {} times in a row; the slowest was ready after {} ms",
                took.len(),
                record.release.short(),
                policy.ready_successes,
                took.iter().max().map_or(0, Duration::as_millis)
            )),
        })
    }

    async fn drain(&self, record: &Record, step: &Step) -> Result<Effect, Hold> {
        let Step::Drain { generation } = step else {
            return Err(Hold("the step drains nothing".to_owned()));
        };
        let settings = self.core.settings(&self.service)?;
        let window = drain_window(record, *generation, &settings.policy);
        let generation = slipway_proxy::Generation(generation.0);
        let drained = async { Ok(self.core.traffic.drained(generation, window).await?) };
        let Some(left) = self.while_watched(record, drained).await? else {
            return Ok(given_up());
        };
        Ok(Effect::done(match left {
            0 => "no request is left on older tables".to_owned(),
            left => format!(
                "requests in flight when the window of {} s closed: {left}",
                window.as_secs()
            ),
        }))
    }

    /// Whether the old release does well now that it has the traffic again.
    async fn verify(&self, record: &Record, side: &crate::routing::Side) -> Result<String, Hold> {
        let previous = record.previous.map(|id| self.core.record(id)).transpose()?;
        let Some(previous) = previous else {
            return Ok("there is no old release".to_owned());
        };
        let health = self.core.manifest(&previous.release).await?.health;
        let looks = side.instances.iter().map(|(instance, address)| {
            self.core.probe(*instance, *address, &health, &side.release)
        });
        let looks = futures_util::future::join_all(looks).await;
        let good = looks.iter().filter(|l| **l == crate::readiness::Look::Good);
        Ok(format!(
            "{} of {} instances of the old release answer their health look",
            good.count(),
            looks.len()
        ))
    }
}

/// Visitors are drawn anew for each rollout, and stay where they are during one.
fn epoch(rollout: RolloutId) -> u64 {
    // The lower half of a time-ordered identifier is its random part.
    rollout.0.as_u64_pair().1
}

/// The instances that were started since others proved themselves.
fn started_anew(record: &Record) -> Vec<InstanceId> {
    let proved = |s: &Stepped| s.held() && s.step == Step::AwaitReady;
    let since = record.steps.iter().rposition(proved).map_or(0, |n| n + 1);
    let later = record.steps.iter().skip(since).filter(|s| !s.is_care);
    let started = later.filter_map(|s| match s.step {
        Step::Start { instance } => Some(instance),
        _ => None,
    });
    started.collect()
}

/// How long requests in flight may go on: not long where others wait meanwhile.
fn drain_window(record: &Record, generation: Generation, policy: &Policy) -> Duration {
    let holds = record.did(|s| *s == Step::Hold { generation });
    match &policy.strategy {
        Strategy::Recreate(recreate) if holds => recreate.drain.min(policy.drain_window),
        _ => policy.drain_window,
    }
}

fn given_up() -> Effect {
    Effect::done("given up, because a trigger fired".to_owned())
}

const MEBIBYTE: u64 = 1024 * 1024;

/// A preview without a table; nothing is published.
fn is_direct(record: &Record, step: &Step) -> bool {
    matches!(step, Step::Preview { .. }) && strategy::is_direct(record)
}

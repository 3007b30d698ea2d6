//! Watching a release that has traffic: the proxy's counts every tenth of a second, and what
//! follows when a trigger fires. Without counts nothing is promoted.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::RolloutId;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::judgement::{Judgement, Verdict};
use slipway_journal::event::rollout::{RolloutState, Steering, Step, Trigger};

use crate::book::{Book, Record};
use crate::core::Hold;
use crate::court::Court;
use crate::driver::Driver;
use crate::ledger;
use crate::policy::{Policy, Unsure};
use crate::strategy::{self, WHOLE};
use crate::trigger::{self, Facts};

/// Why nobody judges a release whose failures are not told.
const UNTOLD: &str = "the proxy that runs is older than control and does not tell what went badly, \
                      so that nobody can judge the release; `slipway down` and `slipway up` start \
                      the new one";

impl Driver {
    /// Looks until an instant, or until something changed that is to be decided on. Returns
    /// late rather than without counts.
    pub(crate) async fn watch(&self, record: &Record, until: Timestamp) -> Result<(), Hold> {
        let mut changes = self.core.ledger.changes();
        let settings = self.core.settings(&self.service)?;
        let policy = &settings.policy;
        let mut silent_since = None;
        let mut court = self.court.lock().await;
        if !court
            .as_ref()
            .is_some_and(|court| court.is_for(record, policy))
        {
            *court = self.new_court(record, policy)?;
        }
        match court.as_mut() {
            Some(court) if record.steering().is_some() && record.verdict().is_none() => {
                court.say_again();
            }
            Some(_) => {}
            None => self.core.tell_nothing(&self.service),
        }
        loop {
            let now = self.core.pace.monotonic();
            match self.look(record, court.as_mut(), now).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    silent_since = None;
                    if !court.as_ref().is_some_and(Court::is_unsure) {
                        self.resume(record.id).await?;
                    }
                    let is_over = self.core.pace.now() >= until;
                    // By new rules somebody else may have to judge, or nobody.
                    if is_over || self.core.settings(&self.service)?.policy != *policy {
                        return Ok(());
                    }
                }
                Err(Hold(reason)) => {
                    let since = *silent_since.get_or_insert(now);
                    if now.saturating_sub(since) >= policy.silence {
                        let words = format!(
                            "{reason}; without its counts nothing is promoted, and traffic stays \
                             where it is"
                        );
                        self.write_hold(record.id, &words).await?;
                    }
                }
            }
            tokio::select! {
                biased;
                () = self.core.pace.sleep(policy.look_every) => {}
                () = changes.changed() => {
                    if self.is_to_decide(record) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Looks until the release is to be taken back. That another rollout waits is no reason to
    /// stop looking: whoever drains is doing what that one waits for.
    pub(crate) async fn watch_for_ever(&self, record: &Record) {
        while !matches!(self.watch(record, Timestamp::MAX).await, Ok(()) if self.is_taken_back(record))
        {
            self.core.rest(Duration::from_millis(100)).await;
        }
    }

    /// Whether something happened that the strategy must hear of.
    fn is_to_decide(&self, record: &Record) -> bool {
        let queued = |r: &Record| r.id != record.id && r.is_next();
        let is_waited_for = || {
            let settings = self.core.settings(&self.service).ok();
            let now = self.core.pace.now();
            settings.is_some_and(|s| strategy::may_yield(record, &s.policy, now))
                && self
                    .core
                    .ledger
                    .book()
                    .of_service(&self.service)
                    .any(queued)
        };
        self.is_taken_back(record) || self.is_steered(record) || is_waited_for()
    }

    /// Whether the rollout took another course meanwhile, or is to.
    fn is_taken_back(&self, record: &Record) -> bool {
        let book = self.core.ledger.book();
        book.rollouts
            .get(&record.id)
            .is_none_or(|now| now.stage != record.stage || strategy::must_restore(&book, now))
    }

    /// Whether a person said something since.
    fn is_steered(&self, record: &Record) -> bool {
        let book = self.core.ledger.book();
        let now = book.rollouts.get(&record.id);
        now.is_some_and(|now| now.steered.len() != record.steered.len())
    }

    /// The instances of a rollout that are known to have ended: to start others is the
    /// caretaker's affair, and their silence says nothing of the release.
    fn ended(&self, id: RolloutId) -> BTreeSet<String> {
        let book = self.core.ledger.book();
        let of_rollout = book.instances.values().filter(|i| i.owner == id);
        of_rollout
            .filter(|i| i.exited.is_some())
            .map(|i| i.id.to_string())
            .collect()
    }

    /// Who judges the release while it is watched.
    fn new_court(&self, record: &Record, policy: &Policy) -> Result<Option<Court>, Hold> {
        let previous = record.previous.map(|id| self.core.record(id)).transpose()?;
        let now = self.core.pace.monotonic();
        Ok(previous.and_then(|old| Court::of(record, &old.release, policy, now)))
    }

    /// One look; whether there is something to decide: a trigger fired or had fired, or the
    /// judge has spoken.
    async fn look(
        &self,
        record: &Record,
        mut court: Option<&mut Court>,
        now: Duration,
    ) -> Result<bool, Hold> {
        let stats = self.core.traffic.stats().await?;
        let settings = self.core.settings(&self.service)?;
        let policy = &settings.policy;
        let counted = |is: &dyn Fn(&Step) -> bool| {
            let step = record.last(is);
            step.and_then(|s| s.done.as_ref())
                .and_then(|d| d.counters.clone())
        };
        let before = counted(&|s| *s == Step::Prepare);
        let at_shift = counted(&|s| matches!(s, Step::Shift { .. }));
        let old = match record.previous {
            Some(id) => Some(self.core.record(id)?.release),
            None => None,
        };
        let facts = Facts {
            service: &self.service,
            new: &record.release,
            old: old.as_ref(),
            stats: &stats,
            before: before.as_ref(),
            at_shift: at_shift.as_ref(),
            burst: &policy.burst,
            ended: &self.ended(record.id),
        };
        let is_told = court.as_ref().is_none_or(|court| court.is_told(&stats));
        let judgement = court.as_mut().and_then(|court| court.look(&stats, now));
        if let Some(court) = &court {
            self.core.tell(&self.service, court.standing(now));
        }
        let fired = trigger::look(&facts);
        if fired.is_none() && judgement.is_none() {
            let is_to_decide = self.is_to_decide(record);
            return if is_told || is_to_decide {
                Ok(is_to_decide)
            } else {
                Err(Hold(UNTOLD.to_owned()))
            };
        }
        let unsure = policy.strategy.unsure();
        let verdict = judgement.as_ref().map(|j| j.verdict.clone());
        let has_spoken = judgement.as_ref().is_some_and(|j| moves_on(j, unsure));
        let id = record.id;
        let decide = |book: &Book| match book.rollouts.get(&id) {
            Some(now) if !now.stage.is_end() && now.triggers.is_empty() => {
                let warm = strategy::is_warm(book, now);
                let mut events = Vec::new();
                let judged = judgement.and_then(|j| judged(now, j, unsure, &mut events));
                if let Some((trigger, evidence)) = fired.or(judged) {
                    events.extend(taken_back(now, &facts, trigger, &evidence, warm));
                }
                (events, ())
            }
            _ => (Vec::new(), ()),
        };
        self.core.ledger.decide(ledger::trigger(), decide).await?;
        if let (Some(court), Some(verdict)) = (court, verdict) {
            court.wrote(&verdict);
        }
        Ok(has_spoken || self.is_to_decide(record))
    }
}

/// Whether the next step follows from a judgement.
fn moves_on(judgement: &Judgement, unsure: Unsure) -> bool {
    match judgement.verdict {
        Verdict::Advance => true,
        Verdict::Inconclusive { .. } => unsure == Unsure::Continue,
        Verdict::Hold { .. } | Verdict::Abort { .. } => false,
    }
}

/// Writes down what the judge said, and what follows from it at once; gives why the release
/// is to be taken back, where it is.
fn judged(
    record: &Record,
    judgement: Judgement,
    unsure: Unsure,
    events: &mut Vec<RolloutEvent>,
) -> Option<(Trigger, String)> {
    let weight = match record.stage {
        RolloutState::Shifting { weight } => weight,
        _ => WHOLE,
    };
    let verdict = judgement.verdict.clone();
    events.push(RolloutEvent::Judged {
        rollout: record.id,
        weight,
        judgement: Box::new(judgement),
    });
    match verdict {
        Verdict::Abort { evidence, .. } => Some((Trigger::Judge, evidence)),
        // Whoever holds it knows that the judge lacks something.
        Verdict::Inconclusive { .. } if record.steering() == Some(Steering::Hold) => None,
        Verdict::Inconclusive { lacking } => match unsure {
            Unsure::Abort => Some((Trigger::Judge, format!("the judge cannot say: {lacking}"))),
            Unsure::Hold => {
                let reason = format!("the judge cannot say yet, and looks on: {lacking}");
                events.extend(strategy::entering(record, RolloutState::Holding { reason }));
                None
            }
            Unsure::Continue => None,
        },
        Verdict::Advance | Verdict::Hold { .. } => None,
    }
}

/// The events of a trigger: that it fired, and where nothing automatic is safe, that the
/// rollout halts.
fn taken_back(
    record: &Record,
    facts: &Facts<'_>,
    fired: Trigger,
    evidence: &str,
    warm: bool,
) -> Vec<RolloutEvent> {
    let verdict = trigger::judge(facts, fired, warm);
    let mut events = vec![RolloutEvent::TriggerFired {
        rollout: record.id,
        trigger: fired,
        evidence: evidence.to_owned(),
    }];
    if let trigger::Verdict::Halt { reason } = verdict {
        let reason = format!("{evidence}; {reason}");
        events.extend(strategy::entering(record, RolloutState::Halted { reason }));
    }
    events
}

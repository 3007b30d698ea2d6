//! Watching a release that has traffic: the proxy's counts every tenth of a second, and what
//! follows when a trigger fires. Without counts nothing is promoted.

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Step, Trigger};

use crate::book::{Book, Record};
use crate::core::Hold;
use crate::driver::Driver;
use crate::ledger;
use crate::strategy;
use crate::trigger::{self, Facts, Verdict};

impl Driver {
    /// Looks until an instant, or until something changed that is to be decided on. Returns
    /// late rather than without counts.
    pub(crate) async fn watch(&self, record: &Record, until: Timestamp) -> Result<(), Hold> {
        let mut changes = self.core.ledger.changes();
        let settings = self.core.settings(&self.service)?;
        let policy = &settings.policy;
        let mut silent_since = None;
        loop {
            let now = self.core.pace.monotonic();
            match self.look(record).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    silent_since = None;
                    self.resume(record.id).await?;
                    if self.core.pace.now() >= until {
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
                () = self.core.pace.sleep(policy.look_every) => {}
                changed = changes.changed() => {
                    if changed.is_err() || self.is_to_decide(record) {
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
            self.core.rest(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Whether something happened that the strategy must hear of.
    fn is_to_decide(&self, record: &Record) -> bool {
        let queued = |r: &Record| r.id != record.id && r.stage == RolloutState::Queued;
        let is_waited_for = || {
            let book = self.core.ledger.book();
            record.stage == RolloutState::Baking && book.of_service(&self.service).any(queued)
        };
        self.is_taken_back(record) || is_waited_for()
    }

    /// Whether the rollout took another course meanwhile, or is to.
    fn is_taken_back(&self, record: &Record) -> bool {
        let book = self.core.ledger.book();
        book.rollouts
            .get(&record.id)
            .is_none_or(|now| now.stage != record.stage || strategy::must_restore(&book, now))
    }

    /// One look; whether a trigger fired or had fired.
    async fn look(&self, record: &Record) -> Result<bool, Hold> {
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
        };
        let Some((fired, evidence)) = trigger::look(&facts) else {
            return Ok(self.is_to_decide(record));
        };
        let id = record.id;
        let decide = |book: &Book| match book.rollouts.get(&id) {
            Some(now) if !now.stage.is_end() && now.triggers.is_empty() => {
                let warm = strategy::is_warm(book, now);
                (taken_back(now, &facts, fired, &evidence, warm), ())
            }
            _ => (Vec::new(), ()),
        };
        self.core.ledger.decide(ledger::trigger(), decide).await?;
        Ok(self.is_to_decide(record))
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
    if let Verdict::Halt { reason } = verdict {
        let reason = format!("{evidence}; {reason}");
        events.extend(strategy::entering(record, RolloutState::Halted { reason }));
    }
    events
}

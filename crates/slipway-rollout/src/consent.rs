//! What people say of a rollout before it begins: that it needs approvals, yes, no, and that a
//! release which was taken back may come again. Who they are was proved by whoever calls.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::RolloutState;
use slipway_journal::{Actor, JournalError, ReleaseId, RolloutId, ServiceName};

use crate::approval::{Approval, Asked, NotTaken};
use crate::book::{Book, Record};
use crate::core::Core;
use crate::engine::{Engine, Order};
use crate::error::RolloutError;
use crate::footing::{self, Unfooted};
use crate::ledger::executor;
use crate::refusal::Refusal;
use crate::strategy;

/// The wait before what the journal did not take is tried again.
const AGAIN: Duration = Duration::from_millis(500);

impl Engine {
    /// Asks for a release that begins when enough people have approved it. Until then nothing
    /// waits for it, and a rollback is not held up. Otherwise like `deploy`.
    pub async fn propose(
        &self,
        actor: Actor,
        order: Order,
        asked: Asked,
    ) -> Result<Result<RolloutId, Refusal>, RolloutError> {
        self.ask(actor, order, Some(asked)).await
    }

    /// Takes the yes of `who`; gives what the rollout has then. By what is known `now` it may need
    /// more than when it was ordered: then all are asked again. With the last yes it takes the
    /// place of what was ordered before it and has no traffic yet.
    pub async fn approve(
        &self,
        who: String,
        rollout: RolloutId,
        now: &Asked,
    ) -> Result<Result<Approval, Refusal>, RolloutError> {
        let at = self.core.pace.now();
        let actor = Actor::Person(who.clone());
        let decide = |book: &Book| match waits(book, rollout) {
            Ok((record, approval)) => match self.unfooted(book, &record.service) {
                Some(unfooted) => (Vec::new(), Err(unfooted.into())),
                None => consent(book, (record, approval), (&who, now), at),
            },
            Err(no) => (Vec::new(), Err(no)),
        };
        Ok(self.core.ledger.decide(actor, decide).await?)
    }

    /// Takes the no of `who`: the rollout is cancelled, however many had said yes.
    pub async fn decline(
        &self,
        who: String,
        rollout: RolloutId,
        reason: String,
    ) -> Result<Result<(), Refusal>, RolloutError> {
        let now = self.core.pace.now();
        let by = who.clone();
        let taken = |book: &Book| -> Result<Record, Refusal> {
            let (record, approval) = waits(book, rollout)?;
            approval.takes_no(rollout, &who, now)?;
            Ok(record.clone())
        };
        let decide = |book: &Book| match taken(book) {
            Ok(record) => {
                let state = RolloutState::Cancelled {
                    reason: format!("{by} declined it: {reason}"),
                };
                let declined = RolloutEvent::Declined {
                    rollout,
                    by,
                    reason,
                };
                let mut events = vec![declined];
                events.extend(strategy::entering(&record, state));
                (events, Ok(()))
            }
            Err(no) => (Vec::new(), Err(no)),
        };
        let actor = Actor::Person(who.clone());
        Ok(self.core.ledger.decide(actor, decide).await?)
    }

    /// Why nothing new of a service is brought in now: a yes would begin that.
    fn unfooted(&self, book: &Book, service: &ServiceName) -> Option<Unfooted> {
        let settings = self.core.settings(service).ok()?;
        footing::unfooted(book, service, &settings.after)
    }

    /// Lets a release come again that was taken back.
    pub async fn lift_quarantine(
        &self,
        actor: Actor,
        release: ReleaseId,
        reason: String,
    ) -> Result<Result<(), Refusal>, RolloutError> {
        let decide = |book: &Book| match condemned(book, &release) {
            Some(rollout) => {
                let lifted = RolloutEvent::QuarantineLifted {
                    rollout,
                    release,
                    reason,
                };
                (vec![lifted], Ok(()))
            }
            None => (Vec::new(), Err(Refusal::NotQuarantined { release })),
        };
        Ok(self.core.ledger.decide(actor, decide).await?)
    }
}

/// What the yes of `who` comes to, by what is known `now`.
fn consent(
    book: &Book,
    (record, approval): (&Record, &Approval),
    (who, now): (&str, &Asked),
    at: Timestamp,
) -> (Vec<RolloutEvent>, Result<Approval, Refusal>) {
    let rollout = record.id;
    if !now.by.iter().any(|name| name == who) {
        let (who, by) = (who.to_owned(), now.by.clone());
        return (Vec::new(), Err(NotTaken::NotNamed { who, by }.into()));
    }
    let again = approval
        .asked_again(who, now)
        .map(|asked| asked.event(rollout));
    let mut events: Vec<RolloutEvent> = again.into_iter().collect();
    let of = |events: &[RolloutEvent]| {
        let known = Some(approval.clone());
        let after = events.iter().fold(known, Approval::after);
        after.unwrap_or_else(|| approval.clone())
    };
    if let Err(no) = of(&events).takes_yes(rollout, &record.release, who, at) {
        return (events, Err(no.into()));
    }
    let by = who.to_owned();
    events.push(RolloutEvent::Approved { rollout, by });
    let after = of(&events);
    if after.is_given() {
        let of_service = book.of_service(&record.service);
        let before = of_service.take_while(|r| r.id != rollout);
        let older = before.filter(|r| r.is_before_traffic());
        let state = RolloutState::Superseded { by: rollout };
        events.extend(older.flat_map(|r| strategy::entering(r, state.clone())));
    }
    (events, Ok(after))
}

/// The rollout and the approvals that it waits for.
fn waits(book: &Book, rollout: RolloutId) -> Result<(&Record, &Approval), Refusal> {
    let Some(record) = book.rollouts.get(&rollout) else {
        return Err(Refusal::UnknownRollout { rollout });
    };
    let waiting = record.awaits_approval();
    let Some(approval) = record.approval.as_ref().filter(|_| waiting) else {
        return Err(NotTaken::NotAsked { rollout }.into());
    };
    Ok((record, approval))
}

/// The rollout that condemned a release, where it is quarantined.
fn condemned(book: &Book, release: &ReleaseId) -> Option<RolloutId> {
    book.quarantined.get(release)?;
    let of_release = book.rollouts.values().filter(|r| r.release == *release);
    let mut condemned = of_release.filter(|r| matches!(r.stage, RolloutState::RolledBack { .. }));
    condemned.next_back().map(|r| r.id)
}

/// Cancels rollouts that nobody approved in time, until the engine ends.
pub(crate) async fn expire(core: Arc<Core>) {
    let mut changes = core.ledger.changes();
    loop {
        changes.mark_unchanged();
        let next = next_end(&core.ledger.book());
        let due = async {
            match next {
                Some(until) => core.pace.sleep_until(until).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = core.shutdown.requested() => return,
            () = changes.changed() => {}
            () = due => {
                if let Err(error) = end(&core).await {
                    tracing::warn!(%error, "an approval that expired is not written down");
                    core.rest(AGAIN).await;
                }
            }
        }
    }
}

fn waiting(book: &Book) -> impl Iterator<Item = (&Record, &Approval)> {
    let waiting = book.rollouts.values().filter(|r| r.awaits_approval());
    waiting.filter_map(|r| Some((r, r.approval.as_ref()?)))
}

fn next_end(book: &Book) -> Option<Timestamp> {
    waiting(book)
        .map(|(_, approval)| approval.asked.until)
        .min()
}

async fn end(core: &Core) -> Result<(), JournalError> {
    let now = core.pace.now();
    let decide = |book: &Book| {
        let late = waiting(book).filter(|(_, approval)| approval.asked.until <= now);
        let ended = late.flat_map(|(record, approval)| {
            let reason = format!(
                "it was not approved in time: {} of {} had said yes",
                approval.given.len(),
                approval.asked.need
            );
            strategy::entering(record, RolloutState::Cancelled { reason })
        });
        (ended.collect(), ())
    };
    core.ledger.decide(executor(), decide).await
}

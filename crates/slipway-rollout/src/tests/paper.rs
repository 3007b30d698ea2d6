//! A journal in memory: as durable as the simulation is long, on a disk that may be full or
//! slow. What is read from it went through the encoding of the real one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::Clock;
use futures_util::future::{BoxFuture, FutureExt as _};
use slipway_journal::event::RolloutEvent;
use slipway_journal::{Actor, Entry, Event, JournalError, Seq};

use crate::ledger::Paper;
use crate::tests::fuse::Fuse;
use crate::tests::hands::Hands;
use crate::tests::story::Story;

/// The journal. Clones are the same one, each with a fuse of its own.
#[derive(Debug, Clone)]
pub(crate) struct Sheets {
    written: Arc<Mutex<Written>>,
    clock: Clock,
    hands: Arc<Hands>,
    pub(crate) fuse: Fuse,
    pub(crate) story: Story,
}

#[derive(Debug, Default)]
struct Written {
    entries: Vec<Entry>,
    is_full: bool,
    slowness: Duration,
}

impl Sheets {
    pub(crate) fn new(clock: Clock, hands: Arc<Hands>) -> Self {
        Self {
            written: Arc::default(),
            clock,
            hands,
            fuse: Fuse::default(),
            story: Story::default(),
        }
    }

    pub(crate) fn with(&self, fuse: Fuse) -> Self {
        Self {
            fuse,
            ..self.clone()
        }
    }

    /// Nothing fits on the disk any more, or it does again.
    pub(crate) fn fill(&self, is_full: bool) {
        self.written().is_full = is_full;
    }

    /// How long it takes until something is on the disk.
    pub(crate) fn slow_down(&self, slowness: Duration) {
        self.written().slowness = slowness;
    }

    pub(crate) fn len(&self) -> usize {
        self.written().entries.len()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.written().entries.clone()
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, actor: &Actor, events: Vec<Event>) -> Result<Vec<Entry>, JournalError> {
        let mut written = self.written();
        if written.is_full {
            return Err(JournalError::File {
                path: "journal.db".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        }
        let first = written.entries.len();
        for event in events {
            self.tell(&event);
            let seq = i64::try_from(written.entries.len()).unwrap_or(i64::MAX) + 1;
            written.entries.push(Entry {
                seq: Seq(seq),
                at: self.clock.now(),
                actor: actor.clone(),
                event: serde_json::from_str(&serde_json::to_string(&event)?)?,
                hash: String::new(),
            });
        }
        Ok(written.entries[first..].to_vec())
    }

    fn tell(&self, event: &Event) {
        let Event::Rollout(event) = event else {
            return;
        };
        if let RolloutEvent::Requested { rollout, .. } = event {
            let number = self.story.named("rollout-") + 1;
            self.story
                .name(&rollout.to_string(), || format!("rollout-{number}"));
        }
        self.story
            .tell(self.clock.monotonic(), "journal", || brief(event));
    }
}

impl Paper for Sheets {
    fn append(
        &self,
        actor: Actor,
        events: Vec<Event>,
    ) -> BoxFuture<'_, Result<Vec<Entry>, JournalError>> {
        async move {
            let slowness = self.written().slowness;
            if !slowness.is_zero() {
                self.hands.sleep(slowness).await;
            }
            // What a killed control had not written yet is never written.
            if self.fuse.is_burnt() {
                std::future::pending::<()>().await;
            }
            self.write(&actor, events)
        }
        .boxed()
    }

    fn replay(&self) -> BoxFuture<'_, Result<Vec<Entry>, JournalError>> {
        async { Ok(self.entries()) }.boxed()
    }
}

/// An event in a line.
fn brief(event: &RolloutEvent) -> String {
    match event {
        RolloutEvent::Requested {
            rollout,
            service,
            release,
            ..
        } => format!("{rollout} asks for {release} of {service}"),
        RolloutEvent::Entered { rollout, state } => format!("{rollout} is {state:?}"),
        RolloutEvent::Intent { rollout, step } => format!("{rollout} intends {step:?}"),
        RolloutEvent::Done {
            rollout,
            step,
            observed,
            ..
        } => format!("{rollout} did {step:?}: {observed}"),
        RolloutEvent::InstanceStarted {
            rollout,
            instance,
            address,
            ..
        } => format!("{rollout} has {instance} at {address}"),
        RolloutEvent::InstanceExited {
            rollout,
            instance,
            how,
            ..
        } => format!("{rollout} lost {instance}: {how}"),
        RolloutEvent::TriggerFired {
            rollout,
            trigger,
            evidence,
        } => format!("{rollout} is to be taken back by {trigger:?}: {evidence}"),
        RolloutEvent::Judged {
            rollout,
            weight,
            judgement,
        } => format!("{rollout} at {weight} is judged: {:?}", judgement.verdict),
        RolloutEvent::Steered { .. }
        | RolloutEvent::ApprovalAsked { .. }
        | RolloutEvent::Approved { .. }
        | RolloutEvent::Declined { .. }
        | RolloutEvent::QuarantineLifted { .. } => format!("{event:?}"),
        RolloutEvent::Quarantined { release, .. } => format!("{release} is quarantined"),
        RolloutEvent::ReceiptIssued { receipt } => {
            format!(
                "{} has its account: {:?}, unrouted {}",
                receipt.rollout, receipt.traffic, receipt.unrouted
            )
        }
    }
}

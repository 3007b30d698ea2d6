//! Waiting instead of failing: while a route is held, or while no target is up, requests
//! keep a place in a bounded queue until the table or a target's health changes.

use std::time::Instant;

use tokio::sync::watch;

use crate::line::Line;
use crate::snapshot::{Place, Service};

/// Why a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The route says so.
    Hold,
    /// No target is up.
    NoTarget,
}

impl Reason {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Hold => "held for too long",
            Self::NoTarget => "no instance is up",
        }
    }
}

/// The queue is full, or the time is over.
#[derive(Debug)]
pub(crate) struct Over;

/// A request's waiting, over all its reasons.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    place: Option<Place>,
    changes: Option<watch::Receiver<u64>>,
    since: Option<(Reason, Instant)>,
}

impl Wait {
    /// Whether the request ever waited.
    pub(crate) fn has_waited(&self) -> bool {
        self.since.is_some()
    }

    /// Waits until it is worth looking again. The first call for a reason returns at once:
    /// what changed between the look and the call must not be missed.
    pub(crate) async fn on(
        &mut self,
        line: &Line,
        service: &std::sync::Arc<Service>,
        reason: Reason,
    ) -> Result<(), Over> {
        let worker = &line.worker;
        if !self
            .place
            .as_ref()
            .is_some_and(|place| place.is_of(service))
        {
            self.place = Some(Place::take(service, worker.limits.waiting).ok_or(Over)?);
        }
        let since = match self.since {
            Some((before, since)) if before == reason => since,
            _ => {
                let now = Instant::now();
                self.since = Some((reason, now));
                now
            }
        };
        let Some(changes) = &mut self.changes else {
            self.changes = Some(worker.published.changes());
            return Ok(());
        };
        let limit = match reason {
            Reason::Hold => worker.limits.hold,
            Reason::NoTarget => worker.limits.no_target,
        };
        let changed = tokio::time::timeout_at((since + limit).into(), changes.changed()).await;
        match changed {
            Ok(Ok(())) => Ok(()),
            // The publisher is gone only when the process ends.
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }
}

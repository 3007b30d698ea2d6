//! Live updates by server-sent events: the regions of a page, rendered by the templates
//! of the page itself, each sent again when it reads differently. The id of an event is
//! the journal's last entry, so a browser that comes back says what it has seen.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use chassis::Shutdown;
use futures_util::stream;
use serde::Deserialize;
use slipway_journal::{RolloutId, Seq};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::pages::{Region, overview, rollout};

/// A quiet stream says so, that neither side takes the other for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes that come together are sent together.
const GATHER: Duration = Duration::from_millis(120);

/// Which page is looked at: a rollout, or the overview.
#[derive(Debug, Deserialize)]
pub(crate) struct Looked {
    rollout: Option<RolloutId>,
}

/// Answers `/events`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Query(looked): Query<Looked>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let permit = Arc::clone(&desk.streams)
        .try_acquire_owned()
        .map_err(|_| Fault::Busy)?;
    let seen = headers
        .get("last-event-id")
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse().ok())
        .map(Seq);
    let mut watcher = Watcher {
        changes: desk.live.changes(),
        shutdown: desk.shutdown.clone(),
        page: looked.rollout,
        sent: BTreeMap::new(),
        waiting: VecDeque::new(),
        _permit: permit,
        desk,
    };
    let (now, regions) = watcher.regions().await?;
    watcher.changes.mark_unchanged();
    if seen == Some(now) {
        // Nothing happened since; what is shown is ours, and only changes are news.
        watcher.sent = regions.into_iter().map(|r| (r.name, r.html)).collect();
    } else {
        watcher.queue(now, regions);
    }
    let events = stream::unfold(watcher, async |mut watcher| {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(stream.into_response())
}

/// One open stream.
struct Watcher {
    desk: Arc<Desk>,
    page: Option<RolloutId>,
    changes: watch::Receiver<u64>,
    shutdown: Shutdown,
    sent: BTreeMap<String, String>,
    waiting: VecDeque<Event>,
    _permit: OwnedSemaphorePermit,
}

impl Watcher {
    /// The next event; nothing once control ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            tokio::select! {
                biased;
                () = self.shutdown.requested() => return None,
                changed = self.changes.changed() => changed.ok()?,
            }
            tokio::select! {
                biased;
                () = self.shutdown.requested() => return None,
                () = tokio::time::sleep(GATHER) => {}
            }
            self.changes.mark_unchanged();
            match self.regions().await {
                Ok((seq, regions)) => self.queue(seq, regions),
                Err(fault) => {
                    tracing::warn!(?fault, "a live page cannot be drawn any more");
                    return None;
                }
            }
        }
    }

    async fn regions(&self) -> Result<(Seq, Vec<Region>), Fault> {
        match self.page {
            Some(id) => rollout::regions(&self.desk, id),
            None => overview::regions(&self.desk).await,
        }
    }

    fn queue(&mut self, seq: Seq, regions: Vec<Region>) {
        for region in regions {
            if self.sent.get(&region.name) == Some(&region.html) {
                continue;
            }
            let event = Event::default()
                .id(seq.to_string())
                .event(&region.name)
                .data(&region.html);
            self.waiting.push_back(event);
            self.sent.insert(region.name, region.html);
        }
    }
}

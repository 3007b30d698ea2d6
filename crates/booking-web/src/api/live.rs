//! A stream of small events that says when the free times of a business may have
//! changed. Streams are few, end with the process, and outlive a change of routing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use chassis::Shutdown;
use futures_util::{Stream, stream};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::account::network::Network;
use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::frame::Counted;
use crate::turnstile::Place;

/// The most streams that one process keeps open.
pub(crate) const STREAMS_MAX: usize = 256;
/// A household or an office has several pages open.
pub(crate) const STREAMS_OF_ONE: usize = 16;

const BEAT: Duration = Duration::from_secs(1);

/// Browsers connect again by themselves; this bounds what one connection can hold.
const STREAM_LASTS: Duration = Duration::from_secs(30 * 60);

struct Live {
    app: Arc<App>,
    business: Uuid,
    version: Option<i64>,
    beats: u64,
    began: Instant,
    shutdown: Shutdown,
    _open: Counted,
    _place: Place,
}

/// An event of the stream as its parts.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "the stream is written field by field; this describes it"
)]
struct Beat {
    /// Counts from 1.
    id: String,
    /// `availability` or `heartbeat`.
    event: String,
    data: String,
}

/// Answers `GET /api/v1/businesses/{business}/live`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/live",
    tag = "Booking",
    summary = "A stream that says when free times may have changed",
    description = "Server-sent events, one each second: `availability` when the free times may \
        have changed, else `heartbeat`. The data is JSON with `beat`, `version` and `release`.",
    responses((status = 200, description = "One event", body = Beat,
        content_type = "text/event-stream"))
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    network: Network,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    let place = app.streams.enter(network).ok_or(Fault::Busy)?;
    let business = app.business(&slug).await?;
    let live = Live {
        business: business.id,
        version: None,
        beats: 0,
        began: Instant::now(),
        shutdown: app.shutdown.clone(),
        _open: Counted::new(&app.metrics.streams),
        _place: place,
        app,
    };
    Ok(Sse::new(stream::unfold(live, next)))
}

/// The next event, or the end when the process ends or the stream is old.
async fn next(mut live: Live) -> Option<(Result<Event, Infallible>, Live)> {
    if live.began.elapsed() > STREAM_LASTS || live.shutdown.is_requested() {
        return None;
    }
    if live.beats > 0 {
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = live.shutdown.requested() => return None,
        }
    }
    live.beats += 1;
    let version = match live.app.availability_version(live.business).await {
        Ok(version) => Some(version),
        Err(error) => {
            // The next beat looks again; the visitor's stream goes on.
            tracing::debug!(%error, "the version of free times cannot be read");
            live.version
        }
    };
    let event = if version == live.version {
        Event::default().event("heartbeat")
    } else {
        live.version = version;
        Event::default().event("availability")
    };
    let data = format!(
        r#"{{"beat":{},"version":{},"release":"{}"}}"#,
        live.beats,
        version.map_or("null".to_owned(), |v| v.to_string()),
        live.app.release,
    );
    Some((Ok(event.id(live.beats.to_string()).data(data)), live))
}

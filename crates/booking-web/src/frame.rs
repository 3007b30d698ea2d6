//! What surrounds every request: its id, its time limit, protective headers, the
//! release id, one log line and its metrics. Paths are logged as route templates
//! only, because a path may hold a secret link.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};
use prometheus_client::metrics::gauge::Gauge;
use tracing::Instrument as _;

use crate::account::network::Network;
use crate::app::App;
use crate::config::DRAIN_SECONDS;
use crate::error::{self, Fault, FieldProblem, Reader};
use crate::language::Wanted;
use crate::limit::Tally;
use crate::security;

/// The largest form or JSON body; names and a note need far less.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Enough for so few bytes over the slowest line.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// By then it is its turn, counted from its head on.
const BEGUN_WITHIN: Duration = Duration::from_secs(10);
/// Longer than any honest answer takes; with all before it shorter than the drain window.
const ANSWER_WITHIN: Duration = Duration::from_secs(14);
const _: () = assert!(BEGUN_WITHIN.as_secs() + ANSWER_WITHIN.as_secs() < DRAIN_SECONDS);

/// Ids from a proxy in front are kept up to this length.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Wraps every route, streams included.
pub(crate) async fn frame(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let _in_flight = Counted::new(&app.metrics.in_flight);
    let method = request.method().clone();
    let reader = Reader::of(request.uri().path());
    let wanted = Wanted::of(request.uri(), request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let id = request_id(request.headers())
        .unwrap_or_else(|| app.random.uuid(app.clock.now()).to_string());

    let tally = Tally::default();
    request.extensions_mut().insert(tally.clone());
    let span = tracing::info_span!("request", request_id = %id, release = %app.release);
    let response = next.run(request).instrument(span.clone()).await;
    let (mut response, fault) =
        span.in_scope(|| error::render(response, reader, wanted.clone(), &app, &id));

    finish(&app, &mut response, &id);
    tally.tell(response.headers_mut());
    if reader == Reader::Person {
        speak(&app, response.headers_mut(), &wanted);
    }
    let took = started.elapsed();
    let status = response.status().as_u16();
    app.metrics.answered(&route, &method, status, took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::info!(
            http.request.method = %method,
            http.route = %route,
            http.response.status_code = status,
            took_us,
            fault,
            "answered"
        );
    });
    response
}

/// When a request was there with its head.
#[derive(Debug, Clone, Copy)]
struct Arrived(Instant);

/// Takes a body whole before anything else begins; whoever sends slowly or too much is told
/// so: no fault of ours.
pub(crate) async fn whole(request: Request, next: Next) -> Response {
    let arrived = Arrived(Instant::now());
    let (mut head, body) = request.into_parts();
    if head.uri.query().is_some_and(|query| query.contains("%00")) {
        // The database keeps no such character, and nobody types it.
        let problem = FieldProblem {
            field: "query",
            detail: "text cannot hold the character NUL".to_owned(),
        };
        return Fault::Fields(vec![problem]).into_response();
    }
    let body = match tokio::time::timeout(BODY_WITHIN, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return Fault::of_body(&error).into_response(),
        Err(_) => return Fault::SenderSilent.into_response(),
    };
    head.extensions.insert(arrived);
    next.run(Request::from_parts(head, Body::from(body))).await
}

/// Lets those who change something in by the door.
pub(crate) async fn in_turn(
    State(app): State<Arc<App>>,
    network: Network,
    request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let arrived = request.extensions().get::<Arrived>();
    let left = arrived.map_or(BEGUN_WITHIN, |Arrived(at)| {
        BEGUN_WITHIN.saturating_sub(at.elapsed())
    });
    match app.door.enter(network, left).await {
        Ok(_place) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

/// Ends an answer that takes too long. For routes that answer in one go.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(ANSWER_WITHIN, next.run(request))
        .await
        .unwrap_or_else(|_| Fault::TimedOut.into_response())
}

fn finish(app: &App, response: &mut Response, id: &str) {
    security::protect(response, app.secure);
    let headers = response.headers_mut();
    headers.insert("x-release", app.release_header.clone());
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    // What is made for one visitor is kept by nobody else.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// Remembers a choice of language, and tells caches what the words of a page depend on.
fn speak(app: &App, headers: &mut HeaderMap, wanted: &Wanted) {
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
    if let Some(cookie) = wanted.cookie(app.secure) {
        headers.append(SET_COOKIE, cookie);
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let fits = (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    fits.then(|| id.to_owned())
}

/// Counts up now and down when it goes out of scope, also when that is a panic.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_break_a_log_line_is_not_kept() {
        let mut headers = HeaderMap::new();
        let mut check = |value: &'static str, kept: bool| {
            headers.insert("x-request-id", HeaderValue::from_static(value));
            assert_eq!(request_id(&headers).is_some(), kept, "{value}");
        };
        check("0198c1d2-aaaa", true);
        check("two words", false);
        check("\"quoted\"", false);
        check("", false);
    }
}

//! What the access log is to say of one request: kept only where there is a log, told when the
//! request has ended.

use std::cell::Cell;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};

use crate::access::{Entry, Log};
use crate::connection::Door;
use crate::counters::Outcome;
use crate::headers;
use crate::line::Line;
use crate::secure::Chosen;
use crate::split::Visitor;

/// One request, as far as it is known.
#[derive(Debug)]
pub(crate) struct Record {
    method: Method,
    target: Option<PathAndQuery>,
    id: Option<HeaderValue>,
    since: Instant,
    client: std::net::IpAddr,
    status: Cell<u16>,
    first: Cell<Option<Instant>>,
    sent: Cell<u64>,
}

impl Record {
    /// Begins one, for a request that has its id already.
    pub(crate) fn of(parts: &Parts, visitor: &Visitor, since: Instant) -> Self {
        Self {
            method: parts.method.clone(),
            target: parts.uri.path_and_query().cloned(),
            id: parts.headers.get(headers::REQUEST_ID).cloned(),
            since,
            client: visitor.address(),
            status: Cell::new(0),
            first: Cell::new(None),
            sent: Cell::new(0),
        }
    }

    /// The answer begins.
    pub(crate) fn answered(&self, status: StatusCode, now: Instant) {
        self.status.set(status.as_u16());
        self.first.set(Some(now));
    }

    /// So many bytes of its body were passed on.
    pub(crate) fn sent(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.sent.set(self.sent.get().saturating_add(bytes));
    }

    /// The request has ended.
    pub(crate) fn tell(
        &self,
        log: &Log,
        line: &Line,
        (service, release): (&str, Option<&str>),
        outcome: Outcome,
    ) {
        let now = line.now.get();
        let took = now.saturating_duration_since(self.since);
        let is_good = outcome == Outcome::Good;
        if !log.wants(is_good, took, |below| line.worker.draw(below)) {
            return;
        }
        let first = self.first.get();
        let first = first.map(|first| first.saturating_duration_since(self.since));
        let id = self.id.as_ref().and_then(|id| id.to_str().ok());
        log.tell(Entry {
            id: id.unwrap_or_default(),
            service,
            release,
            method: self.method.as_str(),
            path: self.target.as_ref().map_or("", PathAndQuery::path),
            status: self.status.get(),
            outcome: outcome.word(),
            first_us: first.map(micros),
            took_us: micros(took),
            sent: self.sent.get(),
            http: match line.chosen {
                Chosen::Http1 | Chosen::Nothing => 1,
                Chosen::Http2 => 2,
            },
            tls: line.door == Door::Secure,
            client: self.client,
        });
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

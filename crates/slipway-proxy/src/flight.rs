//! One request from the choice of its pool to its last byte: counted in the snapshot that
//! it was routed by, in its pool and on its target, and accounted for exactly once.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::counters::{Counters, Outcome, Pace};
use crate::line::Line;
use crate::record::Record;
use crate::split::Visitor;
use crate::target::TargetState;
use crate::upload::Upload;
use crate::view::{Lane, View};

/// A request's place in the count of its snapshot.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) view: Rc<View>,
    line: Rc<Line>,
}

impl Ticket {
    /// Counts a request in the snapshot that is served now. Whoever publishes the next one
    /// either sees this count or makes this function look again.
    pub(crate) fn take(line: &Rc<Line>) -> Self {
        let worker = &line.worker;
        loop {
            let view = worker.view();
            view.snapshot.in_flight.add(worker.index);
            let ticket = Self {
                view,
                line: Rc::clone(line),
            };
            if worker.published.serial() <= ticket.view.snapshot.serial {
                return ticket;
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let worker = &self.line.worker;
        self.view.snapshot.in_flight.remove(worker.index);
        worker.published.left(self.view.snapshot.serial);
    }
}

/// Whose request it is.
#[derive(Debug)]
pub(crate) enum Guest {
    /// Anybody.
    Visitor(Visitor),
    /// Somebody with a preview token, who is counted apart.
    Tester,
}

/// A request that chose its pool.
#[derive(Debug)]
pub(crate) struct Flight {
    ticket: Ticket,
    route: usize,
    pool: usize,
    guest: Guest,
    since: Instant,
    /// What the client sends first, for which nobody but itself may be slow.
    upload: Upload,
    /// What is asked, as a number.
    asked: u64,
    record: Option<Rc<Record>>,
    outcome: Cell<Option<Outcome>>,
    /// None as long as no answer came.
    pace: Cell<Option<Pace>>,
    withdrawn: Cell<bool>,
}

impl Flight {
    /// Begins to count.
    pub(crate) fn begin(
        ticket: Ticket,
        (route, pool): (usize, usize),
        guest: Guest,
        (since, upload, asked): (Instant, Upload, u64),
        record: Option<Rc<Record>>,
    ) -> Self {
        let flight = Self {
            ticket,
            route,
            pool,
            guest,
            since,
            upload,
            asked,
            record,
            outcome: Cell::new(None),
            pace: Cell::new(None),
            withdrawn: Cell::new(false),
        };
        flight.counters().begin(flight.worker());
        flight
    }

    /// The pool's targets, as this worker reaches them.
    pub(crate) fn lanes(&self) -> &[Rc<Lane>] {
        self.ticket.view.lanes(self.route, self.pool)
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.ticket.view.snapshot.routes[self.route].pools[self.pool].counters
    }

    pub(crate) fn line(&self) -> &Rc<Line> {
        &self.ticket.line
    }

    fn worker(&self) -> usize {
        self.ticket.line.worker.index
    }

    fn is_test(&self) -> bool {
        matches!(self.guest, Guest::Tester)
    }

    /// Nothing was sent: the request waits for another chance and is not counted here.
    pub(crate) fn withdraw(&self) {
        self.withdrawn.set(true);
    }

    /// The first byte of the answer came.
    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(record) = &self.record {
            record.answered(status, self.ticket.line.now.get());
        }
        if self.is_test() {
            return;
        }
        let now = self.ticket.line.now.get();
        let took = now.saturating_duration_since(self.since);
        self.counters().answered(self.worker(), took);
        self.pace.set(Some(self.pace_of(took)));
    }

    fn pace_of(&self, took: Duration) -> Pace {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let route = &self.ticket.view.snapshot.routes[self.route];
        match route.slow {
            Some(slow) if micros > slow.very_slow_us => Pace::VerySlow,
            Some(slow) if micros > slow.slow_us => Pace::Slow,
            _ => Pace::Quick,
        }
    }

    /// So many bytes of the answer's body came.
    pub(crate) fn sent(&self, bytes: usize) {
        if let Some(record) = &self.record {
            record.sent(bytes);
        }
    }

    /// A further try.
    pub(crate) fn retried(&self) {
        if !self.is_test() {
            self.counters().retried(self.worker());
        }
    }

    /// The request waited before it came here.
    pub(crate) fn was_held(&self) {
        if !self.is_test() {
            self.counters().held(self.worker());
        }
    }

    /// It failed, and another pool answers it: the visitor does not see it, and it counts.
    pub(crate) fn shielded(&self) {
        self.failed();
        self.counters().shielded(self.worker());
        let line = self.line();
        // The other pool has its own time.
        line.expired.set(false);
        line.touch();
        let words = "the live release answers instead";
        line.worker.complain(self.counters().service(), 0, words);
    }

    /// It failed, whatever else comes.
    pub(crate) fn failed(&self) {
        self.outcome.set(Some(Outcome::Failed));
    }

    /// It was answered to the end.
    pub(crate) fn good(&self) {
        if self.outcome.get().is_none() {
            self.outcome.set(Some(Outcome::Good));
        }
    }
}

impl Flight {
    /// Writes it down, where requests are.
    fn tell(&self, outcome: Outcome) {
        let line = self.line();
        if let (Some(record), Some(log)) = (&self.record, &line.worker.plane.access_log) {
            let counters = self.counters();
            let names = (counters.service(), Some(counters.release()));
            record.tell(log, line, names, outcome);
        }
    }
}

impl Drop for Flight {
    /// What ends without a word was broken off by the client.
    fn drop(&mut self) {
        if self.withdrawn.get() {
            self.counters().withdraw(self.worker());
            return;
        }
        let worker = &self.ticket.line.worker;
        let now = self.ticket.line.now.get();
        // For nothing, as long as it sends: then the client alone knows why it went.
        let waits_since = self.upload.waits_since(self.since).unwrap_or(now);
        let waited = now.saturating_duration_since(waits_since);
        let left = match self.pace.get() {
            Some(_) => Outcome::Abandoned,
            None => Outcome::GivenUp(waited),
        };
        let outcome = self.outcome.get().unwrap_or(left);
        self.tell(outcome);
        let Guest::Visitor(visitor) = &self.guest else {
            self.counters().previewed(self.worker());
            return;
        };
        let at = worker.second(now);
        // Who went away without an answer waited for it all the same: a release that hangs is slow.
        let pace = self.pace.get().unwrap_or_else(|| self.pace_of(waited));
        let ended = (outcome, pace);
        let client = visitor.fingerprint(&worker.key);
        let whose = (client, self.asked);
        self.counters().end(worker.index, at, ended, whose);
    }
}

/// A request's place on its target.
#[derive(Debug)]
pub(crate) struct Berth {
    lane: Rc<Lane>,
    worker: usize,
}

impl Berth {
    pub(crate) fn take(lane: &Rc<Lane>, worker: usize) -> Self {
        lane.target.in_flight.add(worker);
        Self {
            lane: Rc::clone(lane),
            worker,
        }
    }

    pub(crate) fn lane(&self) -> &Rc<Lane> {
        &self.lane
    }

    pub(crate) fn target(&self) -> &TargetState {
        &self.lane.target
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.lane.target.in_flight.remove(self.worker);
    }
}

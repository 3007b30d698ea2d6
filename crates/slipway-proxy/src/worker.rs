//! A worker: one thread, one runtime, its own view of the table and its own connections.
//! It shares nothing that a request would have to wait for.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chassis::Random;
use http::HeaderValue;
use tokio::sync::Notify;

use crate::line::Line;
use crate::options::Limits;
use crate::plane::Plane;
use crate::published::Published;
use crate::view::View;

/// Retries are at most a tenth of the traffic, counted in tenths of a try, with a floor
/// that a quiet service may spend and a ceiling that a busy one saves up to.
const RETRY_TENTHS: u32 = 10;
const FLOOR_TENTHS: u32 = 10 * RETRY_TENTHS;
const CEILING_TENTHS: u32 = 200 * RETRY_TENTHS;
/// How often the floor is given again.
const FLOOR_EVERY: Duration = Duration::from_secs(10);
/// Failures are told at most this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);

/// One worker.
pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) plane: Arc<Plane>,
    pub(crate) published: Arc<Published>,
    pub(crate) limits: Limits,
    pub(crate) key: [u8; 32],
    pub(crate) random: Random,
    /// When the end was asked for.
    pub(crate) closing_since: Cell<Option<Instant>>,
    /// Client connections of this worker.
    pub(crate) connections: Cell<usize>,
    /// Told whenever a connection ended.
    pub(crate) line_ended: Notify,
    view: RefCell<Rc<View>>,
    lines: RefCell<Vec<Weak<Line>>>,
    draw: Cell<u64>,
    id_prefix: u64,
    id_next: Cell<u64>,
    budget: Cell<u32>,
    floor_at: Cell<Instant>,
    complained: Cell<Option<Instant>>,
    silent: Cell<u64>,
}

impl Worker {
    pub(crate) fn new(index: usize, plane: &Arc<Plane>) -> Self {
        let mut seed = [0; 16];
        plane.random.fill(&mut seed);
        let seed = u128::from_le_bytes(seed);
        let now = Instant::now();
        Self {
            index,
            published: Arc::clone(&plane.published),
            limits: plane.limits.clone(),
            key: plane.key,
            random: plane.random.clone(),
            closing_since: Cell::new(None),
            connections: Cell::new(0),
            line_ended: Notify::new(),
            view: RefCell::new(Rc::new(View::of(plane.published.current(), None))),
            lines: RefCell::default(),
            draw: Cell::new(low(seed) | 1),
            id_prefix: low(seed >> 64),
            id_next: Cell::new(0),
            budget: Cell::new(FLOOR_TENTHS),
            floor_at: Cell::new(now),
            complained: Cell::new(None),
            silent: Cell::new(0),
            plane: Arc::clone(plane),
        }
    }

    /// This worker's view of the table that is served now.
    pub(crate) fn view(&self) -> Rc<View> {
        let mut view = self.view.borrow_mut();
        if view.snapshot.serial != self.published.serial() {
            let current = self.published.current();
            if view.snapshot.serial != current.serial {
                *view = Rc::new(View::of(current, Some(&view)));
            }
        }
        Rc::clone(&view)
    }

    /// The second of `now`, counted from the start of the proxy.
    pub(crate) fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.plane.started).as_secs()
    }

    /// A number below `below`, good enough to spread load.
    pub(crate) fn draw(&self, below: usize) -> usize {
        // xorshift64: one word of state, never nought.
        let mut word = self.draw.get();
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        self.draw.set(word);
        usize::try_from(word >> 33).unwrap_or(0) % below.max(1)
    }

    /// The same for larger numbers.
    pub(crate) fn draw_long(&self, below: u64) -> u64 {
        let below = usize::try_from(below).unwrap_or(usize::MAX);
        self.draw(below) as u64
    }

    /// A new request id: unique to this run of this worker, not guessable from outside.
    pub(crate) fn request_id(&self) -> HeaderValue {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let next = self.id_next.get();
        self.id_next.set(next.wrapping_add(1));
        let mut text = [0; 32];
        let mut word = u128::from(self.id_prefix) << 64 | u128::from(next);
        for digit in text.iter_mut().rev() {
            *digit = HEX[usize::try_from(word & 15).unwrap_or(0)];
            word >>= 4;
        }
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("none"))
    }

    /// A request came: a tenth of a retry is earned.
    pub(crate) fn earn(&self) {
        let budget = self.budget.get();
        if budget < CEILING_TENTHS {
            self.budget.set(budget + 1);
        }
    }

    /// Spends a retry, if there is one.
    pub(crate) fn spend(&self) -> bool {
        let now = Instant::now();
        if now.saturating_duration_since(self.floor_at.get()) >= FLOOR_EVERY {
            self.floor_at.set(now);
            self.budget.set(self.budget.get().max(FLOOR_TENTHS));
        }
        match self.budget.get().checked_sub(RETRY_TENTHS) {
            Some(left) => {
                self.budget.set(left);
                true
            }
            None => false,
        }
    }

    /// A request was malformed or over a limit.
    pub(crate) fn refuse(&self) {
        self.plane.refused.add(self.index);
    }

    /// A request matched no route.
    pub(crate) fn unrouted_nowhere(&self) {
        self.plane.unrouted.add(self.index);
    }

    /// Tells of a failure, at most once a second, without a word about who asked for what.
    pub(crate) fn complain(&self, service: &str, status: u16, reason: &str) {
        if let Some(untold) = self.untold() {
            tracing::warn!(service, status, reason, untold, "a request failed");
        }
    }

    /// Tells that something runs short here, as rarely.
    pub(crate) fn lack(&self, reason: &str) {
        if let Some(untold) = self.untold() {
            tracing::warn!(reason, untold, "clients have to wait");
        }
    }

    /// Tells that a client was turned away, as rarely.
    pub(crate) fn turn_away(&self, reason: &str) {
        if let Some(untold) = self.untold() {
            tracing::warn!(reason, untold, "a client was turned away");
        }
    }

    /// How many complaints were kept back, where it is time for one.
    fn untold(&self) -> Option<u64> {
        let now = Instant::now();
        let last = self.complained.get();
        if last.is_some_and(|at| now.saturating_duration_since(at) < COMPLAIN_EVERY) {
            self.silent.set(self.silent.get() + 1);
            return None;
        }
        self.complained.set(Some(now));
        Some(self.silent.take())
    }

    /// Knows a connection, so that it can be told when the end is asked for.
    pub(crate) fn know(&self, line: &Rc<Line>) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() == lines.capacity() {
            lines.retain(|line| line.strong_count() > 0);
        }
        lines.push(Rc::downgrade(line));
    }

    /// The end was asked for: answers close their connections from now on.
    pub(crate) fn close(&self) {
        self.closing_since.set(Some(Instant::now()));
        for line in self.lines.borrow().iter().filter_map(Weak::upgrade) {
            line.wake();
        }
    }

    /// Closes connections to targets that nobody used for a while.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        for lane in self.view().all() {
            lane.sweep(now, self.limits.upstream_idle);
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

fn low(word: u128) -> u64 {
    u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0)
}

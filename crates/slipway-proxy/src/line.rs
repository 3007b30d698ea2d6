//! What the parts of one client connection tell each other: how far it is, when something
//! last moved, and what it becomes. Lives on one worker; nothing in it is shared.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use http::HeaderValue;

use crate::bounds::Bounds;
use crate::connection::Door;
use crate::secure::Chosen;
use crate::tunnel::Tunnel;
use crate::worker::Worker;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was said yet.
    Fresh,
    /// Between requests.
    Idle,
    /// A request is being read, answered or both.
    Exchange,
}

/// Who has to do something next in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// The client has to send or to take something.
    Client,
    /// The origin has to begin its answer.
    Answer,
    /// The origin has to go on with its answer.
    Origin,
    /// Nobody has to: an event stream may be silent.
    Nobody,
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// Whether it is on this machine.
    pub(crate) is_from_here: bool,
}

impl Client {
    /// Somebody is on this machine who comes over loopback, or from the very address at which
    /// the proxy was reached: that is what a connection within one machine looks like.
    pub(crate) fn of(address: SocketAddr, reached: Option<IpAddr>) -> Self {
        let own = address.ip().to_canonical();
        let is_from_here =
            own.is_loopback() || reached.is_some_and(|reached| reached.to_canonical() == own);
        Self {
            address,
            is_from_here,
        }
    }
}

/// One client connection, or one request of many on it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) worker: Rc<Worker>,
    pub(crate) peer: SocketAddr,
    /// Whether what the peer says of others is believed.
    pub(crate) is_trusted: bool,
    /// Whether somebody on this machine asks.
    pub(crate) is_from_here: bool,
    pub(crate) door: Door,
    pub(crate) chosen: Chosen,
    /// The instant of this turn of the task; reading the clock once for each is enough.
    pub(crate) now: Cell<Instant>,
    pub(crate) stage: Cell<Stage>,
    /// What the request may take.
    pub(crate) bounds: Cell<Bounds>,
    pub(crate) awaited: Cell<Awaited>,
    /// When bytes last moved on the connection or on the one to the origin.
    pub(crate) moved: Cell<Instant>,
    /// What was answered is not written yet: the client does not read.
    pub(crate) is_blocked: Cell<bool>,
    /// Nothing but the socket is kept.
    pub(crate) is_resting: Cell<bool>,
    /// A head has begun and not ended, as far as was read.
    pub(crate) is_within_head: Cell<bool>,
    /// Since when a head is being read that has not ended.
    pub(crate) head_since: Cell<Option<Instant>>,
    /// Nothing moved for too long.
    pub(crate) expired: Cell<bool>,
    /// What the connection becomes after the answer that is being sent.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
    /// An upgrade was answered with something else.
    pub(crate) not_upgraded: Cell<bool>,
    /// Bytes came while an upgrade was undecided: nobody judged them.
    pub(crate) unjudged: Cell<bool>,
    /// Bytes were refused or left unread: whoever sent them must get to read the answer.
    pub(crate) linger: Cell<bool>,
    /// A request was refused: the connection ends with it.
    is_refused: Cell<bool>,
    /// Answers carry `Connection: close` from now on.
    pub(crate) closing: Cell<bool>,
    pub(crate) waker: RefCell<Option<Waker>>,
    /// Shared by all requests of the connection.
    pub(crate) forwarding: Rc<RefCell<Forwarding>>,
}

/// Header values that are the same for every request of a connection.
#[derive(Debug)]
pub(crate) struct Forwarding {
    pub(crate) address: HeaderValue,
    /// The last `Host`, and the `Forwarded` that it made.
    pub(crate) last: Option<(HeaderValue, HeaderValue)>,
}

impl Line {
    /// A connection's.
    pub(crate) fn new(worker: Rc<Worker>, client: Client, door: Door, chosen: Chosen) -> Self {
        let forwarding = Rc::new(RefCell::new(Forwarding::of(client.address.ip())));
        Self::with(worker, client, (door, chosen), forwarding)
    }

    /// That of one request among many on the connection of `whole`.
    pub(crate) fn within(whole: &Self) -> Self {
        let forwarding = Rc::clone(&whole.forwarding);
        let kind = (whole.door, whole.chosen);
        let client = Client {
            address: whole.peer,
            is_from_here: whole.is_from_here,
        };
        Self::with(Rc::clone(&whole.worker), client, kind, forwarding)
    }

    fn with(
        worker: Rc<Worker>,
        client: Client,
        (door, chosen): (Door, Chosen),
        forwarding: Rc<RefCell<Forwarding>>,
    ) -> Self {
        let now = Instant::now();
        let bounds = Bounds::by_default(&worker.limits);
        Self {
            is_trusted: worker.plane.trust.believes(client.address.ip()),
            is_from_here: client.is_from_here,
            worker,
            peer: client.address,
            door,
            chosen,
            now: Cell::new(now),
            stage: Cell::new(Stage::Fresh),
            bounds: Cell::new(bounds),
            awaited: Cell::new(Awaited::Client),
            moved: Cell::new(now),
            is_blocked: Cell::new(false),
            is_resting: Cell::new(false),
            is_within_head: Cell::new(false),
            head_since: Cell::new(None),
            expired: Cell::new(false),
            tunnel: RefCell::new(None),
            not_upgraded: Cell::new(false),
            unjudged: Cell::new(false),
            linger: Cell::new(false),
            is_refused: Cell::new(false),
            closing: Cell::new(false),
            waker: RefCell::new(None),
            forwarding,
        }
    }

    /// The task has a turn.
    pub(crate) fn turn(&self, cx: &Context<'_>) {
        self.now.set(Instant::now());
        if self.waker.borrow().is_none() {
            *self.waker.borrow_mut() = Some(cx.waker().clone());
        }
    }

    /// A request begins.
    pub(crate) fn begin(&self) {
        self.stage.set(Stage::Exchange);
        self.bounds.set(Bounds::by_default(&self.worker.limits));
        self.awaited.set(Awaited::Client);
        self.head_since.set(None);
        self.touch();
    }

    /// A request's answer is done.
    pub(crate) fn end(&self) {
        self.stage.set(Stage::Idle);
        self.touch();
        // The next request may have begun behind this one.
        self.head_since
            .set(self.is_within_head.get().then(|| self.now.get()));
    }

    /// Something moved.
    pub(crate) fn touch(&self) {
        self.moved.set(self.now.get());
    }

    /// When the connection has waited too long, as things stand.
    pub(crate) fn deadline(&self) -> Instant {
        let limits = &self.worker.limits;
        let closing = self.worker.closing_since.get();
        let idle = match (self.stage.get(), self.awaited.get()) {
            (Stage::Fresh | Stage::Idle, _) => match (self.head_since.get(), closing) {
                (Some(since), _) => return since + limits.head,
                (None, Some(since)) => return self.moved.get().max(since) + limits.drain_idle,
                // A connection that says nothing at all gets no longer than a slow head.
                (None, None) if self.closing.get() => limits.drain_idle,
                (None, None) if self.stage.get() == Stage::Fresh => limits.head,
                (None, None) if self.may_rest() => limits.keep_alive.min(limits.rest),
                (None, None) => limits.keep_alive,
            },
            (Stage::Exchange, Awaited::Client | Awaited::Origin) => self.bounds.get().body_idle,
            (Stage::Exchange, Awaited::Answer) => self.bounds.get().answer,
            (Stage::Exchange, Awaited::Nobody) => Duration::from_secs(24 * 3600),
        };
        self.moved.get() + idle
    }

    /// Whether the connection needs nothing but its socket: all was answered and read, and nobody
    /// is to go. Of HTTP/2 the parser itself has something to remember.
    fn may_rest(&self) -> bool {
        let is_over = self.stage.get() == Stage::Idle && !self.is_resting.get();
        let is_clear = !self.is_blocked.get() && !self.is_within_head.get();
        self.chosen == Chosen::Http1 && is_over && is_clear && !self.is_leaving()
    }

    /// Whether the connection is to end as soon as it can.
    pub(crate) fn is_leaving(&self) -> bool {
        self.closing.get() || self.worker.closing_since.get().is_some()
    }

    /// Whether the client has more time to begin another request.
    pub(crate) fn is_kept(&self) -> bool {
        self.may_rest() && self.now.get() < self.moved.get() + self.worker.limits.keep_alive
    }

    /// The client was told to go: it gets a moment to do so.
    pub(crate) fn leave(&self) {
        self.closing.set(true);
        self.touch();
    }

    /// An upgrade was not taken: HTTP goes on, unless bytes came meanwhile.
    pub(crate) fn stays_http(&self) {
        self.not_upgraded.set(true);
        if self.unjudged.get() {
            self.closing.set(true);
            self.linger.set(true);
        }
    }

    /// A request is refused before it reached a pool; counts it once.
    pub(crate) fn refuse(&self) {
        if !self.is_refused.replace(true) {
            self.worker.refuse();
        }
    }

    /// Lets the task of this connection run.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Forwarding {
    fn of(address: IpAddr) -> Self {
        let text = address.to_canonical().to_string();
        Self {
            address: HeaderValue::from_str(&text)
                .unwrap_or_else(|_| HeaderValue::from_static("unknown")),
            last: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_from_the_address_that_was_reached_is_on_this_machine() {
        for (client, reached, expected) in [
            ("127.0.0.1:5", "127.0.0.1", true),
            ("127.0.0.1:5", "192.0.2.7", true),
            ("[::1]:5", "::1", true),
            ("192.0.2.7:5", "192.0.2.7", true),
            ("192.0.2.7:5", "::ffff:192.0.2.7", true),
            ("192.0.2.8:5", "192.0.2.7", false),
            ("[2001:db8::7]:5", "2001:db8::7", true),
            ("[2001:db8::8]:5", "2001:db8::7", false),
        ] {
            let client = Client::of(client.parse().unwrap(), reached.parse().ok());
            assert_eq!(client.is_from_here, expected, "{client:?} at {reached}");
        }
        assert!(!Client::of("192.0.2.8:5".parse().unwrap(), None).is_from_here);
    }
}

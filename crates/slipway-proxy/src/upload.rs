//! The body of a request on its way to a target: streamed, limited, and known to be
//! untouched or not, because only an untouched one may be sent a second time.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::line::{Awaited, Line};

/// The body of a request. Clones share it.
#[derive(Debug, Clone)]
pub(crate) enum Upload {
    /// None.
    Empty,
    /// As it comes from the client.
    Stream(Rc<Stream>),
}

/// A body that streams.
#[derive(Debug)]
pub(crate) struct Stream {
    incoming: RefCell<Incoming>,
    line: Rc<Line>,
    taken: Cell<u64>,
    /// For how long the client was waited for, and since when it is.
    waited: Cell<Duration>,
    waits_since: Cell<Option<Instant>>,
    progress: Cell<Progress>,
    /// When all of it was there.
    whole_at: Cell<Option<Instant>>,
}

/// How far a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not a byte was taken.
    Untouched,
    /// Some bytes were.
    Begun,
    /// All of it was sent on.
    Ended,
    /// It is larger than it may be.
    TooLarge,
    /// It comes too slowly.
    TooSlow,
    /// The client broke off, or wrote it wrongly.
    Broken,
}

/// Why a body does not go on.
#[derive(Debug, thiserror::Error)]
#[error("the client's body does not go on")]
pub(crate) struct Broken;

impl Upload {
    pub(crate) fn of(incoming: Incoming, line: &Rc<Line>) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        Self::Stream(Rc::new(Stream {
            incoming: RefCell::new(incoming),
            line: Rc::clone(line),
            taken: Cell::new(0),
            waited: Cell::default(),
            waits_since: Cell::new(None),
            progress: Cell::new(Progress::Untouched),
            whole_at: Cell::new(None),
        }))
    }

    pub(crate) fn progress(&self) -> Progress {
        match self {
            Self::Empty => Progress::Untouched,
            Self::Stream(stream) => stream.progress.get(),
        }
    }

    /// Whether the client spoilt it: broke off, wrote it wrongly, sent too much or too slowly.
    pub(crate) fn is_spoilt(&self) -> bool {
        matches!(
            self.progress(),
            Progress::Broken | Progress::TooLarge | Progress::TooSlow
        )
    }

    /// Since when the client has nothing left to do but to wait for an answer, for a request
    /// that began at `begun`; none as long as it sends.
    pub(crate) fn waits_since(&self, begun: Instant) -> Option<Instant> {
        match self {
            Self::Empty => Some(begun),
            Self::Stream(stream) => stream.whole_at.get(),
        }
    }

    /// Whether everything that the client sends was taken.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream(stream) => stream.progress.get() == Progress::Ended,
        }
    }
}

impl Stream {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut incoming = self.incoming.borrow_mut();
        let polled = Pin::new(&mut *incoming).poll_frame(cx);
        if polled.is_pending() {
            self.line.awaited.set(Awaited::Client);
            let since = self.waits_since.get().unwrap_or(self.line.now.get());
            self.waits_since.set(Some(since));
        }
        let Some(frame) = ready!(polled) else {
            self.end();
            self.line.awaited.set(Awaited::Answer);
            return Poll::Ready(None);
        };
        self.line.awaited.set(Awaited::Answer);
        let Ok(frame) = frame else {
            self.progress.set(Progress::Broken);
            return Poll::Ready(Some(Err(Broken)));
        };
        self.progress.set(Progress::Begun);
        // Of HTTP/2 nobody else sees that this request moves.
        self.line.touch();
        if let Some(data) = frame.data_ref() {
            let taken = self.taken.get().saturating_add(data.len() as u64);
            self.taken.set(taken);
            if taken > self.line.bounds.get().body_bytes {
                self.progress.set(Progress::TooLarge);
                return Poll::Ready(Some(Err(Broken)));
            }
        }
        if incoming.is_end_stream() || frame.is_trailers() {
            self.end();
        } else if self.is_too_slow() {
            self.progress.set(Progress::TooSlow);
            return Poll::Ready(Some(Err(Broken)));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn end(&self) {
        self.progress.set(Progress::Ended);
        let at = self.whole_at.get().unwrap_or(self.line.now.get());
        self.whole_at.set(Some(at));
    }

    /// Whether the client lets wait for longer than what it brought is worth. One that brings
    /// nothing at all is the deadline's.
    fn is_too_slow(&self) -> bool {
        let Some(since) = self.waits_since.take() else {
            return false;
        };
        let now = self.line.now.get();
        let waited = self.waited.get() + now.saturating_duration_since(since);
        self.waited.set(waited);
        let grace = self.line.worker.limits.body_grace;
        self.line
            .bounds
            .get()
            .is_too_slow(self.taken.get(), waited, grace)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Stream(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream(stream) => stream.incoming.borrow().is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream(stream) => stream.incoming.borrow().size_hint(),
        }
    }
}

//! The body of an answer on its way to the client: the proxy's own words, or what a target
//! sends, passed on as it comes. Its end is the end of the request.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::flight::{Berth, Flight};
use crate::line::{Awaited, Line};
use crate::upload::Upload;
use crate::upstream::{Upstream, poll_fed};

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    line: Rc<Line>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Own(Option<Bytes>),
    Passing(Passing),
}

/// A target's body.
#[derive(Debug)]
struct Passing {
    incoming: Incoming,
    upstream: Option<Box<Upstream>>,
    /// Whom the request waits for while nothing comes.
    awaited: Awaited,
    upload: Upload,
    flight: Rc<Flight>,
    berth: Berth,
}

/// Why a body does not go on.
#[derive(Debug, thiserror::Error)]
#[error("the origin's body does not go on: {0}")]
pub(crate) struct BrokenOff(String);

impl Answer {
    /// The proxy's own words.
    pub(crate) fn own(line: &Rc<Line>, words: &'static str) -> Self {
        Self {
            line: Rc::clone(line),
            kind: Kind::Own((!words.is_empty()).then_some(Bytes::from_static(words.as_bytes()))),
        }
    }

    /// A page that somebody else wrote.
    pub(crate) fn page(line: &Rc<Line>, page: Bytes) -> Self {
        Self {
            line: Rc::clone(line),
            kind: Kind::Own((!page.is_empty()).then_some(page)),
        }
    }

    /// What a target sends.
    pub(crate) fn passing(
        incoming: Incoming,
        upstream: Box<Upstream>,
        awaited: Awaited,
        upload: Upload,
        (flight, berth): (Rc<Flight>, Berth),
    ) -> Self {
        let mut passing = Passing {
            incoming,
            upstream: Some(upstream),
            awaited,
            upload,
            flight,
            berth,
        };
        let line = Rc::clone(passing.flight.line());
        line.awaited.set(awaited);
        if passing.incoming.is_end_stream() {
            passing.finish();
        }
        Self {
            line,
            kind: Kind::Passing(passing),
        }
    }
}

impl Passing {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Some(upstream) = &mut self.upstream else {
            return Poll::Ready(None);
        };
        upstream.drive(cx);
        let has_ended = upstream.has_ended();
        match poll_fed(&mut self.incoming) {
            Poll::Ready(Some(Ok(frame))) => {
                let line = self.flight.line();
                line.touch();
                line.awaited.set(Awaited::Client);
                if let Some(data) = frame.data_ref() {
                    self.flight.sent(data.len());
                }
                if frame.is_trailers() || self.incoming.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => self.break_off(error.to_string()),
            Poll::Pending if has_ended => self.break_off("the connection was closed".to_owned()),
            Poll::Pending => {
                self.flight.line().awaited.set(self.awaited);
                Poll::Pending
            }
        }
    }

    /// No more comes: the target's failure, unless the client spoilt its own body.
    fn break_off(&self, words: String) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if !self.upload.is_spoilt() {
            self.flight.failed();
        }
        Poll::Ready(Some(Err(BrokenOff(words))))
    }

    /// The last byte came: the connection is free for the next request.
    fn finish(&mut self) {
        self.flight.good();
        let line = self.flight.line();
        if !self.upload.is_whole() {
            // An early answer: what the client still sends is of no use to anybody.
            line.linger.set(true);
            self.upstream = None;
        }
        if let Some(mut upstream) = self.upstream.take()
            && upstream.is_open()
        {
            let most = line.worker.limits.upstream_pool;
            self.berth.lane().keep(upstream, line.now.get(), most);
        }
    }

    fn is_finished(&self) -> bool {
        self.upstream.is_none()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Kind::Passing(passing) = &mut self.kind
            && !passing.is_finished()
        {
            if passing.incoming.is_end_stream() {
                passing.finish();
            } else if self.line.expired.get() && self.line.awaited.get() == Awaited::Origin {
                passing.flight.failed();
            }
        }
        self.line.end();
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.get_mut().kind {
            Kind::Own(words) => Poll::Ready(words.take().map(|words| Ok(Frame::data(words)))),
            Kind::Passing(passing) => passing.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(words) => words.is_none(),
            Kind::Passing(passing) => passing.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own(words) => SizeHint::with_exact(words.as_ref().map_or(0, Bytes::len) as u64),
            Kind::Passing(passing) => passing.incoming.size_hint(),
        }
    }
}

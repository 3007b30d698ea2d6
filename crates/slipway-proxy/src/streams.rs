//! HTTP/2: many requests at once on one connection of a client, each in a task and with a
//! deadline of its own, so that one that stands still never holds up another. The connection
//! itself waits only while it has none.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::chatter::{Chatter, TooMuch};
use crate::deadline;
use crate::forward;
use crate::line::{Awaited, Line};
use crate::stream::Stream;

/// What a client may send ahead of what was taken from it: for one request, and for all of a
/// connection. This much memory is the most that its uploads hold here.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What of an answer waits to be sent, for each request.
const SEND_BUFFER: usize = 64 * 1024;
/// Requests that a client took back before they were even looked at, and those that we reset.
const RESETS_PENDING: usize = 20;
const RESETS_OWN: usize = 256;

/// Serves a connection until it ends.
pub(crate) async fn serve(line: &Rc<Line>, stream: Stream) {
    let opened = Opened::default();
    let limits = &line.worker.limits;
    let header_list = u32::try_from(limits.head_bytes).unwrap_or(u32::MAX);
    let spawner = Spawner {
        line: Rc::clone(line),
        opened: Rc::clone(&opened),
        running: Rc::default(),
    };
    let service = service_fn(|request| {
        let own = Rc::new(Line::within(line));
        *opened.borrow_mut() = Some(Rc::clone(&own));
        async move { Ok::<_, Infallible>(forward::answer(own, request).await) }
    });
    let wire = Wire {
        stream,
        line: Rc::clone(line),
        chatter: Chatter::new(line.now.get()),
    };
    let mut connection = pin!(
        http2::Builder::new(spawner)
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(header_list)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_pending_accept_reset_streams(RESETS_PENDING)
            .max_local_error_reset_streams(RESETS_OWN)
            .serve_connection(TokioIo::new(wire), service)
    );
    let mut timer = pin!(deadline::timer(line));
    let mut is_told = false;
    std::future::poll_fn(|cx| {
        line.turn(cx);
        if !is_told && line.worker.closing_since.get().is_some() {
            is_told = true;
            connection.as_mut().graceful_shutdown();
        }
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return Poll::Ready(());
            }
            std::task::ready!(deadline::poll(line, timer.as_mut(), cx));
            if is_told {
                return Poll::Ready(());
            }
            // The client gets to know that no further request is taken.
            is_told = true;
            connection.as_mut().graceful_shutdown();
            line.leave();
        }
    })
    .await;
}

/// The line of the request that was opened last: hyper makes its answer first and hands over
/// what drives it right behind, in one turn.
type Opened = Rc<RefCell<Option<Rc<Line>>>>;

/// Gives each request a task of its own on this thread.
#[derive(Clone)]
struct Spawner {
    line: Rc<Line>,
    opened: Opened,
    running: Rc<Cell<usize>>,
}

impl<F: Future + 'static> Executor<F> for Spawner {
    fn execute(&self, request: F) {
        let own = self.opened.borrow_mut().take();
        let running = Running::begin(self);
        tokio::task::spawn_local(async move {
            match own {
                Some(own) => attend(&own, request).await,
                None => drop(request.await),
            }
            drop(running);
        });
    }
}

/// Drives a request and its deadline beside it. One that is given up is dropped, which resets
/// its stream and nothing else.
async fn attend(line: &Rc<Line>, request: impl Future) {
    let mut request = pin!(request);
    let mut timer = pin!(deadline::timer(line));
    std::future::poll_fn(|cx| {
        line.turn(cx);
        if request.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let has_ended = |cx: &mut Context<'_>| request.as_mut().poll(cx).is_ready();
        deadline::attend(line, timer.as_mut(), cx, has_ended).map(drop)
    })
    .await;
}

/// Counts a request as long as it runs.
struct Running {
    line: Rc<Line>,
    count: Rc<Cell<usize>>,
}

impl Running {
    fn begin(spawner: &Spawner) -> Self {
        let (line, count) = (Rc::clone(&spawner.line), Rc::clone(&spawner.running));
        if count.get() == 0 {
            line.begin();
            line.awaited.set(Awaited::Nobody);
        }
        count.set(count.get() + 1);
        Self { line, count }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.line.now.set(Instant::now());
            self.line.end();
            // Its deadline is nearer now.
            self.line.wake();
        }
    }
}

/// A client's socket with an eye on how much it talks.
struct Wire {
    stream: Stream,
    line: Rc<Line>,
    chatter: Chatter,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let now = self.line.now.get();
        let piece = buffer.filled().get(before..).unwrap_or_default();
        if let Err(TooMuch) = self.chatter.follow(piece, now) {
            self.line.refuse();
            let words = "the client talks too much of the connection";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, words)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.chatter.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        let written = std::task::ready!(written)?;
        self.chatter.sent(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! A client's socket with the reader in front of the parser: what may not be believed is
//! replaced by a byte that no parser takes, so that the request is refused with 400 and
//! the connection ends.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::head::Malformed;
use crate::line::{Line, Stage};
use crate::reader::{Reader, Verdict};
use crate::stream::Stream;

/// No head, no chunk size and no line end has a NUL in it; the empty line makes the parser
/// look at once.
const POISON: &[u8] = b"\0\r\n\r\n";

/// A client's socket.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    line: Rc<Line>,
    reader: Reader,
    /// What of the poison is still to be read, once something was refused.
    poison: Option<&'static [u8]>,
}

impl Wire {
    pub(crate) fn new(stream: Stream, line: Rc<Line>) -> Self {
        let reader = Reader::new(line.worker.limits.head_bytes);
        Self {
            stream,
            line,
            reader,
            poison: None,
        }
    }

    /// Waits until there is something to read, an end as well.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.socket().poll_read_ready(cx).map(|_| ())
    }

    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }

    fn follow(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        // Between requests nothing moves but a head, which has a time of its own: empty lines
        // would keep a connection open for ever.
        if self.line.stage.get() == Stage::Exchange {
            self.line.touch();
        }
        if self.line.not_upgraded.take() && !self.reader.not_upgraded() {
            self.line.refuse();
            self.poison(buffer, before);
            return;
        }
        let piece = buffer.filled().get(before..).unwrap_or_default();
        if let Verdict::Until(good, why) = self.reader.follow(piece) {
            tracing::debug!(?why, "a request was refused");
            // One whose chunks are odd is in a pool's count already.
            if why != Malformed::Chunk {
                self.line.refuse();
            }
            self.poison(buffer, before + good);
            return;
        }
        let (line, is_within_head) = (&self.line, self.reader.is_within_head());
        line.unjudged.set(self.reader.has_unjudged());
        line.is_within_head.set(is_within_head);
        if is_within_head && line.stage.get() != Stage::Exchange && line.head_since.get().is_none()
        {
            line.head_since.set(Some(line.now.get()));
        }
    }

    fn poison(&mut self, buffer: &mut ReadBuf<'_>, at: usize) {
        buffer.set_filled(at);
        self.poison = Some(POISON);
        self.give_poison(buffer);
        self.line.linger.set(true);
    }
}

impl Wire {
    /// As much as there is room for; after it, the end.
    fn give_poison(&mut self, buffer: &mut ReadBuf<'_>) {
        let left = self.poison.unwrap_or_default();
        let (now, later) = left.split_at(left.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.poison = Some(later);
    }
}

impl Wire {
    fn wrote(&self, is_ready: bool) {
        self.line.is_blocked.set(!is_ready);
        if is_ready {
            self.line.touch();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poison.is_some() {
            self.give_poison(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            self.follow(buffer, before);
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(written.is_ready());
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.line.is_blocked.set(flushed.is_pending());
        flushed
    }

    /// Nothing: the connection is closed by whoever takes the socket back.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

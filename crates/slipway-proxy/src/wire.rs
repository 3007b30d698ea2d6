//! A client's socket with the reader in front of the parser: what may not be believed is
//! replaced by a byte that no parser takes, so that the request is refused with 400 and
//! the connection ends.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::line::{Line, Stage};
use crate::reader::{Reader, Verdict};

/// No head, no chunk size and no line end has a NUL in it.
const POISON: &[u8] = b"\0";

/// A client's socket.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    line: Rc<Line>,
    reader: Reader,
    is_poisoned: bool,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, line: Rc<Line>) -> Self {
        let reader = Reader::new(line.worker.limits.head_bytes);
        Self {
            stream,
            line,
            reader,
            is_poisoned: false,
        }
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn follow(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        self.line.touch();
        if self.line.not_upgraded.take() && !self.reader.not_upgraded() {
            self.poison(buffer, before);
            return;
        }
        let piece = buffer.filled().get(before..).unwrap_or_default();
        if let Verdict::Until(good, why) = self.reader.follow(piece) {
            tracing::debug!(?why, "a request was refused");
            self.poison(buffer, before + good);
        } else if self.line.stage.get() != Stage::Exchange
            && self.line.head_since.get().is_none()
            && self.reader.is_within_head()
        {
            self.line.head_since.set(Some(self.line.now.get()));
        }
    }

    fn poison(&mut self, buffer: &mut ReadBuf<'_>, at: usize) {
        buffer.set_filled(at);
        buffer.put_slice(POISON);
        self.is_poisoned = true;
        self.line.linger.set(true);
        self.line.worker.refuse();
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_poisoned {
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
        if written.is_ready() {
            self.line.touch();
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        if written.is_ready() {
            self.line.touch();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Nothing: the connection is closed by whoever takes the socket back.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

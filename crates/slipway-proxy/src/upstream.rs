//! One connection to a target. It is driven by the request that uses it, in the same task,
//! so that no other task has to be woken between the origin's bytes and the client's.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::descriptors;
use crate::line::Line;
use crate::socket::Socket;
use crate::upload::Upload;

/// The wait before another try, where something ran short here.
const REST: Duration = Duration::from_millis(50);

/// A connection to a target.
pub(crate) struct Upstream {
    sender: SendRequest<Upload>,
    connection: Connection<TokioIo<Socket>, Upload>,
    has_ended: bool,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing was sent; the request is given back.
    Unsent(Box<Request<Upload>>, String),
    /// The connection ended without a byte of an answer.
    Unanswered(String),
    /// What came is no answer.
    Nonsense(String),
    /// Nothing moved for too long.
    Late,
}

impl Upstream {
    /// Connects, without sending anything.
    pub(crate) async fn connect(address: SocketAddr, within: Duration) -> io::Result<Box<Self>> {
        let stream = reach(address, within).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(Socket(stream)))
            .await
            .map_err(io::Error::other)?;
        Ok(Box::new(Self {
            sender,
            connection,
            has_ended: false,
        }))
    }

    /// Lets the connection read and write what it can.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.has_ended && self.connection.poll_without_shutdown(cx).is_ready() {
            self.has_ended = true;
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether an idle connection can take a request, as far as can be known.
    pub(crate) fn is_open(&mut self) -> bool {
        // Nobody waits for an idle connection, so nobody is to be woken.
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.has_ended && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Upload>,
        line: &Line,
    ) -> Result<Response<Incoming>, Trouble> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let (connection, has_ended) = (&mut self.connection, &mut self.has_ended);
        std::future::poll_fn(|cx| {
            if !*has_ended && connection.poll_without_shutdown(cx).is_ready() {
                *has_ended = true;
            }
            // The answer can come by driving the connection only, which was just done.
            let noop = &mut Context::from_waker(Waker::noop());
            if let Poll::Ready(answer) = answer.as_mut().poll(noop) {
                line.touch();
                return Poll::Ready(answer.map_err(trouble));
            }
            if *has_ended {
                let words = "the connection was closed".to_owned();
                return Poll::Ready(Err(Trouble::Unanswered(words)));
            }
            if line.expired.get() {
                return Poll::Ready(Err(Trouble::Late));
            }
            Poll::Pending
        })
        .await
    }

    /// The socket and what was read from it, once an upgrade was answered.
    pub(crate) fn into_parts(self) -> (TcpStream, Bytes) {
        let parts = self.connection.into_parts();
        (parts.io.into_inner().0, parts.read_buf)
    }
}

/// Connects to a target. What runs short here is waited for, and told as what it is.
async fn reach(address: SocketAddr, within: Duration) -> io::Result<TcpStream> {
    let mut lacking = None;
    let reached = async {
        loop {
            match TcpStream::connect(address).await {
                Err(error) if descriptors::is_short(&error) => {
                    lacking = Some(error);
                    tokio::time::sleep(REST).await;
                }
                reached => return reached,
            }
        }
    };
    match tokio::time::timeout(within, reached).await {
        Ok(reached) => reached,
        Err(_) => Err(lacking.unwrap_or_else(|| io::ErrorKind::TimedOut.into())),
    }
}

fn trouble(mut error: hyper::client::conn::TrySendError<Request<Upload>>) -> Trouble {
    if let Some(request) = error.take_message() {
        return Trouble::Unsent(Box::new(request), error.error().to_string());
    }
    let error = error.into_error();
    let words = words(&error);
    if error.is_parse() {
        Trouble::Nonsense(words)
    } else {
        Trouble::Unanswered(words)
    }
}

/// An error with what caused it.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        words = format!("{words}: {source}");
        cause = source.source();
    }
    words
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("has_ended", &self.has_ended)
            .finish_non_exhaustive()
    }
}

/// Polls a body that is fed by driving a connection in the same turn.
pub(crate) fn poll_fed(
    body: &mut Incoming,
) -> Poll<Option<Result<http_body::Frame<Bytes>, hyper::Error>>> {
    http_body::Body::poll_frame(Pin::new(body), &mut Context::from_waker(Waker::noop()))
}

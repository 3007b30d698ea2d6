//! A client's connection from accept to close, in one task: TLS where it comes in by that
//! door, requests one after another, the deadline of whatever it waits for, and an end that
//! lets the client read the last answer. Where nobody asks for a while, only the socket is kept.

use std::convert::Infallible;
use std::future::Future as _;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::announce::{self, Announced};
use crate::answer::Answer;
use crate::deadline::{self, Passed};
use crate::forward;
use crate::line::{Client, Line, Stage};
use crate::secure::Chosen;
use crate::stream::Stream;
use crate::streams;
use crate::wire::Wire;
use crate::worker::Worker;

/// What a client that took too long over a request's head is told.
const SLOW_HEAD: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// How long, and for how many bytes, a client may go on sending after the last answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 << 20;

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// HTTP has nothing more to say on it.
    Done,
    /// Nobody asks: what reads and writes HTTP is not needed.
    Resting,
    /// It waited too long between requests.
    Idle,
    /// It waited too long within a request's head.
    SlowHead,
    /// It waited too long within an exchange.
    Stuck,
}

/// How a client's first bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// As HTTP.
    Plain,
    /// As TLS.
    Secure,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, mut stream: TcpStream, peer: SocketAddr, door: Door) {
    let plane = &worker.plane;
    let within = worker.limits.head;
    let client = if plane.announced_by.believes(peer.ip()) {
        match tokio::time::timeout(within, announce::read(&mut stream)).await {
            Ok(Ok(Announced::Client(client))) => client,
            Ok(Ok(Announced::Peer)) => peer,
            Ok(Err(error)) => {
                return worker.turn_away(&format!("{peer} did not announce: {error}"));
            }
            Err(_) => return worker.turn_away(&format!("{peer} did not announce in time")),
        }
    } else {
        peer
    };
    let reached = stream.local_addr().ok().map(|address| address.ip());
    // Who is believed speaks for many.
    let seat = if plane.trust.believes(client.ip()) {
        None
    } else {
        match plane.peers.seat(client.ip()) {
            Some(seat) => Some(seat),
            None => return worker.turn_away("a client has as many connections as one may have"),
        }
    };
    let (stream, chosen) = match (door, &plane.shield) {
        (Door::Secure, Some(shield)) => {
            // Boxed, so that every other connection stays small.
            let hands = Box::pin(shield.accept(stream));
            match tokio::time::timeout(within, hands).await {
                Ok(Ok(accepted)) => accepted,
                Ok(Err(error)) => return tracing::debug!(%error, "a client did not shake hands"),
                Err(_) => return tracing::debug!("a client was too slow to shake hands"),
            }
        }
        _ => (Stream::Plain(stream), Chosen::Http1),
    };
    let client = Client::of(client, reached);
    let line = Rc::new(Line::new(Rc::clone(&worker), client, door, chosen));
    worker.know(&line);
    match chosen {
        Chosen::Http1 => requests(&line, stream).await,
        Chosen::Http2 => Box::pin(streams::serve(&line, stream)).await,
        Chosen::Nothing => close(&line, stream, End::Idle).await,
    }
    drop(seat);
}

/// Serves HTTP/1: one request after another.
async fn requests(line: &Rc<Line>, stream: Stream) {
    let worker = &line.worker;
    let mut wire = TokioIo::new(Wire::new(stream, Rc::clone(line)));
    let (end, parts) = loop {
        let service = service_fn(|request| {
            let line = Rc::clone(line);
            async move { Ok::<_, Infallible>(forward::answer(line, request).await) }
        });
        let mut connection = http1::Builder::new()
            .header_read_timeout(None)
            .max_header_size(worker.limits.head_bytes)
            .max_buf_size(worker.limits.head_bytes.max(8 * 1024))
            .max_headers(worker.limits.headers)
            .serve_connection(wire, service);
        let end = drive(line, &mut connection).await;
        let parts = connection.into_parts();
        if end != End::Resting {
            break (end, parts);
        }
        // Its buffers go here; at most an empty line that nobody has to read was in them.
        wire = parts.io;
        if rest(line, wire.inner()).await == End::Idle {
            return close(line, wire.into_inner().into_stream(), End::Idle).await;
        }
    };
    let stream = parts.io.into_inner().into_stream();
    let tunnel = line.tunnel.borrow_mut().take();
    match (end, tunnel) {
        (End::Done, Some(tunnel)) => {
            tunnel.run(stream, parts.read_buf, worker).await;
        }
        (End::Stuck, _) => {}
        (end, _) => close(line, stream, end).await,
    }
}

/// Runs HTTP on a connection, and its deadline beside it.
async fn drive<S>(line: &Rc<Line>, connection: &mut http1::Connection<TokioIo<Wire>, S>) -> End
where
    S: HttpService<Incoming, ResBody = Answer> + Unpin,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut timer = pin!(deadline::timer(line));
    std::future::poll_fn(|cx| {
        line.turn(cx);
        if let Poll::Ready(result) = Pin::new(&mut *connection).poll(cx) {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection broke off");
                // A head that only the parser took for too long or too odd.
                if error.is_parse() && line.stage.get() != Stage::Exchange {
                    line.refuse();
                }
            }
            return Poll::Ready(End::Done);
        }
        let has_ended = |cx: &mut Context<'_>| Pin::new(&mut *connection).poll(cx).is_ready();
        deadline::attend(line, timer.as_mut(), cx, has_ended).map(|passed| match passed {
            Passed::Done => End::Done,
            Passed::Stuck => End::Stuck,
            Passed::Between if line.head_since.get().is_some() => End::SlowHead,
            Passed::Between if line.is_kept() => End::Resting,
            Passed::Between => End::Idle,
        })
    })
    .await
}

/// Keeps the socket alone until something is to be read on it, or it is to end, which is HTTP's
/// to do then; or until it waited too long.
async fn rest(line: &Line, wire: &Wire) -> End {
    line.is_resting.set(true);
    let mut timer = pin!(deadline::timer(line));
    let end = std::future::poll_fn(|cx| {
        line.turn(cx);
        if line.is_leaving() || wire.poll_readable(cx).is_ready() {
            return Poll::Ready(End::Resting);
        }
        deadline::poll(line, timer.as_mut(), cx).map(|()| End::Idle)
    });
    let end = end.await;
    line.is_resting.set(false);
    end
}

/// Closes a connection so that the client can read what it was told: the sending side
/// first, then, for a moment, whatever the client still sends is read and forgotten. A
/// socket closed with unread bytes would reset the connection and take the answer with it.
async fn close(line: &Line, mut stream: Stream, end: End) {
    let say_goodbye = async {
        if end == End::SlowHead {
            line.refuse();
            stream.write_all(SLOW_HEAD).await?;
        }
        stream.shutdown().await?;
        if !line.linger.get() && end == End::Done {
            return Ok(());
        }
        let mut forgotten = vec![0; 16 * 1024];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match stream.read(&mut forgotten).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok::<_, std::io::Error>(())
    };
    match tokio::time::timeout(LINGER, say_goodbye).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection was gone before it was closed"),
    }
}

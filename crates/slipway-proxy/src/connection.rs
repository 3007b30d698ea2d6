//! A client's connection from accept to close, in one task: requests one after another,
//! the deadline of whatever it waits for, and an end that lets the client read the last
//! answer.

use std::convert::Infallible;
use std::future::Future as _;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::answer::Answer;
use crate::forward;
use crate::line::{Line, Stage};
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
    /// It waited too long between requests.
    Idle,
    /// It waited too long within a request's head.
    SlowHead,
    /// It waited too long within an exchange.
    Stuck,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, stream: TcpStream, peer: SocketAddr) {
    let line = Rc::new(Line::new(Rc::clone(&worker), peer));
    worker.know(&line);
    let wire = TokioIo::new(Wire::new(stream, Rc::clone(&line)));
    let service = service_fn(|request| {
        let line = Rc::clone(&line);
        async move { Ok::<_, Infallible>(forward::answer(line, request).await) }
    });
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(worker.limits.head_bytes)
        .max_buf_size(worker.limits.head_bytes.max(8 * 1024))
        .max_headers(worker.limits.headers)
        .serve_connection(wire, service);
    let end = drive(&line, &mut connection).await;
    let parts = connection.into_parts();
    let stream = parts.io.into_inner().into_stream();
    let tunnel = line.tunnel.borrow_mut().take();
    match (end, tunnel) {
        (End::Done, Some(tunnel)) => {
            tunnel.run(stream, parts.read_buf, &worker).await;
        }
        (End::Stuck, _) => {}
        (end, _) => close(&line, stream, end).await,
    }
}

/// Runs HTTP on a connection, and its deadline beside it.
async fn drive<S>(line: &Rc<Line>, connection: &mut http1::Connection<TokioIo<Wire>, S>) -> End
where
    S: HttpService<Incoming, ResBody = Answer> + Unpin,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut sleep = pin!(tokio::time::sleep_until(line.deadline().into()));
    std::future::poll_fn(|cx| {
        line.now.set(Instant::now());
        if line.waker.borrow().is_none() {
            *line.waker.borrow_mut() = Some(cx.waker().clone());
        }
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
        watch(line, connection, sleep.as_mut(), cx)
    })
    .await
}

/// The timer is set anew only when it fires or comes too late, so that a busy connection
/// hardly ever touches it.
fn watch<S>(
    line: &Rc<Line>,
    connection: &mut http1::Connection<TokioIo<Wire>, S>,
    mut sleep: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
) -> Poll<End>
where
    S: HttpService<Incoming, ResBody = Answer> + Unpin,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    loop {
        let deadline = line.deadline();
        if deadline < sleep.deadline().into_std() {
            sleep.as_mut().reset(deadline.into());
        }
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        line.now.set(Instant::now());
        if deadline > line.now.get() {
            sleep.as_mut().reset(deadline.into());
            continue;
        }
        if line.stage.get() != Stage::Exchange {
            let is_head = line.head_since.get().is_some();
            return Poll::Ready(if is_head { End::SlowHead } else { End::Idle });
        }
        // The request gets one chance to answer that it was too late.
        line.expired.set(true);
        if Pin::new(&mut *connection).poll(cx).is_ready() {
            return Poll::Ready(End::Done);
        }
        if line.deadline() <= line.now.get() {
            return Poll::Ready(End::Stuck);
        }
        line.expired.set(false);
    }
}

/// Closes a connection so that the client can read what it was told: the sending side
/// first, then, for a moment, whatever the client still sends is read and forgotten. A
/// socket closed with unread bytes would reset the connection and take the answer with it.
async fn close(line: &Line, mut stream: TcpStream, end: End) {
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

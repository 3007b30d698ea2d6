//! An origin that does what its paths say: answers, waits, breaks off, echoes, streams.
//! Real sockets, so that it can also be gone. Counts every request that reached it.
//!
//! `/health` · `/echo` · `/sum` · `/headers` · `/status/503` · `/bytes/1000` · `/wait/50` (ms) ·
//! `/gate` (until opened) · `/die` · `/die-after-body` · `/die-mid-body` · `/early` · `/trailers` ·
//! `/events/3` · `/events-gate` · `/ws` · `/hop`

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Failure>;

/// An origin. Gone, with every connection to it, when it is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    release: String,
    health: Mutex<StatusCode>,
    gate: watch::Sender<bool>,
    requests: Mutex<HashMap<String, u64>>,
    in_flight: AtomicU64,
    most_in_flight: AtomicU64,
    connections: AtomicU64,
    keeps_alive: AtomicBool,
}

impl Origin {
    /// An origin on a free port of the loopback interface.
    #[expect(clippy::unused_async, reason = "it must be called within a runtime")]
    pub async fn start(release: &str) -> anyhow::Result<Self> {
        Self::start_at(([127, 0, 0, 1], 0).into(), release)
    }

    /// An origin at `address`, where another may just have been.
    ///
    /// Must be called within a runtime.
    pub fn start_at(address: SocketAddr, release: &str) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket
            .bind(address)
            .with_context(|| format!("binding an origin to {address}"))?;
        let listener = socket.listen(1024)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            release: release.to_owned(),
            health: Mutex::new(StatusCode::OK),
            gate: watch::Sender::new(false),
            requests: Mutex::default(),
            in_flight: AtomicU64::new(0),
            most_in_flight: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            keeps_alive: AtomicBool::new(true),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it calls itself in `x-release`.
    pub fn release(&self) -> &str {
        &self.shared.release
    }

    /// How many requests of this path reached it.
    pub fn requests(&self, path: &str) -> u64 {
        lock(&self.shared.requests).get(path).copied().unwrap_or(0)
    }

    /// How many requests reached it, looks at its health left out.
    pub fn all_requests(&self) -> u64 {
        lock(&self.shared.requests)
            .iter()
            .filter(|(path, _)| *path != "/health")
            .map(|(_, count)| count)
            .sum()
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many requests it has in hand now, looks left out.
    pub fn in_flight(&self) -> u64 {
        self.shared.in_flight.load(Ordering::SeqCst)
    }

    /// The most requests that it had in hand at once, looks left out.
    pub fn most_in_flight(&self) -> u64 {
        self.shared.most_in_flight.load(Ordering::SeqCst)
    }

    /// Answers looks at its health with `status` from now on.
    pub fn set_health(&self, status: StatusCode) {
        *lock(&self.shared.health) = status;
    }

    /// Whether connections stay open after an answer.
    pub fn set_keeps_alive(&self, keeps: bool) {
        self.shared.keeps_alive.store(keeps, Ordering::SeqCst);
    }

    /// Lets everything that waits at the gate through, and what comes later.
    pub fn open_gate(&self) {
        self.shared.gate.send_replace(true);
    }

    /// Ends at once, with every connection; the port is free when this returns.
    pub async fn kill(self) {
        self.task.abort();
        // Waiting for the task is waiting for its sockets to be closed.
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborting this task drops the set, which aborts every connection.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let keeps_alive = shared.keeps_alive.load(Ordering::SeqCst);
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            let served = http1::Builder::new()
                .keep_alive(keeps_alive)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection to the origin broke off");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Counts a request as in hand until it is dropped.
struct InHand(Arc<Shared>);

impl InHand {
    fn new(shared: &Arc<Shared>) -> Self {
        let now = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_in_flight.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Failure> {
    let path = request.uri().path().to_owned();
    *lock(&shared.requests).entry(path.clone()).or_default() += 1;
    let in_hand = (path != "/health").then(|| InHand::new(&shared));
    let mut response = act(&shared, request, &path).await?;
    let release = HeaderValue::from_str(&shared.release)?;
    response.headers_mut().insert("x-release", release);
    drop(in_hand);
    Ok(response)
}

async fn act(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    path: &str,
) -> Result<Response<Body>, Failure> {
    let (word, number) = match path.trim_start_matches('/').split_once('/') {
        Some((word, rest)) => (word, rest.parse::<u64>().unwrap_or(0)),
        None => (path.trim_start_matches('/'), 0),
    };
    Ok(match word {
        "health" => status(*lock(&shared.health)),
        "echo" => Response::new(request.into_body().map_err(Failure::from).boxed_unsync()),
        "sum" => sum(request.into_body()).await?,
        "headers" => full(serde_json::to_vec(&listed(&request))?),
        "status" => status(StatusCode::from_u16(u16::try_from(number)?)?),
        "bytes" => full(vec![b'x'; usize::try_from(number)?]),
        "wait" => {
            tokio::time::sleep(Duration::from_millis(number)).await;
            full("waited")
        }
        "gate" => {
            through_gate(shared).await;
            full("through")
        }
        "die" => return Err("dies before it answers".into()),
        "die-after-body" => {
            request.into_body().collect().await?;
            return Err("dies before it answers".into());
        }
        "die-mid-body" => die_mid_body(),
        "early" => status(StatusCode::PAYLOAD_TOO_LARGE),
        "trailers" => trailers(request.into_body()).await?,
        "events" => events(number),
        "events-gate" => events_gate(Arc::clone(shared)),
        "ws" => websocket(request)?,
        "hop" => hop()?,
        _ => full("hello"),
    })
}

async fn through_gate(shared: &Shared) {
    let mut gate = shared.gate.subscribe();
    // The sender lives as long as the origin.
    while !*gate.borrow_and_update() {
        if gate.changed().await.is_err() {
            return;
        }
    }
}

fn full(content: impl Into<Bytes>) -> Response<Body> {
    Response::new(
        Full::new(content.into())
            .map_err(|never: Infallible| match never {})
            .boxed_unsync(),
    )
}

fn streamed(
    frames: impl stream::Stream<Item = Result<Frame<Bytes>, Failure>> + Send + 'static,
) -> Body {
    StreamBody::new(frames).boxed_unsync()
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = full("");
    *response.status_mut() = status;
    response
}

/// How many bytes came, and a sum over them.
async fn sum(mut body: Incoming) -> Result<Response<Body>, Failure> {
    let (mut bytes, mut sum) = (0_u64, 0_u64);
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            bytes += data.len() as u64;
            for byte in data {
                sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
            }
        }
    }
    Ok(full(format!("{bytes} {sum}")))
}

/// What `/sum` answers for `content`.
pub fn sum_of(content: &[u8]) -> String {
    let sum = content.iter().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    format!("{} {sum}", content.len())
}

fn listed(request: &Request<Incoming>) -> Vec<(String, String)> {
    let line = format!(
        "{} {} {:?}",
        request.method(),
        request.uri(),
        request.version()
    );
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    std::iter::once((":line".to_owned(), line))
        .chain(headers)
        .collect()
}

fn die_mid_body() -> Response<Body> {
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"the beginning"))),
        Err(Failure::from("dies in the middle")),
    ];
    // The first frame is on its way before the second is asked for.
    let frames = stream::iter(frames).then(|frame| async {
        tokio::task::yield_now().await;
        frame
    });
    let mut response = Response::new(streamed(frames));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from_static("1000"));
    response
}

async fn trailers(body: Incoming) -> Result<Response<Body>, Failure> {
    let collected = body.collect().await?;
    let got = collected.trailers().cloned().unwrap_or_default();
    let mut sent = HeaderMap::new();
    sent.insert("x-sum", HeaderValue::from_static("42"));
    if let Some(value) = got.get("x-sent") {
        sent.insert("x-got", value.clone());
    }
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"with trailers"))),
        Ok(Frame::trailers(sent)),
    ];
    let mut response = Response::new(streamed(stream::iter(frames)));
    response
        .headers_mut()
        .insert(header::TRAILER, HeaderValue::from_static("x-sum, x-got"));
    Ok(response)
}

fn event_stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    response
}

fn event(number: u64) -> Frame<Bytes> {
    Frame::data(Bytes::from(format!("data: {number}\n\n")))
}

fn events(count: u64) -> Response<Body> {
    event_stream(streamed(stream::iter((0..count).map(|n| Ok(event(n))))))
}

/// One event at once, a second one when the gate is opened.
fn events_gate(shared: Arc<Shared>) -> Response<Body> {
    let first = stream::iter([Ok(event(0))]);
    let second = stream::once(async move {
        through_gate(&shared).await;
        Ok(event(1))
    });
    event_stream(streamed(first.chain(second)))
}

fn hop() -> Result<Response<Body>, Failure> {
    Ok(Response::builder()
        .header(header::CONNECTION, "x-private")
        .header("x-private", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-authenticate", "Basic")
        .header("x-public", "2")
        .header(header::SET_COOKIE, "a=1")
        .header(header::SET_COOKIE, "b=2")
        .body(full("hop").into_body())?)
}

fn websocket(mut request: Request<Incoming>) -> Result<Response<Body>, Failure> {
    let key = request
        .headers()
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or("no WebSocket key")?;
    let accept = derive_accept_key(key.as_bytes());
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Err(error) = echo(upgrading).await {
            tracing::debug!(%error, "a WebSocket broke off");
        }
    });
    Ok(Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(full("").into_body())?)
}

async fn echo(
    upgrading: impl Future<Output = Result<hyper::upgrade::Upgraded, hyper::Error>>,
) -> Result<(), Failure> {
    let io = TokioIo::new(upgrading.await?);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

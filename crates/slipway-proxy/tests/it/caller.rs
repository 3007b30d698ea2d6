//! Clients for tests: one that speaks HTTP on a connection of its own, and one that writes
//! bytes and reads what comes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long anything may take before a test calls it stuck.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A client with one connection that is kept alive.
pub(crate) struct Caller {
    address: SocketAddr,
    sender: Option<SendRequest<Body>>,
}

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn release(&self) -> Option<&str> {
        self.header("x-release")
    }
}

impl Caller {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            sender: None,
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, "")).await.unwrap()
    }

    pub(crate) async fn post(&mut self, path: &str, content: impl Into<Bytes>) -> Answer {
        self.ask(request(Method::POST, path, content))
            .await
            .unwrap()
    }

    /// Asks and reads the whole answer.
    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Result<Answer, String> {
        let asked = async {
            let (parts, body) = self.begin(request).await?.into_parts();
            let collected = body.collect().await.map_err(|e| e.to_string())?;
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                trailers: collected.trailers().cloned(),
                body: collected.to_bytes(),
            })
        };
        tokio::time::timeout(SOON, asked)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Asks and gives the answer as soon as its head is there.
    pub(crate) async fn begin(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, String> {
        let words = |error: &dyn std::error::Error| format!("{error}: {:?}", error.source());
        let mut sender = match self.sender.take() {
            Some(sender) if sender.is_ready() => sender,
            _ => {
                let stream = TcpStream::connect(self.address)
                    .await
                    .map_err(|e| words(&e))?;
                let (sender, connection) = handshake(TokioIo::new(stream))
                    .await
                    .map_err(|e| words(&e))?;
                tokio::spawn(connection);
                sender
            }
        };
        let answer = sender.send_request(request).await.map_err(|e| words(&e))?;
        self.sender = Some(sender);
        Ok(answer)
    }
}

pub(crate) fn request(method: Method, path: &str, content: impl Into<Bytes>) -> Request<Body> {
    request_of(method, path, whole(content))
}

pub(crate) fn request_of(method: Method, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "app.test")
        .body(body)
        .unwrap()
}

pub(crate) fn whole(content: impl Into<Bytes>) -> Body {
    Full::new(content.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Writes bytes on a new connection and reads until the other side closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    read_to_end(&mut stream).await
}

/// Reads until the other side closes; a reset is an end as well, and is told.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    match tokio::time::timeout(SOON, stream.read_to_end(&mut all)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => all.extend_from_slice(format!("<{error}>").as_bytes()),
        Err(_) => all.extend_from_slice(b"<still open>"),
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `end` was read.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&all).contains(end) {
            let mut piece = [0; 1024];
            match stream.read(&mut piece).await.unwrap() {
                0 => break,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
    };
    let in_time = tokio::time::timeout(SOON, read).await.is_ok();
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(in_time, "{end:?} does not come: {text:?}");
    text
}

//! One visitor over real HTTP: a connection of their own that is kept alive, a name of
//! their own, and the cookies that they were given. Never retries: what goes wrong is
//! an outcome, and is counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The body of a request, whole or as a stream.
pub type Body = BoxBody<Bytes, std::io::Error>;

/// One visitor.
#[derive(Debug)]
pub struct Visitor {
    address: SocketAddr,
    host: String,
    name: String,
    within: Duration,
    cookies: BTreeMap<String, String>,
    connection: Option<SendRequest<Body>>,
}

/// What became of one request.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The answer, or why there was none.
    pub answer: Result<Answer, String>,
    /// From the first byte sent to the last byte read.
    pub took: Duration,
    /// When it ended.
    pub ended: Instant,
}

/// An answer that came whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The release that answered, where it says so.
    pub fn release(&self) -> Option<&str> {
        self.headers.get("x-release")?.to_str().ok()
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Outcome {
    /// Whether the visitor would call it an error: no answer, a broken one, or a 5xx.
    pub fn is_failed(&self) -> bool {
        !matches!(&self.answer, Ok(answer) if !answer.status.is_server_error())
    }

    /// The answer's status, where there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().ok().map(|a| a.status)
    }
}

impl Visitor {
    /// A visitor of `address` who calls themself `name`.
    pub fn new(address: SocketAddr, name: &str) -> Self {
        Self {
            address,
            host: address.to_string(),
            name: name.to_owned(),
            within: Duration::from_secs(30),
            cookies: BTreeMap::new(),
            connection: None,
        }
    }

    /// Waits at most `within` for each answer; 30 s unless said.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Names another host than the address.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Asks for `path`.
    pub async fn get(&mut self, path: &str) -> Outcome {
        self.send(Method::GET, path, &[], whole(Bytes::new())).await
    }

    /// Sends JSON to `path`, with further headers.
    pub async fn post_json(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &serde_json::Value,
    ) -> Outcome {
        let mut all = vec![(CONTENT_TYPE.as_str(), "application/json")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, whole(body.to_string()))
            .await
    }

    /// Sends a form to `path`.
    pub async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Outcome {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        let headers = [(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, whole(body.join("&")))
            .await
    }

    /// Sends a request and reads the answer whole.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Outcome {
        let (began, within) = (Instant::now(), self.within);
        let exchange = async {
            let answer = self.open(method, path, headers, body).await?;
            let (head, body) = answer.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|e| words("reading the body", &e))?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        let answer = timeout(within, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {within:?}")));
        if answer.is_err() {
            self.connection = None;
        }
        Outcome {
            answer,
            took: began.elapsed(),
            ended: Instant::now(),
        }
    }

    /// Sends a request; the answer's body is read by the caller as it arrives.
    pub async fn open(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Result<Response<Incoming>, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(USER_AGENT, &self.name);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body)
            .map_err(|e| words("building the request", &e))?;
        let connection = self.connection().await?;
        let answer = connection
            .send_request(request)
            .await
            .map_err(|e| words("waiting for the answer", &e))?;
        self.remember(answer.headers());
        Ok(answer)
    }

    /// The connection that is open, or a new one. One that the other side has closed
    /// between two requests is no failure: that is how keep-alive ends.
    async fn connection(&mut self) -> Result<&mut SendRequest<Body>, String> {
        let usable = match &mut self.connection {
            Some(connection) => connection.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let stream = TcpStream::connect(self.address)
                .await
                .map_err(|e| words("connecting", &e))?;
            stream
                .set_nodelay(true)
                .map_err(|e| words("connecting", &e))?;
            let (sender, connection) = handshake(TokioIo::new(stream))
                .await
                .map_err(|e| words("opening the connection", &e))?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a visitor's connection ended early");
                }
            });
            self.connection = Some(sender);
        }
        self.connection
            .as_mut()
            .ok_or_else(|| "no connection".to_owned())
    }

    fn remember(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let pair = cookie
                .to_str()
                .ok()
                .and_then(|c| c.split(';').next()?.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies
                    .insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// A body that is sent in one piece.
pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed()
}

/// An error with its causes.
fn words(doing: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{doing}: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// A value as a form carries it.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

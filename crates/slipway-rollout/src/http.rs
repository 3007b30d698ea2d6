//! One GET over a connection of its own, with an end in sight: for probes and previews. The
//! body is read up to a limit and never followed.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Of a body no more than this is read.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Of a body no more than this is shown.
const SHOWN_CHARS: usize = 200;

/// What is said where the proxy wants to hear who comes: this end itself (PROXY protocol 1).
const ANNOUNCED: &[u8] = b"PROXY UNKNOWN\r\n";

/// One GET.
#[derive(Debug, Clone)]
pub(crate) struct Get<'a> {
    /// Where to connect to.
    pub(crate) address: SocketAddr,
    /// The host that is asked for.
    pub(crate) host: &'a str,
    /// The path.
    pub(crate) path: &'a str,
    /// The preview token, where there is one.
    pub(crate) token: Option<&'a str>,
    /// Whether it is said first, by the PROXY protocol, that nobody else comes this way.
    pub(crate) is_announced: bool,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The release that says it answered.
    pub(crate) release: Option<String>,
    /// How the body begins, for messages.
    pub(crate) body: String,
}

/// Gets a page; why not, in words.
pub(crate) async fn get(get: &Get<'_>, within: Duration) -> Result<Answer, String> {
    match tokio::time::timeout(within, exchange(get)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} ms", within.as_millis())),
    }
}

async fn exchange(get: &Get<'_>) -> Result<Answer, String> {
    let unreachable = |error: io::Error| format!("{}: {error}", get.address);
    let mut stream = TcpStream::connect(get.address).await.map_err(unreachable)?;
    if get.is_announced {
        stream.write_all(ANNOUNCED).await.map_err(unreachable)?;
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| words(&error))?;
    let mut request = Request::get(get.path)
        .header(http::header::HOST, get.host)
        .header(http::header::CONNECTION, "close")
        .header(http::header::USER_AGENT, "slipway-rollout");
    if let Some(token) = get.token {
        request = request.header("slipway-preview", token);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("{}: {error}", get.path))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|e| words(&e))?;
        let status = response.status().as_u16();
        let release = response
            .headers()
            .get("x-release")
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned);
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX)
            .collect()
            .await
            .map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
        Ok(Answer {
            status,
            release,
            body: beginning(&body),
        })
    };
    // The connection is driven by the same task, so that nothing outlives this call.
    tokio::pin!(answer);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        done = &mut answer => done,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(words(&error)),
        },
    }
}

fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(SHOWN_CHARS).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}

fn words(error: &hyper::Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

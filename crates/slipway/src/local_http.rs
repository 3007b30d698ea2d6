//! HTTP/1 over a Unix socket, as a client: one connection per request, bodies in JSON.
//! Control and proxy answer this way on one machine.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The largest answer that is read whole.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An answer whose body has arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Nothing answers on the socket.
#[derive(Debug, thiserror::Error)]
#[error("nothing answers on {path}")]
pub(crate) struct Silent {
    path: String,
    #[source]
    source: std::io::Error,
}

/// Sends one request and reads the answer whole, within `within`.
pub(crate) async fn call(
    socket: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
    within: Duration,
) -> anyhow::Result<Answer> {
    let exchange = async {
        let (status, body) = open(socket, method, path, body).await?;
        let body = Limited::new(body, ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|e| anyhow::anyhow!(e))
            .context("reading the answer")?
            .to_bytes();
        Ok(Answer { status, body })
    };
    timeout(within, exchange)
        .await
        .with_context(|| format!("no answer on {} within {within:?}", socket.display()))?
}

/// Sends one request; the body is read by the caller as it arrives.
pub(crate) async fn open(
    socket: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> anyhow::Result<(StatusCode, Incoming)> {
    let stream = UnixStream::connect(socket).await.map_err(|source| Silent {
        path: socket.display().to_string(),
        source,
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .context("opening the connection")?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection ended");
        }
    });
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "slipway")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .context("building the request")?;
    let answer = sender
        .send_request(request)
        .await
        .context("waiting for the answer")?;
    Ok((answer.status(), answer.into_body()))
}

/// Whether `GET path` on the socket answers 200 within a second.
pub(crate) async fn answers(socket: &Path, path: &str) -> bool {
    let answer = call(
        socket,
        Method::GET,
        path,
        Vec::new(),
        Duration::from_secs(1),
    )
    .await;
    matches!(answer, Ok(answer) if answer.status == StatusCode::OK)
}

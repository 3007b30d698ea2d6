//! The proxy's own interface, as a client: HTTP over its Unix socket, JSON both ways.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::challenges::Challenges;
use crate::stats::Stats;
use crate::table::{Generation, Table};

/// How long an answer may take beyond what was asked to be waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer.
const ANSWER_BYTES: usize = 64 << 20;

/// Speaks to a proxy. Cheap to clone; a connection per call.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// Why the proxy did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers, or the answer cannot be read; it is not known whether it was done.
    #[error("the proxy does not answer on {}: {reason}", socket.display())]
    Silent {
        /// The socket.
        socket: PathBuf,
        /// What happened, in words.
        reason: String,
    },
    /// The table was refused; the one that was served before is served still.
    #[error("the proxy refuses the table: {0}")]
    Refused(String),
}

#[derive(serde::Deserialize)]
struct Told {
    error: String,
}

#[derive(serde::Deserialize)]
struct Drained {
    in_flight: u64,
}

impl Client {
    /// A client of the proxy that listens on `socket`.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Whether the proxy accepts connections and has looked at every target. `GET /ready`
    pub async fn ready(&self) -> Result<bool, ClientError> {
        let (status, _) = self.call(Method::GET, "/ready", None, PATIENCE).await?;
        Ok(status == StatusCode::OK)
    }

    /// The table that is served. `GET /table`
    pub async fn table(&self) -> Result<Table, ClientError> {
        self.get("/table", PATIENCE).await
    }

    /// Makes a table durable, then serves it. Its generation must be above the one served;
    /// publishing the very table that is served is no error. `PUT /table`
    pub async fn publish(&self, table: &Table) -> Result<(), ClientError> {
        let body = serde_json::to_vec(table).map_err(|error| self.silent(&error))?;
        let (status, answer) = self
            .call(Method::PUT, "/table", Some(body), PATIENCE)
            .await?;
        if status == StatusCode::OK {
            return Ok(());
        }
        let told: Told = self.read(&answer)?;
        if status.is_client_error() {
            Err(ClientError::Refused(told.error))
        } else {
            Err(self.silent(&told.error))
        }
    }

    /// Shows these to whoever asks as an authority of certificates, and no others, until the proxy
    /// ends. `PUT /challenges`
    pub async fn show(&self, challenges: &Challenges) -> Result<(), ClientError> {
        let body = serde_json::to_vec(challenges).map_err(|error| self.silent(&error))?;
        let asked = self.call(Method::PUT, "/challenges", Some(body), PATIENCE);
        let (status, answer) = asked.await?;
        if status == StatusCode::OK {
            return Ok(());
        }
        let told: Told = self.read(&answer)?;
        Err(ClientError::Refused(told.error))
    }

    /// Waits until no request routed by a table older than `generation` is in flight, up to
    /// `within`; gives the number still in flight. `GET /drained?generation=N&within_ms=M`
    pub async fn drained(
        &self,
        generation: Generation,
        within: Duration,
    ) -> Result<u64, ClientError> {
        let path = format!(
            "/drained?generation={generation}&within_ms={}",
            within.as_millis()
        );
        let drained: Drained = self.get(&path, PATIENCE.saturating_add(within)).await?;
        Ok(drained.in_flight)
    }

    /// Everything that the proxy counted. `GET /stats`
    pub async fn stats(&self) -> Result<Stats, ClientError> {
        self.get("/stats", PATIENCE).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        within: Duration,
    ) -> Result<T, ClientError> {
        let (status, answer) = self.call(Method::GET, path, None, within).await?;
        if status != StatusCode::OK {
            return Err(self.silent(&format!("the answer was {status}")));
        }
        self.read(&answer)
    }

    fn read<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(answer).map_err(|error| self.silent(&error))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        within: Duration,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        match tokio::time::timeout(within, self.ask(method, path, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => Err(self.silent(&reason)),
            Err(_) => Err(self.silent(&format!("no answer within {} s", within.as_secs()))),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the sender; what it fails with is told by the answer as well.
        tokio::spawn(connection);
        let request: Request<Full<Bytes>> = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "proxy")
            .body(Full::from(body.unwrap_or_default()))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES);
        Ok((status, body.collect().await?.to_bytes()))
    }

    fn silent(&self, reason: &impl ToString) -> ClientError {
        ClientError::Silent {
            socket: self.socket.clone(),
            reason: reason.to_string(),
        }
    }
}

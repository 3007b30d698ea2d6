//! HTTPS to the authority: a connection for each request, with a limit in time and size. Trusts
//! whom the system trusts, or one authority alone.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long one answer may take, and the largest.
const WITHIN: Duration = Duration::from_secs(30);
const ANSWER_BYTES: usize = 1 << 20;
const PORT: u16 = 443;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A client.
#[derive(Clone)]
pub(crate) struct Https(TlsConnector);

impl Https {
    /// One that trusts `authority` alone, where there is one; else whom the system trusts.
    pub(crate) async fn new(authority: Option<PathBuf>) -> anyhow::Result<Self> {
        let roots = tokio::task::spawn_blocking(move || roots(authority)).await??;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    async fn exchange(
        self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Result<BytesResponse, Failure> {
        let (mut parts, body) = request.into_parts();
        let body = Full::new(body.collect().await?.to_bytes());
        let authority = parts
            .uri
            .authority()
            .cloned()
            .ok_or("the address names no host")?;
        if parts.uri.scheme_str() != Some("https") {
            return Err(format!("{} is not asked over HTTPS", parts.uri).into());
        }
        let host = authority.host().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())?;
        let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(PORT))).await?;
        let stream = self.0.connect(name, stream).await?;
        let host = HeaderValue::try_from(authority.as_str())?;
        parts.headers.insert(header::HOST, host);
        let path = parts.uri.path_and_query().cloned();
        parts.uri = path.map_or_else(Uri::default, Uri::from);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the sender; what it fails with is told by the answer as well.
        tokio::spawn(connection);
        let answer = sender
            .send_request(Request::from_parts(parts, body))
            .await?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await?.to_bytes();
        Ok(BytesResponse::from(Response::from_parts(
            parts,
            Full::new(body),
        )))
    }
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let asked = self.clone().exchange(request);
        Box::pin(async move {
            match tokio::time::timeout(WITHIN, asked).await {
                Ok(answered) => answered.map_err(Error::Other),
                Err(_) => Err(Error::Other(
                    io::Error::from(io::ErrorKind::TimedOut).into(),
                )),
            }
        })
    }
}

/// Blocking.
fn roots(authority: Option<PathBuf>) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = authority {
        let found = CertificateDer::pem_file_iter(&file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("reading {}", file.display()))?;
        let (added, _) = roots.add_parsable_certificates(found);
        anyhow::ensure!(added > 0, "{} holds no certificate", file.display());
        return Ok(roots);
    }
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    anyhow::ensure!(
        added > 0,
        "the system trusts no authority; install the package ca-certificates"
    );
    Ok(roots)
}

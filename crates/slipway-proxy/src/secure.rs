//! TLS in front of HTTP: 1.2 and 1.3 by rustls with ring, HTTP/2 where the client takes it,
//! certificates that change without a connection noticing, HSTS, and the way there for
//! whoever came without. Never accepts early data, which anybody could send again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::certificates::{CertificateError, Certificates};
use crate::challenges::{self, Shown};
use crate::options::Secure;
use crate::stream::Stream;

/// HTTP/2 by its name in ALPN (RFC 9113 §3.2).
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
const HTTPS_PORT: u16 = 443;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecureError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// TLS, ready to be offered.
pub(crate) struct Shield {
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
    /// What every answer over TLS says of the future, where something is to be said.
    pub(crate) hsts: Option<HeaderValue>,
    /// The port that plain requests are sent to, where they are.
    redirect: Option<u16>,
    /// What is shown to an authority.
    pub(crate) challenges: Arc<Shown>,
}

/// Which HTTP a client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chosen {
    Http1,
    Http2,
    /// None: an authority has seen the certificate that it looked for.
    Nothing,
}

impl Shield {
    /// Reads the certificates. Blocking.
    pub(crate) fn load(secure: &Secure) -> Result<Self, SecureError> {
        // Every processor can run it; what needs certain instructions is no choice for a proxy
        // that must start anywhere.
        let provider = Arc::new(ring::default_provider());
        let challenges = Arc::new(Shown::default());
        let files = (secure.certificates.clone(), secure.awaited.clone());
        let certificates = Certificates::load(files, &provider, Arc::clone(&challenges))?;
        let certificates = Arc::new(certificates);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificates) as Arc<_>);
        // The last is for an authority alone, which offers nothing else.
        config.alpn_protocols = [HTTP2, HTTP1, challenges::PROTOCOL]
            .map(<[u8]>::to_vec)
            .to_vec();
        // Tickets keep sessions at the client: nothing is shared that a handshake waits for.
        config.ticketer = ring::Ticketer::new()?;
        let port = secure.public_port.or_else(|| bound_port(secure));
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificates,
            hsts: secure.hsts.and_then(hsts),
            redirect: secure.redirect.then_some(port.unwrap_or(HTTPS_PORT)),
            challenges,
        })
    }

    /// The port that plain requests are sent to: none as long as nobody could be answered there.
    pub(crate) fn redirect(&self) -> Option<u16> {
        self.redirect.filter(|_| self.certificates.is_any())
    }

    /// Why certificates that changed are not served.
    pub(crate) fn problem(&self) -> Option<String> {
        self.certificates.problem()
    }

    /// Shakes hands, within a time that others do not wait for.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<(Stream, Chosen)> {
        let stream = self.acceptor.accept(stream).await?;
        let (_, session) = stream.get_ref();
        let chosen = match session.alpn_protocol() {
            Some(HTTP2) => Chosen::Http2,
            Some(challenges::PROTOCOL) => Chosen::Nothing,
            _ => Chosen::Http1,
        };
        Ok((Stream::Secure(Box::new(stream)), chosen))
    }

    /// Reads certificates that changed, again and again.
    pub(crate) async fn keep_fresh(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let certificates = Arc::clone(&self.certificates);
            match tokio::task::spawn_blocking(move || certificates.refresh()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!("certificates changed and are served"),
                Ok(Err(error)) => {
                    let error = error.words();
                    tracing::error!(error, "certificates changed; the ones before are served");
                }
                Err(error) => tracing::error!(%error, "certificates cannot be looked at"),
            }
        }
    }
}

impl std::fmt::Debug for Shield {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shield")
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

/// RFC 6797 §6.1: nought takes back what was said before.
fn hsts(time: Duration) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("max-age={}", time.as_secs())).ok()
}

fn bound_port(secure: &Secure) -> Option<u16> {
    let address: SocketAddr = secure.listeners.first()?.local_addr().ok()?;
    Some(address.port())
}

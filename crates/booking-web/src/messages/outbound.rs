//! One request to somebody else's server. It goes to the address that was looked at and to
//! no other: a name is resolved once, redirects are not followed, and where only public
//! addresses may be reached, nothing of ours can be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{HOST, RETRY_AFTER};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::outcome::Outcome;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Within the time for the whole answer.
const BODY_WITHIN: Duration = Duration::from_secs(2);
/// More of an answer is not read.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Nobody may ask for more time than this.
const RETRY_AFTER_MAX: i64 = 24 * 3600;

/// Which addresses may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the operator's own choice.
    Anywhere,
    /// Those that a customer of ours typed: nothing within this network, and only by HTTPS.
    Public,
}

/// Why an address cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is no address, or not one that may be called.
    Shape,
    /// Its name leads nowhere.
    Unknown,
    /// It leads into this network.
    Private,
}

impl Reach {
    /// Looks where an address leads, without going there. It may lead elsewhere later, so
    /// each call looks again.
    pub(crate) async fn look(self, url: &str) -> Result<(), Unfit> {
        let uri: Uri = url.parse().map_err(|_| Unfit::Shape)?;
        let target = Target::of(&uri, self).map_err(|_| Unfit::Shape)?;
        let looking = tokio::net::lookup_host((target.host.as_str(), target.port));
        let found = tokio::time::timeout(CONNECT_WITHIN, looking).await;
        let mut found = found
            .map_err(|_| Unfit::Unknown)?
            .map_err(|_| Unfit::Unknown)?
            .peekable();
        if found.peek().is_none() {
            return Err(Unfit::Unknown);
        }
        if self == Self::Public && !found.all(|at| is_public(at.ip())) {
            return Err(Unfit::Private);
        }
        Ok(())
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The address may not be reached.
    Forbidden(String),
    /// The request was not sent.
    NotSent(String),
    /// It was sent, and nobody knows what came of it.
    Lost(String),
}

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Outbound {
    tls: TlsConnector,
    reach: Reach,
}

impl Outbound {
    pub(crate) fn new(reach: Reach) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("preparing TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            reach,
        })
    }

    /// Sends `request`, whose address is whole.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let target = Target::of(request.uri(), self.reach)?;
        let connecting = self.connect(&target);
        let stream = tokio::time::timeout(CONNECT_WITHIN, connecting)
            .await
            .map_err(|_| Failure::NotSent("no connection in time".to_owned()))??;
        let request = target.relative(request)?;
        if !target.is_secure {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| Failure::Forbidden("the name of the server cannot be read".to_owned()))?;
        let shaking = tokio::time::timeout(CONNECT_WITHIN, self.tls.connect(name, stream));
        let stream = shaking
            .await
            .map_err(|_| Failure::NotSent("TLS takes too long".to_owned()))?
            .map_err(|error| Failure::NotSent(format!("TLS: {error}")))?;
        exchange(stream, request).await
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        let resolved = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
        let addresses: Vec<SocketAddr> = resolved
            .map_err(|_| Failure::NotSent("the name cannot be resolved".to_owned()))?
            .collect();
        // One address within our network is one too many.
        if self.reach == Reach::Public && !addresses.iter().all(|at| is_public(at.ip())) {
            return Err(Failure::Forbidden("the address is not public".to_owned()));
        }
        let mut last = "the name has no address".to_owned();
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error.kind().to_string(),
            }
        }
        Err(Failure::NotSent(last))
    }
}

/// Where a request goes.
struct Target {
    is_secure: bool,
    host: String,
    port: u16,
    authority: HeaderValue,
}

impl Target {
    fn of(uri: &Uri, reach: Reach) -> Result<Self, Failure> {
        let forbidden = |why: &str| Failure::Forbidden(why.to_owned());
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if reach == Reach::Anywhere => false,
            _ => return Err(forbidden("the address must begin with https://")),
        };
        let authority = uri
            .authority()
            .ok_or_else(|| forbidden("there is no server in it"))?;
        if authority.as_str().contains('@') {
            return Err(forbidden("there is a password in it"));
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Ok(Self {
            is_secure,
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_secure { 443 } else { 80 }),
            authority: HeaderValue::from_str(authority.as_str())
                .map_err(|_| forbidden("the name of the server cannot be read"))?,
        })
    }

    /// The request as the server reads it.
    fn relative(&self, mut request: Request<Full<Bytes>>) -> Result<Request<Full<Bytes>>, Failure> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let uri = path.parse();
        *request.uri_mut() =
            uri.map_err(|_| Failure::Forbidden("the path cannot be read".to_owned()))?;
        request.headers_mut().insert(HOST, self.authority.clone());
        Ok(request)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Failure> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::NotSent(error.to_string()))?;
    let driving = tokio::spawn(connection);
    let asking = tokio::time::timeout(ANSWER_WITHIN, async {
        let response = sender.send_request(request).await;
        match response {
            Ok(response) => Ok(answer(response).await),
            Err(error) => Err(Failure::Lost(error.to_string())),
        }
    });
    let answer = asking.await;
    driving.abort();
    answer.unwrap_or_else(|_| Err(Failure::Lost("no answer in time".to_owned())))
}

async fn answer(response: http::Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let seconds = head.headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok());
    let seconds = seconds.and_then(|text| text.trim().parse::<i64>().ok());
    // The head says it all; a body that breaks off or never ends changes nothing.
    let body = Limited::new(body, BODY_BYTES_MAX).collect();
    let body = tokio::time::timeout(BODY_WITHIN, body).await;
    Answer {
        status: head.status.as_u16(),
        retry_after: seconds.map(|s| SignedDuration::from_secs(s.clamp(0, RETRY_AFTER_MAX))),
        body: match body {
            Ok(Ok(body)) => body.to_bytes(),
            _ => Bytes::new(),
        },
    }
}

/// What an answer means for what was sent.
pub(crate) fn outcome(answer: &Result<Answer, Failure>) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(Failure::Forbidden(why)) => return Outcome::Refused(why.clone()),
        Err(Failure::NotSent(why)) => {
            return Outcome::Later {
                reason: why.clone(),
                wait: None,
            };
        }
        Err(Failure::Lost(why)) => return Outcome::Unknown(why.clone()),
    };
    let reason = format!("answered {}", answer.status);
    match answer.status {
        200..=299 => Outcome::Sent { provider_id: None },
        408 | 425 | 429 | 503 => Outcome::Later {
            reason,
            wait: answer.retry_after,
        },
        // Something on the way broke, perhaps after it was taken.
        500..=599 => Outcome::Unknown(reason),
        // Also a redirect: who is to get it must be said by whoever set it up.
        _ => Outcome::Refused(reason),
    }
}

/// Whether an address is anybody's on the internet, and not of this machine or network.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_special = a == 0 || a >= 224 || (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    let is_bench = a == 198 && (18..20).contains(&b);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || is_shared
        || is_special
        || is_bench)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    // Only these are given out; within them, what leads to IPv4 or is for books is not ours.
    let is_global = parts[0] & 0xe000 == 0x2000;
    let is_tunnel = parts[0] == 0x2002 || (parts[0] == 0x2001 && parts[1] < 0x0200);
    let is_documentation = (parts[0] == 0x2001 && parts[1] == 0x0db8) || parts[0] == 0x3fff;
    is_global && !is_tunnel && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_or_nobodys_is_not_public() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "203.0.113.5",
            "192.88.99.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "8.8.8.8",
            "196.25.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "198.17.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2a00:1450::1",
            "2c0f:f248::1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn an_address_within_this_network_is_not_kept() {
        for (url, seen) in [
            ("https://8.8.8.8/hook", Ok(())),
            ("https://[2a00:1450::1]:8443/", Ok(())),
            ("https://127.0.0.1/", Err(Unfit::Private)),
            ("https://10.0.0.8:8443/", Err(Unfit::Private)),
            ("https://[::1]/", Err(Unfit::Private)),
            ("https://[::ffff:192.168.0.1]/", Err(Unfit::Private)),
            ("https://169.254.169.254/latest", Err(Unfit::Private)),
            ("https://localhost/", Err(Unfit::Private)),
            ("http://8.8.8.8/", Err(Unfit::Shape)),
            ("https://me:word@8.8.8.8/", Err(Unfit::Shape)),
            ("https://", Err(Unfit::Shape)),
            ("not an address", Err(Unfit::Shape)),
        ] {
            assert_eq!(Reach::Public.look(url).await, seen, "{url}");
        }
        assert_eq!(Reach::Anywhere.look("http://127.0.0.1:9/").await, Ok(()));
    }

    #[tokio::test]
    async fn nothing_within_this_network_is_reached_however_it_is_written() {
        let outbound = Outbound::new(Reach::Public).unwrap();
        for address in [
            "https://127.0.0.1/",
            "https://[::1]:8443/",
            "https://localhost/x",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://127.1/",
            "http://example.com/",
            "https://user:word@example.com/",
            "ftp://example.com/",
        ] {
            let request = Request::post(address).body(Full::default()).unwrap();
            let failure = outbound.send(request).await.unwrap_err();
            let is_refused = matches!(failure, Failure::Forbidden(_))
                // Where this system does not read a name in that way, there is no address.
                || failure == Failure::NotSent("the name cannot be resolved".to_owned());
            assert!(is_refused, "{address}: {failure:?}");
        }
    }
}

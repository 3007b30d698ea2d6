//! What an authority of certificates is shown, over HTTP and over TLS, and what visitors see
//! before there is a certificate.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use slipway_proxy::{CertificateFiles, Challenges, ClientError, TlsChallenge};
use testkit::certificate::Authority;
use testkit::origin::Origin;
use testkit::wait;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::caller::SOON;
use crate::ground::{Proxy, route, simple, table};
use crate::safe::{Client, NAME, secure};

const PATH: &str = "/.well-known/acme-challenge/token";

/// A proxy that awaits its certificate, which is aside still, and sends visitors to TLS.
struct Waiting {
    proxy: Proxy,
    _origin: Origin,
    authority: Authority,
    files: CertificateFiles,
    secure: SocketAddr,
}

impl Waiting {
    async fn start() -> Self {
        let authority = Authority::new().unwrap();
        let certificate = authority.sign(&format!("DNS:{NAME}")).unwrap();
        let files = CertificateFiles {
            chain: certificate.chain.clone(),
            key: certificate.key.clone(),
        };
        std::fs::rename(&files.chain, files.chain.with_extension("aside")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let awaited = files.clone();
        let proxy = Proxy::start_so(plain, tempfile::tempdir().unwrap(), |options| {
            options.limits.certificates = Duration::from_millis(20);
            let mut secure = secure(listener, &[]);
            secure.awaited = vec![awaited];
            secure.redirect = true;
            options.secure = Some(secure);
        })
        .await;
        let origin = Origin::start("r1").await.unwrap();
        proxy.publish(&table(1, route(&[&origin], &[]))).await;
        Self {
            proxy,
            _origin: origin,
            authority,
            files,
            secure: address,
        }
    }
}

fn http(token: &str, answer: &str) -> Challenges {
    Challenges {
        http: BTreeMap::from([(token.to_owned(), answer.to_owned())]),
        tls: BTreeMap::new(),
    }
}

#[tokio::test]
async fn visitors_are_served_without_tls_until_there_is_a_certificate() {
    let waiting = Waiting::start().await;
    let mut caller = waiting.proxy.caller();
    assert_eq!(caller.get("/").await.text(), "hello");
    let client = Client::of(&waiting.authority);
    let connected = client.connect(waiting.secure, NAME, "http/1.1").await;
    assert!(connected.is_err(), "{connected:?}");
    let aside = waiting.files.chain.with_extension("aside");
    std::fs::rename(aside, &waiting.files.chain).unwrap();
    let served = wait::answer(SOON, async || {
        client.connect(waiting.secure, NAME, "http/1.1").await.ok()
    });
    assert!(served.await.is_some(), "the certificate is never served");
    let sent = waiting.proxy.caller().get("/").await;
    assert_eq!(sent.status, http::StatusCode::PERMANENT_REDIRECT);
}

#[tokio::test]
async fn an_answer_is_shown_over_http_whatever_else_holds() {
    let waiting = Waiting::start().await;
    let aside = waiting.files.chain.with_extension("aside");
    std::fs::rename(aside, &waiting.files.chain).unwrap();
    let client = &waiting.proxy.client;
    client.show(&http("token", "token.thumb")).await.unwrap();
    let shown = waiting.proxy.caller().get(PATH).await;
    assert_eq!(shown.text(), "token.thumb");
    assert_eq!(
        shown.header("content-type"),
        Some("application/octet-stream")
    );
    // Another takes its place, and what nobody shows is the service's own.
    client.show(&http("other", "x")).await.unwrap();
    let gone = wait::answer(SOON, async || {
        let answer = waiting.proxy.caller().get(PATH).await;
        (answer.status == http::StatusCode::PERMANENT_REDIRECT).then_some(())
    });
    assert!(gone.await.is_some());
}

#[tokio::test]
async fn a_certificate_is_shown_to_an_authority_alone() {
    let waiting = Waiting::start().await;
    let made = Authority::new().unwrap();
    let certificate = made.sign("DNS:new.test").unwrap();
    let shown = TlsChallenge {
        certificate: std::fs::read_to_string(&certificate.chain).unwrap(),
        key: std::fs::read_to_string(&certificate.key).unwrap(),
    };
    let tls = BTreeMap::from([("new.test".to_owned(), shown)]);
    let challenges = Challenges {
        tls,
        ..Challenges::default()
    };
    waiting.proxy.client.show(&challenges).await.unwrap();
    let client = Client::of(&made);
    let looked = client.connect(waiting.secure, "NEW.test", "acme-tls/1");
    let looked = looked.await.unwrap();
    let (_, session) = looked.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    let expected = CertificateDer::from_pem_file(&certificate.chain).unwrap();
    assert_eq!(session.peer_certificates().unwrap()[0], expected);
    for (name, protocol) in [
        ("new.test", "http/1.1"),
        (NAME, "acme-tls/1"),
        ("new.test", "h2"),
    ] {
        let connected = client.connect(waiting.secure, name, protocol).await;
        assert!(connected.is_err(), "{name} {protocol}");
    }
}

#[tokio::test]
async fn a_proxy_without_tls_shows_nothing_and_says_so() {
    let (proxy, _origin) = simple().await;
    let refused = proxy.client.show(&http("a", "b")).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(_)), "{refused}");
    assert_eq!(proxy.caller().get(PATH).await.text(), "hello");
}

//! Clients that come over TLS, and a proxy for them with certificates of an own authority.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use slipway_proxy::{CertificateFiles, Options, Secure};
use testkit::certificate::{Authority, Certificate};
use testkit::origin::Origin;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

use crate::caller::SOON;
use crate::ground::{Proxy, route, table};

pub(crate) const NAME: &str = "app.test";

/// A proxy with TLS on a port of its own.
pub(crate) struct Safe {
    pub(crate) proxy: Proxy,
    pub(crate) origin: Origin,
    pub(crate) authority: Authority,
    pub(crate) address: SocketAddr,
}

impl Safe {
    pub(crate) async fn start() -> Self {
        Self::start_so(|_| {}).await
    }

    pub(crate) async fn start_so(change: impl FnOnce(&mut Options)) -> Self {
        let authority = Authority::new().unwrap();
        let certificate = authority.sign(&format!("DNS:{NAME}")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::start_so(plain, folder, |options| {
            options.secure = Some(secure(listener, &[&certificate]));
            change(options);
        })
        .await;
        let origin = Origin::start("r1").await.unwrap();
        proxy.publish(&table(1, route(&[&origin], &[]))).await;
        Self {
            proxy,
            origin,
            authority,
            address,
        }
    }

    /// A connection over TLS that speaks `protocol`.
    pub(crate) async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let client = Client::of(&self.authority);
        client.connect(self.address, NAME, protocol).await.unwrap()
    }
}

pub(crate) fn secure(listener: TcpListener, certificates: &[&Certificate]) -> Secure {
    let files = certificates.iter().map(|certificate| CertificateFiles {
        chain: certificate.chain.clone(),
        key: certificate.key.clone(),
    });
    Secure {
        listeners: vec![listener],
        certificates: files.collect(),
        awaited: Vec::new(),
        redirect: false,
        public_port: None,
        hsts: None,
    }
}

/// Somebody who trusts one authority.
pub(crate) struct Client {
    roots: RootCertStore,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Client {
    pub(crate) fn of(authority: &Authority) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(authority.file()).unwrap())
            .unwrap();
        Self {
            roots,
            versions: vec![&version::TLS13, &version::TLS12],
        }
    }

    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        name: &str,
        protocol: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        self.over(stream, name, protocol).await
    }

    /// Shakes hands on a connection that there is already.
    pub(crate) async fn over(
        &self,
        stream: TcpStream,
        name: &str,
        protocol: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        if !protocol.is_empty() {
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        }
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        tokio::time::timeout(SOON, connecting).await.unwrap()
    }
}

/// Says something and reads until `end`.
pub(crate) async fn talk(stream: &mut TlsStream<TcpStream>, said: &str, end: &str) -> String {
    stream.write_all(said.as_bytes()).await.unwrap();
    let mut all = String::new();
    let read = async {
        while !all.contains(end) {
            let mut piece = [0; 1024];
            match stream.read(&mut piece).await.unwrap() {
                0 => break,
                count => all.push_str(&String::from_utf8_lossy(&piece[..count])),
            }
        }
    };
    let in_time = tokio::time::timeout(SOON, read).await.is_ok();
    assert!(in_time && all.contains(end), "{end:?} does not come: {all}");
    all
}

//! TLS by the environment's file: the keeper's sockets, the proxy's certificates, a rollout
//! whose looks are not sent away, and a proxy that dies.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use testkit::certificate::Authority;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::ground::Ground;
use crate::release::draft;

const NAME: &str = "shop.test";
const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n";

fn config(authority: &Authority) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority.file()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// What is answered over TLS.
fn over_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> String {
    let name = ServerName::try_from(NAME).unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut stream = StreamOwned::new(session, TcpStream::connect(address).unwrap());
    stream.write_all(GET.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

fn plain(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn visitors_come_by_tls_and_are_sent_there() {
    let authority = Authority::new().unwrap();
    let certificate = authority.sign(&format!("DNS:{NAME}")).unwrap();
    let ground = Ground::up_with(&format!(
        "[proxy.tls]\nlisten = \"127.0.0.1:0\"\nredirect = true\nhsts = \"1h\"\n\
         certificates = [{{ chain = {:?}, key = {:?} }}]\n\
         [proxy.access_log]\nshare = 10000\n",
        certificate.chain, certificate.key
    ));
    let listen = ground.status()["listen"].clone();
    let address = |place: usize, scheme: &str| -> SocketAddr {
        let text = listen[place].as_str().unwrap();
        text.strip_prefix(scheme).unwrap().parse().unwrap()
    };
    let (without, with) = (address(0, "http://"), address(1, "https://"));
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let sent = plain(without);
    assert!(sent.starts_with("HTTP/1.1 308 "), "{sent}");
    let place = format!("location: https://{NAME}:{}/\r\n", with.port());
    assert!(sent.contains(&place), "{sent}");
    let config = config(&authority);
    let check = || {
        let said = over_tls(with, &config);
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
        assert!(said.contains(&format!("x-release: {one}")), "{said}");
        let hsts = "strict-transport-security: max-age=3600";
        assert!(said.contains(hsts), "{said}");
    };
    check();
    // The next proxy gets the same sockets, and knows which is which.
    let killed = ground.kill("proxy");
    ground.wait_for("another proxy", || ground.pid("proxy") != Some(killed));
    check();
    let log = ground.state().join("logs/access.log");
    ground.wait_for("what was asked for to be written down", || {
        std::fs::read_to_string(&log).is_ok_and(|text| text.contains("\"tls\":true"))
    });
}

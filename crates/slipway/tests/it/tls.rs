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

pub(crate) fn config(authority: &Authority) -> Arc<ClientConfig> {
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
pub(crate) fn over_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<String> {
    let name = ServerName::try_from(NAME).unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut stream = StreamOwned::new(session, TcpStream::connect(address)?);
    stream.write_all(GET.as_bytes())?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

pub(crate) fn plain(address: SocketAddr) -> String {
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
    // The page of the second release is looked at before visitors see it.
    let two = draft("normal", "two").make(&ground.state());
    ground.deploy(two.as_str()).with(0);
    let config = config(&authority);
    let check = || {
        let said = over_tls(with, &config).unwrap();
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
        assert!(said.contains(&format!("x-release: {two}")), "{said}");
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

/// A Slipway with TLS, the authority that its certificate is of, and its address.
fn with_tls() -> (Ground, Authority, SocketAddr) {
    let authority = Authority::new().unwrap();
    let certificate = authority.sign(&format!("DNS:{NAME}")).unwrap();
    let ground = Ground::up_with(&format!(
        "[proxy.tls]\nlisten = \"127.0.0.1:0\"\n\
         certificates = [{{ chain = \"{}\", key = \"{}\" }}]\n",
        certificate.chain.display(),
        certificate.key.display()
    ));
    let listen = ground.status()["listen"][1].clone();
    let address = listen.as_str().unwrap().strip_prefix("https://");
    let address = address.unwrap().parse().unwrap();
    (ground, authority, address)
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_before_anything_is_started() {
    let ground = Ground::new();
    let gone = ground.project().join("gone.pem");
    ground.write_environment(&format!(
        "{}\n[proxy.tls]\nlisten = \"127.0.0.1:0\"\n\
         certificates = [{{ chain = \"gone.pem\", key = \"gone.key\" }}]\n",
        Ground::environment()
    ));
    let said = ground.run(&["up"]).with(2).err;
    assert!(said.contains(gone.to_str().unwrap()), "{said}");
    assert!(!ground.state().join("keeper.json").exists());
}

#[test]
fn a_renewal_that_cannot_be_read_is_told_and_changes_nothing_for_visitors() {
    let (ground, authority, address) = with_tls();
    let one = draft("normal", "one").make(&ground.state());
    ground.deploy(one.as_str()).with(0);
    let config = config(&authority);
    let chain = authority.file().with_file_name("server.pem");
    std::fs::write(&chain, "nonsense").unwrap();
    ground.wait_for("the certificate in the status", || {
        let problem = &ground.status()["proxy"]["stats"]["certificate_problem"];
        problem.to_string().contains("server.pem")
    });
    assert!(
        over_tls(address, &config)
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );
    // A keeper that begins now cannot start a proxy, and leaves the one that there is.
    ground.kill("keeper");
    let before = ground.pid("proxy");
    let _keeper = ground.spawn(&["keep"]);
    let complaint = "TLS cannot be offered";
    ground.wait_for("the new proxy to fail again", || {
        ground.tail("proxy").matches(complaint).count() > 1
    });
    assert!(ground.pid("proxy") != before);
    assert!(
        over_tls(address, &config)
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );
    // The files are whole again: the next proxy takes over.
    authority.sign(&format!("DNS:{NAME}")).unwrap();
    ground.wait_for("control", || {
        ground.status()["processes"]["control"]["answers"] == true
    });
    assert!(
        over_tls(address, &config)
            .unwrap()
            .starts_with("HTTP/1.1 200 ")
    );
    ground.run(&["down"]).with(0);
}

#[test]
fn a_release_is_looked_at_where_everybody_on_this_machine_announces() {
    let ground = Ground::up_with_proxy("announced_by = [\"127.0.0.0/8\"]");
    for name in ["one", "two"] {
        let release = draft("normal", name).make(&ground.state());
        ground.deploy(release.as_str()).with(0);
    }
    let mut stream = TcpStream::connect(ground.address()).unwrap();
    let line = "PROXY TCP4 192.0.2.7 192.0.2.1 9 80\r\n";
    stream.write_all(format!("{line}{GET}").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

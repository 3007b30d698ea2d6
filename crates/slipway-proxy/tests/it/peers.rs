//! Who a client is: by its socket, by what a trusted peer announces or says of it; and how much
//! one client may take.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use slipway_proxy::{Options, Trust};
use testkit::origin::Origin;
use testkit::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::caller::{SOON, raw, read_until};
use crate::ground::{Proxy, route, table};
use crate::safe::{Client, NAME, Safe, talk};

const GET: &str = "GET /headers HTTP/1.1\r\nHost: app.test\r\n\r\n";

async fn start(change: impl FnOnce(&mut Options)) -> (Proxy, Origin) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start_so(listener, tempfile::tempdir().unwrap(), change).await;
    let origin = Origin::start("r1").await.unwrap();
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    (proxy, origin)
}

/// A connection from another address of this machine.
async fn from(address: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

fn networks(text: &str) -> Trust {
    Trust::Networks(vec![text.parse().unwrap()])
}

/// Whether a connection is served, as opposed to closed.
async fn is_served(stream: &mut TcpStream) -> bool {
    if stream.write_all(GET.as_bytes()).await.is_err() {
        return false;
    }
    let mut piece = [0; 12];
    let read = tokio::time::timeout(SOON, stream.read_exact(&mut piece));
    match read.await.unwrap() {
        Ok(_) => piece == *b"HTTP/1.1 200",
        Err(error) => {
            let gone = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
            assert!(gone.contains(&error.kind()), "{error}");
            false
        }
    }
}

#[tokio::test]
async fn one_client_never_takes_all_connections() {
    let (proxy, _origin) = start(|options| options.limits.connections_per_peer = 3).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut stream = from([127, 0, 0, 2], proxy.address).await;
        assert!(is_served(&mut stream).await);
        kept.push(stream);
    }
    let mut fourth = from([127, 0, 0, 2], proxy.address).await;
    assert!(!is_served(&mut fourth).await);
    // Another client is served, and so is the first one once a place is free.
    let mut other = from([127, 0, 0, 3], proxy.address).await;
    assert!(is_served(&mut other).await);
    drop(kept.pop());
    let free = wait::answer(SOON, async || {
        let mut stream = from([127, 0, 0, 2], proxy.address).await;
        is_served(&mut stream).await.then_some(())
    });
    assert!(free.await.is_some(), "the place is never free again");
}

#[tokio::test]
async fn a_trusted_peer_is_many_clients() {
    let (proxy, _origin) = start(|options| {
        options.limits.connections_per_peer = 1;
        options.trust = networks("127.0.0.2");
    })
    .await;
    let mut kept = Vec::new();
    for _ in 0..5 {
        let mut stream = from([127, 0, 0, 2], proxy.address).await;
        assert!(is_served(&mut stream).await);
        kept.push(stream);
    }
}

#[tokio::test]
async fn only_trusted_networks_are_believed_about_clients() {
    let (proxy, _origin) = start(|options| options.trust = networks("127.0.0.2")).await;
    let told = "GET /headers HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: 192.0.2.9\r\n\r\n";
    for (peer, is_believed) in [([127, 0, 0, 2], true), ([127, 0, 0, 3], false)] {
        let mut stream = from(peer, proxy.address).await;
        stream.write_all(told.as_bytes()).await.unwrap();
        let said = read_until(&mut stream, "]]").await;
        assert_eq!(said.contains("192.0.2.9"), is_believed, "{said}");
    }
}

#[tokio::test]
async fn who_announces_speaks_for_its_client() {
    let (proxy, _origin) = start(|options| options.announced_by = networks("127.0.0.2")).await;
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    second.extend([192, 0, 2, 7, 198, 51, 100, 1, 0, 80, 1, 0xbb]);
    for (announced, client) in [
        (
            &b"PROXY TCP4 192.0.2.7 198.51.100.1 80 443\r\n"[..],
            "192.0.2.7",
        ),
        (&second, "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 80 443\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.2"),
    ] {
        let mut stream = from([127, 0, 0, 2], proxy.address).await;
        let all = [announced, GET.as_bytes()].concat();
        stream.write_all(&all).await.unwrap();
        let said = read_until(&mut stream, "]]").await;
        let expected = format!(r#"["x-forwarded-for","{client}"]"#);
        assert!(said.contains(&expected), "{said}");
    }
    // It must; and nobody else may.
    let mut silent = from([127, 0, 0, 2], proxy.address).await;
    assert!(!is_served(&mut silent).await);
    let liar = format!("PROXY TCP4 192.0.2.7 198.51.100.1 80 443\r\n{GET}");
    let said = raw(proxy.address, liar.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
}

#[tokio::test]
async fn announced_clients_have_a_limit_each() {
    let (proxy, _origin) = start(|options| {
        options.announced_by = Trust::Loopback;
        options.limits.connections_per_peer = 1;
    })
    .await;
    let connect = async |client: &str| {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let line = format!("PROXY TCP4 {client} 198.51.100.1 80 443\r\n");
        stream.write_all(line.as_bytes()).await.unwrap();
        stream
    };
    let mut first = connect("192.0.2.1").await;
    assert!(is_served(&mut first).await);
    assert!(!is_served(&mut connect("192.0.2.1").await).await);
    assert!(is_served(&mut connect("192.0.2.2").await).await);
}

#[tokio::test]
async fn an_announcement_comes_before_tls_and_in_time() {
    let safe = Safe::start_so(|options| {
        options.announced_by = Trust::Loopback;
        options.limits.head = Duration::from_millis(500);
    })
    .await;
    let mut stream = TcpStream::connect(safe.address).await.unwrap();
    let line = "PROXY TCP4 192.0.2.7 198.51.100.1 80 443\r\n";
    stream.write_all(line.as_bytes()).await.unwrap();
    let client = Client::of(&safe.authority);
    let mut stream = client.over(stream, NAME, "http/1.1").await.unwrap();
    let said = talk(&mut stream, GET, "]]").await;
    assert!(
        said.contains(r#"["x-forwarded-for","192.0.2.7"]"#),
        "{said}"
    );
    assert_eq!(raw(safe.address, b"PROXY TCP4 192.").await, "");
}

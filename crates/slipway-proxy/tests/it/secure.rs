//! TLS in: both versions, several names, certificates that change, the way there, and clients
//! that do not shake hands.

use std::net::TcpListener;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use slipway_proxy::{Limits, Trust};
use testkit::certificate::Authority;
use testkit::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::rustls::version;
use tokio_tungstenite::tungstenite::Message;

use crate::caller::{SOON, raw, read_to_end};
use crate::ground::{Proxy, route, table};
use crate::safe::{Client, NAME, Safe, secure, talk};

const GET: &str = "GET /headers HTTP/1.1\r\nHost: app.test\r\n\r\n";

#[tokio::test]
async fn both_versions_are_answered_and_the_target_is_told() {
    let safe = Safe::start_so(|options| {
        let year = Duration::from_secs(31_536_000);
        options.secure.as_mut().unwrap().hsts = Some(year);
    })
    .await;
    for wanted in [&version::TLS12, &version::TLS13] {
        let mut client = Client::of(&safe.authority);
        client.versions = vec![wanted];
        let mut stream = client
            .connect(safe.address, NAME, "http/1.1")
            .await
            .unwrap();
        for _ in 0..2 {
            let said = talk(&mut stream, GET, "]]").await;
            assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
            assert!(
                said.contains("strict-transport-security: max-age=31536000\r\n"),
                "{said}"
            );
            assert!(said.contains(r#"["x-forwarded-proto","https"]"#), "{said}");
            assert!(said.contains("proto=https"), "{said}");
        }
    }
    // Who offers no protocol by name speaks HTTP/1.1; nothing is said of TLS without it.
    let client = Client::of(&safe.authority);
    let mut stream = client.connect(safe.address, NAME, "").await.unwrap();
    talk(&mut stream, GET, "]]").await;
    let plain = safe.proxy.caller().get("/headers").await;
    assert_eq!(plain.header("strict-transport-security"), None);
    assert!(plain.text().contains(r#"["x-forwarded-proto","http"]"#));
}

#[tokio::test]
async fn each_name_gets_its_certificate() {
    let (first, second) = (Authority::new().unwrap(), Authority::new().unwrap());
    let one = first.sign("DNS:one.test").unwrap();
    let two = second.sign("DNS:two.test,DNS:*.two.test").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let _proxy = Proxy::start_so(plain, tempfile::tempdir().unwrap(), |options| {
        options.secure = Some(secure(listener, &[&one, &two]));
    })
    .await;
    for (authority, name, is_right) in [
        (&first, "one.test", true),
        (&second, "two.test", true),
        (&second, "deep.two.test", true),
        (&second, "one.test", false),
        (&first, "two.test", false),
        (&first, "three.test", false),
    ] {
        let connected = Client::of(authority).connect(address, name, "").await;
        assert_eq!(connected.is_ok(), is_right, "{name}: {connected:?}");
    }
}

#[tokio::test]
async fn a_changed_certificate_is_served_and_no_connection_notices() {
    let safe = Safe::start_so(|options| {
        options.limits.certificates = Duration::from_millis(20);
    })
    .await;
    let mut old = safe.connect("http/1.1").await;
    talk(&mut old, GET, "]]").await;
    safe.authority.sign("DNS:new.test").unwrap();
    let client = Client::of(&safe.authority);
    let renewed = wait::answer(SOON, async || {
        client.connect(safe.address, "new.test", "").await.ok()
    })
    .await;
    assert!(renewed.is_some(), "the new certificate is never served");
    talk(&mut old, GET, "]]").await;
    // One that cannot be read changes nothing.
    let folder = safe.authority.file();
    std::fs::write(folder.with_file_name("server.pem"), "nonsense").unwrap();
    let stats = safe
        .proxy
        .until("the problem is told", |stats| {
            stats.certificate_problem.is_some()
        })
        .await;
    let problem = stats.certificate_problem.unwrap();
    assert!(problem.contains("server.pem"), "{problem}");
    let connected = client.connect(safe.address, "new.test", "").await;
    assert!(connected.is_ok(), "{connected:?}");
}

#[tokio::test]
async fn a_proxy_without_a_certificate_says_which_file() {
    let certificate = Authority::new().unwrap().sign("DNS:gone.test").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let world = (chassis::Clock::system(), chassis::Random::system());
    let admin = folder.path().join("admin.sock");
    let mut options = slipway_proxy::Options::new(vec![], folder.path().to_owned(), admin, world);
    options.secure = Some(secure(listener, &[&certificate]));
    let error = slipway_proxy::serve(options, chassis::Shutdown::new())
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("server.pem"), "{error}: {cause}");
}

#[tokio::test]
async fn who_comes_without_tls_is_sent_there() {
    let safe = Safe::start_so(|options| {
        options.secure.as_mut().unwrap().redirect = true;
        options.trust = Trust::Loopback;
    })
    .await;
    let port = safe.address.port();
    for (head, place) in [
        (
            "GET /a?b=c HTTP/1.1\r\nHost: app.test\r\n\r\n",
            "https://app.test:PORT/a?b=c",
        ),
        (
            "POST / HTTP/1.1\r\nHost: app.test:8080\r\nContent-Length: 5\r\n\r\nhello",
            "https://app.test:PORT/",
        ),
    ] {
        let said = raw(safe.proxy.address, head.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 308 "), "{said}");
        let place = place.replace("PORT", &port.to_string());
        assert!(said.contains(&format!("location: {place}\r\n")), "{said}");
    }
    assert_eq!(safe.origin.all_requests(), 0);
    // A trusted peer that ended TLS itself is not sent in circles.
    let mut request = crate::caller::request(http::Method::GET, "/", "");
    let https = http::HeaderValue::from_static("https");
    request.headers_mut().insert("x-forwarded-proto", https);
    let answer = safe.proxy.caller().ask(request).await.unwrap();
    assert_eq!(answer.status, http::StatusCode::OK);
    let mut stream = safe.connect("http/1.1").await;
    let said = talk(&mut stream, GET, "]]").await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test]
async fn who_does_not_shake_hands_in_time_is_closed() {
    let limits = Limits {
        head: Duration::from_millis(200),
        ..Limits::default()
    };
    let safe = Safe::start_so(|options| options.limits = limits).await;
    assert_eq!(raw(safe.address, b"").await, "");
    assert_eq!(raw(safe.address, b"\x16\x03\x01\x02\x00").await, "");
}

#[tokio::test]
async fn what_is_no_tls_reaches_nobody() {
    let safe = Safe::start().await;
    let mut stream = TcpStream::connect(safe.address).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(!said.contains("HTTP/1.1 200"), "{said}");
    assert_eq!(safe.origin.all_requests(), 0);
    // Nor does a protocol that is not spoken here.
    let client = Client::of(&safe.authority);
    assert!(client.connect(safe.address, NAME, "spdy/3").await.is_err());
}

#[tokio::test]
async fn malformed_requests_are_refused_behind_tls_as_well() {
    let safe = Safe::start().await;
    let mut stream = safe.connect("http/1.1").await;
    let bad = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    let all = format!("{GET}{bad}{GET}");
    stream.write_all(all.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(said.matches("HTTP/1.1 200").count(), 1, "{said}");
    assert_eq!(said.matches("HTTP/1.1 400").count(), 1, "{said}");
    assert_eq!(safe.origin.all_requests(), 1);
}

#[tokio::test]
async fn websockets_pass_over_tls() {
    let safe = Safe::start().await;
    let stream = safe.connect("http/1.1").await;
    let address = format!("wss://{NAME}/ws");
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream)
        .await
        .unwrap();
    for size in [1, 1000, 300_000] {
        let said = Message::binary(vec![7; size]);
        socket.send(said.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), said);
    }
    // At the end of the proxy it is told that the service restarts.
    safe.proxy.request_end();
    let told = tokio::time::timeout(Duration::from_secs(40), socket.next()).await;
    let told = told.unwrap().unwrap().unwrap();
    assert!(
        matches!(told, Message::Close(Some(ref close)) if u16::from(close.code) == 1012),
        "{told:?}"
    );
}

#[tokio::test]
async fn large_bodies_arrive_whole_over_tls() {
    let safe = Safe::start().await;
    let mut stream = safe.connect("http/1.1").await;
    let head = "GET /bytes/3000000 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let body = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(all.len() - body, 3_000_000);
}

#[tokio::test]
async fn a_table_of_two_services_is_reached_over_tls_by_host() {
    let safe = Safe::start().await;
    let mut next = route(&[&safe.origin], &[]);
    next.hosts = vec!["other.test".to_owned()];
    safe.proxy.publish(&table(2, next)).await;
    let mut stream = safe.connect("http/1.1").await;
    let said = talk(&mut stream, GET, "this name.\n").await;
    assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
}

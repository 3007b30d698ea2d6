//! What targets and clients see of each other's headers.

use http::{Method, header};
use slipway_proxy::{Limits, Trust};
use testkit::origin::Origin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::caller::{raw, read_to_end, request};
use crate::ground::{Proxy, route, simple, table};

type Seen = Vec<(String, String)>;

async fn seen(proxy: &Proxy, headers: &[(&str, &str)]) -> Seen {
    let mut asked = request(Method::GET, "/headers?a=b&c=%20", "");
    for (name, value) in headers {
        let name: header::HeaderName = name.parse().unwrap();
        asked.headers_mut().append(name, value.parse().unwrap());
    }
    let answer = proxy.caller().ask(asked).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

fn values<'a>(seen: &'a Seen, name: &str) -> Vec<&'a str> {
    seen.iter()
        .filter(|(n, _)| n == name)
        .map(|(_, v)| v.as_str())
        .collect()
}

#[tokio::test]
async fn a_target_sees_who_asks_and_by_which_name() {
    let (proxy, _origin) = simple().await;
    let seen = seen(
        &proxy,
        &[("x-own", "1"), ("cookie", "a=b"), ("cookie", "c=d")],
    )
    .await;
    assert_eq!(values(&seen, ":line"), ["GET /headers?a=b&c=%20 HTTP/1.1"]);
    assert_eq!(values(&seen, "host"), ["app.test"]);
    assert_eq!(values(&seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&seen, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&seen, "x-forwarded-host"), ["app.test"]);
    assert_eq!(
        values(&seen, "forwarded"),
        ["for=127.0.0.1;host=\"app.test\";proto=http"]
    );
    assert_eq!(values(&seen, "x-own"), ["1"]);
    assert_eq!(values(&seen, "cookie"), ["a=b", "c=d"]);
    assert_eq!(values(&seen, "x-request-id")[0].len(), 32);
    assert_eq!(values(&seen, "via"), ["1.1 slipway"]);
    assert!(values(&seen, "connection").is_empty());
}

#[tokio::test]
async fn every_hop_is_told_to_the_target() {
    let (proxy, _origin) = simple().await;
    let told = [("via", "1.0 fred"), ("via", "1.1 p.example")];
    let seen = seen(&proxy, &told).await;
    assert_eq!(
        values(&seen, "via"),
        ["1.0 fred, 1.1 p.example, 1.1 slipway"]
    );
    let head = "GET /headers HTTP/1.0\r\nHost: a\r\n\r\n";
    let said = raw(proxy.address, head.as_bytes()).await;
    assert!(said.contains(r#"["via","1.0 slipway"]"#), "{said}");
}

#[tokio::test]
async fn nobody_is_believed_about_where_a_request_comes_from() {
    let (proxy, _origin) = simple().await;
    let told = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-for", "5.6.7.8"),
        ("x_forwarded_for", "9.9.9.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-prefix", "/evil"),
        ("x-real-ip", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
    ];
    let seen = seen(&proxy, &told).await;
    for name in ["x-forwarded-port", "x-forwarded-prefix", "x-real-ip"] {
        assert!(values(&seen, name).is_empty(), "{name}");
    }
    assert_eq!(values(&seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&seen, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&seen, "x-forwarded-host"), ["app.test"]);
    assert_eq!(
        values(&seen, "forwarded"),
        ["for=127.0.0.1;host=\"app.test\";proto=http"]
    );
}

#[tokio::test]
async fn a_trusted_peer_is_believed_and_added_to() {
    let origin = Origin::start("r1").await.unwrap();
    let proxy = Proxy::start_with(Limits::default(), Trust::Loopback).await;
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    let told = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.test"),
        ("forwarded", "for=1.2.3.4"),
    ];
    let seen = seen(&proxy, &told).await;
    assert_eq!(values(&seen, "x-forwarded-for"), ["1.2.3.4, 127.0.0.1"]);
    assert_eq!(values(&seen, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&seen, "x-forwarded-host"), ["shop.test"]);
    let forwarded = values(&seen, "forwarded");
    assert_eq!(
        forwarded,
        ["for=1.2.3.4, for=127.0.0.1;host=\"app.test\";proto=http"]
    );
}

#[tokio::test]
async fn what_concerns_one_connection_stays_there() {
    let (proxy, _origin) = simple().await;
    let told = [
        ("connection", "keep-alive, x-private"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic x"),
        ("te", "trailers, deflate;q=0.5"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("x-public", "2"),
    ];
    let seen = seen(&proxy, &told).await;
    for name in [
        "connection",
        "x-private",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
        "transfer-encoding",
        "expect",
    ] {
        assert!(values(&seen, name).is_empty(), "{name}: {seen:?}");
    }
    assert_eq!(values(&seen, "te"), ["trailers"]);
    assert_eq!(values(&seen, "x-public"), ["2"]);

    let answer = proxy.caller().get("/hop").await;
    for name in ["x-private", "keep-alive", "proxy-authenticate"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("x-public"), Some("2"));
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_any_other_replaced() {
    let (proxy, _origin) = simple().await;
    let id = "0198c0de-1234-7abc-8def-0123456789ab";
    assert_eq!(
        values(&seen(&proxy, &[("x-request-id", id)]).await, "x-request-id"),
        [id]
    );
    let mut made = Vec::new();
    for odd in [
        "short",
        "with space 123456",
        "\"quoted-and-long\"",
        &"x".repeat(129),
    ] {
        let seen = seen(&proxy, &[("x-request-id", odd)]).await;
        let ids = values(&seen, "x-request-id");
        assert_eq!(ids.len(), 1);
        assert!(ids[0].len() == 32 && ids[0] != odd);
        made.push(ids[0].to_owned());
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 4, "each is another");
}

#[tokio::test]
async fn old_clients_are_answered_in_their_own_way() {
    let (proxy, _origin) = simple().await;
    let said = raw(proxy.address, b"GET /events/2 HTTP/1.0\r\n\r\n").await;
    assert!(
        !said.to_ascii_lowercase().contains("transfer-encoding"),
        "{said}"
    );
    assert!(said.ends_with("data: 0\n\ndata: 1\n\n"), "{said}");
    let said = raw(proxy.address, b"GET /headers HTTP/1.0\r\n\r\n").await;
    assert!(said.contains("[\"host\",\"127.0.0.1:"), "{said}");
}

#[tokio::test]
async fn a_client_that_wants_to_close_is_closed() {
    let (proxy, _origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(said.ends_with("hello"), "{said}");
    assert!(
        said.to_ascii_lowercase().contains("connection: close"),
        "{said}"
    );
}

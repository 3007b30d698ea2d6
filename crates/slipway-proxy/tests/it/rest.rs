//! Connections on which nobody asks: nothing but the socket is kept, and nobody notices.

use std::time::Duration;

use slipway_proxy::{Limits, Trust};
use testkit::origin::Origin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::caller::{raw, read_to_end, read_until};
use crate::ground::{Proxy, route, table, with_limits};

const ASKED: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const LAST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Rests whenever it may.
fn at_once() -> Limits {
    Limits {
        rest: Duration::ZERO,
        ..Limits::default()
    }
}

/// Another client's request is answered: whatever was sent before has been looked at.
async fn a_while(proxy: &Proxy) {
    for _ in 0..5 {
        assert_eq!(proxy.caller().get("/").await.status, 200);
    }
}

#[tokio::test]
async fn a_connection_that_rests_answers_again_and_again() {
    let (proxy, _origin) = with_limits(at_once()).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    for _ in 0..50 {
        stream.write_all(ASKED).await.unwrap();
        let said = read_until(&mut stream, "hello").await;
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
        a_while(&proxy).await;
    }
}

#[tokio::test]
async fn a_head_in_pieces_and_requests_at_once_are_whole() {
    let (proxy, _origin) = with_limits(at_once()).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(ASKED).await.unwrap();
    read_until(&mut stream, "hello").await;
    for piece in [&b"\r\n"[..], b"GET / HT", b"TP/1.1\r\nHo", b"st: a\r\n\r"] {
        a_while(&proxy).await;
        stream.write_all(piece).await.unwrap();
    }
    a_while(&proxy).await;
    stream.write_all(b"\n").await.unwrap();
    let said = read_until(&mut stream, "hello").await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    a_while(&proxy).await;
    stream.write_all(&ASKED.repeat(20)).await.unwrap();
    stream.write_all(LAST).await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert_eq!(said.matches("HTTP/1.1 200 ").count(), 21, "{said}");
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_all_of_its_answer() {
    let (proxy, _origin) = with_limits(at_once()).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let asked = b"GET /bytes/10000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    a_while(&proxy).await;
    // What is behind it is asked for and answered after it.
    stream.write_all(LAST).await.unwrap();
    let all = read_to_end(&mut stream).await;
    assert!(all.len() > 10_000_000 && all.ends_with("hello"));
}

#[tokio::test]
async fn what_is_no_request_is_refused_after_a_rest_as_well() {
    let (proxy, origin) = with_limits(at_once()).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(ASKED).await.unwrap();
    read_until(&mut stream, "hello").await;
    a_while(&proxy).await;
    let before = origin.all_requests();
    let odd = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(odd).await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    assert_eq!(origin.all_requests(), before);
}

#[tokio::test]
async fn one_that_rests_is_closed_in_time_and_when_the_proxy_ends() {
    let limits = Limits {
        keep_alive: Duration::from_millis(300),
        ..at_once()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let said = raw(proxy.address, ASKED).await;
    assert!(said.ends_with("hello"), "{said}");

    let limits = Limits {
        drain_idle: Duration::from_millis(100),
        ..at_once()
    };
    let origin = Origin::start("r1").await.unwrap();
    let proxy = Proxy::start_with(limits, Trust::Nobody).await;
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(ASKED).await.unwrap();
    read_until(&mut stream, "hello").await;
    a_while(&proxy).await;
    proxy.stop().await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

//! Limits in time and size, each with an end that a client can understand.

use std::time::Duration;

use http::{Method, StatusCode};
use slipway_proxy::{Limits, Trust};
use testkit::origin::Origin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::caller::{Caller, raw, read_to_end, read_until, request};
use crate::ground::{Proxy, route, simple, table, with_limits};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn heads_have_a_largest_size_and_number() {
    let (proxy, origin) = simple().await;
    let head = |lines: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let long = head(&format!("X: {}\r\n", "x".repeat(60_000)));
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(long.as_bytes()).await.unwrap();
    assert!(
        read_until(&mut stream, "hello")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    for too_much in [
        head(&format!("X: {}\r\n", "x".repeat(70_000))),
        head(&"X: y\r\n".repeat(101)),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(200_000)),
    ] {
        let said = raw(proxy.address, too_much.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
    }
    assert_eq!(origin.all_requests(), 1);
    proxy
        .until("each is counted", |stats| stats.refused == 3)
        .await;
}

#[tokio::test]
async fn a_client_that_is_slow_over_a_head_is_told_and_closed() {
    let limits = Limits {
        head: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let said = raw(proxy.address, b"GET / HTTP/1.1\r\nHos").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    // Also after a good request on the same connection.
    let said = raw(proxy.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / H").await;
    assert!(said.contains("hello"), "{said}");
    // One that says nothing at all is just closed, and nobody's request.
    assert_eq!(raw(proxy.address, b"").await, "");
    assert_eq!(proxy.stats().await.refused, 2);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = Limits {
        keep_alive: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let said = raw(proxy.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(
        said.starts_with("HTTP/1.1 200 ") && said.ends_with("hello"),
        "{said}"
    );
}

#[tokio::test]
async fn an_origin_that_does_not_answer_in_time_has_failed() {
    let limits = Limits {
        answer: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let mut caller = proxy.caller();
    let answer = caller
        .ask(request(Method::POST, "/gate", "x"))
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (1, 0));
    assert_eq!(caller.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_stands_still_is_somebodys_fault() {
    let limits = Limits {
        body_idle: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    // The client's, when it does not send.
    let stalled = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
    let said = raw(proxy.address, stalled.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 1));
    // The client's, when it does not read.
    let mut deaf = TcpStream::connect(proxy.address).await.unwrap();
    deaf.write_all(b"GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 2)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 2));
    drop(deaf);
}

#[tokio::test]
async fn an_origin_that_stops_in_the_middle_has_failed() {
    let limits = Limits {
        body_idle: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    // Not an event stream by its type, but it stands still after its first bytes.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let said = read_until(&mut stream, "\r\n\r\n").await;
            let length = if said.starts_with("GET /health") {
                0
            } else {
                100
            };
            let head =
                format!("HTTP/1.1 200 OK\r\nx-release: r2\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            kept.push(stream);
        }
    });
    let mut next = route(&[], &[]);
    let pool = slipway_proxy::Pool {
        release: "r2".to_owned(),
        targets: vec![slipway_proxy::Target {
            instance: "stops".to_owned(),
            address,
        }],
        health: None,
    };
    next.pools.insert("blue".to_owned(), pool);
    proxy.publish(&table(2, next)).await;
    let broken = proxy.caller().ask(request(Method::GET, "/", "")).await;
    assert!(broken.is_err(), "{broken:?}");
    let stats = proxy
        .until_pool("r2", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (1, 0));
}

#[tokio::test]
async fn an_event_stream_may_be_silent() {
    let limits = Limits {
        body_idle: Duration::from_millis(50),
        answer: Duration::from_millis(50),
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(b"GET /events-gate HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "data: 0").await;
    // Long enough for the limit to have passed several times on another connection.
    for _ in 0..5 {
        let stalled = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
        assert!(
            raw(proxy.address, stalled.as_bytes())
                .await
                .starts_with("HTTP/1.1 408 ")
        );
    }
    origin.open_gate();
    read_until(&mut stream, "data: 1").await;
}

#[tokio::test]
async fn beyond_the_most_connections_clients_wait_and_are_served_when_others_leave() {
    let origin = Origin::start("r1").await.unwrap();
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let proxy = Proxy::start_with(limits, Trust::Nobody).await;
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    let mut kept: Vec<Caller> = Vec::new();
    for _ in 0..3 {
        let mut caller = proxy.caller();
        assert_eq!(caller.get("/").await.status, StatusCode::OK);
        kept.push(caller);
    }
    let mut late = proxy.caller();
    let late = tokio::spawn(async move { late.get("/late").await.status });
    for _ in 0..20 {
        assert_eq!(kept[0].get("/").await.status, StatusCode::OK);
    }
    assert_eq!(origin.requests("/late"), 0);
    kept.pop();
    assert_eq!(late.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_hangs_up_half_way_through_a_head_is_forgotten() {
    let (proxy, _origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHos").await.unwrap();
    stream.shutdown().await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 400 "),
        "{said}"
    );
}

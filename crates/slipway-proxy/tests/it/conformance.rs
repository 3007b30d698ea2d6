//! RFC 9110 and 9112 where a client is odd, slow or in a hurry, beyond what is malformed
//! (`smuggling.rs`) or too large (`limits.rs`).

use std::time::Duration;

use slipway_proxy::{Limits, Rule};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::caller::{raw, read_until};
use crate::ground::{route, simple, table, with_limits};

const SHORT: Duration = Duration::from_millis(300);
/// Far beyond what any limit of these tests allows.
const DRIPS: usize = 200;

/// Sends a piece every 20 milliseconds until the other side has enough, and gives what it said.
async fn drip(stream: &mut TcpStream, piece: &[u8]) -> String {
    let mut all = Vec::new();
    for _ in 0..DRIPS {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        let mut said = [0; 1024];
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut said));
        match read.await {
            Err(_) => {}
            Ok(Ok(count @ 1..)) => all.extend_from_slice(&said[..count]),
            Ok(_) => return String::from_utf8_lossy(&all).into_owned(),
        }
    }
    panic!("it is still served after {DRIPS} drips");
}

#[tokio::test]
async fn a_head_that_drips_in_has_no_more_time_than_one_that_stands_still() {
    let limits = Limits {
        head: SHORT,
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let said = drip(&mut stream, b"X: y\r\n").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert_eq!(origin.all_requests(), 0);
}

#[tokio::test]
async fn empty_lines_are_no_request_and_keep_nothing_open() {
    let limits = Limits {
        head: SHORT,
        keep_alive: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    assert_eq!(drip(&mut stream, b"\r\n").await, "");
    // Nor behind an answer.
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "hello").await;
    assert_eq!(drip(&mut stream, b"\r\n").await, "");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let (proxy, origin) = simple().await;
    let get = |length| format!("GET /bytes/{length} HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut all: String = (0..100).map(get).collect();
    all.push_str("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let said = raw(proxy.address, all.as_bytes()).await;
    let lengths: Vec<usize> = said
        .split("HTTP/1.1 200 OK\r\n")
        .skip(1)
        .map(|answer| answer.split("\r\n\r\n").nth(1).unwrap().len())
        .collect();
    let expected: Vec<usize> = (0..100).chain(["hello".len()]).collect();
    assert_eq!(lengths, expected);
    assert_eq!(origin.all_requests(), 101);
}

#[tokio::test]
async fn what_follows_a_last_request_is_not_answered() {
    let (proxy, origin) = simple().await;
    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = raw(proxy.address, last.repeat(3).as_bytes()).await;
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
    assert_eq!(origin.all_requests(), 1);
}

#[tokio::test]
async fn a_body_that_drips_in_is_taken_as_long_as_it_moves() {
    let limits = Limits {
        body_idle: SHORT,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let head = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for sent in 1..=40 {
        stream.write_all(b"x").await.unwrap();
        // Each is seen on its own; together they take longer than a body may stand still.
        if sent == 40 {
            break;
        }
        let mut said = [0; 1];
        let read = tokio::time::timeout(Duration::from_millis(15), stream.read(&mut said));
        assert!(read.await.is_err(), "it is answered before it has ended");
    }
    let said = read_until(&mut stream, "\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test]
async fn a_body_that_drips_in_for_ever_is_told_and_its_path_may_let_it() {
    let limits = Limits {
        body_rate: 1000,
        body_grace: SHORT,
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let head =
        |path: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n");
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(head("/sum").as_bytes()).await.unwrap();
    let said = drip(&mut stream, b"x").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 1));
    // As much as it pays for is taken for as long as it likes.
    let mut next = route(&[&origin], &[]);
    next.rules = vec![Rule {
        path: "/sum/slowly".to_owned(),
        body_rate: Some(1),
        ..Rule::default()
    }];
    proxy.publish(&table(2, next)).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(head("/sum/slowly").as_bytes())
        .await
        .unwrap();
    for _ in 0..40 {
        stream.write_all(b"xx").await.unwrap();
        let mut said = [0; 1];
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut said));
        assert!(read.await.is_err(), "it is answered before it has ended");
    }
}

#[tokio::test]
async fn a_request_that_may_go_no_further_is_answered_here() {
    let (proxy, origin) = simple().await;
    for (method, left, status) in [
        ("OPTIONS", "0", "204"),
        ("TRACE", "0", "405"),
        ("OPTIONS", "1", "200"),
    ] {
        let head = format!(
            "{method} /headers HTTP/1.1\r\nHost: a\r\nCookie: secret\r\nMax-Forwards: {left}\r\n\
             Connection: close\r\n\r\n"
        );
        let said = raw(proxy.address, head.as_bytes()).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert_eq!(said.contains("secret"), left == "1", "{said}");
        assert_eq!(
            said.contains(r#"["max-forwards","0"]"#),
            left == "1",
            "{said}"
        );
    }
    assert_eq!(origin.all_requests(), 1);
}

#[tokio::test]
async fn an_expectation_that_nobody_knows_is_not_passed_on() {
    let (proxy, _origin) = simple().await;
    let head = "GET /headers HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nConnection: close\r\n\r\n";
    let said = raw(proxy.address, head.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert!(!said.contains("wonders"), "{said}");
}

#[tokio::test]
async fn header_values_beyond_ascii_arrive_as_they_were_sent() {
    let (proxy, _origin) = simple().await;
    let head =
        "GET /headers HTTP/1.1\r\nHost: a\r\nX-Name: J\u{f6}rg\tx\r\nConnection: close\r\n\r\n";
    let said = raw(proxy.address, head.as_bytes()).await;
    assert!(said.contains("J\u{f6}rg\\tx"), "{said}");
}

//! Bodies, both ways: whole, streamed, early, late, cut off, with trailers or with none.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use slipway_proxy::Limits;
use testkit::origin::sum_of;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::caller::{Body, SOON, raw, read_to_end, read_until, request, request_of};
use crate::ground::{route, simple, table, with_limits};

#[tokio::test]
async fn large_bodies_arrive_whole() {
    let (proxy, _origin) = simple().await;
    let mut caller = proxy.caller();
    for size in [0, 1, 8191, 65_536, 5_000_000] {
        let content: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0]).collect();
        let answer = caller.post("/sum", content.clone()).await;
        assert_eq!(answer.text(), sum_of(&content));
        let answer = caller.post("/echo", content.clone()).await;
        assert!(answer.body == content, "{size} bytes come back");
        let answer = caller.get(&format!("/bytes/{size}")).await;
        assert_eq!(answer.body.len(), size as usize);
    }
}

#[tokio::test]
async fn a_body_without_a_length_arrives_whatever_the_method() {
    let (proxy, _origin) = simple().await;
    for method in ["GET", "POST", "DELETE"] {
        let asked = format!(
            "{method} /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        );
        let said = raw(proxy.address, asked.as_bytes()).await;
        assert!(said.contains("hello"), "{method}: {said}");
    }
}

fn channel() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    let frames = stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(Frame::data(piece)), receiver))
    });
    (
        sender,
        BodyExt::boxed_unsync(StreamBody::new(Box::pin(frames))),
    )
}

#[tokio::test]
async fn bodies_are_passed_on_as_they_come() {
    let (proxy, _origin) = simple().await;
    let (sender, body) = channel();
    let mut caller = proxy.caller();
    sender.send(Bytes::from_static(b"one")).await.unwrap();
    let answer = caller
        .begin(request_of(Method::POST, "/echo", body))
        .await
        .unwrap();
    let mut answer = answer.into_body();
    for piece in ["one", "two", "three"] {
        if piece != "one" {
            sender.send(Bytes::from(piece)).await.unwrap();
        }
        let frame = tokio::time::timeout(SOON, answer.frame()).await;
        let frame = frame
            .expect("it comes before the request ends")
            .unwrap()
            .unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(sender);
    assert!(answer.frame().await.is_none());
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 0));
}

#[tokio::test]
async fn events_are_passed_on_as_they_come() {
    let (proxy, origin) = simple().await;
    let answer = proxy
        .caller()
        .begin(request(Method::GET, "/events-gate", ""))
        .await
        .unwrap();
    let mut body = answer.into_body();
    let first = tokio::time::timeout(SOON, body.frame())
        .await
        .expect("the first one comes");
    assert_eq!(first.unwrap().unwrap().into_data().unwrap(), "data: 0\n\n");
    origin.open_gate();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "data: 1\n\n");
}

#[tokio::test]
async fn a_reader_that_does_not_read_stops_the_origin() {
    let (proxy, origin) = simple().await;
    let size = 200_000_000_u64;
    let answer = proxy
        .caller()
        .begin(request(Method::GET, &format!("/bytes/{size}"), ""))
        .await
        .unwrap();
    // The origin made the whole body, but only what fits into buffers has left it.
    let stats = proxy
        .until_pool("r1", "it is in flight", |pool| pool.in_flight == 1)
        .await;
    assert_eq!(stats.served, 0);
    let resident = resident_kib();
    assert!(
        resident < 1_500_000,
        "{resident} KiB for a body of 200 MB that exists once"
    );
    drop(answer);
    proxy
        .until_pool("r1", "it is abandoned", |pool| pool.abandoned == 1)
        .await;
    drop(origin);
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (proxy, _origin) = simple().await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sent", HeaderValue::from_static("7"));
    let frames = [
        Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"body"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = BodyExt::boxed_unsync(StreamBody::new(stream::iter(frames)));
    let mut asked = request_of(Method::POST, "/trailers", body);
    asked
        .headers_mut()
        .insert(header::TE, HeaderValue::from_static("trailers"));
    asked
        .headers_mut()
        .insert(header::TRAILER, HeaderValue::from_static("x-sent"));
    let answer = proxy.caller().ask(asked).await.unwrap();
    assert_eq!(answer.text(), "with trailers");
    let trailers = answer.trailers.unwrap();
    assert_eq!(
        (trailers["x-sum"].as_bytes(), trailers["x-got"].as_bytes()),
        (&b"42"[..], &b"7"[..])
    );
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 0));
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let (proxy, _origin) = simple().await;
    let mut caller = proxy.caller();
    for (method, path, status) in [
        (Method::HEAD, "/bytes/500", 200),
        (Method::GET, "/status/204", 204),
        (Method::GET, "/status/304", 304),
        (Method::GET, "/status/404", 404),
        (Method::DELETE, "/status/200", 200),
    ] {
        let answer = caller.ask(request(method.clone(), path, "")).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (status, 0),
            "{method} {path}"
        );
        if method == Method::HEAD {
            assert_eq!(answer.header("content-length"), Some("500"));
        }
        if status == 204 {
            assert_eq!(answer.header("content-length"), None);
            assert_eq!(answer.header("transfer-encoding"), None);
        }
    }
    // The connection is still in step.
    assert_eq!(caller.get("/").await.text(), "hello");
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 6)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 0));
}

#[tokio::test]
async fn a_client_may_wait_for_100_continue() {
    let (proxy, _origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let head = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\
                Connection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = read_until(&mut stream, "\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 100 "), "{said}");
    stream.write_all(b"hello").await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(said.ends_with(&sum_of(b"hello")), "{said}");
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_ended() {
    let (proxy, _origin) = simple().await;
    for _ in 0..20 {
        let (sender, body) = channel();
        let answer = proxy
            .caller()
            .begin(request_of(Method::POST, "/early", body))
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        drop(sender);
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 20)
        .await;
    assert_eq!(stats.failed, 0);
}

#[tokio::test]
async fn a_client_that_goes_on_sending_can_read_an_early_answer() {
    let (proxy, _origin) = simple().await;
    let content = Bytes::from(vec![1; 3_000_000]);
    for _ in 0..10 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let head = "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\
                    Connection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        // It may be cut short; what counts is that the answer can be read.
        let (mut read, mut write) = stream.split();
        let content = content.clone();
        let (said, _) = tokio::join!(
            async {
                let mut all = Vec::new();
                let read = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut all);
                tokio::time::timeout(SOON, read).await.unwrap().ok();
                String::from_utf8_lossy(&all).into_owned()
            },
            async move { write.write_all(&content).await.is_ok() },
        );
        assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_declared_or_not() {
    let limits = Limits {
        body_bytes: 100_000,
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let answer = proxy.caller().post("/sum", vec![1; 100_000]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let head = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n";
    let said = raw(proxy.address, head.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert_eq!(origin.requests("/sum"), 1, "it was not passed on");
    let mut chunked =
        b"POST /sum HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        chunked.extend_from_slice(b"2000\r\n");
        chunked.extend_from_slice(&[b'x'; 0x2000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let said = raw(proxy.address, &chunked).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    // Each in one count: the first reached no instance, the second one did.
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 2)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 1));
    assert_eq!(proxy.stats().await.refused, 1);
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_says_that_the_connection_ends() {
    let (proxy, _origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let head = b"POST /status/404 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(head).await.unwrap();
    // The client could not know otherwise, and would lose its next request.
    let said = read_until(&mut stream, "\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
    assert!(said.contains("connection: close\r\n"), "{said}");
    stream.write_all(b"hello").await.unwrap();
    let rest = read_to_end(&mut stream).await;
    assert!(!rest.contains('<'), "{rest}");
}

#[tokio::test]
async fn a_length_beside_a_coding_means_nothing() {
    let (proxy, _origin) = simple().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                loop {
                    let said = read_until(&mut stream, "\r\n\r\n").await;
                    let length = said.split([' ', '/']).nth(2).unwrap_or("0");
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nx-release: r2\r\ncontent-length: {length}\r\n\
                         transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                    );
                    if said.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let mut next = route(&[], &[]);
    let pool = slipway_proxy::Pool {
        release: "r2".to_owned(),
        targets: vec![slipway_proxy::Target {
            instance: "unsure".to_owned(),
            address,
        }],
        health: Some("/5".to_owned()),
    };
    next.pools.insert("blue".to_owned(), pool);
    proxy.publish(&table(2, next)).await;
    for path in ["/3", "/5", "/30"] {
        let answer = proxy.caller().get(path).await;
        assert_eq!(answer.text(), "hello", "{path}");
        assert_eq!(answer.header("content-length"), None);
    }
}

#[tokio::test]
async fn a_client_that_spoils_its_body_while_it_is_answered_has_abandoned() {
    let limits = Limits {
        body_bytes: 100_000,
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    let too_much = format!("20000\r\n{}\r\n", "x".repeat(0x20000));
    for (ended, spoilt) in [(1, "x\r\n"), (2, too_much.as_str())] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        read_until(&mut stream, "one").await;
        stream.write_all(spoilt.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await;
        let stats = proxy
            .until_pool("r1", "it ended", |pool| pool.served == ended)
            .await;
        assert_eq!((stats.failed, stats.abandoned), (0, ended), "{spoilt:.8?}");
    }
    assert_eq!(proxy.stats().await.refused, 0, "each is in one count only");
}

#[tokio::test]
async fn an_origin_that_breaks_off_in_the_middle_has_failed() {
    let (proxy, _origin) = simple().await;
    let broken = proxy
        .caller()
        .ask(request(Method::GET, "/die-mid-body", ""))
        .await;
    assert!(
        broken.is_err(),
        "the client must be able to tell: {broken:?}"
    );
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned, stats.retried), (1, 0, 0));
    assert_eq!(
        stats
            .seconds
            .iter()
            .map(|second| second.failed)
            .sum::<u64>(),
        1
    );
}

#[tokio::test]
async fn a_client_that_breaks_off_has_abandoned() {
    let (proxy, origin) = simple().await;
    // While the origin thinks, while it sends, while the client sends.
    let waiting = proxy.address;
    let mut one = TcpStream::connect(waiting).await.unwrap();
    one.write_all(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut two = TcpStream::connect(waiting).await.unwrap();
    two.write_all(b"GET /events-gate HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut two, "data: 0").await;
    let mut three = TcpStream::connect(waiting).await.unwrap();
    three
        .write_all(b"POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        .await
        .unwrap();
    proxy
        .until_pool("r1", "all are in flight", |pool| pool.in_flight == 3)
        .await;
    drop((one, two, three));
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 3)
        .await;
    assert_eq!((stats.failed, stats.abandoned, stats.in_flight), (0, 3, 0));
    let gone = testkit::wait::answer(SOON, async || (origin.in_flight() == 0).then_some(())).await;
    assert!(gone.is_some(), "the origin is told");
}

#[tokio::test]
async fn many_slow_uploads_stream_side_by_side() {
    let (proxy, origin) = simple().await;
    let go = CancellationToken::new();
    let tasks: Vec<_> = (0..30_u8)
        .map(|n| {
            let (mut caller, go) = (proxy.caller(), go.clone());
            tokio::spawn(async move {
                let pieces = stream::iter(0..20).then(move |_| {
                    let go = go.clone();
                    async move {
                        go.cancelled().await;
                        tokio::task::yield_now().await;
                        Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![n; 500])))
                    }
                });
                let body = BodyExt::boxed_unsync(StreamBody::new(pieces.boxed()));
                let answer = caller
                    .ask(request_of(Method::POST, "/sum", body))
                    .await
                    .unwrap();
                assert_eq!(answer.text(), sum_of(&vec![n; 10_000]));
            })
        })
        .collect();
    let all = testkit::wait::answer(SOON, async || (origin.in_flight() == 30).then_some(())).await;
    assert!(all.is_some(), "all begin before any ends");
    go.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

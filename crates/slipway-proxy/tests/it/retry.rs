//! Second tries: those that are safe are made, those that are not are not.

use bytes::Bytes;
use http::{Method, StatusCode};
use testkit::origin::Origin;
use testkit::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::caller::{SOON, request};
use crate::ground::{Proxy, pool, route, simple, table};

#[tokio::test]
async fn a_safe_request_without_an_answer_is_tried_again_elsewhere() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    proxy.publish(&table(1, route(&[&one, &two], &[]))).await;
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let (before_one, before_two) = (one.requests("/die"), two.requests("/die"));
        let answer = proxy
            .caller()
            .ask(request(method.clone(), "/die", ""))
            .await
            .unwrap();
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        let tries = (
            one.requests("/die") - before_one,
            two.requests("/die") - before_two,
        );
        assert!(tries == (1, 2) || tries == (2, 1), "{method}: {tries:?}");
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 3)
        .await;
    assert_eq!((stats.failed, stats.retried), (3, 6));
}

#[tokio::test]
async fn a_request_that_is_not_safe_is_never_sent_twice() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    proxy.publish(&table(1, route(&[&one, &two], &[]))).await;
    let mut sent = 0;
    for path in ["/die", "/die-after-body"] {
        for (method, content) in [
            (Method::POST, "content"),
            (Method::POST, ""),
            (Method::PUT, "content"),
            (Method::DELETE, ""),
            (Method::PATCH, "content"),
        ] {
            let mut caller = proxy.caller();
            // A kept connection to the origin is no excuse.
            caller.get("/").await;
            let answer = caller.ask(request(method, path, content)).await.unwrap();
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
            sent += 1;
            let reached = [&one, &two].map(|o| o.requests("/die") + o.requests("/die-after-body"));
            assert_eq!(reached[0] + reached[1], sent);
        }
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == sent * 2)
        .await;
    assert_eq!((stats.failed, stats.retried), (sent, 0));
}

#[tokio::test]
async fn a_target_that_is_gone_costs_nobody_a_request() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut slow = route(&[&one, &two], &[]);
    // Nobody looks until long after: only the requests themselves find out.
    slow.health.every_ms = 60_000;
    proxy.publish(&table(1, slow)).await;
    one.kill().await;
    let mut caller = proxy.caller();
    for n in 0..100 {
        let answer = if n % 2 == 0 {
            caller.get("/").await
        } else {
            caller.post("/sum", "content").await
        };
        assert_eq!(answer.status, StatusCode::OK);
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 100)
        .await;
    assert_eq!(stats.failed, 0);
    assert!(
        (1..=10).contains(&stats.retried),
        "the dead one is left out: {}",
        stats.retried
    );
}

#[tokio::test]
async fn stale_connections_to_an_origin_cost_nobody_a_request() {
    let (proxy, origin) = simple().await;
    let address = origin.address();
    let mut origin = origin;
    let mut caller = proxy.caller();
    for round in 0..20 {
        assert_eq!(caller.get("/").await.status, StatusCode::OK, "{round}");
        assert_eq!(
            caller.post("/sum", "x").await.status,
            StatusCode::OK,
            "{round}"
        );
        // Closes every kept connection, and is back at once on the same port.
        origin.kill().await;
        origin = Origin::start_at(address, "r1").unwrap();
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 40)
        .await;
    assert_eq!(stats.failed, 0);
}

#[tokio::test]
async fn an_origin_that_closes_after_each_answer_is_no_trouble() {
    let (proxy, origin) = simple().await;
    origin.set_keeps_alive(false);
    let mut caller = proxy.caller();
    for _ in 0..30 {
        assert_eq!(caller.get("/").await.status, StatusCode::OK);
        assert_eq!(caller.post("/sum", "x").await.status, StatusCode::OK);
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 60)
        .await;
    assert_eq!(stats.failed, 0);
}

/// An origin that answers looks, and lets the connection of every other request die
/// without a byte, counting them.
async fn deaf() -> (
    std::net::SocketAddr,
    std::sync::Arc<std::sync::atomic::AtomicU64>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = std::sync::Arc::clone(&counted);
            tokio::spawn(async move {
                let mut piece = [0; 4096];
                let Ok(read) = stream.read(&mut piece).await else {
                    return;
                };
                if piece[..read].starts_with(b"GET /health") {
                    let good = "HTTP/1.1 200 OK\r\nx-release: r1\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(good.as_bytes()).await.unwrap();
                } else {
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    (address, count)
}

#[tokio::test]
async fn retries_are_a_tenth_of_the_traffic_and_no_storm() {
    let (address, count) = deaf().await;
    let proxy = Proxy::start().await;
    let mut route = route(&[], &[]);
    let mut deaf_pool = pool("r1", &[]);
    deaf_pool.targets = vec![slipway_proxy::Target {
        instance: "deaf".to_owned(),
        address,
    }];
    route.pools.insert("blue".to_owned(), deaf_pool);
    proxy.publish(&table(1, route)).await;
    let mut callers: Vec<_> = (0..2).map(|_| proxy.caller()).collect();
    for n in 0..300 {
        let answer = callers[n % 2]
            .ask(request(Method::GET, "/", ""))
            .await
            .unwrap();
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 300)
        .await;
    // Two workers, ten each to begin with, a tenth of 300 more, and what a slow run is given
    // again every ten seconds.
    assert!((20..=100).contains(&stats.retried), "{}", stats.retried);
    assert_eq!(
        count.load(std::sync::atomic::Ordering::SeqCst),
        300 + stats.retried
    );
    assert_eq!(stats.failed, 300);
}

#[tokio::test]
async fn what_is_no_answer_is_a_bad_gateway_and_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start().await;
    let mut route = route(&[], &[]);
    let mut odd = pool("r1", &[]);
    odd.targets = vec![slipway_proxy::Target {
        instance: "odd".to_owned(),
        address: listener.local_addr().unwrap(),
    }];
    route.pools.insert("blue".to_owned(), odd);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap_or(0);
            let answer = if piece[..read].starts_with(b"GET /health") {
                "HTTP/1.1 200 OK\r\nx-release: r1\r\ncontent-length: 0\r\n\r\n"
            } else {
                "220 mail.test ESMTP\r\n"
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    proxy.publish(&table(1, route)).await;
    let answer = proxy
        .caller()
        .ask(request(Method::GET, "/", ""))
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.retried), (1, 0));
}

#[tokio::test]
async fn a_body_that_nobody_took_may_go_elsewhere() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut slow = route(&[&one, &two], &[]);
    slow.health.every_ms = 60_000;
    proxy.publish(&table(1, slow)).await;
    one.kill().await;
    let content = Bytes::from(vec![3; 300_000]);
    for _ in 0..20 {
        let answer = proxy.caller().post("/sum", content.clone()).await;
        assert_eq!(answer.text(), testkit::origin::sum_of(&content));
    }
    let all = wait::answer(SOON, async || (two.requests("/sum") == 20).then_some(())).await;
    assert!(all.is_some(), "{}", two.requests("/sum"));
}

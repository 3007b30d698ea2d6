//! Limits by route and path, and the page of a service that is being worked on.

use std::collections::BTreeMap;

use http::{HeaderValue, Method, StatusCode};
use slipway_proxy::{Maintenance, Preview, Rule};
use testkit::origin::Origin;

use crate::caller::{raw, request};
use crate::ground::{route, simple, table};

fn rule(path: &str) -> Rule {
    Rule {
        path: path.to_owned(),
        ..Rule::default()
    }
}

#[tokio::test]
async fn the_longest_path_says_how_large_a_body_may_be() {
    let (proxy, origin) = simple().await;
    let mut next = route(&[&origin], &[]);
    let sized = |path, bytes| Rule {
        body_bytes: Some(bytes),
        ..rule(path)
    };
    next.rules = vec![sized("/", 10), sized("/sum", 1000), sized("/echo/no", 0)];
    proxy.publish(&table(2, next)).await;
    for (path, bytes, expected) in [
        ("/other", 10, StatusCode::OK),
        ("/other", 11, StatusCode::PAYLOAD_TOO_LARGE),
        ("/sum", 1000, StatusCode::OK),
        ("/sum/more", 1001, StatusCode::PAYLOAD_TOO_LARGE),
        ("/echo/no", 1, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let asked = request(Method::POST, path, vec![b'x'; bytes]);
        let answer = proxy.caller().ask(asked).await.unwrap();
        assert_eq!(answer.status, expected, "{path} {bytes}");
    }
    // A size that nobody declared is found out while it streams.
    let chunked = "POST /other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   b\r\nhello world\r\n0\r\n\r\n";
    let said = raw(proxy.address, chunked.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
}

#[tokio::test]
async fn times_are_those_of_the_path_and_of_no_request_behind_it() {
    let (proxy, origin) = simple().await;
    let mut next = route(&[&origin], &[]);
    next.rules = vec![
        Rule {
            answer_ms: Some(100),
            ..rule("/gate")
        },
        Rule {
            body_idle_ms: Some(100),
            ..rule("/sum")
        },
    ];
    proxy.publish(&table(2, next)).await;
    let late = proxy.caller().post("/gate", "x").await;
    assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT);
    let stalled = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
    let said = raw(proxy.address, stalled.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    // On the same connection, a path without a rule has the proxy's time.
    let mut caller = proxy.caller();
    assert_eq!(caller.get("/gate-not-this").await.status, StatusCode::OK);
    assert_eq!(caller.get("/wait/300").await.text(), "waited");
}

#[tokio::test]
async fn a_service_that_is_worked_on_shows_its_page_to_all_but_those_with_a_token() {
    let (proxy, origin) = simple().await;
    let token = "0123456789abcdef";
    let mut next = route(&[&origin], &[]);
    next.maintenance = Some(Maintenance {
        page: "<h1>Back soon</h1>".to_owned(),
        token: Some(token.to_owned()),
        retry_after_s: 600,
    });
    proxy.publish(&table(2, next.clone())).await;
    let shown = proxy.caller().post("/sum", vec![b'x'; 100_000]).await;
    assert_eq!(shown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shown.text(), "<h1>Back soon</h1>");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("retry-after", "600"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(shown.header(name), Some(value), "{name}");
    }
    assert_eq!(origin.all_requests(), 0);
    // That is what was ordered, and no failure.
    let stats = proxy.stats().await;
    let [counted] = stats.unrouted.as_slice() else {
        panic!("{:?}", stats.unrouted);
    };
    assert_eq!((counted.requests, counted.maintained), (0, 1));
    let told = BTreeMap::from([
        ("slipway-preview", token.to_owned()),
        ("cookie", format!("a=b; slipway-preview={token}")),
    ]);
    for (name, value) in told {
        let mut asked = request(Method::GET, "/", "");
        let value = HeaderValue::try_from(value).unwrap();
        asked.headers_mut().insert(name, value);
        let answer = proxy.caller().ask(asked).await.unwrap();
        assert_eq!(answer.text(), "hello", "{name}");
    }
    let mut wrong = request(Method::GET, "/", "");
    let value = HeaderValue::from_static("fedcba9876543210");
    wrong.headers_mut().insert("slipway-preview", value);
    let answer = proxy.caller().ask(wrong).await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    next.maintenance = None;
    proxy.publish(&table(3, next)).await;
    assert_eq!(proxy.caller().get("/").await.text(), "hello");
}

#[tokio::test]
async fn testers_of_a_release_pass_the_page_of_a_service_that_is_worked_on() {
    let (proxy, origin) = simple().await;
    let green = Origin::start("r2").await.unwrap();
    let (bypass, preview) = ("0123456789abcdef", "fedcba9876543210");
    for (generation, token) in [(2, Some(bypass.to_owned())), (3, None)] {
        let mut next = route(&[&origin], &[&green]);
        next.preview = Some(Preview {
            pool: "green".to_owned(),
            token: preview.to_owned(),
        });
        next.maintenance = Some(Maintenance {
            page: "<h1>Back soon</h1>".to_owned(),
            token: token.clone(),
            retry_after_s: 600,
        });
        proxy.publish(&table(generation, next)).await;
        let bypassed = token.map(|_| "r1");
        for (shown, release) in [(preview, Some("r2")), (bypass, bypassed), ("", None)] {
            let mut asked = request(Method::GET, "/", "");
            let value = HeaderValue::try_from(shown).unwrap();
            asked.headers_mut().insert("slipway-preview", value);
            let answer = proxy.caller().ask(asked).await.unwrap();
            assert_eq!(answer.release(), release, "{shown} {generation}");
        }
    }
}

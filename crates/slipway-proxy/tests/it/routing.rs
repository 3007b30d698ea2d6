//! Where requests go: hosts, preview, split, and the same visitor on the same side.

use std::collections::BTreeSet;

use http::{Method, StatusCode, header};
use slipway_proxy::{Preview, Split};
use testkit::origin::Origin;

use crate::caller::{Caller, request};
use crate::ground::{Proxy, route, simple, table};

#[tokio::test]
async fn a_proxy_without_a_table_says_that_nobody_is_there() {
    let proxy = Proxy::start().await;
    let answer = proxy.caller().get("/").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let stats = proxy.stats().await;
    assert_eq!(
        (
            stats.unrouted[0].service.as_str(),
            stats.unrouted[0].requests
        ),
        ("", 1)
    );
}

#[tokio::test]
async fn requests_are_answered_and_connections_kept() {
    let (proxy, origin) = simple().await;
    let mut caller = proxy.caller();
    for _ in 0..50 {
        let answer = caller.get("/hello?x=1").await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "hello"));
    }
    assert_eq!(origin.requests("/hello"), 50);
    let looks = origin.requests("/health");
    assert!(
        origin.connections() <= looks + 1,
        "the connection to the origin is used again"
    );
    let stats = proxy
        .until_pool("r1", "all are counted", |pool| pool.served == 50)
        .await;
    assert_eq!((stats.failed, stats.abandoned, stats.in_flight), (0, 0, 0));
}

#[tokio::test]
async fn the_host_decides() {
    let (a, b, rest) = (
        Origin::start("a").await.unwrap(),
        Origin::start("b").await.unwrap(),
        Origin::start("rest").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut all = table(1, route(&[&rest], &[]));
    for (name, origin, host) in [("a", &a, "A.test"), ("b", &b, "b.test")] {
        let mut own = route(&[origin], &[]);
        own.hosts = vec![host.to_owned()];
        all.routes.insert(name.to_owned(), own);
    }
    proxy.publish(&all).await;
    for (host, expected) in [
        ("a.test", "a"),
        ("a.TEST:8080", "a"),
        ("a.test.", "a"),
        ("b.test", "b"),
        ("c.test", "rest"),
        ("aa.test", "rest"),
    ] {
        let mut asked = request(Method::GET, "/", "");
        asked
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        let answer = proxy.caller().ask(asked).await.unwrap();
        assert_eq!(answer.release(), Some(expected), "{host}");
    }
}

#[tokio::test]
async fn testers_see_the_other_pool_and_nobody_else_does() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut shown = route(&[&blue], &[&green]);
    shown.preview = Some(Preview {
        pool: "green".to_owned(),
        token: "0123456789abcdef".to_owned(),
    });
    proxy.publish(&table(1, shown)).await;
    for (name, value, expected) in [
        ("slipway-preview", "0123456789abcdef", "r2"),
        ("cookie", "a=b; slipway-preview=0123456789abcdef", "r2"),
        ("slipway-preview", "0123456789abcdeX", "r1"),
        ("cookie", "slipway-preview=", "r1"),
        ("x-other", "0123456789abcdef", "r1"),
    ] {
        let mut asked = request(Method::GET, "/headers", "");
        let name: header::HeaderName = name.parse().unwrap();
        asked.headers_mut().insert(name, value.parse().unwrap());
        let answer = proxy.caller().ask(asked).await.unwrap();
        assert_eq!(answer.release(), Some(expected), "{value}");
        assert!(
            !answer.text().contains("[\"slipway-preview\""),
            "the token's header stays here"
        );
    }
    let visitors = proxy
        .until_pool("r1", "every visitor is counted", |pool| pool.served == 3)
        .await;
    let testers = proxy
        .until_pool("r2", "testers are counted apart", |pool| {
            pool.previewed == 2
        })
        .await;
    assert_eq!((visitors.previewed, testers.served), (0, 0));
    assert!(testers.seconds.is_empty() && testers.latency.is_empty());
}

async fn sides(proxy: &Proxy, visitors: &mut [(Caller, String)]) -> BTreeSet<usize> {
    let mut inside = BTreeSet::new();
    for (index, (caller, cookie)) in visitors.iter_mut().enumerate() {
        let mut asked = request(Method::GET, "/", "");
        let agent = format!("visitor {index}");
        asked
            .headers_mut()
            .insert(header::USER_AGENT, agent.parse().unwrap());
        if !cookie.is_empty() {
            asked
                .headers_mut()
                .insert(header::COOKIE, cookie.parse().unwrap());
        }
        let answer = caller.ask(asked).await.unwrap();
        if let Some(set) = answer.header("set-cookie") {
            assert!(cookie.is_empty(), "a visitor with a cookie gets no other");
            assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
            set.split(';').next().unwrap().clone_into(cookie);
        }
        if answer.release() == Some("r2") {
            inside.insert(index);
        }
    }
    assert_eq!(proxy.stats().await.refused, 0);
    inside
}

#[tokio::test]
async fn a_split_keeps_its_visitors_while_it_grows_and_draws_anew_in_a_new_epoch() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut visitors: Vec<_> = (0..200).map(|_| (proxy.caller(), String::new())).collect();
    let mut split = route(&[&blue], &[&green]);
    proxy.publish(&table(1, split.clone())).await;
    assert!(sides(&proxy, &mut visitors).await.is_empty());
    assert!(
        visitors.iter().all(|(_, cookie)| cookie.is_empty()),
        "no cookie without a split"
    );

    let mut before = BTreeSet::new();
    for (generation, weight) in [(2, 500), (3, 2500), (4, 5000), (5, 10_000)] {
        split.split = Some(Split {
            pool: "green".to_owned(),
            weight,
            epoch: 1,
        });
        proxy.publish(&table(generation, split.clone())).await;
        let inside = sides(&proxy, &mut visitors).await;
        assert!(
            inside.is_superset(&before),
            "nobody who was in is out at {weight}"
        );
        assert_eq!(
            inside,
            sides(&proxy, &mut visitors).await,
            "and stays there"
        );
        before = inside;
    }
    assert_eq!(before.len(), 200);

    let mut draws = Vec::new();
    for (generation, epoch) in [(6, 2), (7, 3)] {
        split.split = Some(Split {
            pool: "green".to_owned(),
            weight: 5000,
            epoch,
        });
        proxy.publish(&table(generation, split.clone())).await;
        draws.push(sides(&proxy, &mut visitors).await);
    }
    assert_ne!(draws[0], draws[1]);
}

#[tokio::test]
async fn requests_are_spread_over_the_targets_of_a_pool() {
    let origins = [
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    ];
    let proxy = Proxy::start().await;
    let all: Vec<&Origin> = origins.iter().collect();
    proxy.publish(&table(1, route(&all, &[]))).await;
    let mut caller = proxy.caller();
    for _ in 0..300 {
        caller.get("/").await;
    }
    for origin in &origins {
        assert!(origin.requests("/") > 50, "{}", origin.requests("/"));
    }
}

//! Looks at targets: who is up, who is left out, and what is done when few are left.

use http::StatusCode;
use slipway_proxy::Health;
use testkit::origin::Origin;

use crate::ground::{Proxy, pool, route, simple, table};

#[tokio::test]
async fn a_target_that_is_ill_gets_nothing_until_it_is_well() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    proxy.publish(&table(1, route(&[&one, &two], &[]))).await;
    one.set_health(StatusCode::INTERNAL_SERVER_ERROR);
    let stats = proxy
        .until_pool("r1", "one is down", |pool| {
            pool.targets[0].health == Health::Down
        })
        .await;
    assert!(stats.targets[0].failures >= 2);
    let words = stats.targets[0].last_failure.clone().unwrap();
    assert!(words.contains("500"), "{words}");
    let before = one.requests("/");
    let mut caller = proxy.caller();
    for _ in 0..50 {
        caller.get("/").await;
    }
    assert_eq!((one.requests("/"), two.requests("/")), (before, 50));
    one.set_health(StatusCode::OK);
    proxy
        .until_pool("r1", "one is up", |pool| {
            pool.targets[0].health == Health::Up
        })
        .await;
    for _ in 0..50 {
        caller.get("/").await;
    }
    assert!(one.requests("/") > 0);
}

#[tokio::test]
async fn when_fewer_than_half_are_up_those_that_are_ill_get_requests_as_well() {
    let origins = [
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    ];
    let proxy = Proxy::start().await;
    let all: Vec<&Origin> = origins.iter().collect();
    proxy.publish(&table(1, route(&all, &[]))).await;
    for ill in &origins[1..] {
        ill.set_health(StatusCode::SERVICE_UNAVAILABLE);
    }
    proxy
        .until_pool("r1", "two are down", |pool| {
            pool.targets
                .iter()
                .filter(|target| target.health == Health::Down)
                .count()
                == 2
        })
        .await;
    let mut caller = proxy.caller();
    for _ in 0..100 {
        assert_eq!(caller.get("/").await.status, StatusCode::OK);
    }
    for origin in &origins {
        assert!(origin.requests("/") > 0, "all three carry the load");
    }
}

#[tokio::test]
async fn a_target_that_comes_up_gets_its_share_by_and_by() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let slowly = |origins: &[&Origin], slow_start_ms| {
        let mut slowly = route(origins, &[]);
        slowly.slow_start_ms = slow_start_ms;
        slowly
    };
    proxy.publish(&table(1, slowly(&[&one], 0))).await;
    // It comes up only now, and would have its whole share in an hour.
    proxy
        .publish(&table(2, slowly(&[&one, &two], 3_600_000)))
        .await;
    let mut caller = proxy.caller();
    for _ in 0..200 {
        caller.get("/").await;
    }
    assert!(two.requests("/") < 20, "{} of 200", two.requests("/"));
    // Where nobody else is left it has all of them.
    one.set_health(StatusCode::INTERNAL_SERVER_ERROR);
    proxy
        .until_pool("r1", "one is down", |pool| {
            pool.targets[0].health == Health::Down
        })
        .await;
    let before = (one.requests("/"), two.requests("/"));
    for _ in 0..50 {
        caller.get("/").await;
    }
    assert_eq!(
        (one.requests("/"), two.requests("/")),
        (before.0, before.1 + 50)
    );
}

#[tokio::test]
async fn another_release_on_the_same_port_gets_nothing() {
    let (proxy, origin) = simple().await;
    let (stale, fresh) = (
        Origin::start("r0").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let mut next = route(&[&origin], &[]);
    next.pools
        .insert("green".to_owned(), pool("r2", &[&stale, &fresh]));
    proxy.publish(&table(2, next.clone())).await;
    let stats = proxy.pool("r2").await;
    let words = stats.targets[0].last_failure.clone().unwrap();
    assert!(words.contains("r0 answers there, not r2"), "{words}");
    "green".clone_into(&mut next.live);
    proxy.publish(&table(3, next)).await;
    for _ in 0..30 {
        assert_eq!(proxy.caller().get("/").await.release(), Some("r2"));
    }
    assert_eq!(stale.all_requests(), 0);
}

#[tokio::test]
async fn a_new_table_forgets_nothing_about_a_target() {
    let (one, two) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r1").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    proxy.publish(&table(1, route(&[&one, &two], &[]))).await;
    one.set_health(StatusCode::SERVICE_UNAVAILABLE);
    proxy
        .until_pool("r1", "one is down", |pool| {
            pool.targets[0].health == Health::Down
        })
        .await;
    for generation in 2..20 {
        proxy
            .client
            .publish(&table(generation, route(&[&one, &two], &[])))
            .await
            .unwrap();
        let stats = proxy.pool("r1").await;
        assert_eq!(stats.targets[0].health, Health::Down);
        assert_eq!(stats.targets[1].health, Health::Up);
    }
}

#[tokio::test]
async fn an_answer_that_hangs_is_an_illness() {
    let (proxy, origin) = simple().await;
    let hanging = Origin::start("r2").await.unwrap();
    let mut next = route(&[&origin], &[]);
    next.pools
        .insert("green".to_owned(), pool("r2", &[&hanging]));
    next.health.path = "/gate".to_owned();
    next.health.timeout_ms = 50;
    proxy.publish(&table(2, next)).await;
    let stats = proxy.pool("r2").await;
    assert_eq!(stats.targets[0].health, Health::Down);
    assert_eq!(
        stats.targets[0].last_failure.as_deref(),
        Some("no answer within 50 ms")
    );
}

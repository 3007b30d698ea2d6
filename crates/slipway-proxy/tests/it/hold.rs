//! Waiting instead of failing: during a hold, and while nobody is up.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use slipway_proxy::Limits;
use testkit::origin::Origin;

use crate::caller::request;
use crate::ground::{pool, route, simple, table, with_limits};

#[tokio::test]
async fn a_held_route_keeps_requests_until_it_is_released() {
    let (proxy, origin) = simple().await;
    let mut held = route(&[&origin], &[]);
    held.hold = true;
    proxy.publish(&table(2, held)).await;
    let waiting: Vec<_> = (0..30)
        .map(|n| {
            let mut caller = proxy.caller();
            tokio::spawn(async move {
                if n % 2 == 0 {
                    caller.get("/").await
                } else {
                    caller.post("/sum", "abc").await
                }
            })
        })
        .collect();
    // They wait, none was let through, and none keeps the old table from draining.
    let drained = proxy
        .client
        .drained(slipway_proxy::Generation(2), Duration::from_secs(5));
    assert_eq!(drained.await.unwrap(), 0);
    tokio::task::yield_now().await;
    assert_eq!(origin.all_requests(), 0);
    let green = Origin::start("r2").await.unwrap();
    let mut released = route(&[&origin], &[&green]);
    "green".clone_into(&mut released.live);
    proxy.publish(&table(3, released)).await;
    for task in waiting {
        let answer = task.await.unwrap();
        assert_eq!(
            (answer.status, answer.release()),
            (StatusCode::OK, Some("r2"))
        );
    }
    let stats = proxy
        .until_pool("r2", "all ended", |pool| pool.served == 30)
        .await;
    assert!(stats.held > 0 && stats.held <= 30, "{}", stats.held);
    assert_eq!(stats.failed, 0);
    assert_eq!(origin.all_requests(), 0, "nothing went to the held pool");
}

#[tokio::test]
async fn a_hold_that_lasts_too_long_says_so() {
    let limits = Limits {
        hold: Duration::from_millis(200),
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let mut held = route(&[&origin], &[]);
    held.hold = true;
    proxy.publish(&table(2, held)).await;
    let begun = Instant::now();
    let answer = proxy.caller().get("/").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let stats = proxy.stats().await;
    assert_eq!(
        (
            stats.unrouted[0].service.as_str(),
            stats.unrouted[0].requests
        ),
        ("web", 1)
    );
    assert_eq!(stats.pools.iter().map(|pool| pool.served).sum::<u64>(), 0);
}

#[tokio::test]
async fn the_queue_has_an_end() {
    let limits = Limits {
        waiting: 3,
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let mut held = route(&[&origin], &[]);
    held.hold = true;
    proxy.publish(&table(2, held)).await;
    let mut tasks: Vec<_> = (0..5)
        .map(|_| {
            let mut caller = proxy.caller();
            tokio::spawn(async move { caller.get("/").await })
        })
        .collect();
    proxy
        .until("two are turned away", |stats| {
            stats.unrouted.iter().any(|unrouted| unrouted.requests == 2)
        })
        .await;
    proxy.publish(&table(3, route(&[&origin], &[]))).await;
    let mut statuses = Vec::new();
    for task in &mut tasks {
        statuses.push(task.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 503, 503]);
}

#[tokio::test]
async fn a_lone_instance_may_restart() {
    let (proxy, origin) = simple().await;
    let address = origin.address();
    let mut warm = proxy.caller();
    assert_eq!(warm.get("/").await.status, StatusCode::OK);
    origin.kill().await;
    let mut waiting: Vec<_> = (0..10)
        .map(|_| {
            let mut caller = proxy.caller();
            tokio::spawn(async move { caller.get("/").await })
        })
        .collect();
    waiting.push(tokio::spawn(
        async move { warm.post("/sum", "content").await },
    ));
    proxy
        .until_pool("r1", "it is seen to be down", |pool| {
            pool.targets[0].health == slipway_proxy::Health::Down
        })
        .await;
    assert!(waiting.iter().all(|task| !task.is_finished()));
    let again = Origin::start_at(address, "r1").unwrap();
    for task in waiting {
        assert_eq!(task.await.unwrap().status, StatusCode::OK);
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 12)
        .await;
    assert_eq!((stats.failed, stats.held), (0, 11));
    assert_eq!(again.all_requests(), 11);
}

#[tokio::test]
async fn a_lone_instance_that_restarts_before_it_is_seen_to_be_down_is_not_missed() {
    let (proxy, origin) = simple().await;
    let mut patient = route(&[&origin], &[]);
    patient.health.down_after = 1000;
    proxy.publish(&table(2, patient)).await;
    let address = origin.address();
    origin.kill().await;
    let mut caller = proxy.caller();
    let waiting = tokio::spawn(async move { caller.get("/").await });
    proxy
        .until_pool("r1", "a look fails", |pool| pool.targets[0].failures > 0)
        .await;
    let _again = Origin::start_at(address, "r1").unwrap();
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_without_any_instance_says_so_after_a_while() {
    let limits = Limits {
        no_target: Duration::from_millis(200),
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    origin.kill().await;
    let begun = Instant::now();
    let answer = proxy
        .caller()
        .ask(request(Method::GET, "/", ""))
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let stats = proxy.stats().await;
    assert_eq!((stats.unrouted.len(), stats.unrouted[0].requests), (1, 1));
}

#[tokio::test]
async fn requests_for_a_pool_that_was_never_looked_at_wait_for_the_first_look() {
    let (proxy, origin) = simple().await;
    // Nothing listens there yet, and when something does, it takes its time to be looked at.
    let late = Origin::start("r2").await.unwrap();
    let mut next = route(&[&origin], &[]);
    next.pools.insert("green".to_owned(), pool("r2", &[&late]));
    "green".clone_into(&mut next.live);
    proxy.client.publish(&table(2, next)).await.unwrap();
    for _ in 0..20 {
        assert_eq!(proxy.caller().get("/").await.release(), Some("r2"));
    }
}

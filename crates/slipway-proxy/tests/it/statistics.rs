//! The proxy's account against the clients' own.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, StatusCode, header};
use slipway_proxy::{Bad, Slow};
use testkit::origin::Origin;
use tokio::io::AsyncWriteExt as _;

use crate::caller::request;
use crate::ground::{Proxy, route, simple, table};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_is_the_clients_own() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut routes = [route(&[&blue], &[&green]), route(&[&blue], &[&green])];
    "green".clone_into(&mut routes[1].live);
    proxy.publish(&table(1, routes[0].clone())).await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let mut caller = proxy.caller();
            tokio::spawn(async move {
                let mut account = BTreeMap::<(String, bool), u64>::new();
                for turn in 0..100 {
                    let path = match (turn + n) % 5 {
                        0 => "/status/500",
                        1 => "/status/404",
                        2 => "/bytes/10000",
                        _ => "/",
                    };
                    let answer = caller.get(path).await;
                    let release = answer.release().unwrap().to_owned();
                    *account
                        .entry((release, answer.status.is_server_error()))
                        .or_default() += 1;
                }
                account
            })
        })
        .collect();
    for generation in 2..40 {
        let next = &routes[usize::try_from(generation).unwrap() % 2];
        proxy
            .client
            .publish(&table(generation, next.clone()))
            .await
            .unwrap();
    }
    let mut account = BTreeMap::<(String, bool), u64>::new();
    for task in tasks {
        for (key, count) in task.await.unwrap() {
            *account.entry(key).or_default() += count;
        }
    }
    let stats = proxy
        .until("all ended", |stats| {
            stats.pools.iter().map(|pool| pool.served).sum::<u64>() == 800
        })
        .await;
    for pool in &stats.pools {
        let own = |bad| {
            account
                .get(&(pool.release.clone(), bad))
                .copied()
                .unwrap_or(0)
        };
        assert_eq!(
            (pool.served, pool.failed),
            (own(true) + own(false), own(true))
        );
        assert_eq!((pool.abandoned, pool.in_flight, pool.retried), (0, 0, 0));
        assert_eq!(
            pool.latency.iter().map(|(_, count)| count).sum::<u64>(),
            pool.served
        );
        assert!(pool.latency.is_sorted() && pool.slowest_us > 0);
        let seconds: u64 = pool.seconds.iter().map(|second| second.served).sum();
        assert_eq!(
            seconds, pool.served,
            "the test took less than fifteen seconds"
        );
    }
    assert_eq!((stats.unrouted.len(), stats.refused), (0, 0));
}

/// A proxy before a release whose answers are slow from the first millisecond on.
async fn impatient(origin: &Origin) -> Proxy {
    let proxy = Proxy::start().await;
    let mut next = route(&[origin], &[]);
    next.slow = Some(Slow {
        slow_us: 1,
        very_slow_us: 1_000,
    });
    proxy.publish(&table(1, next)).await;
    proxy
}

#[tokio::test]
async fn who_goes_away_without_an_answer_has_waited_for_it() {
    // Of what a client sent whole, too: from then on it waits.
    for (method, body) in [(Method::GET, ""), (Method::POST, "a booking")] {
        let origin = Origin::start("r1").await.unwrap();
        let proxy = impatient(&origin).await;
        let mut caller = proxy.caller();
        let patience = Duration::from_millis(50);
        let asked = caller.ask(request(method, "/gate", body));
        assert!(tokio::time::timeout(patience, asked).await.is_err());
        drop(caller);
        // Each count is read for itself, so all of them are waited for.
        let bad = Bad {
            failed: 0,
            slow: 1,
            very_slow: 1,
        };
        let pool = proxy
            .until_pool("r1", "it is given up", |pool| {
                pool.abandoned == 1 && pool.bad == Some(bad)
            })
            .await;
        assert_eq!(pool.failed, 0);
    }
}

#[tokio::test]
async fn who_goes_away_while_sending_says_nothing() {
    let origin = Origin::start("r1").await.unwrap();
    let proxy = impatient(&origin).await;
    let mut half = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
    let begun = b"POST /gate HTTP/1.1\r\nhost: app.test\r\ncontent-length: 10\r\n\r\nhal";
    half.write_all(begun).await.unwrap();
    proxy
        .until_pool("r1", "it began", |pool| pool.in_flight == 1)
        .await;
    drop(half);
    let nothing = Bad {
        failed: 1,
        slow: 1,
        very_slow: 1,
    };
    let pool = proxy
        .until_pool("r1", "it is given up", |pool| {
            pool.abandoned == 1 && pool.left_out == nothing
        })
        .await;
    assert_eq!(pool.bad, Some(Bad::default()));
}

#[tokio::test]
async fn failed_clients_are_told_apart() {
    let (proxy, _origin) = simple().await;
    for (agent, times) in [("one", 5), ("two", 1), ("three", 2)] {
        for _ in 0..times {
            let mut asked = request(Method::GET, "/status/503", "");
            asked
                .headers_mut()
                .insert(header::USER_AGENT, agent.parse().unwrap());
            let answer = proxy.caller().ask(asked).await.unwrap();
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        }
    }
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 8)
        .await;
    assert_eq!(stats.failed, 8);
    // They may fall into two seconds.
    let clients: u32 = stats
        .seconds
        .iter()
        .map(|second| second.failed_clients)
        .sum();
    assert!((3..=6).contains(&clients), "{:?}", stats.seconds);
}

#[tokio::test]
async fn counts_of_a_pool_that_left_the_table_stay() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    proxy.publish(&table(1, route(&[&blue], &[]))).await;
    for _ in 0..10 {
        proxy.caller().get("/").await;
    }
    proxy.publish(&table(2, route(&[&green], &[]))).await;
    proxy.caller().get("/").await;
    let gone = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 10)
        .await;
    assert!(gone.targets.is_empty());
    proxy.publish(&table(3, route(&[&blue], &[]))).await;
    proxy.caller().get("/").await;
    let back = proxy
        .until_pool("r1", "it goes on", |pool| pool.served == 11)
        .await;
    assert_eq!(back.targets.len(), 1);
}

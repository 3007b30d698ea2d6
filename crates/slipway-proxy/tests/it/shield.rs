//! Where a share of the visitors goes to a release that fails, nobody sees it who asks for what
//! may be asked twice; and every failure counts.

use std::net::SocketAddr;

use http::{Method, StatusCode};
use slipway_proxy::{Pool, Route, Split, Target};
use testkit::origin::Origin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::caller::{read_until, request};
use crate::ground::{Proxy, route, table};

/// A release whose health is good and whose answers are not.
async fn ill(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let said = read_until(&mut stream, "\r\n\r\n").await;
                let good = "HTTP/1.1 200 OK\r\nx-release: r2\r\ncontent-length: 0\r\n\r\n";
                let is_look = said.starts_with("GET /health");
                let told = if is_look { good } else { answer };
                // Whoever asked may be gone.
                drop(stream.write_all(told.as_bytes()).await);
            });
        }
    });
    address
}

/// Everybody is in the share of a release that answers so.
async fn split(answer: &'static str) -> (Proxy, Origin) {
    let blue = Origin::start("r1").await.unwrap();
    let proxy = Proxy::start().await;
    let address = ill(answer).await;
    proxy.publish(&table(1, shared(&blue, address))).await;
    (proxy, blue)
}

/// Everybody is in the share of what answers there.
fn shared(live: &Origin, address: SocketAddr) -> Route {
    let mut next = route(&[live], &[]);
    let pool = Pool {
        release: "r2".to_owned(),
        targets: vec![Target {
            instance: "ill".to_owned(),
            address,
        }],
        health: None,
    };
    next.pools.insert("green".to_owned(), pool);
    next.split = Some(Split {
        pool: "green".to_owned(),
        weight: 10_000,
        epoch: 1,
    });
    next
}

const ERROR: &str = "HTTP/1.1 500 Oh\r\ncontent-length: 3\r\n\r\nbad";

#[tokio::test]
async fn what_fails_in_a_share_is_answered_by_the_live_release_and_counts() {
    for answer in [ERROR, "", "nonsense\r\n\r\n"] {
        let (proxy, _blue) = split(answer).await;
        let mut caller = proxy.caller();
        for method in [Method::GET, Method::GET, Method::HEAD] {
            let asked = request(method, "/", "");
            let shown = caller.ask(asked).await.unwrap();
            assert_eq!(shown.status, StatusCode::OK, "{answer:?}");
            assert_eq!(shown.release(), Some("r1"), "{answer:?}");
        }
        let green = proxy
            .until_pool("r2", "each counts", |pool| pool.served == 3)
            .await;
        assert_eq!((green.failed, green.shielded), (3, 3), "{answer:?}");
        let seconds: u64 = green.seconds.iter().map(|second| second.failed).sum();
        assert_eq!(seconds, 3, "{answer:?}");
        let blue = proxy
            .until_pool("r1", "all ended", |pool| pool.served == 3)
            .await;
        assert_eq!((blue.failed, blue.shielded), (0, 0), "{answer:?}");
    }
}

#[tokio::test]
async fn what_may_not_be_asked_twice_is_not() {
    let (proxy, blue) = split(ERROR).await;
    let shown = proxy.caller().post("/sum", "hello").await;
    assert_eq!(shown.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(shown.text(), "bad");
    assert_eq!(blue.all_requests(), 0);
    let green = proxy
        .until_pool("r2", "it counts", |pool| pool.served == 1)
        .await;
    assert_eq!((green.failed, green.shielded), (1, 0));
}

#[tokio::test]
async fn a_share_that_nobody_can_reach_costs_nobody_an_answer() {
    let blue = Origin::start("r1").await.unwrap();
    let proxy = Proxy::start().await;
    // Taken and let go: nobody answers there.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    proxy.publish(&table(1, shared(&blue, address))).await;
    let mut caller = proxy.caller();
    for _ in 0..6 {
        let shown = caller.post("/sum", "hello").await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.release(), Some("r1"));
    }
    assert_eq!(blue.all_requests(), 6);
}

#[tokio::test]
async fn the_live_release_answers_for_itself() {
    let (proxy, _blue) = split(ERROR).await;
    let shown = proxy.caller().get("/status/503").await;
    assert_eq!(shown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shown.release(), Some("r1"));
    let blue = proxy
        .until_pool("r1", "it counts", |pool| pool.served == 1)
        .await;
    assert_eq!((blue.failed, blue.shielded), (1, 0));
}

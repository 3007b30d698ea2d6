//! Switches under load: nobody notices, and draining sees every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, stream};
use http::{Method, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use slipway_proxy::Generation;
use testkit::origin::{Origin, sum_of};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::caller::{Caller, SOON, read_until, request, request_of};
use crate::ground::{Proxy, route, table};

/// Calls in a loop until told to stop; gives how many answers were good.
async fn call(
    mut caller: Caller,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> Result<u64, String> {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let answer = match count % 4 {
            0 => {
                let content = Bytes::from(vec![7; 100_000]);
                let answer = caller
                    .ask(request(Method::POST, "/sum", content.clone()))
                    .await?;
                if answer.text() != sum_of(&content) {
                    return Err(format!("another sum: {}", answer.text()));
                }
                answer
            }
            1 => caller.ask(request(Method::GET, "/bytes/50000", "")).await?,
            2 => caller.ask(request(Method::GET, "/events/5", "")).await?,
            _ => caller.ask(request(Method::GET, "/", "")).await?,
        };
        if answer.status != StatusCode::OK {
            return Err(format!("the answer was {}", answer.status));
        }
        count += 1;
        answered.fetch_add(1, Ordering::Relaxed);
    }
    Ok(count)
}

/// Echoes over one WebSocket until told to stop.
async fn talk(proxy: std::net::SocketAddr, stop: Arc<AtomicBool>) -> Result<u64, String> {
    let (mut socket, _) = connect_async(format!("ws://{proxy}/ws"))
        .await
        .map_err(|e| e.to_string())?;
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let said = Message::text(format!("message {count}"));
        socket.send(said.clone()).await.map_err(|e| e.to_string())?;
        match socket.next().await {
            Some(Ok(heard)) if heard == said => count += 1,
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(count)
}

/// One long upload in small pieces, as long as the switching goes on.
async fn upload(mut caller: Caller, stop: Arc<AtomicBool>) -> Result<u64, String> {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let pieces = stream::iter((0..50_u8).map(|n| vec![n; 1000])).then(|piece| async {
            tokio::task::yield_now().await;
            Ok::<_, std::io::Error>(Frame::data(Bytes::from(piece)))
        });
        let whole: Vec<u8> = (0..50_u8).flat_map(|n| vec![n; 1000]).collect();
        let body = BodyExt::boxed_unsync(StreamBody::new(pieces.boxed()));
        let answer = caller.ask(request_of(Method::POST, "/sum", body)).await;
        let answer = answer?;
        if answer.text() != sum_of(&whole) {
            return Err(format!("{}: {}", answer.status, answer.text()));
        }
        count += 1;
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_switches_under_load_fail_nothing() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut routes = [route(&[&blue], &[&green]), route(&[&blue], &[&green])];
    "green".clone_into(&mut routes[1].live);
    proxy.publish(&table(1, routes[0].clone())).await;

    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for _ in 0..12 {
        let call = call(proxy.caller(), Arc::clone(&stop), Arc::clone(&answered));
        callers.push(tokio::spawn(call));
    }
    let mut others = vec![tokio::spawn(talk(proxy.address, Arc::clone(&stop)))];
    for _ in 0..3 {
        others.push(tokio::spawn(upload(proxy.caller(), Arc::clone(&stop))));
    }
    for generation in 2..302 {
        let next = &routes[usize::try_from(generation).unwrap() % 2];
        proxy
            .client
            .publish(&table(generation, next.clone()))
            .await
            .unwrap();
        // Every switch sees traffic: it waits until some was answered after the one before.
        let before = answered.load(Ordering::Relaxed);
        let moved = testkit::wait::answer(SOON, async || {
            (answered.load(Ordering::Relaxed) > before + 3).then_some(())
        });
        moved.await.expect("traffic goes on");
    }
    stop.store(true, Ordering::Relaxed);
    let mut count = 0;
    for task in callers {
        count += task.await.unwrap().expect("no request fails");
    }
    let mut other_requests = 1;
    for (index, task) in others.into_iter().enumerate() {
        let done = task.await.unwrap().expect("no upload or message fails");
        if index > 0 {
            other_requests += done;
        }
        assert!(done > 10, "{done}");
    }
    let stats = proxy
        .until("everything ended", |stats| {
            stats.pools.iter().all(|pool| pool.in_flight == 0)
        })
        .await;
    let served: u64 = stats.pools.iter().map(|pool| pool.served).sum();
    let failed: u64 = stats
        .pools
        .iter()
        .map(|pool| pool.failed + pool.abandoned)
        .sum();
    assert_eq!((served, failed), (count + other_requests, 0));
    assert!(
        stats.pools.iter().all(|pool| pool.served > 100),
        "both releases had traffic"
    );
    assert_eq!(stats.generation, Generation(301));
}

#[tokio::test]
async fn after_a_switch_every_new_request_is_on_the_new_release() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut routes = [route(&[&blue], &[&green]), route(&[&blue], &[&green])];
    "green".clone_into(&mut routes[1].live);
    proxy.publish(&table(1, routes[0].clone())).await;
    let mut callers: Vec<_> = (0..8).map(|_| proxy.caller()).collect();
    for generation in 2..60 {
        let next = usize::try_from(generation).unwrap() % 2;
        proxy
            .client
            .publish(&table(generation, routes[next].clone()))
            .await
            .unwrap();
        for caller in &mut callers {
            assert_eq!(caller.get("/").await.release(), Some(["r1", "r2"][next]));
        }
    }
}

#[tokio::test]
async fn draining_waits_for_every_request_that_chose_the_old_pool() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut next = route(&[&blue], &[&green]);
    proxy.publish(&table(1, next.clone())).await;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let mut caller = proxy.caller();
            tokio::spawn(async move { caller.get("/gate").await })
        })
        .collect();
    proxy
        .until_pool("r1", "all are in flight", |pool| pool.in_flight == 20)
        .await;
    "green".clone_into(&mut next.live);
    proxy.publish(&table(2, next)).await;
    assert_eq!(proxy.caller().get("/").await.release(), Some("r2"));
    let left = proxy
        .client
        .drained(Generation(2), Duration::from_millis(50))
        .await
        .unwrap();
    assert_eq!(left, 20);
    let stats = proxy.stats().await;
    assert_eq!(
        (stats.generation, stats.oldest_in_flight),
        (Generation(2), Generation(1))
    );

    let client = proxy.client.clone();
    let drained = tokio::spawn(async move { client.drained(Generation(2), SOON).await });
    blue.open_gate();
    for task in waiting {
        assert_eq!(task.await.unwrap().release(), Some("r1"));
    }
    assert_eq!(drained.await.unwrap().unwrap(), 0);
    assert_eq!(proxy.stats().await.oldest_in_flight, Generation(2));
}

#[tokio::test]
async fn a_stream_stays_with_the_old_pool_and_in_its_count_until_its_last_byte() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut next = route(&[&blue], &[&green]);
    proxy.publish(&table(1, next.clone())).await;
    let mut caller = proxy.caller();
    let answer = caller
        .begin(request(Method::GET, "/events-gate", ""))
        .await
        .unwrap();
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "data: 0\n\n");
    "green".clone_into(&mut next.live);
    proxy.publish(&table(2, next)).await;
    let left = proxy
        .client
        .drained(Generation(2), Duration::from_millis(20))
        .await
        .unwrap();
    assert_eq!(left, 1);
    blue.open_gate();
    let rest = body.collect().await.unwrap().to_bytes();
    assert_eq!(rest, "data: 1\n\n");
    assert_eq!(proxy.client.drained(Generation(2), SOON).await.unwrap(), 0);
}

/// An origin of `r1` that counts the connections on which visitors asked for pages and that
/// the proxy closed; `/stream` never ends.
async fn counting() -> (std::net::SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, closed) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&closed);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut served_page = false;
                loop {
                    let said = read_until(&mut stream, "\r\n\r\n").await;
                    let length = if said.starts_with("GET /stream") {
                        9
                    } else {
                        5
                    };
                    served_page |= said.starts_with("GET /page");
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nx-release: r1\r\ncontent-length: {length}\r\n\r\nhello"
                    );
                    if said.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
                count.fetch_add(u64::from(served_page), Ordering::SeqCst);
            });
        }
    });
    (address, closed)
}

#[tokio::test]
async fn a_request_that_does_not_end_keeps_no_idle_connection_to_what_left_the_table() {
    let (address, closed) = counting().await;
    let green = Origin::start("r2").await.unwrap();
    let proxy = Proxy::start().await;
    let mut next = route(&[], &[&green]);
    let blue = slipway_proxy::Pool {
        release: "r1".to_owned(),
        targets: vec![slipway_proxy::Target {
            instance: "counting".to_owned(),
            address,
        }],
        health: None,
    };
    next.pools.insert("blue".to_owned(), blue);
    proxy.publish(&table(1, next.clone())).await;
    let mut streams = Vec::new();
    // Enough for both workers to have one.
    for _ in 0..16 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let asked = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(asked).await.unwrap();
        read_until(&mut stream, "hello").await;
        streams.push(stream);
    }
    for _ in 0..16 {
        assert_eq!(proxy.caller().get("/page").await.release(), Some("r1"));
    }
    "green".clone_into(&mut next.live);
    next.pools.remove("blue");
    proxy.publish(&table(2, next)).await;
    let all_closed = testkit::wait::answer(SOON, async || {
        for _ in 0..4 {
            proxy.caller().get("/").await;
        }
        let idle = closed.load(Ordering::SeqCst);
        (idle >= 1 && proxy.pool("r1").await.in_flight == 16).then_some(idle)
    });
    assert!(all_closed.await.is_some());
    drop(streams);
}

//! The end of a proxy: what is in flight is finished, what is idle is closed.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use slipway_proxy::{Limits, Trust};
use testkit::origin::Origin;
use testkit::wait;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::caller::{SOON, read_to_end, read_until, request};
use crate::ground::{Proxy, route, simple, table, with_limits};

#[tokio::test]
async fn requests_in_flight_are_finished_and_their_connections_closed() {
    let (proxy, origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut idle = TcpStream::connect(proxy.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut idle, "hello").await;
    proxy
        .until_pool("r1", "it is in flight", |pool| pool.in_flight == 1)
        .await;
    proxy.request_end();
    assert_eq!(
        read_to_end(&mut idle).await,
        "",
        "an idle connection is closed"
    );
    assert!(!proxy.has_ended());
    origin.open_gate();
    let said = read_to_end(&mut stream).await;
    assert!(
        said.to_ascii_lowercase().contains("connection: close"),
        "{said}"
    );
    assert!(said.ends_with("through"), "{said}");
    proxy.stop().await;
}

#[tokio::test]
async fn a_request_that_is_already_on_its_way_is_answered_and_then_closed() {
    let (proxy, _origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "hello").await;
    proxy.request_end();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(
        said.starts_with("HTTP/1.1 200 ") && said.ends_with("hello"),
        "{said}"
    );
    assert!(
        said.to_ascii_lowercase().contains("connection: close"),
        "{said}"
    );
    proxy.stop().await;
}

#[tokio::test]
async fn websockets_are_told_that_the_service_restarts() {
    let limits = Limits {
        drain: Duration::from_secs(2),
        ..Limits::default()
    };
    let (proxy, origin) = with_limits(limits).await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        let (mut socket, _) = connect_async(format!("ws://{}/ws", proxy.address))
            .await
            .unwrap();
        let said = Message::binary(vec![7; 70_000]);
        socket.send(said.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), said);
        sockets.push(socket);
    }
    proxy.request_end();
    for mut socket in sockets {
        let last = tokio::time::timeout(SOON, socket.next()).await.unwrap();
        let Some(Ok(Message::Close(Some(told)))) = last else {
            panic!("{last:?}");
        };
        assert_eq!(told.code, CloseCode::Restart);
        while let Some(Ok(_)) = socket.next().await {}
    }
    let ended = wait::answer(SOON, async || proxy.has_ended().then_some(())).await;
    assert!(ended.is_some());
    drop(origin);
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let limits = Limits {
        drain: Duration::from_millis(200),
        ..Limits::default()
    };
    let (proxy, _origin) = with_limits(limits).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream
        .write_all(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    proxy
        .until_pool("r1", "it is in flight", |pool| pool.in_flight == 1)
        .await;
    proxy.stop().await;
}

/// Two proxies on the same socket, one after the other, as when the keeper replaces one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_the_proxy_on_the_same_socket_fails_nothing() {
    let origin = Origin::start("r1").await.unwrap();
    let mut proxy = Proxy::start().await;
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    let address = proxy.address;
    let stop = tokio_util::sync::CancellationToken::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let stop = stop.clone();
            tokio::spawn(async move {
                let mut caller = crate::caller::Caller::new(address);
                let mut count = 0;
                while !stop.is_cancelled() {
                    let answer = caller.ask(request(http::Method::GET, "/", "")).await?;
                    if answer.status != http::StatusCode::OK {
                        return Err(answer.status.to_string());
                    }
                    count += 1;
                }
                Ok::<u64, String>(count)
            })
        })
        .collect();
    for round in 0..5 {
        let before = origin.requests("/");
        let busy = wait::answer(SOON, async || {
            (origin.requests("/") > before + 50).then_some(())
        });
        assert!(busy.await.is_some(), "traffic goes on in round {round}");
        // Connections wait in the accept queue until the next one is there.
        let (listener, folder) = proxy.stop().await;
        proxy = Proxy::start_on(listener, folder, Limits::default(), Trust::Nobody).await;
    }
    stop.cancel();
    for caller in callers {
        assert!(caller.await.unwrap().expect("no request fails") > 10);
    }
}

//! Connections that become something else.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use slipway_proxy::Generation;
use testkit::origin::Origin;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::caller::{SOON, read_until};
use crate::ground::{Proxy, route, simple, table};

#[tokio::test]
async fn websockets_pass_and_are_in_flight_until_they_end() {
    let (proxy, _origin) = simple().await;
    let (mut socket, answer) = connect_async(format!("ws://{}/ws", proxy.address))
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-release"], "r1");
    for size in [1, 1000, 100_000] {
        let said = Message::binary(vec![7; size]);
        socket.send(said.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), said);
    }
    let stats = proxy.pool("r1").await;
    assert_eq!((stats.in_flight, stats.served), (1, 0));
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    drop(socket);
    let stats = proxy
        .until_pool("r1", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned, stats.in_flight), (0, 0, 0));
}

#[tokio::test]
async fn a_websocket_stays_with_the_old_release_and_in_its_count() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut next = route(&[&blue], &[&green]);
    proxy.publish(&table(1, next.clone())).await;
    let (mut socket, _) = connect_async(format!("ws://{}/ws", proxy.address))
        .await
        .unwrap();
    "green".clone_into(&mut next.live);
    proxy.publish(&table(2, next)).await;
    let drained = |within| proxy.client.drained(Generation(2), within);
    assert_eq!(drained(Duration::from_millis(20)).await.unwrap(), 1);
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("still here")
    );
    drop(socket);
    assert_eq!(drained(SOON).await.unwrap(), 0);
}

#[tokio::test]
async fn an_upgrade_that_is_not_taken_is_a_request_like_any_other() {
    let (proxy, origin) = simple().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let asked = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for _ in 0..5 {
        stream.write_all(asked.as_bytes()).await.unwrap();
        assert!(
            read_until(&mut stream, "hello")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
    }
    // The reader in front judges again afterwards.
    stream
        .write_all(b"GET / HTTP/1.1\nHost: a\n\n")
        .await
        .unwrap();
    assert!(
        read_until(&mut stream, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
    assert_eq!(origin.requests("/"), 5);
}

/// An origin that changes to a protocol of its own and says something at once, or changes
/// without being asked.
async fn changer() -> (Proxy, Origin) {
    let (proxy, origin) = simple().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let said = read_until(&mut stream, "\r\n\r\n").await;
            let answer = if said.starts_with("GET /health") {
                "HTTP/1.1 200 OK\r\nx-release: r2\r\ncontent-length: 0\r\n\r\n"
            } else {
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: own\r\n\r\nwelcome "
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            tokio::spawn(async move {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).await.unwrap();
                stream.write_all(&all).await.unwrap();
            });
        }
    });
    let mut next = route(&[], &[]);
    let pool = slipway_proxy::Pool {
        release: "r2".to_owned(),
        targets: vec![slipway_proxy::Target {
            instance: "changer".to_owned(),
            address,
        }],
        health: None,
    };
    next.pools.insert("blue".to_owned(), pool);
    proxy.publish(&table(2, next)).await;
    (proxy, origin)
}

#[tokio::test]
async fn bytes_that_come_with_the_upgrade_are_not_lost_and_each_side_may_end_alone() {
    let (proxy, _origin) = changer().await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let asked = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\n";
    // Bytes of the new protocol in the same write as the request.
    stream
        .write_all(format!("{asked}\0\nearly ").as_bytes())
        .await
        .unwrap();
    let said = read_until(&mut stream, "welcome ").await;
    assert!(said.starts_with("HTTP/1.1 101 "), "{said}");
    stream.write_all(b"late").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\0\nearly late");
    let stats = proxy
        .until_pool("r2", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 0));
}

#[tokio::test]
async fn an_origin_that_changes_the_protocol_unasked_has_failed() {
    let (proxy, _origin) = changer().await;
    let answer = proxy.caller().get("/").await;
    assert_eq!(answer.status.as_u16(), 502);
    let stats = proxy
        .until_pool("r2", "it ended", |pool| pool.served == 1)
        .await;
    assert_eq!(stats.failed, 1);
}

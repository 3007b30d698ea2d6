//! What no honest client sends: refused with 400, and nothing after it is read.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::caller::{raw, read_to_end, read_until};
use crate::ground::{route, simple, table};

/// A request that must never reach the origin, behind the one that is refused.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";

fn corpus() -> Vec<String> {
    let get = "GET / HTTP/1.1\r\nHost: app.test\r\n";
    let post = "POST /sum HTTP/1.1\r\nHost: app.test\r\n";
    vec![
        // Two lengths, two codings, or both.
        format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
        format!("{post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"),
        format!("{post}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"),
        format!("{post}Content-Length: 4, 4\r\n\r\nabcd"),
        format!("{post}Content-Length: +4\r\n\r\nabcd"),
        format!("{post}Content-Length: 4 \u{b}\r\n\r\nabcd"),
        format!("{post}Content-Length: 0x4\r\n\r\nabcd"),
        format!("{post}Content-Length: -1\r\n\r\n"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\n"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n"),
        "POST /sum HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            .to_owned(),
        // Lines that end oddly.
        "GET / HTTP/1.1\nHost: app.test\n\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app.test\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app.test\r\n\n".to_owned(),
        format!("{get}X: a\rb\r\n\r\n"),
        format!("{get}X: a\r\r\n\r\n"),
        format!("{get}X: a\0b\r\n\r\n"),
        format!("{get}X: a\r\n folded\r\n\r\n"),
        format!("{get} X: a\r\n\r\n"),
        format!("{get}X : a\r\n\r\n"),
        format!("{get}: a\r\n\r\n"),
        format!("{get}no colon\r\n\r\n"),
        // Hosts and first lines.
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app.test\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app.test\r\nHost: other.test\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: app.test/x\r\n\r\n".to_owned(),
        "GET http://other.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET /  HTTP/1.1\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET / x HTTP/1.1\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET / HTTP/1.10\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET /\r\nHost: app.test\r\n\r\n".to_owned(),
        "GET relative HTTP/1.1\r\nHost: app.test\r\n\r\n".to_owned(),
        "CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned(),
    ]
}

#[tokio::test]
async fn malformed_requests_are_refused_and_their_connection_closed() {
    let (proxy, origin) = simple().await;
    let corpus = corpus();
    for bad in &corpus {
        let said = raw(proxy.address, format!("{bad}{SMUGGLED}").as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{bad:?}: {said}");
        assert!(
            said.to_ascii_lowercase().contains("connection: close"),
            "{bad:?}: {said}"
        );
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{bad:?}: {said}");
    }
    assert_eq!(origin.all_requests(), 0);
    assert_eq!(proxy.stats().await.refused, corpus.len() as u64);
}

#[tokio::test]
async fn it_does_not_matter_how_a_malformed_request_is_cut() {
    let (proxy, origin) = simple().await;
    for bad in corpus() {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let all = format!("{bad}{SMUGGLED}");
        for byte in all.as_bytes() {
            // Once refused, the rest may find the door shut.
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let said = read_to_end(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{bad:?}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{bad:?}: {said}");
    }
    assert_eq!(origin.all_requests(), 0);
}

#[tokio::test]
async fn good_requests_before_a_malformed_one_are_answered() {
    let (proxy, origin) = simple().await;
    let good = "POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello";
    let bad = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    let said = raw(
        proxy.address,
        format!("{good}{good}{bad}{SMUGGLED}").as_bytes(),
    )
    .await;
    assert_eq!(said.matches("HTTP/1.1 200").count(), 2, "{said}");
    assert_eq!(said.matches("HTTP/1.1 400").count(), 1, "{said}");
    assert_eq!(said.matches("hello").count(), 2, "{said}");
    assert_eq!(
        (origin.requests("/echo"), origin.requests("/smuggled")),
        (2, 0)
    );
}

#[tokio::test]
async fn chunks_that_are_written_oddly_are_refused() {
    let (proxy, origin) = simple().await;
    let head = "POST /sum HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "x\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: a\n\r\n",
    ] {
        let said = raw(proxy.address, format!("{head}{body}{SMUGGLED}").as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{body:?}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{body:?}: {said}");
    }
    assert_eq!(origin.requests("/smuggled"), 0);
    // Nobody's failure but the client's; and each in one count only.
    let stats = proxy
        .until_pool("r1", "all ended", |pool| pool.served == 9)
        .await;
    assert_eq!((stats.failed, stats.abandoned), (0, 9));
    assert_eq!(proxy.stats().await.refused, 0);
}

#[tokio::test]
async fn what_is_odd_but_honest_is_answered() {
    let (proxy, _origin) = simple().await;
    for good in [
        "\r\nGET /headers HTTP/1.1\r\nHost: app.test\r\n\r\n",
        "GET /headers HTTP/1.0\r\n\r\n",
        "GET http://app.test/headers HTTP/1.1\r\nHost: app.test\r\n\r\n",
        "GET /headers HTTP/1.1\r\nhOST:app.test\r\nX-Empty:\r\nX-Tab:\ta\tb\t\r\n\r\n",
        "POST /sum HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: Chunked\r\n\r\n\
         5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(good.as_bytes()).await.unwrap();
        let said = read_until(&mut stream, "\r\n\r\n").await;
        assert!(
            said.starts_with("HTTP/1.1 200 ") || said.starts_with("HTTP/1.0 200 "),
            "{said}"
        );
    }
}

/// What the parser behind the reader would let through.
const ODD: &str = "GET /odd HTTP/1.1\nHost: app.test\n\n";
const UPGRADE: &str = "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\nHost: ";

#[tokio::test]
async fn what_comes_with_an_upgrade_that_is_not_taken_is_not_answered() {
    let (proxy, origin) = simple().await;
    let all = format!("{UPGRADE}app.test\r\n\r\n{ODD}{SMUGGLED}");
    let said = raw(proxy.address, all.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
    assert!(said.contains("connection: close"), "{said}");
    assert_eq!(origin.all_requests(), 1);
}

#[tokio::test]
async fn whatever_an_upgrade_is_answered_with_the_next_request_is_judged() {
    let (proxy, origin) = simple().await;
    let mut own = route(&[&origin], &[]);
    own.hosts = vec!["app.test".to_owned()];
    proxy.publish(&table(2, own)).await;
    let odd_option =
        "GET / HTTP/1.1\r\nHost: app.test\r\nUpgrade: x\r\nConnection: upgrade, \u{e4}\r\n\r\n";
    let nowhere = format!("{UPGRADE}nowhere.test\r\n\r\n");
    for (upgrade, end) in [(odd_option, "hello"), (nowhere.as_str(), "this name.\n")] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        read_until(&mut stream, end).await;
        stream.write_all(ODD.as_bytes()).await.unwrap();
        let said = read_to_end(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{upgrade:?}: {said}");
    }
    assert_eq!(origin.requests("/odd"), 0);
}

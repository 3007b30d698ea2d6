//! A page that was loaded from the old release keeps its scripts and its API, for as long as the
//! table says so, and loads the new release when it is loaded anew.

use http::{HeaderValue, Method};
use slipway_proxy::Skew;
use testkit::origin::Origin;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::caller::{Answer, read_until, request};
use crate::ground::{Proxy, route, table};

/// An origin whose every answer is an HTML page, as testkit's are none.
async fn pages(release: &'static str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                read_until(&mut stream, "\r\n\r\n").await;
                let told = format!(
                    "HTTP/1.1 200 OK\r\nx-release: {release}\r\ncontent-type: text/html\r\n\
                     content-length: 4\r\nconnection: close\r\n\r\npage"
                );
                drop(stream.write_all(told.as_bytes()).await);
            });
        }
    });
    address
}

async fn ask(proxy: &Proxy, mode: &'static str, cookie: Option<&str>) -> Answer {
    let mut asked = request(Method::GET, "/", "");
    let headers = asked.headers_mut();
    headers.insert("sec-fetch-mode", HeaderValue::from_static(mode));
    if let Some(cookie) = cookie {
        headers.insert("cookie", HeaderValue::try_from(cookie).unwrap());
    }
    proxy.caller().ask(asked).await.unwrap()
}

#[tokio::test]
async fn a_page_keeps_the_release_that_it_was_loaded_from() {
    let (blue, green) = (
        Origin::start("r1").await.unwrap(),
        Origin::start("r2").await.unwrap(),
    );
    let proxy = Proxy::start().await;
    let mut next = route(&[&blue], &[&green]);
    for (pool, release) in [("blue", "r1"), ("green", "r2")] {
        let targets = &mut next.pools.get_mut(pool).unwrap().targets;
        targets[0].address = pages(release).await;
    }
    let skew = |pools: &[&str]| {
        Some(Skew {
            for_s: 600,
            pools: pools.iter().map(|pool| (*pool).to_owned()).collect(),
        })
    };
    next.skew = skew(&[]);
    proxy.publish(&table(1, next.clone())).await;
    let page = ask(&proxy, "navigate", None).await;
    let set = page.header("set-cookie").unwrap().to_owned();
    assert!(set.contains("; Max-Age=600; "), "{set}");
    let cookie = set.split(';').next().unwrap();
    let script = ask(&proxy, "no-cors", Some(cookie)).await;
    assert_eq!(script.header("set-cookie"), None);
    // The switch: the page goes on with the old release, a new visit does not.
    "green".clone_into(&mut next.live);
    next.skew = skew(&["blue"]);
    proxy.publish(&table(2, next.clone())).await;
    for (mode, cookie, expected) in [
        ("cors", Some(cookie), "r1"),
        ("navigate", Some(cookie), "r2"),
        ("cors", None, "r2"),
        ("cors", Some("slipway-page=0123456789abcdef"), "r2"),
    ] {
        let answer = ask(&proxy, mode, cookie).await;
        assert_eq!(answer.release(), Some(expected), "{mode} {cookie:?}");
    }
    // When its time is over, or the release was taken back, nobody is kept.
    next.skew = skew(&[]);
    proxy.publish(&table(3, next)).await;
    assert_eq!(
        ask(&proxy, "cors", Some(cookie)).await.release(),
        Some("r2")
    );
}

//! The access log: which requests are in it, and what it says of them.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use http::{Method, StatusCode};
use serde_json::Value;
use slipway_proxy::{AccessLog, Generation, Options, Table};
use testkit::origin::Origin;
use testkit::wait;

use crate::caller::{SOON, request};
use crate::ground::{Proxy, route, table};

async fn start(share: u16, change: impl FnOnce(&mut Options)) -> (Proxy, Origin, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logs/access.log");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start_so(listener, folder, |options| {
        options.access_log = Some(AccessLog {
            share,
            ..AccessLog::new(file.clone())
        });
        change(options);
    })
    .await;
    let origin = Origin::start("r1").await.unwrap();
    proxy.publish(&table(1, route(&[&origin], &[]))).await;
    (proxy, origin, file)
}

/// Waits until so many lines are written.
async fn lines(file: &PathBuf, count: usize) -> Vec<Value> {
    let found = wait::answer(SOON, async || {
        let text = fs::read_to_string(file).ok()?;
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (lines.len() >= count).then_some(lines)
    });
    found
        .await
        .unwrap_or_else(|| panic!("{count} lines do not come: {:?}", fs::read_to_string(file)))
}

#[tokio::test]
async fn a_request_is_told_without_naming_its_client_or_its_query() {
    let (proxy, _origin, file) = start(10_000, |_| {}).await;
    let mut asked = request(Method::POST, "/echo?token=secret", "hello");
    let id = http::HeaderValue::from_static("request-0815");
    asked.headers_mut().insert("x-request-id", id);
    proxy.caller().ask(asked).await.unwrap();
    let lines = lines(&file, 1).await;
    let line = &lines[0];
    for (field, expected) in [
        ("id", Value::from("request-0815")),
        ("service", "web".into()),
        ("release", "r1".into()),
        ("method", "POST".into()),
        ("path", "/echo".into()),
        ("status", 200.into()),
        ("outcome", "good".into()),
        ("sent", 5.into()),
        ("http", 1.into()),
        ("tls", false.into()),
        ("client", "127.0.0.0".into()),
    ] {
        assert_eq!(line[field], expected, "{field}: {line}");
    }
    assert!(
        line["first_us"].as_u64() <= line["took_us"].as_u64(),
        "{line}"
    );
    assert!(line["time"].as_str().unwrap().starts_with("20"), "{line}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        !text.contains("secret") && !text.contains("127.0.0.1"),
        "{text}"
    );
}

#[tokio::test]
async fn what_fails_is_told_however_small_the_share() {
    let (proxy, _origin, file) = start(0, |_| {}).await;
    let mut caller = proxy.caller();
    for path in ["/", "/status/503", "/", "/die"] {
        let asked = request(Method::POST, path, "x");
        caller.ask(asked).await.unwrap();
    }
    proxy
        .until_pool("r1", "all ended", |pool| pool.served == 4)
        .await;
    let found = lines(&file, 2).await;
    let told: Vec<_> = found
        .iter()
        .map(|line| (line["path"].as_str().unwrap(), line["status"].as_u64()))
        .collect();
    assert_eq!(told, [("/status/503", Some(503)), ("/die", Some(502))]);
    // What reaches no release is told as well.
    let empty = Table {
        generation: Generation(2),
        ..Table::default()
    };
    proxy.client.publish(&empty).await.unwrap();
    let answer = caller.get("/nowhere").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let found = lines(&file, 3).await;
    assert_eq!(found[2]["release"], Value::Null);
    assert_eq!(found[2]["status"], 503);
}

#[tokio::test]
async fn the_log_never_grows_beyond_what_was_wanted() {
    let (proxy, _origin, file) = start(10_000, |options| {
        let log = options.access_log.as_mut().unwrap();
        (log.bytes_max, log.kept) = (5000, 2);
    })
    .await;
    let mut caller = proxy.caller();
    for _ in 0..200 {
        caller.get("/").await;
    }
    // While a file is turned over there is one less for a moment.
    let sizes = wait::answer(SOON, async || {
        let folder = fs::read_dir(file.parent().unwrap()).unwrap();
        let sizes: Vec<u64> = folder
            .filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()))
            .collect();
        (sizes.len() == 3).then_some(sizes)
    });
    let sizes = sizes.await.unwrap();
    assert!(sizes.iter().all(|size| *size <= 5000), "{sizes:?}");
}

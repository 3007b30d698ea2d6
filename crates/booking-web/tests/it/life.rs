//! The life of the program: what it says about itself, what it writes, and its end.

use std::time::Duration;

use crate::site::{World, booking, filled, said, until, wish};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, StatusCode};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// A body that is sent as the test wishes.
fn slow_body() -> (mpsc::Sender<&'static str>, Body) {
    let (sender, receiver) = mpsc::channel(4);
    let chunks = stream::unfold(receiver, async |mut receiver| {
        let chunk: &'static str = receiver.recv().await?;
        Some((
            Ok::<_, std::io::Error>(Bytes::from_static(chunk.as_bytes())),
            receiver,
        ))
    });
    (sender, Body::wrap_stream(chunks))
}

#[tokio::test]
async fn at_the_end_what_is_in_flight_is_finished_and_nothing_new_is_taken() {
    let world = World::seeded().await;
    let mut site = world.site().await;
    let api = site.api();
    let (sender, body) = slow_body();
    let upload = api
        .client
        .post(site.url("/api/v1/businesses/karoo-cuts/imports"))
        .header("content-type", "text/csv")
        .body(body);
    let upload = tokio::spawn(said(upload));
    sender.send("name,email\n").await.unwrap();
    let stream = api
        .client
        .get(site.url("/api/v1/businesses/karoo-cuts/live"))
        .send()
        .await
        .unwrap();
    let mut events = stream.bytes_stream();
    events.next().await.unwrap().unwrap();
    until("the upload is in flight", async || {
        let text = api
            .client
            .get(&site.metrics)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        text.contains("booking_http_in_flight 1\n").then_some(())
    })
    .await;

    site.terminate();
    until("nothing new is taken", async || {
        let fresh = reqwest::Client::new().get(site.url("/health")).send().await;
        fresh.is_err().then_some(())
    })
    .await;
    // The stream ends by itself and whole; the upload goes on to its end.
    let rest = timeout(SOON, events.all(async |chunk| chunk.is_ok()))
        .await
        .unwrap();
    assert!(rest, "the stream was cut");
    sender.send("thandi,thandi@example.co.za\n").await.unwrap();
    drop(sender);
    let received = timeout(SOON, upload).await.unwrap().unwrap();
    assert_eq!(
        (received.status, &received.body["length"]),
        (200, &Value::from(39))
    );
    assert!(site.ended().await.success());
    assert!(
        site.logged("drained; every request in flight was finished")
            .is_some()
    );
}

#[tokio::test]
async fn an_end_that_takes_too_long_is_cut_and_said_so() {
    let world = World::seeded().await;
    let (url, redis) = (world.database.url(), world.redis.as_str());
    let mut site = crate::site::Site::start(&[
        ("DATABASE_URL", &url),
        ("REDIS_URL", redis),
        ("DRAIN_SECONDS", "1"),
    ])
    .await;
    let (sender, body) = slow_body();
    let upload = site
        .api()
        .client
        .post(site.url("/api/v1/businesses/karoo-cuts/imports"))
        .header("content-type", "text/csv")
        .body(body)
        .send();
    let upload = tokio::spawn(upload);
    sender.send("never ends").await.unwrap();
    let metrics = site.metrics.clone();
    until("the upload is in flight", async || {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        text.contains("booking_http_in_flight 1\n").then_some(())
    })
    .await;
    site.terminate();
    assert_eq!(site.ended().await.code(), Some(1));
    assert!(upload.await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_on_which_nobody_asks_holds_up_no_end() {
    let world = World::migrated().await;
    let mut site = world.site().await;
    let address = site.address.strip_prefix("http://").unwrap().to_owned();
    let silent = TcpStream::connect(&address).await.unwrap();
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(b"GET /health HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    // What is answered on a later connection was accepted after them.
    assert_eq!(site.api().get("/health").await.status, 200);
    site.terminate();
    assert!(site.ended().await.success());
    drop((silent, half));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_no_fault_of_ours() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (sender, body) = slow_body();
    let wish = site
        .api()
        .client
        .post(site.url("/api/v1/businesses/karoo-cuts/bookings"))
        .header("content-type", "application/json")
        .header("idempotency-key", "k")
        .body(body);
    sender.send("{").await.unwrap();
    let said = timeout(SOON, said(wish)).await.unwrap();
    assert_eq!(said.status, 408, "{said:?}");
    assert_eq!(said.media_type, "application/problem+json");
    drop(sender);
}

#[tokio::test]
async fn a_live_stream_tells_that_times_have_changed() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let answer = api
        .client
        .get(site.url("/api/v1/businesses/karoo-cuts/live"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = answer.bytes_stream();
    let mut next = async |kind: &str| {
        let wanted = format!("event: {kind}\n");
        timeout(SOON, async {
            loop {
                let chunk = events.next().await.unwrap().unwrap();
                let text = String::from_utf8(chunk.to_vec()).unwrap();
                assert!(text.contains(crate::site::RELEASE), "{text}");
                if text.contains(&wanted) {
                    return;
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no {kind}"));
    };
    next("availability").await;
    next("heartbeat").await;
    let start = &api.free("karoo-cuts", "haircut", 7).await[0];
    let made = api
        .book("karoo-cuts", "k", &wish("haircut", start, "t"))
        .await;
    assert_eq!(made.status, 201);
    next("availability").await;
}

#[tokio::test]
async fn what_it_counts_is_told_on_the_internal_port_only() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let start = &api.free("the-quiet-room", "private-yoga", 14).await[0];
    for key in ["one", "two"] {
        api.book("the-quiet-room", key, &wish("private-yoga", start, key))
            .await;
    }
    // An answer that is given again is no second booking.
    let again = api
        .book("the-quiet-room", "one", &wish("private-yoga", start, "one"))
        .await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(api.get("/metrics").await.status, 404);
    let answer = api.client.get(&site.metrics).send().await.unwrap();
    let media_type = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        media_type.starts_with("application/openmetrics-text"),
        "{media_type}"
    );
    let text = answer.text().await.unwrap();
    for line in [
        "booking_made_total 1\n",
        "booking_conflicts_total 1\n",
        "booking_cancelled_total 0\n",
        "booking_http_in_flight 0\n",
        "route=\"/api/v1/businesses/{business}/bookings\",method=\"POST\",status=\"201\"} 2\n",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(
        !text.contains("the-quiet-room"),
        "a label holds what a visitor chose\n{text}"
    );
}

#[tokio::test]
async fn log_lines_name_request_and_release_and_nobody_in_person() {
    let world = World::seeded().await;
    let mut site = world.site().await;
    let (api, visitor) = (site.api(), site.visitor());
    let personal = [
        "Thandi",
        "Nkosi",
        "thandi@example",
        "0821234567",
        "27821234567",
        "allergic",
    ];

    // Every way by which such things come in, good and bad.
    let times = visitor.open("/karoo-cuts/haircut").await;
    let path = format!("/karoo-cuts/haircut/details?start={}", times.field("start"));
    let form = visitor.open(&path).await;
    let mut fields = filled(&form);
    fields.retain(|(name, _)| name != "note");
    fields.push(("note".to_owned(), "allergic to lavender".to_owned()));
    let booked = visitor.send(&path, &fields).await;
    assert_eq!(booked.status, StatusCode::OK);
    visitor
        .send(&path, &[("name".to_owned(), "Thandi".to_owned())])
        .await;
    let start = &api.free("karoo-cuts", "haircut", 7).await[5];
    let made = api
        .book("karoo-cuts", "k", &wish("haircut", start, "thandi"))
        .await;
    api.book(
        "karoo-cuts",
        "k2",
        &wish("haircut", "2020-01-01T00:00:00Z", "thandi"),
    )
    .await;
    api.get("/api/v1/bookings/thandi@example.co.za?email=thandi@example.co.za")
        .await;
    visitor.open("/search?q=Thandi+Nkosi").await;
    // A failing statement must not say with which values.
    let pool = world.all().await;
    sqlx::query("alter table customer add constraint nobody check (name = '') not valid")
        .execute(&pool)
        .await
        .unwrap();
    let start = &api.free("karoo-cuts", "haircut", 7).await[5];
    let broken = api
        .book("karoo-cuts", "k3", &wish("haircut", start, "thandi"))
        .await;
    assert_eq!(broken.status, 500, "{broken:?}");
    assert!(
        !broken.body.to_string().contains("constraint"),
        "{broken:?}"
    );

    site.terminate();
    assert!(site.ended().await.success());
    let lines = site.lines();
    let secret = made.text("token");
    for line in &lines {
        let parsed: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        if parsed["message"] == "answered" {
            assert_eq!(parsed["span"]["release"], crate::site::RELEASE, "{line}");
            assert!(
                parsed["span"]["request_id"]
                    .as_str()
                    .is_some_and(|id| !id.is_empty())
            );
        }
        assert!(!line.contains(secret), "a secret address: {line}");
        for word in personal {
            assert!(!line.contains(word), "{word}: {line}");
        }
    }
    let answered = lines
        .iter()
        .filter(|line| line.contains("\"answered\""))
        .count();
    assert!(answered >= 12, "{answered} requests were logged");
}

#[tokio::test]
async fn a_request_id_from_in_front_is_kept() {
    let world = World::migrated().await;
    let site = world.site().await;
    let ask = |id: &'static str| {
        let request = site
            .api()
            .client
            .get(site.url("/health"))
            .header("x-request-id", id);
        async move { request.send().await.unwrap().headers()["x-request-id"].clone() }
    };
    assert_eq!(ask("0198c1d2-aaaa").await, "0198c1d2-aaaa");
    assert_ne!(ask("two words").await, "two words");
}

#[tokio::test]
async fn wrong_settings_are_named_all_at_once_and_end_with_code_two() {
    let output = booking("serve")
        .envs([
            ("PORT", "http"),
            ("DATABASE_URL", "mysql://root:hunter2@db"),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("PORT") && text.contains("DATABASE_URL"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
    let filter = booking("migrate").env("LOG", "info,sqlx=loud").status();
    assert_eq!(filter.unwrap().code(), Some(2));
}

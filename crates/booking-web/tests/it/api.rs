//! The API as a program meets it: what it offers, what it refuses, and in which words.

use crate::site::{Said, World, said, wish};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn problem(said: &Said, status: u16, kind: &str) {
    assert_eq!(said.status, status, "{said:?}");
    assert_eq!(said.media_type, "application/problem+json", "{said:?}");
    let name = format!("https://appointmentbooking.co.za/problems/{kind}");
    assert_eq!(said.text("type"), name);
    assert_eq!(said.body["status"], status);
    for field in ["title", "detail", "request_id"] {
        assert!(!said.text(field).is_empty(), "{field} is empty in {said:?}");
    }
}

#[tokio::test]
async fn a_booking_is_found_made_read_and_cancelled() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();

    let businesses = api.get("/api/v1/businesses").await;
    let slugs: Vec<_> = businesses.body["businesses"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(slugs.len(), 3, "{businesses:?}");
    assert_eq!(slugs[0]["time_zone"], "Africa/Johannesburg");
    let services = api.get("/api/v1/businesses/karoo-cuts/services").await;
    assert_eq!(services.body["services"].as_array().unwrap().len(), 3);

    let free = api.free("karoo-cuts", "haircut", 7).await;
    let start = free.first().unwrap();
    let made = api
        .book("karoo-cuts", "first", &wish("haircut", start, "thandi"))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.text("state"), "confirmed");
    assert_eq!(made.text("start"), start);
    assert!(made.text("local_start").ends_with("+02:00"));

    let token = made.text("token");
    let read = api.get(&format!("/api/v1/bookings/{token}")).await;
    assert_eq!((read.status, &read.body), (200, &made.body));

    for _ in 0..2 {
        let cancelled = api.cancel(token).await;
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        assert_eq!(cancelled.text("state"), "cancelled_by_customer");
    }
    assert_eq!(api.free("karoo-cuts", "haircut", 7).await, free);
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_another_body_is_refused() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let wanted = wish("haircut", &free[0], "thandi");
    let first = api.book("karoo-cuts", "key-1", &wanted).await;
    let again = api.book("karoo-cuts", "key-1", &wanted).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);

    let other = api
        .book("karoo-cuts", "key-1", &wish("haircut", &free[1], "thandi"))
        .await;
    problem(&other, 422, "idempotency-key-reused");
    // A key belongs to one business: at another it is a new one.
    let start = &api.free("the-quiet-room", "breathing", 7).await[0];
    let elsewhere = api
        .book("the-quiet-room", "key-1", &wish("breathing", start, "t"))
        .await;
    assert_eq!(elsewhere.status, 201, "{elsewhere:?}");
    assert_eq!(
        world
            .count("select count(*) from booking where created_at > now() - interval '1 hour'")
            .await,
        2
    );
}

#[tokio::test]
async fn many_at_once_with_one_key_are_one_booking() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let wanted = wish("haircut", &free[0], "thandi");
    let tries = (0..20).map(|_| api.book("karoo-cuts", "same", &wanted));
    let said = futures_util::future::join_all(tries).await;
    assert!(said.iter().all(|said| said.status == 201), "{said:?}");
    assert!(said.iter().all(|s| s.body == said[0].body), "{said:?}");
}

#[tokio::test]
async fn a_time_that_is_gone_comes_with_the_nearest_that_are_not() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    // One person gives this service, so one booking is all that fits.
    let (business, service) = ("the-quiet-room", "private-yoga");
    let start = api.free(business, service, 14).await[3].clone();
    let won = api.book(business, "one", &wish(service, &start, "a")).await;
    assert_eq!(won.status, 201, "{won:?}");
    let lost = api.book(business, "two", &wish(service, &start, "b")).await;
    problem(&lost, 409, "slot-taken");
    let free = api.free(business, service, 14).await;
    let alternatives = lost.body["alternatives"].as_array().unwrap();
    assert_eq!(alternatives.len(), 3, "{lost:?}");
    for alternative in alternatives {
        let start = alternative["start"].as_str().unwrap().to_owned();
        assert!(free.contains(&start), "{start} is offered and not free");
    }
    // Each of them can be had.
    let second = alternatives[0]["start"].as_str().unwrap();
    let taken = api
        .book(business, "three", &wish(service, second, "b"))
        .await;
    assert_eq!(taken.status, 201, "{taken:?}");
}

#[tokio::test]
async fn times_that_are_not_offered_cannot_be_had() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 31).await;
    let last = free.last().unwrap();
    let (day, hour) = last.split_once('T').unwrap();
    let (night, off_grid) = (
        format!("{day}T01:00:00Z"),
        format!("{day}T{}:07:00Z", hour.split(':').next().unwrap()),
    );
    let times = [
        ("past", "2020-01-06T08:00:00Z"),
        ("beyond every horizon", "2199-01-07T08:00:00Z"),
        ("in the night", night.as_str()),
        ("off the grid", off_grid.as_str()),
    ];
    for (why, start) in times {
        let said = api
            .book("karoo-cuts", why, &wish("haircut", start, "t"))
            .await;
        assert_eq!(said.status, 409, "{why}: {said:?}");
        problem(&said, 409, "slot-taken");
    }
    // What nobody means is not looked for.
    for start in ["-009999-01-02T01:59:59Z", "9999-12-30T21:00:00Z"] {
        let wish = wish("haircut", start, "t");
        let said = api.book("karoo-cuts", start, &wish).await;
        problem(&said, 422, "invalid-fields");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let world = World::seeded().await;
    let site = world.site().await;
    let said = site
        .api()
        .book("karoo-cuts", "k", &json!({"email": "thandi"}))
        .await;
    problem(&said, 422, "invalid-fields");
    let fields: Vec<_> = said.body["errors"].as_array().unwrap().iter().collect();
    let names: Vec<_> = fields
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["service", "start", "name", "email"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_same_words() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let bookings = "/api/v1/businesses/karoo-cuts/bookings";
    let post = |body: &'static str, media_type: &'static str| {
        let request = api.client.post(site.url(bookings)).body(body);
        said(
            request
                .header("content-type", media_type)
                .header("idempotency-key", "k"),
        )
    };
    problem(
        &post("{", "application/json").await,
        400,
        "malformed-request",
    );
    problem(
        &post("a=b", "text/plain").await,
        415,
        "unsupported-media-type",
    );
    let without = said(api.client.post(site.url(bookings)).json(&json!({}))).await;
    problem(&without, 400, "malformed-request");
    assert!(without.text("detail").contains("Idempotency-Key"));

    let large = json!({"name": "x".repeat(70_000)});
    problem(
        &api.book("karoo-cuts", "k", &large).await,
        413,
        "body-too-large",
    );
    let holds = "/api/v1/businesses/karoo-cuts/holds";
    problem(&api.get(holds).await, 405, "method-not-allowed");
    let only = api.client.get(site.url(holds)).send().await.unwrap();
    assert_eq!(only.headers()["allow"], "POST");
    for nowhere in [
        "/api",
        "/api/v1/nothing",
        "/api/v1/bookings/aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "/api/v1/businesses/nobody/services",
        "/api/v1/businesses/karoo%00cuts/services",
        "/api/v1/businesses/karoo%ffcuts/services",
        "/api/v1/bookings/%ff",
        "/api/v1/businesses/karoo-cuts/services/nothing/availability",
    ] {
        problem(&api.get(nowhere).await, 404, "not-found");
    }
    let path = "/api/v1/businesses/karoo-cuts/services/haircut/availability";
    problem(
        &api.get(&format!("{path}?days=32&from=soon")).await,
        422,
        "invalid-fields",
    );
    for strange in ["-009999-01-01", "9999-12-31", "2020-01-01"] {
        let none = api.get(&format!("{path}?from={strange}")).await;
        assert_eq!(none.body["slots"], Value::Array(vec![]), "{none:?}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_before_anything_else() {
    let world = World::migrated().await;
    let site = world.site().await;
    let request = site.api().client.get(site.url("/health"));
    let answer = request
        .header("x-large", "x".repeat(80_000))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 431);
}

#[tokio::test]
async fn an_import_is_hashed_as_it_comes_and_bounded() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let url = site.url("/api/v1/businesses/karoo-cuts/imports");
    let post = |body: Vec<u8>, media_type: &'static str| {
        said(
            api.client
                .post(&url)
                .header("content-type", media_type)
                .body(body),
        )
    };
    let rows = b"name,email\n".repeat(100_000);
    let received = post(rows.clone(), "text/csv; charset=utf-8").await;
    assert_eq!(received.status, 200, "{received:?}");
    assert_eq!(received.body["length"], rows.len());
    assert_eq!(received.text("blake3").len(), 64);
    problem(
        &post(rows, "image/png").await,
        415,
        "unsupported-media-type",
    );
    // Whoever announces too much hears so before the body is sent.
    let announced = format!("Content-Length: {}", 33 * 1024 * 1024);
    let said = raw(&site.address, &announced, b"").await;
    assert!(
        said.starts_with("HTTP/1.1 413 ") && said.contains("body-too-large"),
        "{said}"
    );
    // Whoever does not is heard until it is too much.
    let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; 0x10_0000], b"\r\n"].concat();
    let said = raw(
        &site.address,
        "Transfer-Encoding: chunked",
        &chunk.repeat(33),
    )
    .await;
    assert!(
        said.starts_with("HTTP/1.1 413 ") && said.contains("body-too-large"),
        "{said}"
    );
}

/// An upload byte by byte: what is said, also where the rest of the body is not taken.
async fn raw(address: &str, framing: &str, body: &[u8]) -> String {
    let address = address.strip_prefix("http://").unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let head = format!(
        "POST /api/v1/businesses/karoo-cuts/imports HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: text/csv\r\n{framing}\r\n\r\n"
    );
    let message = [head.as_bytes(), body].concat();
    // The other side may close its ear before everything is said.
    let sending = tokio::spawn(async move { writer.write_all(&message).await.is_ok() });
    let mut said = vec![0; 4096];
    let count = reader.read(&mut said).await.unwrap();
    sending.abort();
    String::from_utf8_lossy(&said[..count]).into_owned()
}

#[tokio::test]
async fn a_file_that_is_sent_again_gets_the_same_answer_and_makes_nothing() {
    let world = World::seeded().await;
    let site = world.site().await;
    let url = site.url("/api/v1/businesses/karoo-cuts/imports");
    let rows = async || {
        // Every row of every table, whatever it is.
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class
             where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
             order by 1",
        )
        .fetch_all(&world.all().await)
        .await
        .unwrap();
        let mut counts = Vec::new();
        for table in tables {
            let count = format!("select count(*) from \"{table}\"");
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
                .fetch_one(&world.all().await)
                .await
                .unwrap();
            counts.push((table, count));
        }
        counts
    };
    let before = rows().await;
    let send = |file: &'static str| {
        let request = site.api().client.post(&url);
        let request = request.header("content-type", "text/csv");
        // The key is not needed, since the answer follows from the file alone.
        said(request.header("idempotency-key", "one").body(file))
    };
    let (first, again) = tokio::join!(send("name,phone\n"), send("name,phone\n"));
    assert_eq!((first.status, again.status), (200, 200), "{first:?}");
    assert_eq!(first.body, again.body);
    let other = send("name\n").await;
    assert_ne!(other.body["blake3"], first.body["blake3"]);
    assert_eq!(rows().await, before);
}

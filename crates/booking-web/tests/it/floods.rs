//! What nobody may do too often or cannot mean: floods from one network, and text, days and
//! instants that the database does not keep.

use crate::site::{Page, World, counts_go_on, said, wish};
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn one_network_books_and_asks_so_often_and_this_machine_is_not_counted() {
    let world = World::seeded().await;
    let site = world.site().await;
    counts_go_on().await;
    let post = async |from: Option<&str>| {
        let path = site.url("/api/v1/businesses/karoo-cuts/bookings");
        let request = site.api().client.post(path).header("idempotency-key", "k");
        let request = match from {
            Some(from) => request.header("x-forwarded-for", from),
            None => request,
        };
        said(request.json(&json!({}))).await.status
    };
    for _ in 0..60 {
        assert_eq!(post(Some("198.51.100.9")).await, 422);
    }
    assert_eq!(post(Some("198.51.100.10")).await, 429, "the same network");
    assert_eq!(
        post(Some("198.51.100.9, 127.0.0.1")).await,
        429,
        "behind a proxy of ours"
    );
    assert_eq!(post(Some("203.0.113.9")).await, 422, "another network");
    for _ in 0..70 {
        assert_eq!(post(None).await, 422);
        assert_eq!(post(Some("127.0.0.1")).await, 422);
    }
    // Choosing a time on a page counts the same.
    let visitor = site.visitor_from("198.51.100.9");
    let times = visitor.open("/karoo-cuts/haircut").await;
    let held = visitor.choose(&times, &times.field("start")).await;
    assert_eq!(held.status, StatusCode::TOO_MANY_REQUESTS);
    let form = visitor.open("/karoo-cuts/privacy/request").await;
    let ask = async |n: usize| -> Page {
        let fields = [
            pair("csrf", &form.field("csrf")),
            pair("kind", "access"),
            pair("email", &format!("n{n}@example.co.za")),
        ];
        visitor.send("/karoo-cuts/privacy/request", &fields).await
    };
    for n in 0..10 {
        assert_eq!(ask(n).await.heading(), "Look into your mail");
    }
    assert_eq!(ask(10).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn text_that_cannot_be_stored_is_refused_and_breaks_nothing() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let form = visitor.open("/karoo-cuts/privacy/request").await;
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("kind", "correction"),
        pair("email", "thandi@example.co.za"),
        pair("details", "a\0b"),
    ];
    let said = visitor.send("/karoo-cuts/privacy/request", &fields).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY);
    let staff = site.visitor();
    staff.sign_in("owner@karoo-cuts.example").await;
    let customer: Uuid = sqlx::query_scalar(
        "select customer.id from customer join business on business.id = business_id
         where slug = 'karoo-cuts' limit 1",
    )
    .fetch_one(&world.all().await)
    .await
    .unwrap();
    for path in [
        "customers?q=%00".to_owned(),
        format!("customers/{customer}/merge?q=a%00b"),
        "calendar?day=%00".to_owned(),
    ] {
        let page = staff.open(&format!("/desk/karoo-cuts/{path}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    let desk = staff.open("/desk/karoo-cuts/privacy").await;
    let fields = [
        pair("csrf", &desk.field("csrf")),
        pair("kind", "access"),
        pair("channel", "phone"),
        pair("email", "thandi@example.co.za"),
        pair("details", "a\0b"),
    ];
    let said = staff.send("/desk/karoo-cuts/privacy", &fields).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY);
    let api = site.api();
    let start = &api.free("karoo-cuts", "haircut", 7).await[0];
    let mut wish = wish("haircut", start, "thandi");
    wish["note"] = "a\0b".into();
    assert_eq!(api.book("karoo-cuts", "k", &wish).await.status, 422);
}

#[tokio::test]
async fn days_and_instants_that_nobody_means_are_refused_and_break_nothing() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let far = wish("haircut", "-008000-01-01T08:00:00Z", "thandi");
    assert_eq!(api.book("karoo-cuts", "k", &far).await.status, 422);
    let start = &api.free("karoo-cuts", "haircut", 7).await[0];
    let booked = api
        .book("karoo-cuts", "k", &wish("haircut", start, "thandi"))
        .await;
    let moved = format!("/api/v1/bookings/{}/reschedule", booked.text("token"));
    let far = json!({ "start": "-008000-01-01T08:00:00Z" });
    assert_eq!(api.post(&moved, "k", &far).await.status, 422);
    let visitor = site.visitor();
    let times = visitor.open("/karoo-cuts/haircut?day=-008000-01-01").await;
    assert_eq!(times.status, StatusCode::OK);
    let staff = site.visitor();
    staff.sign_in("owner@karoo-cuts.example").await;
    for path in [
        "calendar?day=-008000-01-01",
        "calendar/week?day=-008000-01-01",
    ] {
        let page = staff.open(&format!("/desk/karoo-cuts/{path}")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
    }
    let lane: Uuid = sqlx::query_scalar("select lane_id from staff where name = 'Sipho Dlamini'")
        .fetch_one(&world.all().await)
        .await
        .unwrap();
    let path = format!("/desk/karoo-cuts/hours/{lane}");
    let hours = staff.open(&path).await;
    let fields = [
        pair("csrf", &hours.field("csrf")),
        pair("date", "-008000-01-01"),
    ];
    let wrong = staff.send(&format!("{path}/differ"), &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gone = staff.send(&format!("{path}/differ/remove"), &fields).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_network_opens_so_many_streams_and_others_find_a_place() {
    let world = World::seeded().await;
    let site = world.site().await;
    let client = site.api().client;
    let open = async |from: &'static str| {
        let path = site.url("/api/v1/businesses/karoo-cuts/live");
        let request = client.get(path).header("x-forwarded-for", from);
        request.send().await.unwrap()
    };
    let mut held = Vec::new();
    for _ in 0..16 {
        let stream = open("198.51.100.9").await;
        assert_eq!(stream.status(), StatusCode::OK);
        held.push(stream);
    }
    assert_eq!(
        open("198.51.100.10").await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(open("203.0.113.9").await.status(), StatusCode::OK);
    assert_eq!(open("127.0.0.1").await.status(), StatusCode::OK);
    drop(held);
    crate::site::until("there is a place again", async || {
        let stream = open("198.51.100.9").await;
        (stream.status() == StatusCode::OK).then_some(())
    })
    .await;
}

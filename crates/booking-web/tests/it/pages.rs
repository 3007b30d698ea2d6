//! The pages as a browser without scripts meets them, from the first page to a booking
//! and back.

use crate::site::{Page, Visitor, World, filled, wish};
use reqwest::StatusCode;

/// From the first page to the form for the first free time of a service, which is held.
async fn held(visitor: &Visitor, business: &str, service: &str) -> Page {
    let home = visitor.open("/").await;
    assert!(home.links().contains(&format!("/{business}")));
    let offers = visitor.open(&format!("/{business}")).await;
    let path = format!("/{business}/{service}");
    assert!(offers.links().contains(&path), "{:?}", offers.links());
    let times = visitor.open(&path).await;
    assert_eq!(times.heading(), "Choose a time");
    visitor.choose(&times, &times.field("start")).await
}

/// The form for the first free time of a service without holding it, as links lead to it
/// that were made before times were held.
async fn form(visitor: &Visitor, business: &str, service: &str) -> Page {
    let path = format!("/{business}/{service}");
    let start = visitor.open(&path).await.field("start");
    visitor.open(&format!("{path}/details?start={start}")).await
}

fn set(fields: &mut [(String, String)], name: &str, value: &str) {
    let field = fields.iter_mut().find(|(field, _)| field == name).unwrap();
    value.clone_into(&mut field.1);
}

#[tokio::test]
async fn a_time_is_booked_looked_at_and_cancelled() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let form = held(&visitor, "karoo-cuts", "haircut").await;
    assert_eq!(form.heading(), "Your details");
    assert!(form.html.contains("<strong>Held for you until "));

    let booked = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(
        (booked.status, booked.heading()),
        (StatusCode::OK, "You are booked")
    );
    assert!(booked.html.contains("Karoo Cuts expects you on"));
    assert!(booked.html.contains("You can cancel until "));
    assert!(booked.html.contains("12 Church Street, Graaff-Reinet"));
    let link = booked.address.clone();

    let calendar = visitor.open(&format!("{link}/calendar.ics")).await;
    assert!(
        calendar.html.starts_with("BEGIN:VCALENDAR\r\n"),
        "{}",
        calendar.html
    );

    // Looking changes nothing, however often.
    let ask = visitor.open(&format!("{link}/cancel")).await;
    assert_eq!(ask.heading(), "Cancel this booking?");
    assert_eq!(visitor.open(&link).await.heading(), "You are booked");

    let token = [("csrf".to_owned(), ask.field("csrf"))];
    for _ in 0..2 {
        let cancelled = visitor.send(&ask.address, &token).await;
        assert_eq!(cancelled.heading(), "Your booking is cancelled");
    }
    let calendar = visitor.open(&format!("{link}/calendar.ics")).await;
    assert_eq!(calendar.status, StatusCode::NOT_FOUND);
    let written = world
        .count("select count(*) from audit where action in ('booking.cancelled')")
        .await;
    assert_eq!(written, 1);
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let form = form(&visitor, "karoo-cuts", "haircut").await;
    let mut fields = filled(&form);
    set(&mut fields, "name", "Zoë <b>van Wyk</b>");
    set(&mut fields, "email", "zoe");
    set(&mut fields, "phone", "call me");
    let wrong = visitor.send(&form.address, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.html.contains("<title>Error: "));
    for field in ["email", "phone"] {
        assert!(
            wrong.html.contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
        assert!(
            wrong.html.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
    }
    assert!(!wrong.html.contains("id=\"name-error\""));
    assert!(
        wrong.html.contains("Zoë &#60;b&#62;van Wyk"),
        "{}",
        wrong.html
    );

    // The same page goes on to a booking.
    let mut fields = filled(&wrong);
    set(&mut fields, "name", "Zoë van Wyk");
    let booked = visitor.send(&form.address, &fields).await;
    assert_eq!(booked.heading(), "You are booked");
}

#[tokio::test]
async fn going_on_without_a_time_or_with_a_broken_one_leads_back_to_the_times() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    for query in ["", "?start=", "?start=soon"] {
        let page = visitor
            .open(&format!("/karoo-cuts/haircut/details{query}"))
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(page.heading(), "Choose a time");
        assert!(page.html.contains("id=\"start-error\""), "{query}");
    }
}

#[tokio::test]
async fn a_time_that_is_gone_is_answered_with_others_in_the_same_form() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    // One person gives it, so one booking takes the time away.
    let (business, service) = ("the-quiet-room", "private-yoga");
    let form = form(&visitor, business, service).await;
    let start = form.field("start");
    let faster = site
        .api()
        .book(business, "faster", &wish(service, &start, "a"))
        .await;
    assert_eq!(faster.status, 201, "{faster:?}");

    let gone = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.html.contains("That time has just been taken"));
    assert!(gone.html.contains("value=\"Thandi Nkosi\""));
    assert_ne!(gone.field("start"), start);
    let booked = visitor.send(&form.address, &filled(&gone)).await;
    assert_eq!(booked.heading(), "You are booked");
}

#[tokio::test]
async fn the_form_sent_twice_is_one_booking() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let form = form(&visitor, "karoo-cuts", "haircut").await;
    let fields = filled(&form);
    let (one, two) = tokio::join!(
        visitor.send(&form.address, &fields),
        visitor.send(&form.address, &fields)
    );
    assert_eq!(one.heading(), "You are booked");
    assert_eq!(one.address, two.address);
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let form = form(&visitor, "karoo-cuts", "haircut").await;
    let before = world.count("select count(*) from booking").await;

    let mut guessed = filled(&form);
    set(&mut guessed, "csrf", "aaaa");
    let stranger = site.visitor();
    // A browser that keeps a cookie of its own.
    stranger.open("/karoo-cuts/haircut").await;
    let foreign = visitor
        .client
        .post(format!("{}{}", site.address, form.address))
        .header("sec-fetch-site", "cross-site")
        .form(&filled(&form));
    for (why, page) in [
        (
            "a guessed token",
            visitor.send(&form.address, &guessed).await,
        ),
        (
            "another browser's token",
            stranger.send(&form.address, &filled(&form)).await,
        ),
        (
            "sent by another site",
            Page::of(foreign.send().await.unwrap(), "").await,
        ),
    ] {
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{why}");
        assert_eq!(page.heading(), "This form is no longer valid", "{why}");
    }
    assert_eq!(world.count("select count(*) from booking").await, before);
}

#[tokio::test]
async fn a_form_that_a_program_made_up_is_refused_and_never_an_error_of_ours() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let form = form(&visitor, "karoo-cuts", "haircut").await;
    for (name, value, status) in [
        ("request", "", StatusCode::BAD_REQUEST),
        ("request", "a\0b", StatusCode::BAD_REQUEST),
        ("name", "a\0b", StatusCode::UNPROCESSABLE_ENTITY),
        ("note", "a\0b", StatusCode::UNPROCESSABLE_ENTITY),
        (
            "email",
            "a\0b@example.com",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "start",
            "-009999-01-02T01:59:59Z",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "start",
            "9999-12-30T21:59:59Z",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let mut fields = filled(&form);
        set(&mut fields, name, value);
        let page = visitor.send(&form.address, &fields).await;
        assert_eq!(page.status, status, "{name}={value:?}");
    }
}

#[tokio::test]
async fn a_booking_can_be_cancelled_only_until_the_limit_under_which_it_was_made() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let pool = world.all().await;
    // A month: nothing that is booked today can be cancelled.
    sqlx::query("update business set cancel_limit_minutes = 43200 where slug = 'karoo-cuts'")
        .execute(&pool)
        .await
        .unwrap();
    let free = api.free("karoo-cuts", "haircut", 7).await;
    let made = api
        .book(
            "karoo-cuts",
            "k",
            &wish("haircut", free.last().unwrap(), "t"),
        )
        .await;
    let visitor = site.visitor();
    let link = format!("/b/{}", made.text("token"));
    // The business changes its mind; what is booked keeps its terms.
    sqlx::query("update business set cancel_limit_minutes = 0 where slug = 'karoo-cuts'")
        .execute(&pool)
        .await
        .unwrap();
    // The form of another page carries the same token.
    let details = format!("/karoo-cuts/haircut/details?start={}", free[0]);
    let (other, address) = (visitor.open(&details).await, format!("{link}/cancel"));
    let late = api.cancel(made.text("token")).await;
    assert_eq!(
        (late.status, late.text("type").ends_with("/refused")),
        (409, true)
    );
    let booked = visitor.open(&link).await;
    assert!(
        booked.html.contains("too late to cancel here"),
        "{}",
        booked.html
    );
    assert!(!booked.html.contains("Cancel this booking"));
    let token = [("csrf".to_owned(), other.field("csrf"))];
    let page = visitor.send(&address, &token).await;
    assert_eq!(
        (page.status, page.heading()),
        (StatusCode::CONFLICT, "This is no longer possible")
    );
    assert!(page.html.contains("too late to cancel"), "{}", page.html);
    // Nobody is asked for what cannot be done, but for what always counts.
    let again = visitor.open(&address).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.html.contains("It is too late to cancel, unless"));
}

#[tokio::test]
async fn search_engines_are_kept_from_what_is_private() {
    let world = World::seeded().await;
    let site = world.site().await;
    let answer = site.api().client.get(site.url("/robots.txt")).send().await;
    let rules = answer.unwrap().text().await.unwrap();
    for private in ["/b/", "/desk", "/api/"] {
        assert!(rules.contains(&format!("Disallow: {private}\n")), "{rules}");
    }
    assert!(!rules.contains("Disallow: /\n"), "{rules}");
}

#[tokio::test]
async fn every_answer_is_protected_and_names_its_release() {
    let world = World::seeded().await;
    let site = world.site().await;
    let client = site.api().client;
    for path in [
        "/",
        "/karoo-cuts",
        "/karoo-cuts/haircut",
        "/nobody",
        "/favicon.ico",
        "/health",
        "/api/v1/businesses",
        "/api/v1/nothing",
    ] {
        let answer = client.get(site.url(path)).send().await.unwrap();
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            !policy.contains("unsafe") && policy.contains("script-src 'self';"),
            "{path}: {policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-release"), crate::site::RELEASE, "{path}");
        assert!(!header("x-request-id").is_empty(), "{path}");
        assert!(!header("cache-control").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_page_that_does_not_exist_leads_back() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    for path in [
        "/nobody",
        "/karoo-cuts/nothing",
        "/b/guess",
        "/b/guess/cancel",
        "/a/b/c/d",
    ] {
        let page = visitor.open(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(page.heading(), "This page does not exist", "{path}");
        assert_eq!(page.links(), ["/"], "{path}");
    }
}

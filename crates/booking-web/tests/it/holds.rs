//! Times that are held while somebody says who they are: for whom, for how long, and what
//! becomes of them.

use std::collections::BTreeSet;

use crate::site::{Page, Visitor, World, filled, run, wish};
use reqwest::{Client, StatusCode, redirect};
use serde_json::json;

const BUSINESS: &str = "the-quiet-room";
/// One person gives it, so whoever holds a time holds it alone.
const SERVICE: &str = "private-yoga";

/// Lets every hold run out.
pub(crate) async fn run_out(world: &World) {
    let pool = world.all().await;
    for statement in [
        "update booking set hold_until = now() - interval '1 s' where state = 'held'",
        "update claim set hold_until = now() - interval '1 s' where hold_until is not null",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

async fn times(visitor: &Visitor) -> Page {
    visitor.open(&format!("/{BUSINESS}/{SERVICE}")).await
}

/// The secret address of what is held, from the address of its form.
fn token(form: &Page) -> &str {
    form.address.split('/').nth(2).unwrap()
}

const HELD: &str = "select count(*) from booking where state = 'held'";

#[tokio::test]
async fn what_is_held_is_kept_from_others_and_confirmed_with_the_same_claims() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let page = times(&visitor).await;
    let start = page.field("start");
    let form = visitor.choose(&page, &start).await;
    assert!(form.html.contains("<strong>Held for you until "));
    assert!(form.html.contains("data-held-for=\"59") || form.html.contains("data-held-for=\"600"));
    let api = site.api();
    assert!(!api.free(BUSINESS, SERVICE, 14).await.contains(&start));
    let other = api.book(BUSINESS, "k", &wish(SERVICE, &start, "o")).await;
    assert_eq!(other.status, 409, "{other:?}");
    assert_eq!(other.body["alternatives"].as_array().unwrap().len(), 3);

    let claims = "select sum(('x' || substr(md5(id::text), 1, 6))::bit(24)::int) from claim
        where active and booking_id = (select id from booking order by id desc limit 1)";
    let before = world.count(claims).await;
    let booked = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(booked.heading(), "You are booked");
    assert_eq!(booked.address, format!("/b/{}", token(&form)));
    assert_eq!(world.count(claims).await, before);
    let ends = "select count(*) from claim where hold_until is not null";
    assert_eq!(world.count(ends).await, 0);
    // The way back to the form leads to the booking.
    let again = visitor.open(&form.address).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn choosing_twice_is_one_hold_and_choosing_otherwise_lets_the_first_go() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let page = times(&visitor).await;
    let start = page.field("start");
    let first = visitor.choose(&page, &start).await;
    let (one, two) = tokio::join!(visitor.choose(&page, &start), visitor.choose(&page, &start));
    assert_eq!(
        (&one.address, &two.address),
        (&first.address, &first.address)
    );

    let again = times(&visitor).await;
    assert!(
        again.html.contains("A time is held for you"),
        "{}",
        again.html
    );
    let other = site.api().free(BUSINESS, SERVICE, 14).await[0].clone();
    let second = visitor.choose(&again, &other).await;
    assert_ne!(second.address, first.address);
    assert_eq!(world.count(HELD).await, 1);
    let free = site.api().free(BUSINESS, SERVICE, 14).await;
    assert!(free.contains(&start) && !free.contains(&other));
    // Whoever had the form of the first open still gets it, for it is free.
    let booked = visitor.send(&first.address, &filled(&first)).await;
    assert_eq!(booked.heading(), "You are booked");
}

#[tokio::test]
async fn another_time_that_is_gone_leaves_what_is_held() {
    let world = World::seeded().await;
    let site = world.site().await;
    let (visitor, api) = (site.visitor(), site.api());
    let page = times(&visitor).await;
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let form = visitor.choose(&page, &free[0]).await;
    let far = free.last().unwrap();
    api.book(BUSINESS, "faster", &wish(SERVICE, far, "f")).await;
    let gone = visitor.choose(&page, far).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.html.contains("That time has just been taken"));
    assert!(gone.html.contains("Nearest free times"));
    let booked = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(booked.heading(), "You are booked");
}

#[tokio::test]
async fn a_hold_is_extended_once_and_what_was_typed_stays() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let page = times(&visitor).await;
    let form = visitor.choose(&page, &page.field("start")).await;
    let address = format!("/b/{}/extend", token(&form));
    assert!(form.html.contains(&format!("formaction=\"{address}\"")));
    for _ in 0..2 {
        let longer = visitor.send(&address, &filled(&form)).await;
        assert!(longer.html.contains("value=\"Thandi Nkosi\""));
        assert!(!longer.html.contains("formaction"));
    }
    let extended = "select count(*) from booking where hold_extended
        and hold_until between now() + interval '19 min' and now() + interval '20 min'";
    assert_eq!(world.count(extended).await, 1);
}

#[tokio::test]
async fn what_has_run_out_is_for_others_and_for_its_own_visitor_while_it_is_free() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let page = times(&visitor).await;
    let start = page.field("start");
    let form = visitor.choose(&page, &start).await;
    run_out(&world).await;
    let over = visitor.open(&form.address).await;
    assert!(over.html.contains("This time is no longer held"));

    let made = site
        .api()
        .book(BUSINESS, "k", &wish(SERVICE, &start, "other"))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let gone = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.html.contains("That time has just been taken"));
    assert!(gone.html.contains("value=\"Thandi Nkosi\""));
    // Another time is chosen in the same form.
    let booked = visitor
        .send("/the-quiet-room/private-yoga/details", &filled(&gone))
        .await;
    assert_eq!(booked.heading(), "You are booked");

    let cancelled = site.api().cancel(made.text("token")).await;
    assert_eq!(cancelled.status, 200);
    let booked = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(booked.heading(), "You are booked");
    assert_eq!(booked.address, format!("/b/{}", token(&form)));
}

#[tokio::test]
async fn the_sweeper_gives_back_what_has_run_out_and_nothing_else() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let want = |start: &str| json!({ "service": SERVICE, "start": start });
    let (first, last) = (&free[0], free.last().unwrap());
    api.hold(BUSINESS, "a", &want(first), "41.0.0.1").await;
    run_out(&world).await;
    let kept = api.hold(BUSINESS, "b", &want(last), "41.0.0.1").await;
    let version = "select sum(version)::bigint from lane";
    let before = world.count(version).await;
    run("sweep", &world.database.url()).unwrap();
    run("sweep", &world.database.url()).unwrap();
    // Of the one who gives it, and of the room that it needs.
    assert_eq!(world.count(version).await, before + 2);
    assert_eq!(world.count(HELD).await, 1);
    let swept = "select count(*) from booking b where state = 'expired'
        and not exists (select from claim c where c.booking_id = b.id and c.active)
        and exists (select from audit a where a.subject = b.id and a.actor = 'clock'
            and a.action = 'booking.expired' and a.before->>'state' = 'held')";
    assert_eq!(world.count(swept).await, 1);
    let read = api
        .get(&format!("/api/v1/bookings/{}", kept.text("token")))
        .await;
    assert_eq!(read.text("state"), "held");
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_books_too() {
    let world = World::seeded().await;
    let site = world.site().await;
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    let visitor = Visitor {
        client,
        address: site.address.clone(),
    };
    let page = times(&visitor).await;
    let start = page.field("start");
    let (form, twice) = tokio::join!(visitor.choose(&page, &start), visitor.choose(&page, &start));
    assert_eq!(form.address, twice.address);
    // The way back to the times knows what is held.
    let back = form.links().into_iter().find(|link| link.contains("hold="));
    let again = visitor
        .open(&back.unwrap().replace("&amp;", "&").replace("&#38;", "&"))
        .await;
    assert_eq!(again.field("hold"), token(&form));
    let booked = visitor.send(&form.address, &filled(&form)).await;
    assert_eq!(booked.heading(), "You are booked");
    let ask = visitor.open(&format!("{}/cancel", booked.address)).await;
    let fields = [("csrf".to_owned(), ask.field("csrf"))];
    let cancelled = visitor.send(&ask.address, &fields).await;
    assert_eq!(cancelled.heading(), "Your booking is cancelled");
}

#[tokio::test]
async fn nobody_can_hold_everything_and_nobody_is_kept_from_booking() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let (business, service) = ("karoo-cuts", "beard-trim");
    let free = api.free(business, service, 31).await;
    let mut statuses = Vec::new();
    for (n, start) in free.iter().step_by(4).take(24).enumerate() {
        let want = json!({ "service": service, "start": start });
        let said = api
            .hold(business, &format!("k{n}"), &want, "41.0.0.1")
            .await;
        statuses.push(said.status);
    }
    let held = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!((held, statuses[23]), (20, 429), "{statuses:?}");
    let want = json!({ "service": service, "start": free[free.len() - 1] });
    let elsewhere = api.hold(business, "e", &want, "41.0.0.2").await;
    assert_eq!(elsewhere.status, 201, "{elsewhere:?}");

    // A person there still gets the form, without a hold, and the booking.
    let visitor = site.visitor();
    let page = visitor.open(&format!("/{business}/{service}")).await;
    let free = api.free(business, service, 31).await;
    let sent = visitor
        .client
        .post(site.url(&format!("/{business}/{service}/hold")))
        .header("x-forwarded-for", "41.0.0.1")
        .form(&[("csrf", page.field("csrf")), ("start", free[0].clone())]);
    let answer = sent.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let form = visitor
        .open(answer.headers()["location"].to_str().unwrap())
        .await;
    assert!(!form.html.contains("Held for you"));
    let path = format!("/{business}/{service}/details");
    let booked = visitor.send(&path, &filled(&form)).await;
    assert_eq!(booked.heading(), "You are booked");
}

#[tokio::test]
async fn a_program_holds_extends_and_confirms_or_lets_go() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free(BUSINESS, SERVICE, 14).await;
    let want = json!({ "service": SERVICE, "start": free[0] });
    let held = api.hold(BUSINESS, "h", &want, "41.0.0.1").await;
    assert_eq!((held.status, held.text("state")), (201, "held"), "{held:?}");
    let again = api.hold(BUSINESS, "h", &want, "41.0.0.1").await;
    assert_eq!(again.body, held.body);
    let token = held.text("token");
    let longer = api
        .post(&format!("/api/v1/bookings/{token}/extend"), "x", &json!({}))
        .await;
    assert!(longer.text("held_until") > held.text("held_until"));

    let person = json!({ "hold": token, "name": "Thandi", "email": "t@example.co.za" });
    let made = api.book(BUSINESS, "b", &person).await;
    assert_eq!(
        (made.status, made.text("state")),
        (201, "confirmed"),
        "{made:?}"
    );
    assert_eq!(made.text("id"), held.text("id"));
    assert_eq!(api.book(BUSINESS, "b", &person).await.body, made.body);
    let other = json!({ "hold": token, "name": "Sipho", "email": "t@example.co.za" });
    assert_eq!(api.book(BUSINESS, "b", &other).await.status, 422);

    let want = json!({ "service": SERVICE, "start": free.last().unwrap() });
    let held = api.hold(BUSINESS, "h2", &want, "41.0.0.1").await;
    let let_go = api.cancel(held.text("token")).await;
    assert_eq!((let_go.status, let_go.text("state")), (200, "expired"));
    assert!(
        api.free(BUSINESS, SERVICE, 31)
            .await
            .contains(free.last().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_hold_confirmed_by_many_at_once_is_one_booking_and_one_answer() {
    let world = World::seeded().await;
    let (old, new) = tokio::join!(world.release("old"), world.release("new"));
    let start = old.api().free(BUSINESS, SERVICE, 14).await[0].clone();
    let want = json!({ "service": SERVICE, "start": start });
    let held = old.api().hold(BUSINESS, "h", &want, "41.0.0.1").await;
    let person = json!({ "hold": held.text("token"), "name": "T", "email": "t@example.co.za" });
    let attempts = (0..20).map(|n| {
        // Held by one release, confirmed at both.
        let api = if n % 2 == 0 { old.api() } else { new.api() };
        let (key, person) = (format!("k{n}"), person.clone());
        async move { api.book(BUSINESS, &key, &person).await }
    });
    let said = futures_util::future::join_all(attempts).await;
    let bodies: BTreeSet<_> = said
        .iter()
        .map(|s| (s.status, s.body.to_string()))
        .collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(said[0].status, 201);
    let confirmed = "select count(*) from audit where action = 'booking.confirmed'
        and before is not null";
    assert_eq!(world.count(confirmed).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_hold_against_its_confirmation_has_one_outcome() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    for round in 0..12 {
        let start = api.free(BUSINESS, SERVICE, 31).await[0].clone();
        let want = json!({ "service": SERVICE, "start": start });
        let held = api
            .hold(BUSINESS, &format!("h{round}"), &want, "41.0.0.1")
            .await;
        assert_eq!(held.status, 201, "{held:?}");
        run_out(&world).await;
        let person = json!({ "hold": held.text("token"), "name": "T", "email": "t@example.co.za" });
        let key = format!("c{round}");
        let other = wish(SERVICE, &start, &format!("other-{round}"));
        let url = world.database.url();
        let sweep = tokio::task::spawn_blocking(move || run("sweep", &url));
        let theirs = format!("o{round}");
        let (confirmed, booked, swept) = tokio::join!(
            api.book(BUSINESS, &key, &person),
            api.book(BUSINESS, &theirs, &other),
            sweep
        );
        swept.unwrap().unwrap();
        let mut statuses = [confirmed.status, booked.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{confirmed:?} {booked:?}");
        let read = api
            .get(&format!("/api/v1/bookings/{}", held.text("token")))
            .await;
        let is_ours = confirmed.status == 201;
        assert_eq!(read.text("state") == "confirmed", is_ours, "{read:?}");
    }
    assert_eq!(crate::claims::invariants(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_whose_holds_ran_out_get_each_others_times_and_nobody_waits_in_a_circle() {
    let world = World::seeded().await;
    let site = world.site().await;
    let free = site.api().free(BUSINESS, SERVICE, 31).await;
    // A visit takes several of the times that are offered; these have nothing in common.
    let starts: Vec<&String> = free.iter().step_by(free.len() / 6).take(5).collect();
    for _ in 0..4 {
        let mut visitors = Vec::new();
        for start in &starts {
            let visitor = site.visitor();
            let page = times(&visitor).await;
            let form = visitor.choose(&page, start).await;
            assert_eq!(form.heading(), "Your details");
            visitors.push((visitor, page));
        }
        run_out(&world).await;
        let wishes = visitors.iter().enumerate().map(|(n, (visitor, page))| {
            let next = starts[(n + 1) % starts.len()];
            visitor.choose(page, next)
        });
        for page in futures_util::future::join_all(wishes).await {
            assert_eq!(
                (page.status, page.heading()),
                (StatusCode::OK, "Your details")
            );
        }
        assert_eq!(world.count(HELD).await, 5);
        run_out(&world).await;
    }
    assert_eq!(crate::claims::invariants(&world).await, [""; 0]);
}

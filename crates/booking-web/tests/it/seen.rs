//! Who of the staff, and which programs, saw whom; and what the privacy desk does about
//! customers and incidents.

use crate::privacy::visited;
use crate::site::{World, wish};
use reqwest::StatusCode;
use uuid::Uuid;

const OWNER: &str = "owner@karoo-cuts.example";

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_drill_finds_exactly_those_whom_a_stolen_sign_in_saw() {
    let world = World::seeded().await;
    let site = world.site().await;
    for who in ["zandile", "lerato", "johan"] {
        visited(&world, &site, who).await;
    }
    let pool = world.all().await;
    let thief: Uuid = sqlx::query_scalar("select id from account where email = $1")
        .bind("manager@karoo-cuts.example")
        .fetch_one(&pool)
        .await
        .unwrap();
    // Whoever signs in sees who comes today; here nobody does.
    sqlx::query(
        "update booking set starts_at = starts_at + interval '40 days',
             ends_at = ends_at + interval '40 days', version = version + 1
         where starts_at between now() - interval '2 days' and now() + interval '2 days'",
    )
    .execute(&pool)
    .await
    .unwrap();
    let stolen = site.visitor();
    stolen.sign_in("manager@karoo-cuts.example").await;
    let search = stolen.open("/desk/karoo-cuts/customers?q=zandile").await;
    assert!(search.html.contains("zandile@example.co.za"));
    let elsewhere = site.visitor();
    elsewhere.sign_in(OWNER).await;
    let search = elsewhere.open("/desk/karoo-cuts/customers?q=johan").await;
    assert!(search.html.contains("johan@example.co.za"));
    // It has moved a booking of nobody else.
    let wall = |hours: i64| {
        let zone = jiff::tz::TimeZone::get("Africa/Johannesburg").unwrap();
        let at = chassis::Clock::system().now() - jiff::SignedDuration::from_hours(hours);
        zone.to_datetime(at).strftime("%Y-%m-%dT%H:%M").to_string()
    };
    let staff = site.visitor();
    staff.sign_in(OWNER).await;
    let form = staff.open("/desk/karoo-cuts/privacy/incidents").await;
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("what", "A telephone was stolen"),
        pair("began", &wall(1)),
        pair("ended", &wall(-1)),
        pair("account", &thief.to_string()),
        pair("consequences", "Calls from strangers"),
        pair("measures", "The sign-in was ended"),
        pair("advice", "Do not pay them"),
        pair("intruder", ""),
    ];
    let incident = staff
        .send("/desk/karoo-cuts/privacy/incidents", &fields)
        .await;
    assert!(
        incident.html.contains("It is about 1 person"),
        "{}",
        incident.html
    );
    assert!(incident.html.contains("zandile@example.co.za"));
    for other in ["lerato@", "johan@"] {
        assert!(!incident.html.contains(other), "{other}");
    }
    for said in [
        "section 22",
        "Calls from strangers",
        "Do not pay them",
        "It is not known.",
    ] {
        assert!(incident.html.contains(said), "{said}");
    }
    let told = [
        pair("csrf", &incident.field("csrf")),
        pair("reference", "IR-2026-77"),
        pair("delay", "It was a Sunday"),
        pair("reported", "yes"),
    ];
    let kept = staff.send(&incident.address, &told).await;
    assert!(kept.html.contains("IR-2026-77") && kept.html.contains("It was a Sunday"));
    let reported = "select count(*) from incident where reported_at is not null
                    and people_told_at is null";
    assert_eq!(world.count(reported).await, 1);
    // What was told cannot be untold, and too much is said beside its field.
    staff.send(&incident.address, &told[..3]).await;
    assert_eq!(world.count(reported).await, 1);
    let long = [
        pair("csrf", &incident.field("csrf")),
        pair("reference", &"x".repeat(101)),
        pair("delay", "It was a Sunday"),
    ];
    let refused = staff.send(&incident.address, &long).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.html.contains("id=\"reference-error\""),
        "{}",
        refused.html
    );
    let written =
        "select count(*) from audit where action in ('incident.entered', 'incident.told')";
    assert_eq!(world.count(written).await, 3);
}

#[tokio::test]
async fn an_incident_that_is_not_whole_is_shown_again_with_its_problems() {
    let world = World::seeded().await;
    let site = world.site().await;
    let staff = site.visitor();
    staff.sign_in(OWNER).await;
    let path = "/desk/karoo-cuts/privacy/incidents";
    let form = staff.open(path).await;
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("what", "A telephone was stolen"),
        pair("began", "-004800-01-01T08:00"),
        pair("ended", ""),
        pair("account", "nobody"),
        pair("intruder", &"x".repeat(501)),
    ];
    let refused = staff.send(path, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in [
        "began", "ended", "account", "intruder", "measures", "advice",
    ] {
        let beside = format!("id=\"{field}-error\"");
        assert!(
            refused.html.contains(&beside),
            "{field} in {}",
            refused.html
        );
    }
    assert!(refused.html.contains("A telephone was stolen"));
    assert_eq!(world.count("select count(*) from incident").await, 0);
}

/// Who saw the customer of that name since the log was emptied.
async fn seen_by(world: &World, who: &str) -> (i64, i64) {
    let pool = world.all().await;
    let counts = sqlx::query_as(
        "select count(account_id), count(key_id) from access_log
         join customer on customer.id = customer_id
         where email = $1 || '@example.co.za' and action = 'saw'",
    )
    .bind(who)
    .fetch_one(&pool)
    .await
    .unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let mut transaction = sqlx::Connection::begin(&mut *connection).await.unwrap();
    for statement in [
        "select set_config('booking.retention', 'on', true)",
        "delete from access_log",
    ] {
        sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    drop(connection);
    pool.close().await;
    counts
}

#[tokio::test]
async fn every_page_that_shows_a_customer_writes_down_who_saw_them() {
    let world = World::seeded().await;
    let site = world.site().await;
    visited(&world, &site, "zandile").await;
    let pool = world.all().await;
    let (id, other, day): (Uuid, Uuid, String) = sqlx::query_as(
        "select customer.id, (select id from customer where email <> 'zandile@example.co.za'
                 and business_id = booking.business_id order by id limit 1),
             (starts_at at time zone 'Africa/Johannesburg')::date::text
         from customer join booking on customer_id = customer.id
         where email = 'zandile@example.co.za'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into outbox (id, business_id, dedupe_key, channel, kind, booking_id, send_after,
             state)
         select gen_random_uuid(), business_id, 'a', 'email', 'confirmed', id, now(), 'dead'
         from booking where customer_id = $1",
    )
    .bind(id)
    .execute(&pool)
    .await
    .unwrap();
    let staff = site.visitor();
    staff.sign_in(OWNER).await;
    seen_by(&world, "zandile").await;
    for path in [
        "customers?q=zandile".to_owned(),
        format!("customers/{id}"),
        format!("customers/{id}/merge"),
        format!("customers/{other}/merge?q=zandile"),
        format!("customers/{other}/merge?other={id}"),
        format!("calendar?day={day}"),
        format!("calendar/week?day={day}"),
        "messages".to_owned(),
        format!("privacy?customer={id}"),
    ] {
        let page = staff.open(&format!("/desk/karoo-cuts/{path}")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(seen_by(&world, "zandile").await, (1, 0), "{path}");
    }
    // The same list again says nothing new.
    for _ in 0..3 {
        staff.open("/desk/karoo-cuts/customers?q=zandile").await;
    }
    assert_eq!(seen_by(&world, "zandile").await, (1, 0));
    let scopes = ["read:bookings", "read:customers"].map(str::to_owned);
    for (secret, scopes) in [("bk_all", &scopes[..]), ("bk_some", &scopes[..1])] {
        sqlx::query(
            "insert into api_key (id, business_id, name, prefix, secret_hash, scopes, created_at)
             select gen_random_uuid(), id, 'test', 'bk_test0000', $1, $2, now() from business
             where slug = 'karoo-cuts'",
        )
        .bind(blake3::hash(secret.as_bytes()).as_bytes().as_slice())
        .bind(scopes)
        .execute(&pool)
        .await
        .unwrap();
    }
    let bookings = format!("bookings?from={day}&until={day}");
    for (secret, path, expected) in [
        ("bk_all", "customers?email=Zandile@example.co.za", (0, 1)),
        ("bk_all", bookings.as_str(), (0, 1)),
        ("bk_some", bookings.as_str(), (0, 0)),
    ] {
        let address = site.url(&format!("/api/v1/businesses/karoo-cuts/{path}"));
        let answer = site.api().client.get(address).bearer_auth(secret).send();
        assert_eq!(answer.await.unwrap().status(), 200, "{path}");
        assert_eq!(
            seen_by(&world, "zandile").await,
            expected,
            "{secret} {path}"
        );
    }
    pool.close().await;
}

#[tokio::test]
async fn a_customer_without_an_address_can_be_given_a_copy_held_and_erased() {
    let world = World::seeded().await;
    let site = world.site().await;
    let staff = site.visitor();
    staff.sign_in(OWNER).await;
    let form = staff.open("/desk/karoo-cuts/customers/new").await;
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("name", "Nomvula Quetzal"),
        pair("phone", "082 555 0199"),
    ];
    let page = staff.send("/desk/karoo-cuts/customers/new", &fields).await;
    let links = page.links();
    let ask = links
        .iter()
        .find(|link| link.contains("/privacy?customer="));
    let form = staff.open(ask.unwrap()).await;
    assert!(
        form.html.contains("It is about Nomvula Quetzal"),
        "{}",
        form.html
    );
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("customer", &form.field("customer")),
        pair("kind", "erasure"),
        pair("channel", "phone"),
        pair("details", "She rang"),
    ];
    let request = staff.send("/desk/karoo-cuts/privacy", &fields).await;
    let address = request.address.clone();
    let copy = staff.open(&format!("{address}/copy")).await;
    assert!(copy.html.contains("+27825550199"), "{}", copy.html);
    let act = |act: &str, words: &str| {
        [
            pair("csrf", &request.field("csrf")),
            pair("act", act),
            pair("words", words),
        ]
    };
    staff.send(&address, &act("hold", "A dispute")).await;
    let held = staff.send(&address, &act("erase", "Done.")).await;
    assert!(held.html.contains("A hold stands"), "{}", held.html);
    staff.send(&address, &act("lift", "It is settled")).await;
    let again = staff.send("/desk/karoo-cuts/privacy", &fields).await;
    let done = staff.send(&address, &act("erase", "Done.")).await;
    assert!(done.html.contains("Erased."), "{}", done.html);
    let left = "select count(*) from customer where name like '%Quetzal' or phone like '%5550199'";
    assert_eq!(world.count(left).await, 0);
    // Asked for twice, the second request is answered too.
    let done = staff.send(&again.address, &act("erase", "Done.")).await;
    assert!(done.html.contains("Erased."), "{}", done.html);
    let open = "select count(*) from privacy_request where state = 'open'";
    assert_eq!(world.count(open).await, 0);
    let written = "select count(*) from audit where action = 'privacy.asked'";
    assert_eq!(world.count(written).await, 2);
    // Whoever was erased is nobody's customer any more.
    let id = page.address.split(['?', '/']).nth(4).unwrap();
    for path in [
        format!("customers/{id}"),
        format!("customers/{id}/merge"),
        format!("privacy?customer={id}"),
    ] {
        let page = staff.open(&format!("/desk/karoo-cuts/{path}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    let found = staff.open("/desk/karoo-cuts/customers?q=erased").await;
    assert!(!found.html.contains(id), "{}", found.html);
}

#[tokio::test]
async fn whoever_changes_a_booking_has_seen_its_customer() {
    let world = World::seeded().await;
    let site = world.site().await;
    let api = site.api();
    let free = api.free("karoo-cuts", "haircut", 31).await;
    let wish = wish("haircut", free.last().unwrap(), "quetzal");
    let made = api.book("karoo-cuts", "k", &wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    let pool = world.all().await;
    let (booking, staff, day): (Uuid, Uuid, String) = sqlx::query_as(
        "select id, staff_id, (starts_at at time zone 'Africa/Johannesburg')::date::text
         from booking where id = $1::uuid",
    )
    .bind(made.text("id"))
    .fetch_one(&pool)
    .await
    .unwrap();
    let who = wish["email"].as_str().unwrap().split('@').next().unwrap();
    let owner = site.visitor();
    owner.sign_in(OWNER).await;
    seen_by(&world, who).await;
    for path in [
        format!("bookings/{booking}/move"),
        format!("bookings/{booking}/cancel"),
        format!("bookings/{booking}/repeat"),
        format!("time-off/new?staff={staff}&from={day}&until={day}&reason=other"),
    ] {
        let page = owner.open(&format!("/desk/karoo-cuts/{path}")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(seen_by(&world, who).await, (1, 0), "{path}");
    }
}

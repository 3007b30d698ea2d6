//! What somebody can ask about their data, from the public page to the answer, and what a
//! neighbour cannot.

use crate::site::{Page, Site, Visitor, World, filled, wish};
use reqwest::StatusCode;
use serde_json::Value;
use uuid::Uuid;

const OWNER: &str = "owner@karoo-cuts.example";

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

async fn ask(visitor: &Visitor, kind: &str, email: &str) -> Page {
    let form = visitor.open("/karoo-cuts/privacy/request").await;
    assert_eq!(form.status, StatusCode::OK);
    let fields = [
        ("csrf".to_owned(), form.field("csrf")),
        pair("kind", kind),
        pair("email", email),
        pair("details", "Please."),
    ];
    visitor.send("/karoo-cuts/privacy/request", &fields).await
}

/// The path in the mail that waits for that address.
async fn link(world: &World, email: &str) -> Option<String> {
    let pool = world.all().await;
    let content: Option<String> = sqlx::query_scalar(
        "select content from outbox where kind = 'privacy.request' and recipient = $1
         order by id desc limit 1",
    )
    .bind(email)
    .fetch_optional(&pool)
    .await
    .unwrap();
    pool.close().await;
    let content: Value = serde_json::from_str(&content?).unwrap();
    Some(content["path"].as_str().unwrap().to_owned())
}

/// Books the first free time for `who`, and moves it into last week.
async fn visited(world: &World, site: &Site, who: &str) {
    let api = site.api();
    let start = &api.free("karoo-cuts", "haircut", 14).await[0];
    let said = api
        .book("karoo-cuts", who, &wish("haircut", start, who))
        .await;
    assert_eq!(said.status, 201, "{said:?}");
    let pool = world.all().await;
    sqlx::query(
        "update booking set starts_at = now() - interval '7 days',
             ends_at = now() - interval '167 hours', version = version + 1
         where customer_id = (select id from customer where email = $1)",
    )
    .bind(format!("{who}@example.co.za"))
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
}

#[tokio::test]
async fn a_stranger_who_asks_learns_nothing_and_whoever_reads_the_mail_gets_a_copy_once() {
    let world = World::seeded().await;
    let site = world.site().await;
    visited(&world, &site, "zandile").await;
    let visitor = site.visitor();
    let known = ask(&visitor, "access", "zandile@example.co.za").await;
    let unknown = ask(&visitor, "access", "nobody@example.co.za").await;
    assert_eq!(known.html, unknown.html);
    assert_eq!(known.heading(), "Look into your mail");

    let path = link(&world, "zandile@example.co.za").await.unwrap();
    // Looking changes nothing: scanners follow links.
    let page = visitor.open(&path).await;
    assert_eq!(visitor.open(&path).await.status, StatusCode::OK);
    let answer = |page: &Page, how: &str| [pair("csrf", &page.field("csrf")), pair("answer", how)];
    let copy = visitor.send(&path, &answer(&page, "page")).await;
    assert!(copy.html.contains("zandile@example.co.za"), "{}", copy.html);
    assert!(copy.html.contains("+27821234567"));
    assert_eq!(visitor.open(&path).await.status, StatusCode::NOT_FOUND);

    let path = link(&world, "nobody@example.co.za").await.unwrap();
    let page = visitor.open(&path).await;
    let none = visitor.send(&path, &answer(&page, "page")).await;
    assert!(none.heading().contains("keeps nothing under this address"));
    // Nobody is annoyed: more than three mails a day are not sent, and nobody is told.
    for _ in 0..5 {
        let again = ask(&visitor, "access", "zandile@example.co.za").await;
        assert_eq!(again.html, unknown.html);
    }
    let mails = "select count(*) from outbox where kind = 'privacy.request'
                 and recipient = 'zandile@example.co.za'";
    assert_eq!(world.count(mails).await, 3);
    // The link of one business is not one of another.
    let path = link(&world, "zandile@example.co.za").await.unwrap();
    let elsewhere = path.replace("/karoo-cuts/", "/bluff-physio/");
    assert_eq!(visitor.open(&elsewhere).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_erasure_is_asked_decided_and_done_and_leaves_nothing_in_database_or_cache() {
    let world = World::seeded().await;
    let site = world.site().await;
    visited(&world, &site, "zandile").await;
    let visitor = site.visitor();
    ask(&visitor, "erasure", "zandile@example.co.za").await;
    let path = link(&world, "zandile@example.co.za").await.unwrap();
    let page = visitor.open(&path).await;
    let yes = [pair("csrf", &page.field("csrf")), pair("answer", "yes")];
    let told = visitor.send(&path, &yes).await;
    assert_eq!(told.heading(), "Karoo Cuts has your request");

    let staff = site.visitor();
    staff.sign_in(OWNER).await;
    let list = staff.open("/desk/karoo-cuts/privacy").await;
    let request = list
        .links()
        .into_iter()
        .find(|link| link.contains("/requests/"))
        .unwrap();
    let page = staff.open(&request).await;
    assert!(page.html.contains("zandile@example.co.za"));
    let copy = staff.open(&format!("{request}/copy")).await;
    assert!(copy.html.contains("+27821234567"));
    let act = |page: &Page, act: &str, words: &str| {
        [
            pair("csrf", &page.field("csrf")),
            pair("act", act),
            pair("words", words),
        ]
    };
    let silent = staff.send(&request, &act(&page, "erase", "")).await;
    assert_eq!(silent.status, StatusCode::CONFLICT);
    staff.send(&request, &act(&page, "hold", "A dispute")).await;
    let held = staff.send(&request, &act(&page, "erase", "Done.")).await;
    assert!(held.html.contains("A hold stands"), "{}", held.html);
    staff.send(&request, &act(&page, "lift", "")).await;
    let done = staff
        .send(&request, &act(&page, "erase", "It is done."))
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.html);
    assert!(done.html.contains("Erased."));

    let log = staff.open("/desk/karoo-cuts/privacy/access").await;
    assert!(log.html.contains("Took out") && log.html.contains("Erased"));
    assert!(!log.html.contains("zandile"), "the log holds no values");
    // The answer is on its way, and forgets the address when it is sent.
    let waiting =
        "select count(*) from outbox where kind = 'privacy.outcome' and recipient is not null";
    assert_eq!(world.count(waiting).await, 1);
    let pool = world.all().await;
    sqlx::query("delete from outbox where kind = 'privacy.outcome'")
        .execute(&pool)
        .await
        .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class
         where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    for table in tables {
        let query =
            format!("select count(*) from \"{table}\" as t where t::text ilike '%zandile%'");
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    pool.close().await;
    let client = redis::Client::open(world.redis.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS")
        .arg("*")
        .query_async(&mut connection)
        .await
        .unwrap();
    for key in keys {
        let value: Vec<u8> = redis::cmd("DUMP")
            .arg(&key)
            .query_async(&mut connection)
            .await
            .unwrap();
        for bytes in [key, value] {
            assert!(
                !String::from_utf8_lossy(&bytes)
                    .to_lowercase()
                    .contains("zandile")
            );
        }
    }
}

#[tokio::test]
async fn who_wants_no_messages_gets_none_after_an_erasure() {
    let world = World::seeded().await;
    let site = world.site().await;
    visited(&world, &site, "zandile").await;
    let pool = world.all().await;
    sqlx::query(
        "insert into suppression (business_id, channel, address_hash, created_at)
         select business_id, 'email', sha256('an address'), now() from customer
         where email = 'zandile@example.co.za'",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query("insert into retention_policy select id, 'contact', 3 from business")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("update customer set created_at = now() - interval '9 days'")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let worker = crate::work::Worker::start(&world, "smtp://127.0.0.1:9", &[]).await;
    let gone = "select count(*) from customer where email = 'zandile@example.co.za'";
    crate::site::until("the customer is erased", async || {
        (world.count(gone).await == 0).then_some(())
    })
    .await;
    drop(worker);
    assert_eq!(world.count("select count(*) from suppression").await, 1);
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
    for (who, account, hours) in [
        ("zandile", thief, 3),
        ("lerato", thief, 30),
        ("johan", Uuid::max(), 3),
    ] {
        sqlx::query(
            "insert into access_log (id, business_id, at, account_id, customer_id, action)
             select gen_random_uuid(), business_id, now() - make_interval(hours => $3), $2, id, 'saw'
             from customer where email = $1",
        )
        .bind(format!("{who}@example.co.za"))
        .bind(account)
        .bind(hours)
        .execute(&pool)
        .await
        .unwrap();
    }
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
        pair("began", &wall(5)),
        pair("ended", &wall(1)),
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
}

#[tokio::test]
async fn only_the_owner_sees_who_saw_whom_and_nobody_sees_it_from_outside() {
    let world = World::seeded().await;
    let site = world.site().await;
    for (who, place, expected) in [
        ("manager@karoo-cuts.example", "privacy", StatusCode::OK),
        (
            "manager@karoo-cuts.example",
            "privacy/access",
            StatusCode::FORBIDDEN,
        ),
        (
            "manager@karoo-cuts.example",
            "privacy/incidents",
            StatusCode::FORBIDDEN,
        ),
        ("desk@karoo-cuts.example", "privacy", StatusCode::FORBIDDEN),
        (
            "owner@bluff-physio.example",
            "privacy",
            StatusCode::NOT_FOUND,
        ),
    ] {
        let visitor = site.visitor();
        visitor.sign_in(who).await;
        let page = visitor.open(&format!("/desk/karoo-cuts/{place}")).await;
        assert_eq!(page.status, expected, "{who} at {place}");
    }
    let stranger = site.visitor().open("/desk/karoo-cuts/privacy").await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_name_of_any_kind_is_booked_shown_and_never_run() {
    let world = World::seeded().await;
    let site = world.site().await;
    let long = "N".repeat(200);
    let visitor = site.visitor();
    for (number, name) in [
        "Sipho",
        "Zoë Ångström-O’Brien",
        "محمد بن علي",
        long.as_str(),
        "<script>alert(1)</script>",
    ]
    .into_iter()
    .enumerate()
    {
        let times = visitor.open("/karoo-cuts/haircut").await;
        let start = times.field("start");
        let form = visitor
            .open(&format!("/karoo-cuts/haircut/details?start={start}"))
            .await;
        let mut fields = filled(&form);
        for (field, value) in &mut fields {
            match field.as_str() {
                "name" => name.clone_into(value),
                "email" => *value = format!("name{number}@example.co.za"),
                _ => {}
            }
        }
        let booked = visitor.send(&form.address, &fields).await;
        assert_eq!(booked.heading(), "You are booked", "{name}");
        ask(&visitor, "access", &format!("name{number}@example.co.za")).await;
        let path = link(&world, &format!("name{number}@example.co.za"))
            .await
            .unwrap();
        let page = visitor.open(&path).await;
        let yes = [pair("csrf", &page.field("csrf")), pair("answer", "page")];
        let copy = visitor.send(&path, &yes).await;
        let shown = name.replace('<', "&#60;").replace('>', "&#62;");
        assert!(copy.html.contains(&shown), "{name} in {}", copy.html);
        assert!(!copy.html.contains("<script"));
    }
    let kept = "select count(distinct name) from customer where email like 'name%@example.co.za'";
    assert_eq!(world.count(kept).await, 5);
}

#[tokio::test]
async fn a_booking_keeps_the_notice_word_for_word_and_news_are_agreed_to_apart() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let times = visitor.open("/karoo-cuts/haircut?lang=af").await;
    let start = times.field("start");
    let form = visitor
        .open(&format!("/karoo-cuts/haircut/details?start={start}"))
        .await;
    assert!(
        form.html.contains("href=\"/karoo-cuts/privacy\""),
        "no notice before the form"
    );
    assert!(
        !form.html.contains("type=\"checkbox\""),
        "a booking needs no box to tick"
    );
    let booked = visitor.send(&form.address, &filled(&form)).await;
    let notice = visitor.open("/karoo-cuts/privacy").await;
    let pool = world.all().await;
    let (language, channel, wording): (String, String, String) = sqlx::query_as(
        "select consent.language, consent.channel, wording
         from consent join notice using (business_id, wording_hash)
         where purpose = 'carry-out-booking' and consent.channel is not null",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((language.as_str(), channel.as_str()), ("af", "page"));
    for line in wording.lines() {
        let line = line.replace('\'', "&#39;");
        assert!(notice.html.contains(&line), "{line} is not in the notice");
    }
    let marketing = format!("{}/marketing", booked.address);
    let said = "select count(*) from consent where purpose = 'marketing'";
    assert_eq!(world.count(said).await, 0);
    // Looking is not agreeing.
    let page = visitor.open(&marketing).await;
    assert_eq!(world.count(said).await, 0);
    let answer =
        |page: &Page, what: &str| [pair("csrf", &page.field("csrf")), pair("answer", what)];
    let on = visitor.send(&marketing, &answer(&page, "yes")).await;
    assert!(on.html.contains("Jy het ingestem"), "{}", on.html);
    visitor.send(&marketing, &answer(&page, "yes")).await;
    assert_eq!(world.count(said).await, 1);
    let off = visitor.send(&marketing, &answer(&on, "no")).await;
    assert!(off.html.contains("geen nuus"), "{}", off.html);
    assert_eq!(world.count(said).await, 2, "what was said stays said");
    // The booking does not depend on it.
    assert_eq!(visitor.open(&booked.address).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_address_of_a_business_is_never_given_to_another() {
    let world = World::seeded().await;
    let pool = world.all().await;
    let refused = sqlx::query(
        "insert into business (id, slug, name, zone, currency, created_at)
         values (gen_random_uuid(), 'karoo-cuts', 'Taken over', 'Africa/Johannesburg', 'ZAR', now())",
    )
    .execute(&pool)
    .await
    .unwrap_err();
    assert!(
        refused.to_string().contains("business_slug_unique"),
        "{refused}"
    );
    pool.close().await;
    // And no service can stand where a page of ours does.
    let reserved = world
        .count("select count(*) from pg_constraint where conname = 'service_slug_free'")
        .await;
    assert_eq!(reserved, 1);
}

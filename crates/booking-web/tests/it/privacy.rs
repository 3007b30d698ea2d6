//! What somebody can ask about their data, from the public page to the answer, and what a
//! neighbour cannot.

use crate::site::{Page, Site, Visitor, World, filled, wish};
use reqwest::StatusCode;
use serde_json::Value;

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
pub(crate) async fn visited(world: &World, site: &Site, who: &str) {
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
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        silent.html.contains("id=\"words-error\""),
        "{}",
        silent.html
    );
    let long = "A dispute ".repeat(60);
    let long = staff.send(&request, &act(&page, "hold", &long)).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        long.html.contains("Shorten this to 500 letters"),
        "{}",
        long.html
    );
    assert!(
        long.html.contains("A dispute A dispute"),
        "what was typed is lost"
    );
    staff.send(&request, &act(&page, "hold", "A dispute")).await;
    let held = staff.send(&request, &act(&page, "erase", "Done.")).await;
    assert!(held.html.contains("A hold stands"), "{}", held.html);
    let silent = staff.send(&request, &act(&page, "lift", "")).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    staff
        .send(&request, &act(&page, "lift", "It is settled"))
        .await;
    let lifted = "select count(*) from legal_hold join account on account.id = lifted_by
                  where lifted_reason = 'It is settled' and lifted_at is not null";
    assert_eq!(world.count(lifted).await, 1);
    let done = staff
        .send(&request, &act(&page, "erase", "It is done."))
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.html);
    assert!(done.html.contains("Erased."));

    for action in ["customer.held", "customer.hold_lifted", "privacy.answered"] {
        let pool = world.all().await;
        let written: i64 = sqlx::query_scalar("select count(*) from audit where action = $1")
            .bind(action)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(written, 1, "{action}");
    }
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

#[tokio::test]
async fn of_many_who_ask_at_once_for_one_address_three_are_mailed() {
    let world = World::seeded().await;
    let site = world.site().await;
    let visitor = site.visitor();
    let one = || ask(&visitor, "access", "zandile@example.co.za");
    tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
    let mails = "select count(*) from outbox where kind = 'privacy.request'";
    assert_eq!(world.count(mails).await, 3);
}

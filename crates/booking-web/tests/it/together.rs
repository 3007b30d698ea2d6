//! One booking, told everywhere alike: on its page, at the desk, by the API, in mail, text
//! message and calendar file, also to somebody in another zone; and visits that repeat, called
//! off together.

use reqwest::Method;
use testkit::receiver::{Receiver, Reply};
use testkit::smtp::Smtp;

use crate::deliveries::NEVER_QUIET;
use crate::desk::signed_in;
use crate::messages::flat;
use crate::programs::{Holder, key};
use crate::site::{World, until, wish};
use crate::work::Worker;

const SHOP: &str = "karoo-cuts";

/// The mail whose head holds `subject`.
async fn mail(smtp: &Smtp, subject: &str) -> String {
    until("the mail is there", async || {
        let mails = smtp.mails().unwrap();
        let mut mails = mails.iter().map(|mail| flat(mail));
        mails.find(|mail| mail.contains(subject))
    })
    .await
}

/// The clock and the day of an instant in a zone, as people write them.
fn clock(start: &str, zone: &str) -> String {
    let start: jiff::Timestamp = start.parse().unwrap();
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    start.to_zoned_datetime(zone).strftime("%H:%M").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_the_same_time_also_who_is_in_another_zone() {
    let (world, smtp) = (World::seeded().await, Smtp::start().unwrap());
    let receiver = Receiver::start(Reply::Takes).unwrap();
    let all = world.all().await;
    sqlx::query(NEVER_QUIET).execute(&all).await.unwrap();
    let site = world.site().await;
    let url = receiver.url();
    let more = [("SMS_URL", url.as_str()), ("SMS_TOKEN", "t")];
    let _worker = Worker::start(&world, &smtp.url(), &more).await;
    let api = site.api();
    let start = api.free(SHOP, "haircut", 14).await.pop().unwrap();
    let mut wanted = wish("haircut", &start, "traveller");
    wanted["time_zone"] = "Mars/Olympus".into();
    let wrong = api.book(SHOP, "k", &wanted).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(wrong.body["errors"][0]["field"], "time_zone");
    wanted["time_zone"] = "America/New_York".into();
    let made = api.book(SHOP, "k", &wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (here, there) = (
        clock(&start, "Africa/Johannesburg"),
        clock(&start, "America/New_York"),
    );
    assert_ne!(here, there);

    // The API, to the customer and to the business.
    let token = made.text("token").to_owned();
    let id = made.text("id").to_owned();
    let holder = Holder {
        site: &site,
        key: key(&world, SHOP, &["read:bookings"]).await,
    };
    let entry = holder
        .get(&format!("/api/v1/businesses/{SHOP}/bookings/{id}"))
        .await;
    for said in [&made, &entry] {
        assert_eq!(said.text("start"), start);
        assert!(
            said.text("local_start")
                .contains(&format!("T{here}:00+02:00")),
            "{said:?}"
        );
    }
    // Its page and the desk.
    let page = site.visitor().open(&format!("/b/{token}")).await;
    let desk = signed_in(&site, "manager@karoo-cuts.example").await;
    let desk = desk.open(&format!("/desk/{SHOP}/bookings/{id}")).await;
    for page in [&page, &desk] {
        assert!(
            page.html.contains(&here),
            "{here} is missing in {}",
            page.html
        );
        assert!(
            !page.html.contains(&there),
            "{there} is not a time of the place"
        );
    }
    // The calendar, from the page and in the mail.
    let instant = start.replace(['-', ':'], "");
    let file = site
        .visitor()
        .open(&format!("/b/{token}/calendar.ics"))
        .await;
    let mail = mail(&smtp, "Subject: You are booked: ").await;
    for text in [&file.html, &mail] {
        assert!(text.contains(&format!("DTSTART:{instant}")), "{text}");
    }
    // The mail says the time of the place with its zone, and the customer's own beside it.
    assert!(mail.contains("South Africa Standard Time"), "{mail}");
    assert!(
        mail.contains("Your time") && mail.contains("New York time"),
        "{mail}"
    );
    assert!(mail.contains(&here) && mail.contains(&there), "{mail}");
    // So does the text message.
    let text = until("the text message is sent", async || {
        sqlx::query("update outbox set send_after = now() where channel = 'sms'")
            .execute(&all)
            .await
            .unwrap();
        receiver
            .requests()
            .into_iter()
            .find(|post| post.method == "POST")
    })
    .await;
    let order: serde_json::Value = serde_json::from_str(&text.body).unwrap();
    let text = order["text"].as_str().unwrap();
    assert!(text.contains(&format!("{here} SAST (")), "{text}");
    assert!(text.contains(&format!("{there} E")), "{text}");
    assert!(text.chars().count() <= 160, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_says_only_the_time_of_the_place_where_the_customer_has_the_same() {
    let (world, smtp) = (World::seeded().await, Smtp::start().unwrap());
    let site = world.site().await;
    let _worker = Worker::start(&world, &smtp.url(), &[]).await;
    let api = site.api();
    let start = api.free(SHOP, "haircut", 14).await.pop().unwrap();
    let mut wanted = wish("haircut", &start, "neighbour");
    // Another name, the same clock.
    wanted["time_zone"] = "Africa/Harare".into();
    assert_eq!(api.book(SHOP, "k", &wanted).await.status, 201);
    let mail = mail(&smtp, "Subject: You are booked: ").await;
    assert!(mail.contains("South Africa Standard Time"), "{mail}");
    assert!(!mail.contains("Your time"), "{mail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_calls_off_what_is_left_of_a_series_and_the_customer_gets_one_mail() {
    let (world, smtp) = (World::seeded().await, Smtp::start().unwrap());
    let site = world.site().await;
    let api = site.api();
    let (shop, service) = ("the-quiet-room", "breathing");
    let start = api.free(shop, service, 6).await.pop().unwrap();
    let mut wanted = wish(service, &start, "weekly");
    wanted["every"] = "week".into();
    wanted["count"] = 3.into();
    let base = format!("/api/v1/businesses/{shop}/series");
    let made = api.post(&base, "key", &wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let booked = made.body["visits"].as_array().unwrap().iter();
    let booked = booked.filter(|visit| visit["token"].is_string()).count();
    assert!(booked > 1, "{made:?}");
    let one = format!("{base}/{}", made.text("id"));
    let reader = Holder {
        site: &site,
        key: key(&world, shop, &["read:bookings"]).await,
    };
    let read = reader.get(&one).await;
    assert_eq!(read.status, 200, "{read:?}");
    assert_eq!(read.text("rule"), "FREQ=WEEKLY;COUNT=3");
    let bookings = read.body["bookings"].as_array().unwrap();
    assert_eq!(bookings.len(), booked);
    assert_eq!(bookings[0]["series"], made.body["id"]);
    let off = format!("{one}/cancel");
    let refused = reader.ask(Method::POST, &off, None).await;
    assert_eq!(refused.status, 403, "it may only read");
    let writer = Holder {
        site: &site,
        key: key(&world, shop, &["read:bookings", "write:bookings"]).await,
    };
    for _ in 0..2 {
        let ended = writer.ask(Method::POST, &off, None).await;
        assert_eq!(ended.status, 200, "{ended:?}");
        let bookings = ended.body["bookings"].as_array().unwrap();
        let is_off = |booking: &serde_json::Value| booking["state"] == "cancelled_by_business";
        assert!(bookings.iter().all(is_off), "{ended:?}");
    }
    let worker = Worker::start(&world, &smtp.url(), &[]).await;
    let mail = mail(&smtp, "Subject: Cancelled: ").await;
    until("everything is told", async || {
        let waiting = "select count(*) from outbox where state <> 'sent' and state <> 'dropped'";
        (world.count(waiting).await == 0).then_some(())
    })
    .await;
    let (status, lines) = worker.end().await;
    assert!(status.success(), "{lines:?}");
    let mails = smtp.mails().unwrap();
    let cancelled = mails
        .iter()
        .filter(|mail| flat(mail).contains("Subject: Cancelled: "));
    assert_eq!(cancelled.count(), 1, "one mail for all of them");
    assert_eq!(mail.matches("STATUS:CANCELLED").count(), booked, "{mail}");
    assert_eq!(
        mail.matches("METHOD:CANCEL").count(),
        booked,
        "a file takes out one entry"
    );
}

//! Messages from booking to mailbox: the real worker, a real mail server, and one with bad
//! manners.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use testkit::smtp::{Manner, Postbox, Smtp};

use crate::site::{Api, World, until, wish};
use crate::work::{FROM, PUBLIC, Worker};

/// Plans mail that needs no booking.
pub(crate) async fn plan(world: &World, numbers: RangeInclusive<i32>) {
    let pool = world.all().await;
    sqlx::query(
        "insert into outbox (id, dedupe_key, channel, kind, recipient, content, send_after)
         select gen_random_uuid(), 'mail-' || n, 'email', 'account.confirm',
             'n' || n || '@example.co.za', '{\"path\": \"/confirm/' || n || '\"}', now()
         from generate_series($1, $2) n",
    )
    .bind(*numbers.start())
    .bind(*numbers.end())
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
}

pub(crate) async fn in_state(world: &World, state: &str) -> i64 {
    let pool = world.all().await;
    let count = sqlx::query_scalar("select count(*) from outbox where state = $1")
        .bind(state)
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    count
}

pub(crate) async fn all_sent(world: &World, count: i64) {
    until("all is sent", async || {
        (in_state(world, "sent").await == count).then_some(())
    })
    .await;
}

pub(crate) async fn book(api: &Api, who: &str) -> String {
    let start = api.free("karoo-cuts", "haircut", 14).await.pop().unwrap();
    let said = api
        .book("karoo-cuts", who, &wish("haircut", &start, who))
        .await;
    assert_eq!(said.status, 201, "{said:?}");
    said.text("token").to_owned()
}

/// A mail without its folds and soft line breaks.
pub(crate) fn flat(mail: &str) -> String {
    let mail = mail.replace('\r', "");
    mail.replace("\n ", "")
        .replace("=\n", "")
        .replace("=3D", "=")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_books_gets_mail_with_a_calendar_file_and_who_cancels_gets_it_taken_out() {
    let (world, smtp) = (World::seeded().await, Smtp::start().unwrap());
    let site = world.site().await;
    let worker = Worker::start(&world, &smtp.url(), &[]).await;
    let api = site.api();
    let token = book(&api, "thandi").await;
    let mail = |subject: &'static str| {
        let smtp = &smtp;
        until("the mail is there", async move || {
            let mails = smtp.mails().unwrap();
            mails
                .into_iter()
                .map(|m| flat(&m))
                .find(|m| m.contains(subject))
        })
    };
    let confirmed = mail("Subject: You are booked: ").await;
    for part in [
        "From: \"Karoo Cuts\" <bookings@karoo.example>",
        "To: \"Thandi Nkosi\" <thandi@example.co.za>",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "text/calendar; charset=utf-8; method=REQUEST",
        "SEQUENCE:1",
        "South Africa Standard Time",
        &format!("{PUBLIC}/b/{token}"),
    ] {
        assert!(
            confirmed.contains(part),
            "{part} is missing in\n{confirmed}"
        );
    }
    assert!(!confirmed.contains("unsubscribe"), "{confirmed}");
    assert_eq!(api.cancel(&token).await.status, 200);
    let cancelled = mail("Subject: Cancelled: ").await;
    for part in ["method=CANCEL", "SEQUENCE:2", "STATUS:CANCELLED"] {
        assert!(
            cancelled.contains(part),
            "{part} is missing in\n{cancelled}"
        );
    }
    let uid = |mail: &str| {
        let line = mail.lines().find(|line| line.starts_with("UID:"));
        line.unwrap().to_owned()
    };
    assert_eq!(uid(&confirmed), uid(&cancelled));
    let told = worker.says("/metrics").await;
    assert!(
        told.contains(
            r#"booking_message_tries_total{channel="email",kind="confirmed",outcome="sent"} 1"#
        ),
        "{told}"
    );
    assert!(worker.says("/health").await.contains("worker-1"));
    // Nothing that a customer typed is in the log.
    let lines = worker.lines().join("\n");
    assert!(!lines.contains("thandi"), "{lines}");
    let (status, lines) = worker.end().await;
    assert!(status.success(), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_of_two_releases_send_each_message_once() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    plan(&world, 1..=300).await;
    let one = Worker::start(&world, &postbox.url(), &[("RELEASE", "old")]).await;
    let two = Worker::start(&world, &postbox.url(), &[("RELEASE", "new")]).await;
    all_sent(&world, 300).await;
    once_each(&postbox.counts(), 300);
    for worker in [one, two] {
        let told = worker.says("/metrics").await;
        let mine = told.lines().find(|line| line.contains(r#"outcome="sent""#));
        assert!(mine.is_some(), "one of them did nothing:\n{told}");
        assert!(worker.end().await.0.success());
    }
}

pub(crate) fn once_each(counts: &BTreeMap<String, usize>, expected: i32) {
    for n in 1..=expected {
        let id = format!("<mail-{n}@{}>", FROM.rsplit('@').next().unwrap());
        assert_eq!(counts.get(&id), Some(&1), "{id}");
    }
    assert_eq!(counts.len(), usize::try_from(expected).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_outbox_is_read_all_the_same() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    plan(&world, 1..=50).await;
    let away = [("REDIS_URL", "unix:///nonexistent/socket")];
    let worker = Worker::start(&world, &postbox.url(), &away).await;
    all_sent(&world, 50).await;
    once_each(&postbox.counts(), 50);
    assert!(worker.end().await.0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_is_a_dead_letter_at_once_and_one_for_now_is_tried_again() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    postbox.set(Manner::Says("RCPT", "550 no such mailbox"));
    plan(&world, 1..=1).await;
    let worker = Worker::start(&world, &postbox.url(), &[]).await;
    until("it is given up", async || {
        (in_state(&world, "dead").await == 1).then_some(())
    })
    .await;
    let pool = world.all().await;
    let (reason, tries): (String, i32) =
        sqlx::query_as("select reason, attempts from outbox where state = 'dead'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(
        reason.contains("550") && tries == 1,
        "{reason} after {tries}"
    );

    postbox.set(Manner::Says("RCPT", "451 come back later"));
    sqlx::query("update outbox set state = 'waiting', attempts = 0")
        .execute(&pool)
        .await
        .unwrap();
    let tries = "select count(*) from outbox where state = 'waiting' and attempts > 0 \
                 and send_after > now() - interval '1 min' and reason like '%451%'";
    until("it was tried", async || {
        (world.count(tries).await == 1).then_some(())
    })
    .await;
    postbox.set(Manner::Takes);
    sqlx::query("update outbox set send_after = now()")
        .execute(&pool)
        .await
        .unwrap();
    all_sent(&world, 1).await;
    once_each(&postbox.counts(), 1);
    assert!(worker.end().await.0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leads_to_a_repeat_under_the_same_id() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    postbox.set(Manner::BreaksAt("."));
    plan(&world, 1..=1).await;
    let worker = Worker::start(&world, &postbox.url(), &[]).await;
    until("nobody knows", async || {
        (in_state(&world, "unknown").await == 1).then_some(())
    })
    .await;
    postbox.set(Manner::Takes);
    let pool = world.all().await;
    sqlx::query("update outbox set send_after = now()")
        .execute(&pool)
        .await
        .unwrap();
    all_sent(&world, 1).await;
    let counts = postbox.counts();
    assert_eq!(counts.len(), 1, "another id: {counts:?}");
    assert!(counts.values().all(|count| *count >= 2), "{counts:?}");
    assert!(worker.end().await.0.success());
}

/// The first mail with these words.
pub(crate) async fn mail(postbox: &Postbox, words: &str) -> String {
    until("the mail is there", async || {
        let mut mails = postbox.mails().into_iter().map(|mail| flat(&mail));
        mails.find(|mail| mail.contains(words))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_end_by_a_link_that_only_a_button_acts_upon() {
    let (world, postbox) = (
        World::seeded().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    let site = world.site().await;
    let worker = Worker::start(&world, &postbox.url(), &[]).await;
    let _token = book(&site.api(), "sipho").await;
    let planned = "select count(*) from outbox where kind = 'reminder' and channel = 'email' \
                   and state = 'waiting' and send_after < starts_at - interval '10 hours'";
    until("the reminder is planned", async || {
        (world.count(planned).await == 1).then_some(())
    })
    .await;
    let pool = world.all().await;
    sqlx::query(crate::deliveries::NEVER_QUIET)
        .execute(&pool)
        .await
        .unwrap();
    let now = "update outbox set send_after = now(), state = 'waiting' where kind = 'reminder'";
    sqlx::query(now).execute(&pool).await.unwrap();
    let reminder = mail(&postbox, "Subject: Reminder: ").await;
    assert!(reminder.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
    let rest = reminder.split("List-Unsubscribe: <").nth(1).unwrap();
    let link = rest.split('>').next().unwrap();
    let path = link.strip_prefix(PUBLIC).unwrap();

    // A scanner of links does nothing.
    let none = "select count(*) from suppression";
    let page = site.visitor().open(path).await;
    assert_eq!(
        (page.status.as_u16(), page.heading()),
        (200, "Stop the reminders?")
    );
    assert_eq!(world.count(none).await, 0);
    // A mail program presses the button: no cookie, no page before.
    let pressed = reqwest::Client::new()
        .post(site.url(path))
        .form(&[("List-Unsubscribe", "One-Click")])
        .send()
        .await
        .unwrap();
    assert_eq!(pressed.status(), 200);
    assert_eq!(world.count(none).await, 1);
    let page = site.visitor().send(path, &[]).await;
    assert_eq!(page.heading(), "No more reminders");
    assert_eq!(world.count(none).await, 1);

    sqlx::query(now).execute(&pool).await.unwrap();
    until("it is dropped", async || {
        (in_state(&world, "dropped").await == 1).then_some(())
    })
    .await;
    let reminders = postbox
        .mails()
        .iter()
        .filter(|m| m.contains("Subject: Reminder: "))
        .count();
    assert_eq!(reminders, 1);
    // Nothing of the address is kept.
    let forged = site.visitor().open(&format!("{path}a")).await;
    assert_eq!(forged.status, 404);
    assert!(worker.end().await.0.success());
}

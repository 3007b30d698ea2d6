//! Text messages and webhooks from the real worker to servers that are as bad as servers
//! get, and queues that are emptied and stopped.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use sqlx::PgPool;
use testkit::receiver::{Receiver, Reply, Request};
use testkit::smtp::{Manner, Postbox};

use crate::messages::{book, in_state, mail};
use crate::site::{Site, World, until};
use crate::work::{PUBLIC, Worker};

const SECRET: &[u8] = b"a secret of thirty-two bytes....";

/// Lets reminders go out at any hour.
pub(crate) const NEVER_QUIET: &str =
    "insert into message_settings (business_id, quiet_from, quiet_until)
     select id, 0, 0 from business where slug = 'karoo-cuts'";

/// A world in which somebody has booked and may be reminded by text message.
struct Scene {
    world: World,
    site: Site,
    postbox: Postbox,
    receiver: Receiver,
    pool: PgPool,
}

impl Scene {
    async fn new() -> Self {
        let world = World::seeded().await;
        let scene = Self {
            site: world.site().await,
            pool: world.all().await,
            world,
            postbox: Postbox::start(Manner::Takes).unwrap(),
            receiver: Receiver::start(Reply::Takes).unwrap(),
        };
        // Tests run at night too.
        scene.run(NEVER_QUIET).await;
        scene
    }

    async fn worker(&self) -> Worker {
        let url = self.receiver.url();
        let more = [
            ("SMS_URL", url.as_str()),
            ("SMS_TOKEN", "hunter2"),
            ("WEBHOOK_PRIVATE_ADDRESSES", "true"),
        ];
        Worker::start(&self.world, &self.postbox.url(), &more).await
    }

    async fn run(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.pool).await.unwrap();
    }

    async fn webhook(&self, url: &str) {
        sqlx::query(
            "insert into webhook (id, business_id, url, secret, created_at)
             select gen_random_uuid(), id, $1, $2, now() from business where slug = 'karoo-cuts'",
        )
        .bind(url)
        .bind(SECRET)
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// State, reason and failures of the row of a channel.
    async fn row(&self, channel: &str) -> (String, Option<String>, i32) {
        sqlx::query_as("select state, reason, attempts from outbox where channel = $1")
            .bind(channel)
            .fetch_optional(&self.pool)
            .await
            .unwrap()
            .unwrap_or_default()
    }

    async fn becomes(&self, channel: &str, state: &str) -> (String, Option<String>, i32) {
        until(&format!("{channel} is {state}"), async || {
            let row = self.row(channel).await;
            (row.0 == state).then_some(row)
        })
        .await
    }

    /// Makes the text message due that the booking has planned.
    async fn remind(&self) {
        until("the text message is planned", async || {
            (self.row("sms").await.0 == "waiting").then_some(())
        })
        .await;
        self.due().await;
    }

    async fn due(&self) {
        self.run("update outbox set send_after = now() where channel = 'sms'")
            .await;
    }

    fn posts(&self) -> Vec<Request> {
        let requests = self.receiver.requests().into_iter();
        requests
            .filter(|request| request.method == "POST")
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_says_no_more_than_it_must_and_carries_its_key() {
    let scene = Scene::new().await;
    let worker = scene.worker().await;
    let token = book(&scene.site.api(), "thandi").await;
    scene.remind().await;
    scene.becomes("sms", "sent").await;
    let post = scene.posts().pop().unwrap();
    assert_eq!(post.headers["authorization"], "Bearer hunter2");
    let order: Value = serde_json::from_str(&post.body).unwrap();
    let text = order["text"].as_str().unwrap();
    assert!(
        text.starts_with("Karoo Cuts: reminder of your appointment, "),
        "{text}"
    );
    assert!(
        text.contains(&format!("{PUBLIC}/b/{token}")) && text.len() <= 160,
        "{text}"
    );
    assert!(
        !text.to_lowercase().contains("haircut") && !text.contains("Thandi"),
        "{text}"
    );
    assert_eq!(order["reference"], post.headers["idempotency-key"].as_str());
    // There is no room for it in the message, so the mail says how to get none.
    let confirmed = mail(&scene.postbox, "You are booked").await;
    assert!(
        confirmed.contains("No reminders by text message"),
        "{confirmed}"
    );
    let (_, lines) = worker.end().await;
    assert!(!lines.join("\n").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_whose_answer_is_lost_is_asked_about_and_not_sent_again() {
    for reply in [Reply::TakesAndBreaks, Reply::TakesInSilence] {
        let scene = Scene::new().await;
        scene.receiver.set(reply);
        let _worker = scene.worker().await;
        book(&scene.site.api(), "thandi").await;
        scene.remind().await;
        scene.becomes("sms", "unknown").await;
        scene.due().await;
        scene.becomes("sms", "sent").await;
        assert_eq!(scene.posts().len(), 1, "{reply:?}");
        assert_eq!(scene.receiver.taken().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_vendor_is_left_in_peace_for_as_long_as_it_says() {
    let scene = Scene::new().await;
    scene.receiver.set(Reply::SaysWait(429, 3600));
    let _worker = scene.worker().await;
    book(&scene.site.api(), "thandi").await;
    scene.remind().await;
    until("it was tried", async || {
        (scene.row("sms").await.2 == 1).then_some(())
    })
    .await;
    let later = "select count(*) from outbox where channel = 'sms' and state = 'waiting'
                 and send_after between now() + interval '59 min' and now() + interval '61 min'";
    assert_eq!(
        scene.world.count(later).await,
        1,
        "{:?}",
        scene.row("sms").await
    );
    // What breaks on the way may have been taken: it is asked, and then sent.
    scene.receiver.set(Reply::Says(500));
    scene.due().await;
    scene.becomes("sms", "unknown").await;
    scene.receiver.set(Reply::Takes);
    scene.due().await;
    scene.becomes("sms", "sent").await;
    assert_eq!(
        scene.receiver.taken().values().copied().collect::<Vec<_>>(),
        [1]
    );
    let asked = scene.receiver.requests();
    assert!(
        asked.iter().any(|request| request.method == "GET"),
        "{asked:?}"
    );
}

/// Follows the link of a mail that ends text messages, and presses its button.
async fn unsubscribe(scene: &Scene) {
    let confirmed = mail(&scene.postbox, "You are booked").await;
    let link = confirmed.split("/unsubscribe/").nth(1).unwrap();
    let token: String = (link.chars())
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let client = scene.site.api().client;
    let address = scene.site.url(&format!("/unsubscribe/{token}"));
    let page = client.get(&address).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(
        page.contains("<form"),
        "it is over before it was ended: {page}"
    );
    let answer = client.post(&address).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_no_text_messages_gets_none_at_any_number_that_they_gave() {
    let scene = Scene::new().await;
    let _worker = scene.worker().await;
    book(&scene.site.api(), "thandi").await;
    // They are known by another number than the one of this booking.
    scene
        .run("update customer set phone = '+27829990000' where email = 'thandi@example.co.za'")
        .await;
    unsubscribe(&scene).await;
    scene.remind().await;
    scene.becomes("sms", "dropped").await;
    assert_eq!(scene.posts().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_no_messages_gets_none_also_after_an_erasure_and_a_new_booking() {
    let scene = Scene::new().await;
    let worker = scene.worker().await;
    book(&scene.site.api(), "thandi").await;
    unsubscribe(&scene).await;
    let _ = worker.end().await;
    scene
        .run(
            "update booking set starts_at = now() - interval '7 days',
                 ends_at = now() - interval '167 hours', version = version + 1
             where customer_id = (select id from customer where email = 'thandi@example.co.za')",
        )
        .await;
    let staff = scene.site.visitor();
    staff.sign_in("owner@karoo-cuts.example").await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let form = staff.open("/desk/karoo-cuts/privacy").await;
    let fields = [
        pair("csrf", &form.field("csrf")),
        pair("kind", "erasure"),
        pair("channel", "phone"),
        pair("email", "thandi@example.co.za"),
    ];
    let request = staff.send("/desk/karoo-cuts/privacy", &fields).await;
    let fields = [
        pair("csrf", &request.field("csrf")),
        pair("act", "erase"),
        pair("words", "It is done."),
    ];
    let erased = staff.send(&request.address, &fields).await;
    assert!(erased.html.contains("Erased."), "{}", erased.html);
    let left = "select count(*) from customer where email = 'thandi@example.co.za'";
    assert_eq!(scene.world.count(left).await, 0);
    assert_eq!(scene.row("sms").await.0, "", "its messages went along");
    book(&scene.site.api(), "thandi").await;
    let _worker = scene.worker().await;
    scene.remind().await;
    scene.becomes("sms", "dropped").await;
    assert_eq!(scene.posts().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_business_is_told_whom_to_phone_where_a_reminder_is_given_up() {
    let scene = Scene::new().await;
    scene.receiver.set(Reply::Says(400));
    scene
        .run(
            "insert into message_settings (business_id, email)
              select id, 'desk@karoo.example' from business where slug = 'karoo-cuts'
             on conflict (business_id) do update set email = excluded.email",
        )
        .await;
    let _worker = scene.worker().await;
    book(&scene.site.api(), "thandi").await;
    scene.remind().await;
    let (_, reason, _) = scene.becomes("sms", "dead").await;
    assert_eq!(reason.as_deref(), Some("answered 400"));
    let alarm = mail(&scene.postbox, "Subject: We could not remind Thandi Nkosi").await;
    for part in [
        "To: \"Karoo Cuts\" <desk@karoo.example>",
        "answered 400",
        "Phone: ",
    ] {
        assert!(alarm.contains(part), "{part} is missing in\n{alarm}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_comes_after_the_start_is_dropped_and_reported() {
    let scene = Scene::new().await;
    book(&scene.site.api(), "thandi").await;
    let worker = scene.worker().await;
    until("the text message is planned", async || {
        (scene.row("sms").await.0 == "waiting").then_some(())
    })
    .await;
    scene
        .run(
            "update outbox set send_after = now(), expires_at = now() - interval '1 s'
              where channel = 'sms'",
        )
        .await;
    let (_, reason, _) = scene.becomes("sms", "dropped").await;
    assert_eq!(reason.as_deref(), Some("it came too late"));
    assert!(scene.posts().is_empty());
    let line = r#"booking_message_tries_total{channel="sms",kind="reminder",outcome="dropped"} 1"#;
    until("it is counted", async || {
        worker.says("/metrics").await.contains(line).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_get_every_event_signed_with_its_version() {
    let scene = Scene::new().await;
    scene.webhook(&scene.receiver.url()).await;
    let _worker = scene.worker().await;
    let api = scene.site.api();
    let token = book(&api, "thandi").await;
    until("the first call came", async || {
        (scene.posts().len() == 1).then_some(())
    })
    .await;
    assert_eq!(api.cancel(&token).await.status, 200);
    let posts = until("both calls came", async || {
        let posts = scene.posts();
        (posts.len() == 2).then_some(posts)
    })
    .await;
    let mut seen = Vec::new();
    for post in &posts {
        let (id, at) = (
            &post.headers["webhook-id"],
            &post.headers["webhook-timestamp"],
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(format!("{id}.{at}.{}", post.body).as_bytes());
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        assert_eq!(post.headers["webhook-signature"], expected);
        let event: Value = serde_json::from_str(&post.body).unwrap();
        seen.push((
            event["type"].as_str().unwrap().to_owned(),
            event["data"]["version"].as_i64(),
        ));
        assert!(!post.body.contains("Thandi") && !post.body.contains("example.co.za"));
    }
    seen.sort();
    let expected = [
        ("booking.cancelled", Some(2)),
        ("booking.confirmed", Some(1)),
    ];
    assert_eq!(
        seen,
        expected.map(|(kind, version)| (kind.to_owned(), version))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_late_pairs_the_state_with_its_own_version() {
    let scene = Scene::new().await;
    scene.webhook(&scene.receiver.url()).await;
    let api = scene.site.api();
    let token = book(&api, "thandi").await;
    assert_eq!(api.cancel(&token).await.status, 200);
    let _worker = scene.worker().await;
    let posts = until("both calls came", async || {
        let posts = scene.posts();
        (posts.len() == 2).then_some(posts)
    })
    .await;
    for post in posts {
        let event: Value = serde_json::from_str(&post.body).unwrap();
        let data = &event["data"];
        assert_eq!(data["state"], "cancelled_by_customer", "{event}");
        assert_eq!(data["version"], 2, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_breaks_here_counts_its_failures_and_goes_on_when_it_can() {
    let scene = Scene::new().await;
    for statement in [
        "create function breaks() returns trigger language plpgsql as
             $$ begin raise exception 'broken'; end $$",
        "create trigger breaks before insert on outbox for each row
             when (new.channel = 'email') execute function breaks()",
    ] {
        scene.run(statement).await;
    }
    book(&scene.site.api(), "thandi").await;
    let _worker = scene.worker().await;
    until("it has failed twice", async || {
        (scene.row("event").await.2 >= 2).then_some(())
    })
    .await;
    let (state, reason, _) = scene.row("event").await;
    assert_eq!(state, "waiting");
    assert_eq!(reason.as_deref(), Some("broken here: P0001"));
    scene.run("drop trigger breaks on outbox").await;
    scene.run("update outbox set send_after = now()").await;
    scene.becomes("event", "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_is_due_at_a_quiet_hour_waits_for_its_end() {
    let scene = Scene::new().await;
    book(&scene.site.api(), "thandi").await;
    let _worker = scene.worker().await;
    until("the text message is planned", async || {
        (scene.row("sms").await.0 == "waiting").then_some(())
    })
    .await;
    scene
        .run(
            "insert into message_settings (business_id, quiet_from, quiet_until)
             select id, (minute + 1380) % 1440, (minute + 120) % 1440
             from business, lateral (select (extract(hour from wall) * 60
                 + extract(minute from wall))::int as minute
                 from (select now() at time zone 'Africa/Johannesburg' as wall) as now) as at
             where slug = 'karoo-cuts'
             on conflict (business_id) do update
                 set quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until",
        )
        .await;
    scene.due().await;
    let waits = "select count(*) from outbox where channel = 'sms' and state = 'waiting'
                 and attempts = 0 and lease_owner is null
                 and send_after between now() + interval '110 min' and now() + interval '121 min'";
    until("it waits for the end", async || {
        (scene.world.count(waits).await == 1).then_some(())
    })
    .await;
    assert_eq!(scene.posts().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_that_was_given_up_is_asked_about_before_it_is_sent_again() {
    let scene = Scene::new().await;
    scene.receiver.set(Reply::TakesAndBreaks);
    let _worker = scene.worker().await;
    book(&scene.site.api(), "thandi").await;
    scene.remind().await;
    scene.becomes("sms", "unknown").await;
    scene
        .run(
            "update outbox set state = 'dead', lease_owner = null, lease_until = null
             where channel = 'sms'",
        )
        .await;
    scene.receiver.set(Reply::Takes);
    let staff = scene.site.visitor();
    staff.sign_in("owner@karoo-cuts.example").await;
    let page = staff.open("/desk/karoo-cuts/messages").await;
    let again = [("csrf".to_owned(), page.field("csrf"))];
    staff.send("/desk/karoo-cuts/messages/again", &again).await;
    scene.becomes("sms", "sent").await;
    assert_eq!(scene.posts().len(), 1, "it was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_led_nowhere_and_listen_no_longer_than_they_must() {
    for (reply, state) in [
        (Reply::Leads("http://127.0.0.1:1/"), "dead"),
        (Reply::TakesAndTalks, "sent"),
        (Reply::Says(410), "dead"),
        (Reply::Says(503), "waiting"),
    ] {
        let scene = Scene::new().await;
        scene.receiver.set(reply);
        scene.webhook(&scene.receiver.url()).await;
        let _worker = scene.worker().await;
        book(&scene.site.api(), "thandi").await;
        let row = until("it was tried", async || {
            let row = scene.row("webhook").await;
            (row.2 > 0 || row.0 == "sent").then_some(row)
        })
        .await;
        assert_eq!(row.0, state, "{reply:?}: {row:?}");
        let post = scene.posts();
        assert!(!post.is_empty(), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_do_not_reach_into_this_network() {
    let scene = Scene::new().await;
    scene
        .webhook(&scene.receiver.url().replace("http://", "https://"))
        .await;
    let worker = Worker::start(&scene.world, &scene.postbox.url(), &[]).await;
    book(&scene.site.api(), "thandi").await;
    let (_, reason, _) = scene.becomes("webhook", "dead").await;
    assert_eq!(reason.as_deref(), Some("the address is not public"));
    assert!(scene.receiver.requests().is_empty());
    assert_eq!(in_state(&scene.world, "dead").await, 1);
    assert!(worker.end().await.0.success());
}

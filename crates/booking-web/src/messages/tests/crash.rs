//! A worker that ends between any two steps of a delivery, step by step: the next one goes
//! on where the row says. A crash is that nothing more is done.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Clock, ManualClock, Random};
use sqlx::{Connection as _, PgConnection};
use testkit::postgres::Database;
use testkit::receiver::{Receiver, Reply};
use testkit::services;
use testkit::smtp::{Manner, Postbox};

use super::courier::Courier;
use super::mail::Mail;
use super::outbound::{Outbound, Reach};
use super::outcome::Outcome;
use super::parcel::Prepared;
use super::sms::{HttpVendor, Vendor};
use super::tally::Tally;
use crate::database;
use crate::links::Links;
use crate::store::outbox::Leased;

struct Scene {
    database: Database,
    postbox: Postbox,
    receiver: Receiver,
    clock: Clock,
    hands: ManualClock,
    random: Random,
}

impl Scene {
    /// A database with one mail that is due.
    async fn new() -> Self {
        let database = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        database::migrate(&database.url().into()).await.unwrap();
        let (clock, hands) = Clock::manual("2027-03-24T08:00:00Z".parse().unwrap());
        let scene = Self {
            database,
            postbox: Postbox::start(Manner::Takes).unwrap(),
            receiver: Receiver::start(Reply::Takes).unwrap(),
            clock,
            hands,
            random: Random::seeded(4),
        };
        scene
            .run(
                "insert into outbox (id, dedupe_key, channel, kind, recipient, content, send_after)
                  values (gen_random_uuid(), 'k', 'email', 'account.reset', 'a@example.com',
                      '{\"path\": \"/x\"}', '2027-03-24T08:00:00Z')",
            )
            .await;
        scene
    }

    async fn run(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.database.admin_url())
            .await
            .unwrap();
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// Another worker.
    fn courier(&self) -> Arc<Courier> {
        let vendor = HttpVendor::new(&self.receiver.url(), "token".into()).unwrap();
        Arc::new(Courier {
            pool: database::pool(&self.database.url().into(), 2).unwrap(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            owner: self.random.uuid(self.clock.now()),
            links: Links::derive("material"),
            public_url: "https://booking.example".to_owned(),
            mail: Mail::new(&self.postbox.url().into(), "from@example.com").unwrap(),
            sms: Some(Box::new(vendor) as Box<dyn Vendor>),
            webhooks: Outbound::new(Reach::Public).unwrap(),
            tally: Tally::new("r1"),
        })
    }

    fn a_minute_passes(&self) {
        self.hands.advance(Duration::from_secs(61));
    }

    fn sent(&self) -> usize {
        self.postbox.mails().len()
    }
}

async fn lease(courier: &Courier) -> Option<Leased> {
    courier.lease(&[], 1).await.unwrap().pop()
}

/// Everything up to the end, as a worker that is not killed does it.
async fn finish(scene: &Scene) {
    let courier = scene.courier();
    let row = lease(&courier)
        .await
        .expect("somebody else may have it now");
    courier.handle(&row).await;
    assert!(lease(&courier).await.is_none(), "it is not done");
}

#[tokio::test]
async fn after_the_lease_another_waits_for_its_end_and_sends_once() {
    let scene = Scene::new().await;
    let killed = scene.courier();
    lease(&killed).await.unwrap();
    assert!(
        lease(&scene.courier()).await.is_none(),
        "two had it at once"
    );
    scene.a_minute_passes();
    finish(&scene).await;
    assert_eq!(scene.sent(), 1);
}

#[tokio::test]
async fn between_the_beginning_and_the_send_nothing_is_lost() {
    let scene = Scene::new().await;
    let killed = scene.courier();
    let row = lease(&killed).await.unwrap();
    assert!(killed.begin(&row).await.unwrap());
    scene.a_minute_passes();
    let next = lease(&scene.courier()).await.unwrap();
    assert_eq!(next.state, "unknown");
    scene.a_minute_passes();
    finish(&scene).await;
    assert_eq!(scene.sent(), 1);
}

#[tokio::test]
async fn between_the_send_and_the_mark_mail_is_repeated_under_the_same_id() {
    let scene = Scene::new().await;
    let killed = scene.courier();
    let row = lease(&killed).await.unwrap();
    let Prepared::Ready(parcel) = killed.prepare(&row).await.unwrap() else {
        panic!("it cannot be sent");
    };
    assert!(killed.begin(&row).await.unwrap());
    assert!(matches!(
        killed.send(&row, &parcel).await,
        Outcome::Sent { .. }
    ));
    scene.a_minute_passes();
    finish(&scene).await;
    let counts = scene.postbox.counts();
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert_eq!(counts["<k@example.com>"], 2);
    // The one that was killed was only slow, and comes back: it has nothing to say any more.
    let late = killed
        .settle(&row, &Outcome::Refused("late".to_owned()))
        .await;
    assert_eq!(late.unwrap(), "lost");
}

#[tokio::test]
async fn between_the_send_and_the_mark_the_vendor_of_text_messages_is_asked() {
    let scene = Scene::new().await;
    scene
        .run("update outbox set channel = 'sms', dedupe_key = 'a:1:reminder:sms'")
        .await;
    let killed = scene.courier();
    let row = lease(&killed).await.unwrap();
    assert!(killed.begin(&row).await.unwrap());
    let vendor = killed.sms.as_ref().unwrap();
    let sms = super::sms::Sms {
        to: "+27821234567".to_owned(),
        text: "hello".to_owned(),
    };
    let sent = vendor.send(&row.dedupe_key, &sms).await;
    let id = Some("taken-a:1:reminder:sms".to_owned());
    assert_eq!(
        sent,
        Outcome::Sent {
            provider_id: id.clone()
        }
    );
    scene.a_minute_passes();
    let next = scene.courier();
    let row = lease(&next).await.unwrap();
    assert_eq!(
        next.known(&row).await,
        Some(Outcome::Sent { provider_id: id })
    );
    // Under a key that it never saw, it would be sent.
    let other = Leased {
        dedupe_key: "b".to_owned(),
        ..row
    };
    assert_eq!(next.known(&other).await, None);
}

#[tokio::test]
async fn whoever_lost_the_lease_does_not_begin() {
    let scene = Scene::new().await;
    let slow = scene.courier();
    let row = lease(&slow).await.unwrap();
    scene.hands.advance(Duration::from_secs(20));
    assert!(
        !slow.begin(&row).await.unwrap(),
        "the lease is too short for a send"
    );
    scene.a_minute_passes();
    let next = lease(&scene.courier()).await.unwrap();
    assert_eq!(next.state, "waiting", "nothing was begun");
    assert!(!slow.begin(&row).await.unwrap());
}

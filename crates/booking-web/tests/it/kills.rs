//! Workers that are killed at any moment: no message is lost, and a repeat carries the key
//! of what it repeats, so that whoever receives it has each message once.

use chassis::Random;
use testkit::smtp::{Manner, Postbox};

use crate::messages::{in_state, plan};
use crate::site::{World, until};
use crate::work::{FROM, Worker};

const MESSAGES: i32 = 400;
const KILLS: u64 = 20;

/// What a minute without its worker does to a lease.
async fn let_leases_run_out(world: &World) {
    let pool = world.all().await;
    sqlx::query("update outbox set lease_until = now() where lease_until is not null")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_again_and_again_loses_nothing_and_repeats_under_the_same_key() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    plan(&world, 1..=MESSAGES).await;
    let random = Random::seeded(20_261_127);
    for _ in 0..KILLS {
        let worker = Worker::spawn(&world, &postbox.url(), &[("WORKER_SLOTS", "8")]);
        let enough = postbox.mails().len() + usize::try_from(random.below(12)).unwrap();
        until("some mail has come", async || {
            (postbox.mails().len() > enough
                || in_state(&world, "sent").await == i64::from(MESSAGES))
            .then_some(())
        })
        .await;
        worker.kill();
        let_leases_run_out(&world).await;
    }
    let worker = Worker::start(&world, &postbox.url(), &[]).await;
    until("all is sent", async || {
        (in_state(&world, "sent").await == i64::from(MESSAGES)).then_some(())
    })
    .await;
    let counts = postbox.counts();
    let domain = FROM.rsplit('@').next().unwrap();
    for n in 1..=MESSAGES {
        let id = format!("<mail-{n}@{domain}>");
        assert!(counts.contains_key(&id), "{id} was never sent");
    }
    assert_eq!(
        counts.len(),
        usize::try_from(MESSAGES).unwrap(),
        "a key was made up"
    );
    // At most what each killed worker had in hand was sent again.
    let repeats = postbox.mails().len() - counts.len();
    assert!(
        repeats <= usize::try_from(KILLS * 8).unwrap(),
        "{repeats} repeats"
    );
    let failed = "select count(*) from outbox where attempts > 0";
    assert_eq!(world.count(failed).await, 0, "a kill counts as a failure");
    assert!(worker.end().await.0.success());
}

//! Workers while what they stand on goes away and comes back: slower, never wrong.

use std::os::unix::fs::symlink;

use testkit::redis::Redis;
use testkit::smtp::{Manner, Postbox};

use crate::messages::{all_sent, in_state, once_each, plan};
use crate::site::{World, until};
use crate::work::Worker;

/// Until that many are sent.
async fn some_sent(world: &World, count: i64) {
    until("some are sent", async || {
        (in_state(world, "sent").await >= count).then_some(())
    })
    .await;
}

async fn socket(redis: &Redis) -> String {
    let url = redis.address().database().await.unwrap();
    let path = url.strip_prefix("unix://").unwrap();
    path.split('?').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_stops_and_comes_back_empty_costs_no_message() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("redis");
    let mut redis = Redis::start().unwrap();
    symlink(socket(&redis).await, &link).unwrap();
    let url = format!("unix://{}", link.display());
    let worker = Worker::start(&world, &postbox.url(), &[("REDIS_URL", &url)]).await;
    plan(&world, 1..=100).await;
    some_sent(&world, 20).await;
    redis.stop().unwrap();
    plan(&world, 101..=200).await;
    all_sent(&world, 200).await;
    let queued = async || {
        let told = worker.says("/metrics").await;
        let line = told
            .lines()
            .find(|line| line.starts_with("booking_messages_queued_total "));
        line.unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let before = queued().await;
    let redis = Redis::start().unwrap();
    std::fs::remove_file(&link).unwrap();
    symlink(socket(&redis).await, &link).unwrap();
    // It is found again by itself.
    let mut planned = 200;
    until("the queue is used again", async || {
        plan(&world, planned + 1..=planned + 10).await;
        planned += 10;
        (queued().await > before).then_some(())
    })
    .await;
    all_sent(&world, i64::from(planned)).await;
    once_each(&postbox.counts(), planned);
    assert!(worker.end().await.0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_emptied_again_and_again_loses_nothing() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    plan(&world, 1..=300).await;
    let client = redis::Client::open(world.redis.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let worker = Worker::start(&world, &postbox.url(), &[("WORKER_SLOTS", "4")]).await;
    until("all is sent", async || {
        let () = redis::cmd("FLUSHDB")
            .query_async(&mut connection)
            .await
            .unwrap();
        (in_state(&world, "sent").await == 300).then_some(())
    })
    .await;
    once_each(&postbox.counts(), 300);
    assert!(worker.end().await.0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_drops_every_connection_costs_no_message() {
    let (world, postbox) = (
        World::migrated().await,
        Postbox::start(Manner::Takes).unwrap(),
    );
    plan(&world, 1..=200).await;
    let worker = Worker::start(&world, &postbox.url(), &[]).await;
    let pool = world.all().await;
    for sent in [10, 60, 110] {
        some_sent(&world, sent).await;
        // As a restart does to whoever is connected.
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'booking'",
        )
        .execute(&pool)
        .await
        .unwrap();
        // What was in hand then is somebody's until its lease is over.
        sqlx::query("update outbox set lease_until = now() where lease_until is not null")
            .execute(&pool)
            .await
            .unwrap();
    }
    until("all is sent", async || {
        sqlx::query(
            "update outbox set lease_until = now()
             where lease_until < now() + interval '50 s'",
        )
        .execute(&pool)
        .await
        .unwrap();
        (in_state(&world, "sent").await == 200).then_some(())
    })
    .await;
    assert_eq!(postbox.counts().len(), 200);
    assert!(worker.end().await.0.success());
}

//! Releases that cannot go live, and orders that are not carried out: each says why and what
//! to do, and visitors notice nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bench;

use std::time::Duration;

use bench::{Bench, end_of, person, reached};
use slipway_journal::Outcome;
use slipway_journal::event::rollout::RolloutState;
use slipway_rollout::{Policy, Refusal};

/// Deploys a release of `mode` over a good one; why it failed.
async fn failure(mode: &str, policy: Policy) -> String {
    let bench = Bench::start(policy).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let visitors = bench.visitors(2);
    let bad = bench.release(mode, "two");
    let rollout = bench.deploy(&bad).await.unwrap();
    let state = bench.until(rollout, end_of).await;
    let RolloutState::Failed { reason } = state else {
        panic!("{state:?}");
    };
    bench.cleared(rollout).await;
    let receipt = bench.receipt_of_end(rollout).await;
    assert_eq!(receipt.switch_us, None);
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    assert_eq!(tally.release(bad.as_str()).served, 0);
    bench.stop();
    reason
}

fn hasty() -> Policy {
    Policy {
        ready_within: Duration::from_millis(1500),
        quiet: Duration::from_millis(100),
        ..Policy::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_dies_at_once_shows_the_end_of_its_log() {
    let reason = failure("dies", Policy::default()).await;
    assert!(reason.contains("DATABASE_URL is not set"), "{reason}");
    assert!(reason.contains("exit status: 1"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_on_the_wrong_port_is_told_which_one_was_meant() {
    let reason = failure("wrong-port", hasty()).await;
    assert!(reason.contains("but PORT was"), "{reason}");
    assert!(
        reason.contains("it must listen on 127.0.0.1:$PORT"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_starts_too_slowly_says_what_the_last_look_saw() {
    let reason = failure("slow", hasty()).await;
    assert!(reason.contains("not ready within 1 s"), "{reason}");
    assert!(reason.contains("Connection refused"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_answers_health_and_nothing_else_fails_its_preview() {
    let reason = failure("health-only", Policy::default()).await;
    assert!(
        reason.starts_with("preview: GET /: answered 500"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_ends_the_rollout_with_its_last_lines() {
    let reason = failure("no-migration", Policy::default()).await;
    assert!(
        reason.contains("relation \"booking\" is locked"),
        "{reason}"
    );
    assert!(reason.contains("`./instance migrate` failed"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rollouts_without_traffic_the_newest_wins() {
    let bench = Bench::start(Policy::default()).await;
    bench.live(&bench.release("good", "one")).await;
    let slow = bench.deploy(&bench.release("slow", "two")).await.unwrap();
    bench.until(slow, reached(&RolloutState::Started)).await;
    let good = bench.release("good", "three");
    let newest = bench.deploy(&good).await.unwrap();
    assert_eq!(
        bench.until(slow, end_of).await,
        RolloutState::Superseded { by: newest }
    );
    bench.until(newest, reached(&RolloutState::Baking)).await;
    assert_eq!(bench.answering().await, good.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_without_traffic_can_be_cancelled_and_leaves_nothing() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let rollout = bench.deploy(&bench.release("slow", "two")).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Started)).await;
    let engine = bench.engine();
    let cancelled = engine.cancel(person(), rollout, "not today".into()).await;
    assert_eq!(cancelled.unwrap(), Ok(()));
    bench.cleared(rollout).await;
    assert_eq!(bench.instances(rollout).await, Vec::new());
    let again = engine.cancel(person(), rollout, "again".into()).await;
    assert_eq!(again.unwrap(), Err(Refusal::AlreadyOver { rollout }));
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deployed_is_refused_before_anything_happens() {
    let bench = Bench::start(Policy::default()).await;
    let unknown = "ab".repeat(32).parse().unwrap();
    let refused = bench.deploy(&unknown).await;
    assert_eq!(refused, Err(Refusal::UnknownRelease { release: unknown }));

    let changed = bench.release("good", "changed");
    bench.overwrite(&changed, "mode", b"evil");
    let refused = bench.deploy(&changed).await;
    assert!(
        matches!(&refused, Err(Refusal::ContentMismatch { what, .. }) if what == "mode: its content changed"),
        "{refused:?}"
    );

    let red = bench.release("good", "red");
    bench.verdict(&red, "unit", Outcome::NotMet);
    let refused = bench.deploy(&red).await;
    assert!(
        matches!(&refused, Err(Refusal::GateNotPassing { gate, .. }) if gate == "unit"),
        "{refused:?}"
    );

    let first = bench.release("good", "one");
    bench.live(&first).await;
    let refused = bench.deploy(&first).await;
    assert_eq!(refused, Err(Refusal::AlreadyLive { release: first }));

    let engine = bench.engine();
    let back = engine.rollback(person(), &bench.service, "why not".into());
    let back = back.await.unwrap();
    assert!(
        matches!(back, Err(Refusal::NothingToRollBackTo { .. })),
        "{back:?}"
    );
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_journal_stops_the_engine_and_not_the_traffic() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let visitors = bench.visitors(2);
    bench.fill_the_disk().await;
    let engine = bench.engine();
    let mut refused = None;
    // The last free page may still take an order or two.
    for n in 0..100 {
        let release = bench.release("good", &format!("more {n}"));
        if let Err(error) = engine.deploy(person(), bench.order(&release)).await {
            refused = Some(error.to_string());
            break;
        }
    }
    let refused = refused.unwrap();
    assert!(refused.contains("traffic is untouched"), "{refused}");
    assert_eq!(bench.answering().await, first.to_string());
    bench.make_room().await;
    let last = bench.release("good", "last");
    let rollout = bench.deploy(&last).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    bench.stop();
}

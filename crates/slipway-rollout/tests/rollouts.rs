//! Rollouts of real processes through the real proxy, with visitors.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bench;

use std::time::Duration;

use bench::{Bench, SECOND, end_of, person, reached};
use rustix::process::Signal;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Trigger};
use slipway_proxy::Health;
use slipway_rollout::{Policy, Refusal, RollbackPlan};

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_goes_live_and_a_second_takes_its_place_without_a_failed_request() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    let rollout = bench.deploy(&first).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Done)).await;
    let visitors = bench.visitors(4);
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let plan = bench.engine().rollback_plan(&bench.service).await;
    assert!(
        matches!(&plan, RollbackPlan::Warm { to, .. } if *to == first),
        "{plan:?}"
    );
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    assert!(tally.release(first.as_str()).served > 0);
    assert!(tally.release(second.as_str()).served > 0);
    let receipt = bench.receipt(rollout).await;
    assert_eq!(receipt.end, RolloutState::Baking);
    assert_eq!(receipt.previous, Some(first));
    assert!(receipt.switch_us.is_some_and(|us| us > 0));
    assert_eq!(receipt.traffic.iter().map(|t| t.failed).sum::<u64>(), 0);
    assert_eq!(receipt.unrouted, 0);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_a_third_of_requests_is_taken_back_by_itself() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let visitors = bench.visitors(8);
    let bad = bench.release("third-fails", "two");
    let rollout = bench.deploy(&bad).await.unwrap();
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("requests failed within ")),
        "{state:?}"
    );
    let receipt = bench.receipt_of_end(rollout).await;
    assert!(receipt.rollback_us.is_some_and(|us| us > 0));
    let of_bad = receipt.traffic.iter().find(|t| t.release == bad).unwrap();
    assert!(of_bad.failed >= 10, "{of_bad:?}");
    bench.cleared(rollout).await;
    let tally = visitors.stop().await;
    // Every failed answer that a visitor saw is in the receipt, and no other.
    assert_eq!(tally.release(bad.as_str()).failed, of_bad.failed);
    assert_eq!(tally.failed, of_bad.failed, "{:?}", tally.examples);
    assert_eq!(bench.answering().await, first.to_string());
    let again = bench.deploy(&bad).await;
    assert!(
        matches!(again, Err(Refusal::Quarantined { .. })),
        "{again:?}"
    );
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_a_release_back_at_once_and_the_warm_one_answers() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let visitors = bench.visitors(4);
    let engine = bench.engine();
    let back = engine.rollback(person(), &bench.service, "the colour is wrong".into());
    assert_eq!(back.await.unwrap(), Ok(rollout));
    let state = bench.until(rollout, end_of).await;
    let reason = "the colour is wrong".into();
    assert_eq!(state, RolloutState::RolledBack { reason });
    bench.cleared(rollout).await;
    let receipt = bench.receipt_of_end(rollout).await;
    println!(
        "switch {:?} µs, rollback {:?} µs",
        receipt.switch_us, receipt.rollback_us
    );
    assert!(receipt.switch_us.is_some() && receipt.rollback_us.is_some());
    assert_eq!(bench.answering().await, first.to_string());
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_moved_its_health_look_goes_live_and_can_be_taken_back() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let moved = bench.release("moved", "two");
    let rollout = bench.deploy(&moved).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let health = bench.health_of(&first).await;
    assert!(health.iter().all(|h| *h == Health::Up), "{health:?}");
    bench.lose(&moved);
    let engine = bench.engine();
    let back = engine.rollback(person(), &bench.service, "the colour is wrong".into());
    assert_eq!(back.await.unwrap(), Ok(rollout));
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(state, RolloutState::RolledBack { .. }),
        "{state:?}"
    );
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_dies_with_traffic_takes_its_release_back() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Live)).await;
    let victim = bench.instances(rollout).await.remove(0);
    victim.signal(Signal::KILL).unwrap();
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("signal: 9")),
        "{state:?}"
    );
    let fired = bench.events().await.into_iter().find_map(|e| match e {
        RolloutEvent::TriggerFired { trigger, .. } => Some(trigger),
        _ => None,
    });
    assert_eq!(fired, Some(Trigger::InstanceDeath));
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_answers_pages_but_no_health_look_is_taken_back() {
    let bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let deaf = bench.release("deaf", "two");
    let rollout = bench.deploy(&deaf).await.unwrap();
    let visitors = bench.visitors(4);
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("health looks in a row")),
        "{state:?}"
    );
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_dies_outside_a_rollout_is_started_again() {
    let bench = Bench::start(Policy {
        instances: 1,
        ..Policy::default()
    })
    .await;
    let first = bench.release("good", "one");
    let rollout = bench.live(&first).await;
    let visitors = bench.visitors(2);
    let victim = bench.instances(rollout).await.remove(0);
    victim.signal(Signal::KILL).unwrap();
    bench
        .until_event(|e| {
            matches!(
                e,
                RolloutEvent::Done {
                    step: slipway_journal::event::rollout::Step::Reroute { .. },
                    ..
                }
            )
        })
        .await;
    let survivor = bench.instances(rollout).await.remove(0);
    assert_ne!(survivor, victim);
    assert_eq!(bench.answering().await, first.to_string());
    drop(visitors);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn control_is_dropped_in_the_middle_and_the_next_one_finishes() {
    let mut bench = Bench::start(Policy::default()).await;
    let first = bench.release("good", "one");
    let before = bench.live(&first).await;
    let kept = bench.instances(before).await;
    let visitors = bench.visitors(4);
    let second = bench.release("slow", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Started)).await;
    bench.restart_control().await;
    assert_eq!(bench.engine().recovered(), 1);
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    assert_eq!(bench.answering().await, second.to_string());
    assert_eq!(bench.instances(before).await, kept);
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bake_that_is_over_stops_the_old_release_and_rollback_is_then_slow() {
    let bench = Bench::start(Policy {
        bake: SECOND,
        ..Policy::default()
    })
    .await;
    let first = bench.release("good", "one");
    let old = bench.live(&first).await;
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Done)).await;
    assert_eq!(bench.instances(old).await, Vec::new());
    let engine = bench.engine();
    let plan = engine.rollback_plan(&bench.service).await;
    assert!(matches!(plan, RollbackPlan::Slow { .. }), "{plan:?}");
    let back = engine.rollback(person(), &bench.service, "too slow".into());
    let back = back.await.unwrap().unwrap();
    assert_ne!(back, rollout);
    bench.until(back, reached(&RolloutState::Baking)).await;
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stubborn_release_is_killed_after_its_grace() {
    let bench = Bench::start(Policy {
        bake: Duration::ZERO,
        stop_grace: Duration::from_millis(300),
        ..Policy::default()
    })
    .await;
    bench.live(&bench.release("stubborn", "one")).await;
    let rollout = bench.deploy(&bench.release("good", "two")).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Done)).await;
    let killed = bench.events().await.into_iter().any(
        |e| matches!(e, RolloutEvent::InstanceExited { how, expected: true, .. } if how.starts_with("killed")),
    );
    assert!(killed);
    bench.stop();
}

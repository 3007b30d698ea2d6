//! Canaries of real processes behind the real proxy, with visitors: the judge lets a good one
//! through all steps, and takes a bad one back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bench;

use std::time::Duration;

use bench::{Bench, SECOND, end_of, reached};
use slipway_journal::event::judgement::{Judgement, Metric, Verdict};
use slipway_journal::event::rollout::{RolloutEvent, RolloutState, Steering, Trigger};
use slipway_journal::{Actor, RolloutId};
use slipway_rollout::judge::replay;
use slipway_rollout::{Burst, Canary, Policy, Refusal, RollbackPlan, Strategy, Unsure};

const STEPS: [u16; 2] = [3_000, 6_000];

/// A short canary; nobody but the judge minds errors.
fn policy(canary: &Canary) -> Policy {
    Policy {
        strategy: Strategy::Canary(Canary {
            steps: STEPS.to_vec(),
            ..canary.clone()
        }),
        burst: Burst {
            failed: u64::MAX,
            ..Burst::default()
        },
        ..Policy::default()
    }
}

fn short() -> Canary {
    Canary {
        dwell: SECOND,
        requests: 50,
        ..Canary::default()
    }
}

impl Bench {
    /// What the judge said of a rollout, with the share then.
    async fn judgements(&self, id: RolloutId) -> Vec<(u16, Judgement)> {
        let events = self.events().await.into_iter();
        let judged = events.filter_map(|e| match e {
            RolloutEvent::Judged {
                rollout,
                weight,
                judgement,
            } if rollout == id => Some((weight, *judgement)),
            _ => None,
        });
        judged.collect()
    }

    /// Waits until the judge has spoken so often.
    async fn judged(&self, id: RolloutId, times: usize) {
        let spoken = testkit::wait::answer(60 * SECOND, async || {
            (self.judgements(id).await.len() >= times).then_some(())
        });
        assert!(spoken.await.is_some(), "the judge says nothing");
    }

    async fn say(&self, id: RolloutId, order: Steering) -> Result<(), Refusal> {
        let actor = Actor::Person("test".to_owned());
        let shares = self.shares(id).await;
        let seen = shares.last().copied().unwrap_or(0);
        let engine = self.engine();
        let said = engine.steer(actor, id, (order, seen), "a test".to_owned());
        said.await.unwrap()
    }

    async fn shares(&self, id: RolloutId) -> Vec<u16> {
        let events = self.events().await.into_iter();
        let entered = events.filter_map(|e| match e {
            RolloutEvent::Entered {
                rollout,
                state: RolloutState::Shifting { weight },
            } if rollout == id => Some(weight),
            _ => None,
        });
        entered.collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_canary_goes_through_all_steps_without_a_failed_request() {
    let bench = Bench::start(policy(&short())).await;
    let first = bench.release("good", "one");
    // There is nobody that the first release could stand beside.
    let rollout = bench.live(&first).await;
    assert_eq!(bench.shares(rollout).await, [10_000]);
    let visitors = bench.visitors(800);
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    let shifting = reached(&RolloutState::Shifting { weight: STEPS[0] });
    bench.until(rollout, shifting).await;
    let plan = bench.engine().rollback_plan(&bench.service).await;
    assert!(
        matches!(&plan, RollbackPlan::Warm { to, .. } if *to == first),
        "{plan:?}"
    );
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    assert_eq!(bench.shares(rollout).await, [3_000, 6_000, 10_000]);
    let said = bench.judgements(rollout).await;
    let said: Vec<_> = said.iter().map(|(w, j)| (*w, &j.verdict)).collect();
    assert_eq!(said, STEPS.map(|weight| (weight, &Verdict::Advance)));
    assert_eq!(bench.answering().await, second.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_canary_is_taken_back_by_the_judge_and_its_verdict_can_be_repeated() {
    let bench = Bench::start(policy(&short())).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let visitors = bench.visitors(800);
    let bad = bench.release("third-fails", "two");
    let rollout = bench.deploy(&bad).await.unwrap();
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("server errors: ")),
        "{state:?}"
    );
    bench.cleared(rollout).await;
    let tally = visitors.stop().await;
    // Most visitors never saw it: the first step was the only one.
    assert_eq!(bench.shares(rollout).await, [STEPS[0]]);
    assert!(tally.release(first.as_str()).served > tally.release(bad.as_str()).served);
    assert_eq!(tally.release(bad.as_str()).failed, tally.failed);
    let fired = bench.events().await.into_iter().find_map(|e| match e {
        RolloutEvent::TriggerFired { trigger, .. } => Some(trigger),
        _ => None,
    });
    assert_eq!(fired, Some(Trigger::Judge));
    let said = bench.judgements(rollout).await;
    let [(weight, judgement)] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert_eq!(*weight, STEPS[0]);
    let metric = Metric::ServerError;
    assert!(matches!(&judgement.verdict, Verdict::Abort { metric: m, .. } if *m == metric));
    assert_eq!(replay(judgement, &judgement.rules), *judgement);
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_without_visitors_is_held_and_never_promoted() {
    let canary = Canary {
        dwell_most: 2 * SECOND,
        ..short()
    };
    let bench = Bench::start(policy(&canary)).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    let held = |state: &RolloutState| matches!(state, RolloutState::Holding { reason } if reason.contains("0 of 50 requests"));
    bench.until(rollout, held).await;
    // With visitors there is something to say.
    let visitors = bench.visitors(800);
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    drop(visitors);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_nobody_can_judge_is_taken_back_where_that_is_wanted() {
    let canary = Canary {
        dwell_most: Duration::from_millis(1500),
        unsure: Unsure::Abort,
        ..short()
    };
    let bench = Bench::start(policy(&canary)).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let rollout = bench.deploy(&bench.release("good", "two")).await.unwrap();
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("the judge cannot say")),
        "{state:?}"
    );
    assert_eq!(bench.answering().await, first.to_string());
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_after_the_switch_is_taken_back_beside_what_was_usual_before() {
    let bench = Bench::start(Policy {
        strategy: Strategy::BlueGreen,
        ..policy(&short())
    })
    .await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let visitors = bench.visitors(10);
    // Of fewer requests nothing would be concluded.
    bench.served(300).await;
    let rollout = bench.deploy(&bench.release("third-fails", "two")).await;
    let rollout = rollout.unwrap();
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("server errors: ")),
        "{state:?}"
    );
    let said = bench.judgements(rollout).await;
    let [(weight, judgement)] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert_eq!(*weight, 10_000);
    assert_eq!(replay(judgement, &judgement.rules), *judgement);
    assert_eq!(bench.answering().await, first.to_string());
    drop(visitors);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn control_that_comes_back_in_the_middle_of_a_step_goes_on_with_it() {
    let mut bench = Bench::start(policy(&short())).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    let shifting = reached(&RolloutState::Shifting { weight: STEPS[0] });
    bench.until(rollout, shifting).await;
    bench.restart_control().await;
    let visitors = bench.visitors(800);
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    assert_eq!(bench.shares(rollout).await, [3_000, 6_000, 10_000]);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_holds_a_canary_that_the_judge_would_let_pass_and_lets_it_go_on() {
    let bench = Bench::start(policy(&short())).await;
    bench.live(&bench.release("good", "one")).await;
    let visitors = bench.visitors(800);
    let second = bench.release("good", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    let shifting = reached(&RolloutState::Shifting { weight: STEPS[0] });
    bench.until(rollout, shifting).await;
    let early = bench.say(rollout, Steering::Resume).await;
    assert!(
        matches!(early, Err(Refusal::NotSteerable { .. })),
        "{early:?}"
    );
    bench.say(rollout, Steering::Hold).await.unwrap();
    // The judge goes on looking, and says once what it thinks.
    bench.judged(rollout, 1).await;
    let again = bench.say(rollout, Steering::Hold).await;
    assert!(
        matches!(again, Err(Refusal::NotSteerable { .. })),
        "{again:?}"
    );
    let is_held = |s: &RolloutState| matches!(s, RolloutState::Holding { reason } if reason == "held: a test");
    bench.until(rollout, is_held).await;
    assert_eq!(bench.shares(rollout).await, STEPS[..1]);
    bench.say(rollout, Steering::Resume).await.unwrap();
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let tally = visitors.stop().await;
    assert_eq!(tally.failed, 0, "{:?}", tally.examples);
    // Once while it was held, and once more when it was let go on.
    let said = bench.judgements(rollout).await;
    let said: Vec<_> = said.iter().map(|(w, j)| (*w, &j.verdict)).collect();
    let expected = [STEPS[0], STEPS[0], STEPS[1]].map(|weight| (weight, &Verdict::Advance));
    assert_eq!(said, expected);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_held_and_then_does_harm_is_taken_back() {
    let bench = Bench::start(policy(&short())).await;
    let first = bench.release("good", "one");
    bench.live(&first).await;
    let visitors = bench.visitors(800);
    let second = bench.release("turns-bad", "two");
    let rollout = bench.deploy(&second).await.unwrap();
    let shifting = reached(&RolloutState::Shifting { weight: STEPS[0] });
    bench.until(rollout, shifting).await;
    bench.say(rollout, Steering::Hold).await.unwrap();
    bench.judged(rollout, 1).await;
    bench.overwrite(&second, "turned", b"");
    let state = bench.until(rollout, end_of).await;
    assert!(
        matches!(&state, RolloutState::RolledBack { reason } if reason.contains("server errors: ")),
        "{state:?}"
    );
    let said = bench.judgements(rollout).await;
    let said: Vec<_> = said.iter().map(|(_, j)| &j.verdict).collect();
    assert!(
        matches!(said.as_slice(), [Verdict::Advance, Verdict::Abort { .. }]),
        "{said:?}"
    );
    drop(visitors);
    bench.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gives_a_canary_its_next_share_without_the_judge() {
    let bench = Bench::start(policy(&Canary::default())).await;
    bench.live(&bench.release("good", "one")).await;
    let rollout = bench.deploy(&bench.release("good", "two")).await.unwrap();
    for weight in STEPS {
        bench
            .until(rollout, reached(&RolloutState::Shifting { weight }))
            .await;
        bench.say(rollout, Steering::Advance).await.unwrap();
    }
    bench.until(rollout, reached(&RolloutState::Baking)).await;
    let engine = bench.engine();
    let old_page = (Steering::Advance, STEPS[0]);
    let actor = Actor::Person("test".to_owned());
    let said = engine.steer(actor, rollout, old_page, "seen long ago".to_owned());
    assert!(matches!(
        said.await.unwrap(),
        Err(Refusal::NotSteerable { .. })
    ));
    let late = bench.say(rollout, Steering::Advance).await;
    assert!(
        matches!(late, Err(Refusal::NotSteerable { .. })),
        "{late:?}"
    );
    bench.stop();
}

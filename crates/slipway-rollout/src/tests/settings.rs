//! Settings that change while a rollout is under way.

use std::time::Duration;

use slipway_journal::ReleaseId;
use slipway_journal::event::rollout::RolloutState;

use crate::book::{Book, Record};
use crate::engine::Order;
use crate::policy::{Canary, Recreate, Rolling, Strategy, Unsure};
use crate::strategy::WHOLE;
use crate::tests::chaos::run;
use crate::tests::fuse::Fuse;
use crate::tests::stage::{Stage, person};

async fn deploy(stage: &Stage, release: &ReleaseId) {
    let order = Order {
        service: stage.service.clone(),
        release: release.clone(),
        force: false,
    };
    let engine = stage.engine();
    let asked = stage.alive(engine.deploy(person(), order)).await;
    asked.unwrap().unwrap().unwrap();
}

fn stands(book: &Book, release: &ReleaseId, is: impl Fn(&Record) -> bool) -> bool {
    book.rollouts
        .values()
        .any(|r| r.release == *release && is(r))
}

/// A stage on which a first release is live and a second one is asked for.
async fn second(strategy: Strategy, instances: u32) -> (Stage, ReleaseId) {
    let mut stage = Stage::quiet(1);
    stage.policy.bake = Duration::from_secs(1);
    stage.policy.look_every = Duration::from_millis(250);
    stage.policy.instances = instances;
    let (first, second) = (stage.release("first"), stage.release("second"));
    stage.start(Fuse::default()).await;
    deploy(&stage, &first).await;
    assert!(stage.until(|book| stands(book, &first, is_done)).await);
    stage.policy.strategy = strategy;
    stage.engine().configure(stage.settings()).await;
    deploy(&stage, &second).await;
    (stage, second)
}

fn is_done(record: &Record) -> bool {
    record.stage == RolloutState::Done
}

fn is_shared(record: &Record) -> bool {
    matches!(record.stage, RolloutState::Shifting { weight } if weight < WHOLE)
}

/// What is asked for becomes live, with as many instances as are wanted at least.
async fn comes(stage: &Stage, release: &ReleaseId, context: &str) {
    let wanted = usize::try_from(stage.policy.instances).unwrap();
    let whole = |book: &Book| stands(book, release, is_done) && stage.world.reached() >= wanted;
    assert!(stage.until(whole).await);
    let violations = stage.world.violations();
    assert_eq!(violations, Vec::<String>::new(), "{context}");
    let live = stage.world.live();
    assert_eq!(live.as_deref(), Some(release.as_str()), "{context}");
}

fn all() -> [Strategy; 4] {
    let canary = Canary {
        steps: vec![2_000, 6_000],
        dwell: Duration::from_secs(1),
        dwell_most: Duration::from_secs(2),
        unsure: Unsure::Continue,
        ..Canary::default()
    };
    let rolling = Rolling {
        dwell: Duration::from_secs(2),
        ..Rolling::default()
    };
    [
        Strategy::BlueGreen,
        Strategy::Canary(canary),
        Strategy::Rolling(rolling),
        Strategy::Recreate(Recreate::default()),
    ]
}

#[test]
fn whatever_strategy_becomes_whatever_other_the_rollout_comes_to_its_end() {
    for (from, to) in all().iter().flat_map(|f| all().map(|t| (f.clone(), t))) {
        for moment in [0, 1, 3] {
            run(async {
                let (mut stage, second) = second(from.clone(), 3).await;
                let context = format!("{from:?}, after {moment} s {to:?}");
                let then = stage.now() + Duration::from_secs(moment);
                assert!(stage.until(|_| stage.now() >= then).await);
                stage.policy.strategy = to.clone();
                stage.engine().configure(stage.settings()).await;
                comes(&stage, &second, &context).await;
            });
        }
    }
}

#[test]
fn whatever_number_of_instances_becomes_whatever_other_the_rollout_comes_to_its_end() {
    for strategy in all() {
        for (from, to) in [(4, 1), (4, 2), (3, 2), (1, 3), (2, 4)] {
            run(async {
                let (mut stage, second) = second(strategy.clone(), from).await;
                let context = format!("{strategy:?}, {from} become {to}");
                let moved = |r: &Record| is_shared(r) || is_done(r);
                assert!(stage.until(|book| stands(book, &second, moved)).await);
                stage.policy.instances = to;
                stage.engine().configure(stage.settings()).await;
                comes(&stage, &second, &context).await;
            });
        }
    }
}

#[test]
fn a_canary_that_becomes_blue_green_goes_on_although_nobody_judges_it_any_more() {
    run(async {
        let mut stage = Stage::quiet(1);
        stage.policy.bake = Duration::from_secs(1);
        stage.policy.strategy = Strategy::Canary(Canary {
            requests: u32::MAX,
            dwell_most: Duration::from_secs(24 * 3600),
            ..Canary::default()
        });
        let (first, second) = (stage.release("first"), stage.release("second"));
        stage.start(Fuse::default()).await;
        deploy(&stage, &first).await;
        let done = |r: &Record| r.stage == RolloutState::Done;
        assert!(stage.until(|book| stands(book, &first, done)).await);
        deploy(&stage, &second).await;
        let shared = |r: &Record| matches!(r.stage, RolloutState::Shifting { .. });
        assert!(stage.until(|book| stands(book, &second, shared)).await);
        let later = stage.now() + Duration::from_secs(60);
        assert!(stage.until(|_| stage.now() > later).await);
        assert!(stands(&stage.engine().book(), &second, shared));

        stage.policy.strategy = Strategy::BlueGreen;
        stage.engine().configure(stage.settings()).await;
        assert!(stage.until(|book| stands(book, &second, done)).await);
        assert_eq!(stage.world.violations(), Vec::<String>::new());
    });
}

#[test]
fn the_former_release_comes_back_at_once_although_others_come_as_canaries() {
    run(async {
        let [_, canary, ..] = all();
        let (mut stage, second) = second(canary, 2).await;
        comes(&stage, &second, "the second").await;
        // From now on no canary would get beyond its first share.
        stage.policy.strategy = Strategy::Canary(Canary {
            dwell: Duration::from_secs(24 * 3600),
            ..Canary::default()
        });
        let engine = stage.engine();
        engine.configure(stage.settings()).await;
        let back = engine.rollback(person(), &stage.service, "regret".to_owned());
        let back = stage.alive(back).await.unwrap().unwrap().unwrap();
        let asked = stage.now();
        assert!(stage.until(|book| is_done(&book.rollouts[&back])).await);
        let took = stage.now().saturating_sub(asked);
        assert!(took < Duration::from_secs(10), "{took:?}");
        let live = engine.look().live_of(&stage.service).map(|r| r.id);
        assert_eq!(live, Some(back));
        assert_eq!(stage.world.violations(), Vec::<String>::new());
    });
}

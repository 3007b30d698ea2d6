//! Settings that change while a rollout is under way.

use std::time::Duration;

use slipway_journal::ReleaseId;
use slipway_journal::event::rollout::RolloutState;

use crate::book::{Book, Record};
use crate::engine::Order;
use crate::policy::{Canary, Strategy};
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

//! A proxy that tells too little of its counts: nothing is promoted, and the rollout goes on when it
//! speaks.

use std::time::Duration;

use slipway_journal::event::rollout::RolloutState;

use crate::book::Book;
use crate::tests::crashes::{Story, check, deploy, prepare, record_of, run};
use crate::tests::fuse::Fuse;

#[test]
fn a_silent_proxy_promotes_nothing_and_the_rollout_goes_on_when_it_speaks() {
    run(async {
        let (mut stage, first, second) = prepare(Story::Good, 3).await;
        stage.start(Fuse::default()).await;
        deploy(&stage, &second).await.unwrap();
        let live = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Live;
        assert!(stage.until(live).await);
        stage.world.silence_proxy(true);
        let holds = |book: &Book| record_of(book, &second).unwrap().holding.is_some();
        assert!(stage.until(holds).await);
        let start = stage.now();
        assert!(
            stage
                .until(|_| stage.now() > start + stage.policy.bake * 4)
                .await
        );
        let record = record_of(&stage.engine().book(), &second).unwrap().clone();
        assert_eq!(record.stage, RolloutState::Live);
        stage.world.silence_proxy(false);
        let done = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Done;
        assert!(stage.until(done).await);
        check(&stage, Story::Good, &first, &second, -1).await;
    });
}

#[test]
fn a_proxy_too_old_to_tell_what_went_badly_promotes_no_canary_and_control_says_why() {
    run(async {
        let (mut stage, first, second) = prepare(Story::Canary, 4).await;
        stage.start(Fuse::default()).await;
        stage.world.make_proxy_old(true);
        deploy(&stage, &second).await.unwrap();
        let why = |book: &Book| record_of(book, &second)?.holding.clone();
        assert!(stage.until(|book| why(book).is_some()).await);
        let said = why(&stage.engine().book()).unwrap();
        assert!(said.contains("does not tell what went badly"), "{said}");
        let start = stage.now();
        let later = Duration::from_secs(200);
        assert!(stage.until(|_| stage.now() > start + later).await);
        let record = record_of(&stage.engine().book(), &second).unwrap().clone();
        assert!(
            matches!(record.stage, RolloutState::Shifting { weight } if weight < 10_000),
            "{:?}",
            record.stage
        );
        stage.world.make_proxy_old(false);
        let done = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Done;
        assert!(stage.until(done).await);
        check(&stage, Story::Canary, &first, &second, -1).await;
    });
}

//! What is kept warm loses an instance, and gets the visitors back before the new one is ready.

use std::time::Duration;

use slipway_journal::event::rollout::RolloutState;

use crate::book::Book;
use crate::tests::crashes::{Story, deploy, prepare, record_of, run};
use crate::tests::fuse::Fuse;
use crate::tests::machine::Mood;
use crate::tests::stage::person;

#[test]
fn an_instance_that_visitors_reach_by_now_is_not_stopped_because_it_was_not_ready() {
    run(async {
        let (mut stage, first, second) = prepare(Story::Good, 29).await;
        stage.policy.bake = Duration::from_secs(3600);
        stage.start(Fuse::default()).await;
        deploy(&stage, &second).await.unwrap();
        let baking = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Baking;
        assert!(stage.until(baking).await);
        // From now on the old release answers no look.
        let turn = |mood| {
            let world = &stage.world;
            world.change(|state| state.machine.turn(first.as_str(), mood));
        };
        turn(Mood::Deaf);
        stage.world.kill_one(first.as_str());
        let again = |_: &Book| stage.world.alive().get(first.as_str()) == Some(&2);
        assert!(stage.until(|book| !again(book)).await);
        assert!(stage.until(again).await);
        let engine = stage.engine();
        let back = engine.rollback(person(), &stage.service, "regret".into());
        stage.alive(back).await.unwrap().unwrap().unwrap();
        let restored = |_: &Book| stage.world.live().as_deref() == Some(first.as_str());
        assert!(stage.until(restored).await);
        let start = stage.now();
        let later = stage.policy.ready_within * 3;
        assert!(stage.until(|_| stage.now() > start + later).await);
        assert_eq!(stage.world.violations(), Vec::<String>::new());
        turn(Mood::Good);
        let whole = |_: &Book| stage.world.reached() == 2;
        assert!(stage.until(whole).await);
    });
}

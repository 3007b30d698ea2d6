//! Control is killed at every point of every kind of rollout, and comes back.

use std::time::Duration;

use slipway_journal::event::rollout::{RolloutState, Step, Trigger};
use slipway_journal::{ReleaseId, RolloutId};

use crate::book::{Book, Record};
use crate::engine::Order;
use crate::policy::{Canary, Portion, Recreate, Rolling, Strategy};
use crate::strategy;
use crate::tests::fuse::Fuse;
use crate::tests::stage::{Stage, person};

/// What happens to a second release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// It goes live and stays.
    Good,
    /// It fails a third of its requests.
    Bad,
    /// A person takes it back while it bakes.
    Regretted,
    /// It goes live in two steps, each of which the judge lets pass.
    Canary,
    /// A share of the visitors sees that it fails a third of its requests.
    BadCanary,
    /// It takes the old one's place instance by instance.
    Rolling,
    /// The same, without room for a single instance more.
    Tight,
    /// A batch of it sees visitors, and fails a third of their requests.
    BadRolling,
    /// It starts when the old one has ended.
    Recreate,
    /// The same, and it never becomes ready.
    Sick,
    /// There is no release before it.
    First,
}

impl Story {
    fn is_bad(self) -> bool {
        matches!(self, Self::Bad | Self::BadCanary | Self::BadRolling)
    }

    /// How it goes, where it is not all at once.
    fn strategy(self) -> Strategy {
        let rolling = |surge, unavailable| {
            Strategy::Rolling(Rolling {
                surge: Portion::Count(surge),
                unavailable: Portion::Count(unavailable),
                dwell: Duration::from_secs(2),
            })
        };
        match self {
            Self::Canary | Self::BadCanary => Strategy::Canary(Canary {
                steps: vec![4_000, 8_000],
                dwell: Duration::from_secs(2),
                requests: 50,
                ..Canary::default()
            }),
            Self::Rolling | Self::BadRolling => rolling(1, 0),
            Self::Tight => rolling(0, 1),
            Self::Recreate | Self::Sick => Strategy::Recreate(Recreate::default()),
            Self::Good | Self::Bad | Self::Regretted | Self::First => Strategy::BlueGreen,
        }
    }

    /// How many instances a release has in it.
    fn instances(self) -> u32 {
        match self {
            Self::Rolling | Self::BadRolling | Self::Tight => 3,
            _ => 2,
        }
    }

    fn new_one_stays(self) -> bool {
        matches!(
            self,
            Self::Good | Self::Canary | Self::First | Self::Rolling | Self::Tight | Self::Recreate
        )
    }
}

pub(super) fn run<T>(simulation: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(simulation)
}

pub(super) fn record_of<'a>(book: &'a Book, release: &ReleaseId) -> Option<&'a Record> {
    book.rollouts.values().find(|r| r.release == *release)
}

fn is_settled(book: &Book, record: &Record) -> bool {
    match record.stage {
        RolloutState::Done => true,
        RolloutState::Halted { .. } => strategy::is_accounted(record),
        _ => record.stage.is_end() && strategy::is_cleared(book, record),
    }
}

pub(super) async fn deploy(stage: &Stage, release: &ReleaseId) -> Option<RolloutId> {
    let order = Order {
        service: stage.service.clone(),
        release: release.clone(),
        force: false,
    };
    let engine = stage.engine();
    let deployed = stage.alive(engine.deploy(person(), order)).await?;
    Some(deployed.unwrap().unwrap())
}

/// Plays what is left of a story with an engine that is killed at a point; whether it was
/// played to its end.
async fn play(stage: &mut Stage, story: Story, release: &ReleaseId, fuse: Fuse) -> bool {
    stage.start(fuse).await;
    if !stage.is_running() {
        return false;
    }
    let asked = record_of(&stage.engine().book(), release).is_some();
    if !asked && deploy(stage, release).await.is_none() {
        return false;
    }
    if story == Story::Regretted {
        let baking = |book: &Book| {
            record_of(book, release)
                .is_some_and(|r| r.stage == RolloutState::Baking || !r.triggers.is_empty())
        };
        if !stage.until(baking).await {
            return false;
        }
        let engine = stage.engine();
        let fired = record_of(&engine.book(), release).is_some_and(|r| !r.triggers.is_empty());
        if !fired {
            let back = engine.rollback(person(), &stage.service, "regret".into());
            if stage.alive(back).await.is_none() {
                return false;
            }
        }
    }
    let settled = |book: &Book| {
        let settled = record_of(book, release).is_some_and(|record| is_settled(book, record));
        settled && is_whole(stage, book)
    };
    stage.until(settled).await
}

/// Whether as many instances as are wanted run, visitors reach all of them, and nobody has
/// anything left to do about it.
fn is_whole(stage: &Stage, book: &Book) -> bool {
    let wanted = usize::try_from(stage.policy.instances).unwrap();
    let alive: Vec<usize> = stage.world.alive().into_values().collect();
    let mut steps = book.rollouts.values().flat_map(|r| &r.steps);
    alive == [wanted] && stage.world.reached() == wanted && steps.all(|s| s.done.is_some())
}

/// A stage on which a first release is live, and a second one that the story is about.
pub(super) async fn prepare(story: Story, seed: u64) -> (Stage, ReleaseId, ReleaseId) {
    prepare_on(Stage::quiet(seed), story).await
}

async fn prepare_on(mut stage: Stage, story: Story) -> (Stage, ReleaseId, ReleaseId) {
    stage.policy.instances = story.instances();
    stage.policy.look_every = Duration::from_millis(250);
    // The judge wants to see many before it lets one pass.
    let rate = if story == Story::Canary { 200 } else { 50 };
    stage.world.change(|state| state.crowd.rate = rate);
    stage.policy.ready_within = Duration::from_secs(3);
    let (first, second) = (stage.release("first"), stage.release("second"));
    if story == Story::First {
        return (stage, second.clone(), second);
    }
    assert!(play(&mut stage, Story::First, &first, Fuse::default()).await);
    stage.crash().await;
    if story.is_bad() {
        stage.world.make_bad(second.as_str());
    }
    stage.policy.strategy = story.strategy();
    match story {
        Story::Rolling => stage.world.need(3),
        Story::Tight => stage.world.need(2),
        Story::Recreate => stage.world.make_exclusive(),
        Story::Sick => {
            stage.world.make_sick(second.as_str());
            stage.world.make_exclusive();
        }
        _ => {}
    }
    (stage, first, second)
}

pub(super) async fn check(
    stage: &Stage,
    story: Story,
    first: &ReleaseId,
    second: &ReleaseId,
    point: i64,
) {
    let context = format!("{story:?}, killed at point {point}");
    assert_eq!(stage.world.violations(), Vec::<String>::new(), "{context}");
    let winner = if story.new_one_stays() { second } else { first };
    let live = stage.world.live();
    assert_eq!(live.as_deref(), Some(winner.as_str()), "{context}");
    let alive: Vec<(String, usize)> = stage.world.alive().into_iter().collect();
    let wanted = usize::try_from(story.instances()).unwrap();
    assert_eq!(alive, [(winner.to_string(), wanted)], "{context}");
    let most = match story {
        Story::Rolling => 4,
        Story::Tight => 3,
        _ => usize::MAX,
    };
    assert!(stage.world.most() <= most, "{context}");
    let book = stage.book().await;
    let record = record_of(&book, second).unwrap();
    match story {
        _ if story.new_one_stays() => assert_eq!(record.stage, RolloutState::Done, "{context}"),
        Story::Sick => {
            let failed = matches!(record.stage, RolloutState::Failed { .. });
            assert!(failed, "{context}: {:?}", record.stage);
        }
        _ => {
            let rolled_back = matches!(record.stage, RolloutState::RolledBack { .. });
            assert!(rolled_back, "{context}: {:?}", record.stage);
            assert!(book.quarantined.contains_key(second), "{context}");
        }
    }
    check_book(&book, &context);
    let live = book.live_of(&stage.service).map(|r| r.release.clone());
    assert_eq!(live.as_ref(), Some(winner), "{context}");
    assert_eq!(
        book.rollouts.len(),
        if story == Story::First { 1 } else { 2 }
    );
}

/// What holds of every journal whose rollouts are settled.
fn check_book(book: &Book, context: &str) {
    let mut generations = Vec::new();
    for record in book.rollouts.values() {
        for step in &record.steps {
            assert!(step.done.is_some(), "{context}: {step:?} never ended");
            let published = crate::book::generation_of(&step.step);
            if let Some(generation) = published.filter(|_| step.held()) {
                generations.push((step.intended_at, generation));
            }
        }
        let receipt = record.receipts.last();
        assert_eq!(receipt.map(|r| &r.end), Some(&record.stage), "{context}");
    }
    generations.sort();
    let numbers: Vec<_> = generations.iter().map(|(_, g)| *g).collect();
    assert!(numbers.is_sorted(), "{context}: {numbers:?}");
}

/// Kills control at every point of a story, once each.
fn at_every_point(story: Story) -> i64 {
    at_every_point_on(|| Stage::quiet(7), story)
}

fn at_every_point_on(stage: impl Fn() -> Stage, story: Story) -> i64 {
    const MANY: i64 = 100_000;
    let points = run(async {
        let (mut stage, first, second) = prepare_on(stage(), story).await;
        assert!(play(&mut stage, story, &second, Fuse::after(MANY)).await);
        check(&stage, story, &first, &second, -1).await;
        MANY - stage.fuse().left()
    });
    println!("{story:?}: {points} points");
    for point in 0..points {
        run(async {
            let (mut stage, first, second) = prepare_on(stage(), story).await;
            let over = play(&mut stage, story, &second, Fuse::after(point)).await;
            if !over {
                stage.crash().await;
                assert!(play(&mut stage, story, &second, Fuse::default()).await);
            }
            check(&stage, story, &first, &second, point).await;
        });
    }
    points
}

#[test]
fn a_first_release_survives_a_crash_at_every_point() {
    assert!(at_every_point(Story::First) > 25);
}

#[test]
fn a_good_release_goes_live_whenever_control_is_killed() {
    assert!(at_every_point(Story::Good) > 40);
}

/// All others are written in memory; this one on a disk, by the real journal.
#[test]
fn it_does_so_with_a_journal_on_disk() {
    assert!(at_every_point_on(|| Stage::new(7), Story::Good) > 40);
}

#[test]
fn a_bad_release_is_taken_back_whenever_control_is_killed() {
    assert!(at_every_point(Story::Bad) > 40);
}

#[test]
fn a_canary_goes_through_its_steps_whenever_control_is_killed() {
    assert!(at_every_point(Story::Canary) > 45);
}

#[test]
fn a_bad_canary_is_taken_back_whenever_control_is_killed() {
    assert!(at_every_point(Story::BadCanary) > 40);
}

#[test]
fn a_release_takes_another_s_place_instance_by_instance_whenever_control_is_killed() {
    assert!(at_every_point(Story::Rolling) > 60);
}

#[test]
fn it_does_so_without_room_for_one_more_whenever_control_is_killed() {
    assert!(at_every_point(Story::Tight) > 60);
}

#[test]
fn a_bad_batch_is_taken_back_whenever_control_is_killed() {
    assert!(at_every_point(Story::BadRolling) > 40);
}

#[test]
fn a_release_starts_when_the_old_one_has_ended_whenever_control_is_killed() {
    assert!(at_every_point(Story::Recreate) > 45);
}

#[test]
fn where_it_never_becomes_ready_the_old_one_is_started_again_whenever_control_is_killed() {
    assert!(at_every_point(Story::Sick) > 40);
}

#[test]
fn a_person_gets_the_old_release_back_whenever_control_is_killed() {
    assert!(at_every_point(Story::Regretted) > 40);
}

/// Control dies again and again, and instances with it; nobody knows how it ends, but it does,
/// and visitors reach two instances of one release.
#[test]
fn whatever_dies_in_whatever_order_visitors_reach_one_release_in_the_end() {
    for seed in 0..60 {
        run(async {
            let stories = [
                Story::Good,
                Story::Bad,
                Story::Regretted,
                Story::Canary,
                Story::BadCanary,
            ];
            let story = stories[usize::try_from(seed % 5).unwrap_or(0)];
            let (mut stage, _, second) = prepare(story, seed).await;
            let context = format!("{story:?}, seed {seed}");
            for _ in 0..4 {
                let point = i64::try_from(stage.below(30)).unwrap_or(0);
                if settles(&mut stage, &second, Fuse::after(point)).await {
                    break;
                }
                if stage.below(2) == 0 {
                    let victim = usize::try_from(stage.below(4)).unwrap_or(0);
                    stage.world.kill(victim);
                }
                stage.crash().await;
            }
            stage.crash().await;
            assert!(settles(&mut stage, &second, Fuse::default()).await);
            let whole = |_: &Book| {
                let live = stage.world.live();
                live.is_some_and(|live| stage.world.alive().get(&live) == Some(&2))
            };
            assert!(stage.until(whole).await, "{context}");
            assert_eq!(stage.world.violations(), Vec::<String>::new(), "{context}");
            let book = stage.engine().book();
            let live = book.live_of(&stage.service).map(|r| r.release.to_string());
            assert_eq!(live, stage.world.live(), "{context}");
        });
    }
}

/// Plays the second release, whatever becomes of it.
async fn settles(stage: &mut Stage, release: &ReleaseId, fuse: Fuse) -> bool {
    stage.start(fuse).await;
    if !stage.is_running() {
        return false;
    }
    let asked = record_of(&stage.engine().book(), release).is_some();
    if !asked && deploy(stage, release).await.is_none() {
        return false;
    }
    let settled =
        |book: &Book| record_of(book, release).is_some_and(|record| is_settled(book, record));
    stage.until(settled).await
}

#[test]
fn where_the_old_release_is_gone_too_nothing_moves_and_a_person_is_called() {
    run(async {
        let (mut stage, first, second) = prepare(Story::Bad, 5).await;
        // The old release has no instance left when the new one turns out to be bad.
        stage.policy.restart_after = Duration::from_secs(600);
        stage.start(Fuse::default()).await;
        deploy(&stage, &second).await.unwrap();
        let live = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Live;
        assert!(stage.until(live).await);
        stage.world.kill_all(first.as_str());
        let halted = |book: &Book| record_of(book, &second).unwrap().stage.is_end();
        assert!(stage.until(halted).await);
        let book = stage.engine().book();
        let record = record_of(&book, &second).unwrap();
        assert!(
            matches!(&record.stage, RolloutState::Halted { .. }),
            "{:?}",
            record.stage
        );
        assert_eq!(
            record.triggers.last().map(|f| f.trigger),
            Some(Trigger::ErrorBurst)
        );
        assert_eq!(stage.world.live().as_deref(), Some(second.as_str()));
    });
}

#[test]
fn a_person_may_still_take_back_what_halted_once_the_old_release_runs_again() {
    run(async {
        let (mut stage, first, second) = prepare(Story::Bad, 11).await;
        stage.policy.restart_after = Duration::from_secs(5);
        stage.start(Fuse::default()).await;
        deploy(&stage, &second).await.unwrap();
        let live = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Live;
        assert!(stage.until(live).await);
        stage.world.kill_all(first.as_str());
        let halted = |book: &Book| record_of(book, &second).unwrap().stage.is_end();
        assert!(stage.until(halted).await);
        let warm = |book: &Book| strategy::is_warm(book, record_of(book, &second).unwrap());
        assert!(stage.until(warm).await);
        let engine = stage.engine();
        let back = engine.rollback(person(), &stage.service, "enough".into());
        assert!(stage.alive(back).await.unwrap().unwrap().is_ok());
        let back = |book: &Book| {
            let record = record_of(book, &second).unwrap();
            matches!(record.stage, RolloutState::RolledBack { .. }) && is_settled(book, record)
        };
        assert!(stage.until(back).await);
        assert_eq!(stage.world.live().as_deref(), Some(first.as_str()));
        assert_eq!(stage.world.violations(), Vec::<String>::new());
    });
}

#[test]
fn requests_on_the_oldest_release_end_before_it_is_stopped_for_one_that_waits() {
    run(async {
        let (mut stage, _, second) = prepare(Story::Good, 13).await;
        stage.policy.bake = Duration::from_secs(3600);
        stage.start(Fuse::default()).await;
        deploy(&stage, &second).await.unwrap();
        let stage_of =
            |book: &Book, release: &ReleaseId| record_of(book, release).unwrap().stage.clone();
        let baking = |book: &Book| stage_of(book, &second) == RolloutState::Baking;
        assert!(stage.until(baking).await);
        stage.world.keep_in_flight(1);
        let third = stage.release("third");
        deploy(&stage, &third).await.unwrap();
        let is_drain = |step: &Step| matches!(step, Step::Drain { .. });
        let drains = |book: &Book| record_of(book, &second).unwrap().last(is_drain).is_some();
        assert!(stage.until(drains).await);
        let start = stage.now();
        let later = |_: &Book| stage.now() > start + Duration::from_secs(10);
        assert!(stage.until(later).await);
        let drained = record_of(&stage.engine().book(), &second)
            .unwrap()
            .did(is_drain);
        assert!(!drained, "a request is in flight");
        stage.world.keep_in_flight(0);
        let third_is_live = |book: &Book| stage_of(book, &third) == RolloutState::Baking;
        assert!(stage.until(third_is_live).await);
        assert_eq!(stage.world.violations(), Vec::<String>::new());
    });
}

#[test]
fn while_a_preview_is_looked_at_others_may_publish() {
    run(async {
        let (mut stage, _, second) = prepare(Story::Good, 17).await;
        stage.world.slow_down(true);
        stage.start(Fuse::default()).await;
        deploy(&stage, &second).await.unwrap();
        assert!(stage.until(|_| stage.world.visiting() > 0).await);
        assert!(stage.engine().may_publish());
        stage.world.slow_down(false);
        let baking = |book: &Book| record_of(book, &second).unwrap().stage == RolloutState::Baking;
        assert!(stage.until(baking).await);
    });
}

#[test]
fn a_release_that_loses_an_instance_before_it_has_traffic_gets_none() {
    for settles in [true, false] {
        run(async {
            let (mut stage, first, second) = prepare(Story::Good, 19).await;
            stage.world.slow_down(true);
            stage.start(Fuse::default()).await;
            deploy(&stage, &second).await.unwrap();
            assert!(stage.until(|_| stage.world.visiting() > 0).await);
            stage.world.kill_one(second.as_str());
            if settles {
                let known = |book: &Book| book.instances.values().any(|i| i.exited.is_some());
                assert!(stage.until(known).await);
            }
            stage.world.slow_down(false);
            let ended = |book: &Book| {
                let record = record_of(book, &second).unwrap();
                record.stage == RolloutState::Done || is_settled(book, record)
            };
            assert!(stage.until(ended).await);
            let book = stage.engine().book();
            let state = &record_of(&book, &second).unwrap().stage;
            assert!(
                matches!(state, RolloutState::Failed { reason } if reason.contains("before the release had traffic")),
                "{state:?}"
            );
            assert_eq!(stage.world.live().as_deref(), Some(first.as_str()));
        });
    }
}

/// A person takes back at a moment, counted in turns of the tasks and then in steps of time.
async fn taken_back_at(turns: usize, ticks: usize) -> bool {
    let context = format!("after {turns} turns and {ticks} steps of time");
    let (mut stage, first, second) = prepare(Story::Good, 23).await;
    stage.start(Fuse::default()).await;
    deploy(&stage, &second).await.unwrap();
    let mut left = ticks;
    let passed = |book: &Book| {
        left = left.saturating_sub(1);
        // After that time stands still.
        left == 0 || record_of(book, &second).unwrap().stage == RolloutState::Done
    };
    if ticks > 0 {
        assert!(stage.until(passed).await);
    }
    let engine = stage.engine();
    let back = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        engine
            .rollback(person(), &stage.service, "regret".into())
            .await
    };
    let is_taken = stage.alive(back).await.unwrap().unwrap().is_ok();
    let winner = if is_taken { &first } else { &second };
    let over = |book: &Book| {
        let all = || book.of_service(&stage.service);
        all().all(|r| is_settled(book, r))
            && book
                .live_of(&stage.service)
                .is_some_and(|r| r.release == *winner)
    };
    assert!(stage.until(over).await, "{context}");
    assert_eq!(stage.world.violations(), Vec::<String>::new(), "{context}");
    let alive: Vec<(String, usize)> = stage.world.alive().into_iter().collect();
    assert_eq!(alive, [(winner.to_string(), 2)], "{context}");
    assert_eq!(
        stage.world.live().as_deref(),
        Some(winner.as_str()),
        "{context}"
    );
    is_taken
}

#[test]
fn a_person_may_take_a_release_back_at_any_moment() {
    let early = (0..30).map(|n| (n * 10, 0));
    let late = (1..30).map(|n| (0, n * 4));
    // While the bake ends and the old release is taken out.
    let last = (0..40).map(|n| (n * 2, 90));
    let taken = early
        .chain(late)
        .chain(last)
        .filter(|(turns, ticks)| run(taken_back_at(*turns, *ticks)))
        .count();
    assert!(taken > 80, "{taken}");
}

//! The pure parts: when bad answers take a release back, what an account says, what a table
//! becomes, what is started again and when.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{Counters, ReleaseCounters, RolloutState, Step, Trigger};
use slipway_journal::{Generation, InstanceId, ReleaseId, RolloutId, ServiceName, Slot};
use slipway_proxy::{Health, PoolStats, Second, Stats, Table, TargetStats};
use slipway_rollout::book::Book;
use slipway_rollout::care::{Repair, Sight, repair};
use slipway_rollout::receipt::Tally;
use slipway_rollout::recovery::{self, Published};
use slipway_rollout::routing::{Change, Manner, Side, Unroutable, changed};
use slipway_rollout::trigger::{self, Facts, Verdict};
use slipway_rollout::{Burst, Policy};
use uuid::Uuid;

fn service() -> ServiceName {
    "shop".parse().unwrap()
}

fn release(letter: &str) -> ReleaseId {
    letter.repeat(64).parse().unwrap()
}

fn seconds(of: &[(u64, u64, u32)]) -> Vec<Second> {
    let at = |n: usize| u64::try_from(n).unwrap() + 100;
    of.iter()
        .enumerate()
        .map(|(n, (served, failed, failed_clients))| Second {
            at: at(n),
            served: *served,
            failed: *failed,
            failed_clients: *failed_clients,
        })
        .collect()
}

fn stats(pools: Vec<PoolStats>) -> Stats {
    Stats {
        start: "one".into(),
        pools,
        ..Stats::default()
    }
}

fn pool(of: &ReleaseId, seconds: Vec<Second>) -> PoolStats {
    PoolStats {
        service: "shop".into(),
        release: of.to_string(),
        seconds,
        ..PoolStats::default()
    }
}

/// What fires for a new release with these seconds.
fn fires(of: &[(u64, u64, u32)]) -> Option<(Trigger, String)> {
    let new = release("b");
    let stats = stats(vec![pool(&new, seconds(of))]);
    trigger::look(&Facts {
        service: &service(),
        new: &new,
        old: None,
        stats: &stats,
        before: None,
        at_shift: None,
        burst: &Burst::default(),
        ended: &BTreeSet::new(),
    })
}

#[test]
fn a_third_of_three_hundred_a_second_fires_within_the_first_tenth() {
    let (trigger, evidence) = fires(&[(32, 10, 7)]).unwrap();
    assert_eq!(trigger, Trigger::ErrorBurst);
    assert!(
        evidence.starts_with("10 of 32 requests failed"),
        "{evidence}"
    );
}

#[test]
fn half_of_twenty_a_second_fires_within_two_seconds() {
    assert!(fires(&[(20, 9, 6)]).is_none());
    assert!(fires(&[(20, 9, 6), (4, 1, 1)]).is_some());
}

#[test]
fn what_lies_further_back_than_the_window_does_not_count() {
    assert!(
        fires(&[
            (20, 9, 6),
            (9, 0, 0),
            (9, 0, 0),
            (9, 0, 0),
            (9, 0, 0),
            (9, 2, 2)
        ])
        .is_none()
    );
}

#[test]
fn silence_fires_nothing() {
    assert!(fires(&[]).is_none());
}

proptest! {
    #[test]
    fn the_failures_of_one_client_never_fire(of in prop::collection::vec((0_u64..1000, 0_u64..1000), 0..15)) {
        let of: Vec<_> = of.into_iter().map(|(s, f)| (s.max(f), f, u32::from(f > 0))).collect();
        prop_assert!(fires(&of).is_none());
    }

    #[test]
    fn less_than_a_fifth_never_fires(of in prop::collection::vec(0_u64..10_000, 1..15)) {
        let of: Vec<_> = of.into_iter().map(|served| (served, served.saturating_sub(1) / 5, 64)).collect();
        prop_assert!(fires(&of).is_none());
    }

    #[test]
    fn ten_of_many_clients_and_more_than_a_fifth_always_fire(failed in 10_u64..1000, good in 0_u64..4000) {
        let is_much = failed * 100 >= (failed + good) * 20;
        prop_assert_eq!(fires(&[(failed + good, failed, 3)]).is_some(), is_much);
    }

    #[test]
    fn an_account_adds_up_over_any_number_of_restarts_of_the_proxy(
        lives in prop::collection::vec(prop::collection::vec(0_u64..50, 1..5), 1..5)
    ) {
        let mut tally = Tally::default();
        tally.see(counters("first look", 17));
        let mut expected = 0;
        for (n, life) in lives.iter().enumerate() {
            let mut served = 0;
            for more in life {
                served += more;
                tally.see(counters(&format!("life {n}"), served));
            }
            expected += served;
        }
        let traffic = tally.traffic(&release("a"));
        prop_assert_eq!(traffic.served, expected);
        prop_assert_eq!(traffic.failed, 0);
        prop_assert_eq!(tally.unrouted(), expected);
    }

    #[test]
    fn whatever_is_changed_a_live_route_keeps_its_targets(
        changes in prop::collection::vec((0_u8..4, any::<bool>(), 0_usize..3), 0..20)
    ) {
        let mut table = Table::default();
        for (n, (kind, is_blue, count)) in changes.into_iter().enumerate() {
            let slot = if is_blue { Slot::Blue } else { Slot::Green };
            let side = side(slot, count);
            let change = match kind {
                0 => Change::Preview { side, token: "a token of testers".into() },
                1 => Change::Live { side },
                2 => Change::Without { slot },
                _ => Change::Elsewhere { side },
            };
            let generation = Generation(u64::try_from(n).unwrap() + 1);
            if let Ok(next) = changed(&table, generation, &service(), &manner(), &change) {
                table = next;
            }
            for route in table.routes.values() {
                prop_assert!(!route.pools[&route.live].targets.is_empty());
                prop_assert!(route.preview.as_ref().is_none_or(|p| route.pools.contains_key(&p.pool)));
            }
        }
    }
}

fn counters(start: &str, served: u64) -> Counters {
    Counters {
        start: start.into(),
        second: 0,
        unrouted: served,
        releases: vec![ReleaseCounters {
            release: release("a"),
            served,
            failed: 0,
            shielded: 0,
            judged: None,
            retried: 0,
            held: 0,
            slowest_us: 10,
            latency: vec![(10, served)],
        }],
    }
}

fn side(slot: Slot, count: usize) -> Side {
    let instances = (0..count).map(|n| {
        let port = 20_000 + u16::try_from(n).unwrap();
        (instance(n), ([127, 0, 0, 1], port).into())
    });
    Side {
        slot,
        release: release("a"),
        instances: instances.collect(),
    }
}

fn instance(n: usize) -> InstanceId {
    InstanceId(Uuid::from_u128(u128::try_from(n).unwrap() + 1))
}

fn manner() -> Manner {
    Manner {
        rules: Vec::new(),
        hosts: Vec::new(),
        health: "/health".into(),
        slow: None,
        slow_start: Duration::ZERO,
        pages: None,
    }
}

#[test]
fn two_deaf_instances_of_three_are_a_failed_release_and_one_is_not() {
    let new = release("b");
    let target = |failures| TargetStats {
        instance: "i".into(),
        health: Health::Down,
        failures,
        last_failure: Some("no answer within 2000 ms".into()),
        in_flight: 0,
    };
    let look = |failures: [u32; 3], ended: &[&str]| {
        let mut pool = pool(&new, Vec::new());
        pool.targets = failures.into_iter().map(target).collect();
        let stats = stats(vec![pool]);
        trigger::look(&Facts {
            service: &service(),
            new: &new,
            old: None,
            stats: &stats,
            before: None,
            at_shift: None,
            burst: &Burst::default(),
            ended: &ended.iter().map(|i| (*i).to_owned()).collect(),
        })
    };
    let (trigger, evidence) = look([3, 3, 0], &["other"]).unwrap();
    assert_eq!(trigger, Trigger::FailedHealth);
    assert!(evidence.ends_with("no answer within 2000 ms"), "{evidence}");
    assert_eq!(look([3, 2, 0], &[]), None);
    // Who is known to have ended is started again, and silent until then.
    assert_eq!(look([3, 3, 3], &["i"]), None);
}

/// The verdict on a burst of 30 %, after the old release had failed `old_failed` of 100.
fn verdict(old_failed: u64, old_health: Health, warm: bool) -> Verdict {
    let (new, old) = (release("b"), release("a"));
    let mut old_pool = pool(&old, Vec::new());
    old_pool.targets = vec![TargetStats {
        instance: "i".into(),
        health: old_health,
        failures: 0,
        last_failure: None,
        in_flight: 0,
    }];
    let stats = stats(vec![pool(&new, seconds(&[(100, 30, 20)])), old_pool]);
    let (before, mut at_shift) = (counters("one", 0), counters("one", 100));
    at_shift.releases[0].failed = old_failed;
    let facts = Facts {
        service: &service(),
        new: &new,
        old: Some(&old),
        stats: &stats,
        before: Some(&before),
        at_shift: Some(&at_shift),
        burst: &Burst::default(),
        ended: &BTreeSet::new(),
    };
    trigger::judge(&facts, Trigger::ErrorBurst, warm)
}

#[test]
fn a_cause_that_both_releases_share_halts_and_any_other_restores() {
    assert_eq!(verdict(0, Health::Up, true), Verdict::Restore);
    // Half as bad is still better.
    assert_eq!(verdict(15, Health::Up, true), Verdict::Restore);
    for (old_failed, health, warm) in [
        (20, Health::Up, true),
        (0, Health::Down, true),
        (0, Health::Up, false),
    ] {
        let verdict = verdict(old_failed, health, warm);
        assert!(matches!(verdict, Verdict::Halt { .. }), "{verdict:?}");
    }
}

#[test]
fn a_slot_that_visitors_reach_cannot_be_taken_out() {
    let live = Change::Live {
        side: side(Slot::Blue, 2),
    };
    let table = changed(
        &Table::default(),
        Generation(1),
        &service(),
        &manner(),
        &live,
    )
    .unwrap();
    let slot = Slot::Blue;
    let without = Change::Without { slot };
    assert_eq!(
        changed(&table, Generation(2), &service(), &manner(), &without),
        Err(Unroutable::Live {
            service: service(),
            slot
        })
    );
}

#[test]
fn a_table_that_another_overtook_is_never_published_again() {
    let step = Step::Shift {
        weight: 10_000,
        generation: Generation(5),
    };
    let published = |n| recovery::published(&step, Generation(n)).unwrap();
    assert_eq!(published(4), Published::NotYet);
    assert_eq!(published(5), Published::Served);
    assert_eq!(published(6), Published::Overtaken { by: Generation(6) });
}

/// A book in which one release is live with `count` instances.
fn live_book(count: usize) -> (Book, RolloutId) {
    let mut book = Book::new("production".parse().unwrap());
    let rollout = RolloutId(Uuid::from_u128(99));
    let now = Timestamp::UNIX_EPOCH;
    let mut add = |event| book.event(&event, now);
    add(RolloutEvent::Requested {
        rollout,
        service: service(),
        environment: "production".parse().unwrap(),
        release: release("a"),
        previous: None,
        slot: Slot::Blue,
    });
    for n in 0..count {
        let step = Step::Start {
            instance: instance(n),
        };
        add(RolloutEvent::Intent {
            rollout,
            step: step.clone(),
        });
        add(RolloutEvent::InstanceStarted {
            rollout,
            instance: instance(n),
            pid: 1,
            start_ticks: 1,
            boot: "b".into(),
            address: format!("127.0.0.1:{}", 20_000 + n),
        });
        add(done(rollout, step));
    }
    let shift = Step::Shift {
        weight: 10_000,
        generation: Generation(1),
    };
    add(RolloutEvent::Intent {
        rollout,
        step: shift.clone(),
    });
    add(done(rollout, shift));
    add(RolloutEvent::Entered {
        rollout,
        state: RolloutState::Done,
    });
    (book, rollout)
}

fn done(rollout: RolloutId, step: Step) -> RolloutEvent {
    RolloutEvent::Done {
        rollout,
        step,
        observed: String::new(),
        took_us: None,
        counters: None,
    }
}

#[test]
fn an_instance_that_died_leaves_the_table_at_once_and_comes_back_after_a_wait_that_grows() {
    let (mut book, rollout) = live_book(2);
    let live = Change::Live {
        side: side(Slot::Blue, 2),
    };
    let table = changed(
        &Table::default(),
        Generation(1),
        &service(),
        &manner(),
        &live,
    )
    .unwrap();
    let policy = Policy::default();
    let (service, proved) = (service(), BTreeSet::new());
    let look = |book: &Book, table: &Table, millis: i64| {
        repair(&Sight {
            book,
            service: &service,
            route: table.routes.get("shop"),
            proved: &proved,
            roles: None,
            policy: &policy,
            now: Timestamp::from_millisecond(millis).unwrap(),
            generation: Generation(2),
            instance: instance(7),
        })
    };
    assert_eq!(look(&book, &table, 0), None);
    let exited = |n| RolloutEvent::InstanceExited {
        rollout,
        instance: instance(n),
        how: "signal: 9".into(),
        expected: false,
    };
    book.event(&exited(1), Timestamp::UNIX_EPOCH);
    let step = Step::Reroute {
        slot: Slot::Blue,
        generation: Generation(2),
    };
    assert_eq!(look(&book, &table, 0), Some(Repair::Do { rollout, step }));
    let side = side(Slot::Blue, 1);
    let elsewhere = Change::Elsewhere { side };
    let table = changed(&table, Generation(2), &service, &manner(), &elsewhere).unwrap();
    let until = Timestamp::from_millisecond(500).unwrap();
    assert_eq!(look(&book, &table, 0), Some(Repair::Wait { until }));
    let step = Step::Start {
        instance: instance(7),
    };
    assert_eq!(look(&book, &table, 500), Some(Repair::Do { rollout, step }));
    book.event(&exited(0), Timestamp::UNIX_EPOCH);
    let until = Timestamp::from_millisecond(1000).unwrap();
    assert_eq!(look(&book, &table, 500), Some(Repair::Wait { until }));
}

#[test]
fn an_account_that_an_older_control_began_has_no_more_shielded_than_failed() {
    let mut tally = Tally::default();
    let mut look = counters("one", 100);
    look.releases[0].failed = 40;
    tally.see(look.clone());
    // What the older one did not count was there before.
    look.releases[0].shielded = 30;
    tally.see(look);
    let traffic = tally.traffic(&release("a"));
    assert_eq!((traffic.failed, traffic.shielded), (0, 0));
}

/// A rollout that was asked for and has its turn.
fn locked(book: &mut Book, number: u128, letter: &str) -> RolloutId {
    let rollout = RolloutId(Uuid::from_u128(number));
    let requested = RolloutEvent::Requested {
        rollout,
        service: service(),
        environment: "production".parse().unwrap(),
        release: release(letter),
        previous: None,
        slot: Slot::Green,
    };
    let state = RolloutState::Locked;
    for event in [requested, RolloutEvent::Entered { rollout, state }] {
        book.event(&event, Timestamp::UNIX_EPOCH);
    }
    rollout
}

#[test]
fn what_is_warm_is_left_alone_once_the_next_rollout_takes_its_place() {
    let (mut book, old) = live_book(1);
    let live = locked(&mut book, 100, "b");
    let step = Step::Shift {
        weight: 10_000,
        generation: Generation(2),
    };
    let intent = RolloutEvent::Intent {
        rollout: live,
        step: step.clone(),
    };
    let reason = "no automatic move was safe".to_owned();
    let halted = RolloutEvent::Entered {
        rollout: live,
        state: RolloutState::Halted { reason },
    };
    for event in [intent, done(live, step), halted] {
        book.event(&event, Timestamp::UNIX_EPOCH);
    }
    let cared_for = |book: &Book| -> Vec<RolloutId> {
        let kept = slipway_rollout::care::cared_for(book, &service());
        kept.into_iter().map(|r| r.id).collect()
    };
    assert_eq!(cared_for(&book), [live, old]);
    locked(&mut book, 101, "c");
    assert_eq!(cared_for(&book), [live]);
}

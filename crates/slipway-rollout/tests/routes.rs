//! What a table becomes where instances come and go in batches, visitors wait, or pages keep
//! their release.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use slipway_journal::{Generation, InstanceId, Slot};
use slipway_proxy::{Route, Table};
use slipway_rollout::routing::{Change, Manner, Side, changed};
use uuid::Uuid;

fn side(slot: Slot, count: u16) -> Side {
    let place = match slot {
        Slot::Blue => 0,
        Slot::Green => 100,
    };
    let instances = (0..count).map(|n| {
        let id = InstanceId(Uuid::from_u128(u128::from(place + n + 1)));
        (id, ([127, 0, 0, 1], 20_000 + place + n).into())
    });
    let letter = if place == 0 { "a" } else { "b" };
    Side {
        slot,
        release: letter.repeat(64).parse().unwrap(),
        instances: instances.collect(),
    }
}

fn live(slot: Slot) -> Change {
    let side = side(slot, 3);
    Change::Live { side }
}

/// The route after changes, each with the slot whose pages are kept.
fn route(changes: &[(Change, Option<Slot>)]) -> Route {
    let service = "shop".parse().unwrap();
    let mut table = Table::default();
    for (n, (change, kept)) in (1..).zip(changes) {
        let manner = Manner {
            slow_start: Duration::ZERO,
            hosts: Vec::new(),
            health: "/health".to_owned(),
            rules: Vec::new(),
            slow: None,
            pages: Some((Duration::from_secs(600), *kept)),
        };
        table = changed(&table, Generation(n), &service, &manner, change).unwrap();
    }
    table.routes.remove("shop").unwrap()
}

#[test]
fn visitors_wait_until_the_live_slot_answers_again_or_another_is_live() {
    let held = [(live(Slot::Blue), None), (Change::Held, None)];
    let after = |change: Change| {
        let change = (change, None);
        route(&[held.as_slice(), &[change]].concat()).hold
    };
    assert!(route(&held).hold);
    let elsewhere = |slot| Change::Elsewhere {
        side: side(slot, 1),
    };
    assert!(after(elsewhere(Slot::Green)));
    assert!(!after(elsewhere(Slot::Blue)));
    assert!(!after(live(Slot::Green)));
}

#[test]
fn a_batch_that_goes_gives_the_others_a_greater_share_and_draws_nobody_anew() {
    let share = Change::Share {
        side: side(Slot::Green, 1),
        weight: 2_500,
        epoch: 7,
    };
    let fewer = |weight| Change::Fewer {
        side: side(Slot::Blue, 2),
        weight,
    };
    let after = route(&[
        (live(Slot::Blue), None),
        (share, None),
        (fewer(Some(3_333)), None),
    ]);
    let split = after.split.unwrap();
    assert_eq!((split.weight, split.epoch), (3_333, 7));
    assert_eq!(after.pools["blue"].targets.len(), 2);
    let before_any = route(&[(live(Slot::Blue), None), (fewer(None), None)]);
    assert_eq!(before_any.split, None);
}

#[test]
fn pages_keep_a_slot_only_as_long_as_it_is_there() {
    let kept = |route: &Route| route.skew.as_ref().map(|s| (s.for_s, s.pools.clone()));
    let first = route(&[(live(Slot::Blue), Some(Slot::Green))]);
    assert_eq!(kept(&first), Some((600, Vec::new())));
    let switched = [
        (live(Slot::Blue), None),
        (live(Slot::Green), Some(Slot::Blue)),
    ];
    assert_eq!(
        kept(&route(&switched)),
        Some((600, vec!["blue".to_owned()]))
    );
    let without = Change::Without { slot: Slot::Blue };
    let out = route(&[switched.as_slice(), &[(without, None)]].concat());
    assert_eq!(kept(&out), Some((600, Vec::new())));
    let back = route(&[switched.as_slice(), &[(live(Slot::Blue), None)]].concat());
    assert_eq!(kept(&back), Some((600, Vec::new())));
}

//! A rollout that waits for approval, by the pure parts: it does nothing, nothing waits for it,
//! and only different people who may say yes bring it on.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{Generation, InstanceId, ReleaseId, RolloutId, ServiceName, Slot};
use slipway_rollout::Policy;
use slipway_rollout::book::Book;
use slipway_rollout::strategy::{self, Next, View};
use uuid::Uuid;

const PEOPLE: [&str; 4] = ["anna", "ben", "carla", "dan"];

fn service() -> ServiceName {
    "shop".parse().unwrap()
}

fn release(letter: &str) -> ReleaseId {
    letter.repeat(64).parse().unwrap()
}

fn rollout(number: u128) -> RolloutId {
    RolloutId(Uuid::from_u128(number))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn book(events: &[RolloutEvent]) -> Book {
    let mut book = Book::new("production".parse().unwrap());
    for event in events {
        book.event(event, at(0));
    }
    book
}

fn requested(number: u128, letter: &str) -> RolloutEvent {
    RolloutEvent::Requested {
        rollout: rollout(number),
        service: service(),
        environment: "production".parse().unwrap(),
        release: release(letter),
        previous: None,
        slot: Slot::Blue,
    }
}

fn asked(number: u128, need: u32) -> RolloutEvent {
    RolloutEvent::ApprovalAsked {
        rollout: rollout(number),
        need,
        by: PEOPLE.map(str::to_owned).into(),
        own: Vec::new(),
        until: at(3600),
        overrides: None,
    }
}

fn approved(number: u128, by: &str) -> RolloutEvent {
    RolloutEvent::Approved {
        rollout: rollout(number),
        by: by.to_owned(),
    }
}

/// What the rollout would do a second later.
fn next(book: &Book, number: u128) -> Next {
    strategy::next(&View {
        book,
        record: &book.rollouts[&rollout(number)],
        policy: &Policy::default(),
        migrates: false,
        routed: &[],
        now: at(1),
        generation: Generation(9),
        instance: InstanceId(Uuid::from_u128(99)),
    })
}

/// One release that bakes in place of another that is warm.
fn baking() -> Vec<RolloutEvent> {
    let entered = |number, state| RolloutEvent::Entered {
        rollout: rollout(number),
        state,
    };
    let whole = |number| Step::Shift {
        weight: strategy::WHOLE,
        generation: Generation(u64::try_from(number).unwrap()),
    };
    let mut events = Vec::new();
    for (number, letter) in [(1, "a"), (2, "b")] {
        events.extend([
            requested(number, letter),
            entered(number, RolloutState::Locked),
            RolloutEvent::Intent {
                rollout: rollout(number),
                step: whole(number),
            },
            RolloutEvent::Done {
                rollout: rollout(number),
                step: whole(number),
                observed: String::new(),
                took_us: None,
                counters: None,
            },
            entered(number, RolloutState::Baking),
        ]);
    }
    events
}

#[test]
fn a_rollout_that_waits_for_approval_does_not_end_the_bake_of_the_one_before() {
    let mut events = baking();
    let watched = Next::Watch {
        until: at(0) + SignedDuration::try_from(Policy::default().bake).unwrap(),
    };
    assert_eq!(next(&book(&events), 2), watched);
    events.extend([requested(3, "c"), asked(3, 1)]);
    assert_eq!(next(&book(&events), 2), watched);
    events.push(approved(3, "anna"));
    assert_ne!(next(&book(&events), 2), watched);
}

#[test]
fn what_was_approved_before_the_live_release_was_taken_back_is_called_off() {
    let mut events = baking();
    events.extend([requested(3, "c"), asked(3, 1), approved(3, "anna")]);
    assert_eq!(next(&book(&events), 3), Next::Enter(RolloutState::Locked));
    events.push(RolloutEvent::Entered {
        rollout: rollout(2),
        state: RolloutState::RolledBack {
            reason: "errors".to_owned(),
        },
    });
    let called_off = next(&book(&events), 3);
    assert!(
        matches!(&called_off, Next::Enter(RolloutState::Cancelled { reason }) if reason.contains("taken back")),
        "{called_off:?}"
    );
    // Whoever says yes now knows what is live.
    events.push(approved(3, "ben"));
    assert_eq!(next(&book(&events), 3), Next::Enter(RolloutState::Locked));
}

proptest! {
    #[test]
    fn it_begins_with_the_last_of_enough_different_people_and_not_before(
        need in 1_u32..4,
        said in prop::collection::vec(0..PEOPLE.len(), 0..8),
    ) {
        let mut events = vec![requested(1, "a"), asked(1, need)];
        let mut people = BTreeSet::new();
        for who in said {
            events.push(approved(1, PEOPLE[who]));
            people.insert(who);
            let enough = people.len() >= usize::try_from(need).unwrap();
            let begins = Next::Enter(RolloutState::Locked);
            let wanted = if enough { begins } else { Next::Over };
            prop_assert_eq!(next(&book(&events), 1), wanted);
        }
    }
}

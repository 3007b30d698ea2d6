//! What a service stands on, by the pure part: nothing new comes while that is away or changes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{Generation, RolloutId, ServiceName, Slot};
use slipway_rollout::book::Book;
use slipway_rollout::footing::{Lack, unfooted};
use uuid::Uuid;

fn name(name: &str) -> ServiceName {
    name.parse().unwrap()
}

fn rollout(number: u128) -> RolloutId {
    RolloutId(Uuid::from_u128(number))
}

struct Story(Book);

impl Story {
    fn new() -> Self {
        Self(Book::new("production".parse().unwrap()))
    }

    fn say(&mut self, event: &RolloutEvent) {
        self.0.event(event, Timestamp::UNIX_EPOCH);
    }

    fn asked(&mut self, number: u128) {
        self.say(&RolloutEvent::Requested {
            rollout: rollout(number),
            service: name("stock"),
            environment: "production".parse().unwrap(),
            release: number.to_string().repeat(64).parse().unwrap(),
            previous: None,
            slot: Slot::Blue,
        });
        self.enter(number, RolloutState::Queued);
    }

    fn enter(&mut self, number: u128, state: RolloutState) {
        let rollout = rollout(number);
        self.say(&RolloutEvent::Entered { rollout, state });
    }

    fn shift(&mut self, number: u128) {
        let (rollout, generation) = (rollout(number), Generation(1));
        let step = Step::Shift {
            weight: 10_000,
            generation,
        };
        self.say(&RolloutEvent::Intent {
            rollout,
            step: step.clone(),
        });
        self.say(&RolloutEvent::Done {
            rollout,
            step,
            observed: String::new(),
            took_us: None,
            counters: None,
        });
    }

    /// A rollout up to its bake; why nothing can stand on it in each state.
    fn bring(&mut self, number: u128) -> Vec<Option<Lack>> {
        self.asked(number);
        let mut lacks = vec![self.lack()];
        for state in [
            RolloutState::Locked,
            RolloutState::Prepared,
            RolloutState::Expanded,
            RolloutState::Started,
            RolloutState::Ready,
            RolloutState::Preview,
            RolloutState::Shifting { weight: 10_000 },
        ] {
            self.enter(number, state);
            lacks.push(self.lack());
        }
        self.shift(number);
        self.enter(number, RolloutState::Live);
        lacks.push(self.lack());
        self.enter(number, RolloutState::Baking);
        lacks
    }

    fn lack(&self) -> Option<Lack> {
        let unfooted = unfooted(&self.0, &name("front"), &[name("stock")]);
        unfooted.map(|unfooted| unfooted.why)
    }
}

#[test]
fn nothing_stands_on_what_was_never_live_and_whoever_stands_on_nothing_is_free() {
    let story = Story::new();
    assert_eq!(story.lack(), Some(Lack::Absent));
    assert_eq!(unfooted(&story.0, &name("front"), &[]), None);
}

#[test]
fn nothing_stands_on_a_release_before_it_was_live_for_a_while() {
    let mut story = Story::new();
    for number in [1, 2] {
        let lacks = story.bring(number);
        let coming = Some(Lack::Coming(rollout(number)));
        assert!(lacks.iter().all(|lack| *lack == coming), "{lacks:?}");
        assert_eq!(story.lack(), None);
    }
}

#[test]
fn a_release_that_did_not_go_live_leaves_what_was_there() {
    let failed = || RolloutState::Failed {
        reason: "it never answered".to_owned(),
    };
    let mut story = Story::new();
    story.asked(1);
    story.enter(1, failed());
    assert_eq!(story.lack(), Some(Lack::Absent));
    story.bring(2);
    story.asked(3);
    story.enter(3, failed());
    assert_eq!(story.lack(), None);
}

#[test]
fn nobody_waits_for_a_rollout_that_waits_for_approval() {
    let mut story = Story::new();
    story.bring(1);
    story.asked(2);
    story.say(&RolloutEvent::ApprovalAsked {
        rollout: rollout(2),
        need: 1,
        by: vec!["ben".to_owned()],
        own: Vec::new(),
        until: Timestamp::UNIX_EPOCH,
        overrides: None,
    });
    assert_eq!(story.lack(), None);
    story.say(&RolloutEvent::Approved {
        rollout: rollout(2),
        by: "ben".to_owned(),
    });
    assert_eq!(story.lack(), Some(Lack::Coming(rollout(2))));
}

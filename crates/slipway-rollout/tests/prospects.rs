//! What a rollback would be, told from the journal and a look at the world.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{Generation, InstanceId, ReleaseId, RolloutId, ServiceName, Slot};
use slipway_rollout::book::Book;
use slipway_rollout::prospect::{Kind, Prospect, World, prospect};
use uuid::Uuid;

fn service() -> ServiceName {
    "shop".parse().unwrap()
}

fn release(letter: &str) -> ReleaseId {
    letter.repeat(64).parse().unwrap()
}

fn rollout(n: u128) -> RolloutId {
    RolloutId(Uuid::from_u128(n))
}

fn instance(n: u128) -> InstanceId {
    InstanceId(Uuid::from_u128(100 + n))
}

/// A journal that is written by the second.
struct Story {
    book: Book,
    now: Timestamp,
}

impl Story {
    fn new() -> Self {
        Self {
            book: Book::new("production".parse().unwrap()),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn say(&mut self, event: &RolloutEvent) {
        self.now += Duration::from_secs(1);
        self.book.event(event, self.now);
    }

    fn step(&mut self, n: u128, step: Step, took_us: Option<u64>) {
        let rollout = rollout(n);
        let intent = RolloutEvent::Intent {
            rollout,
            step: step.clone(),
        };
        self.say(&intent);
        self.say(&RolloutEvent::Done {
            rollout,
            step,
            observed: "done".to_owned(),
            took_us,
            counters: None,
        });
    }

    /// A rollout up to where its one instance runs.
    fn start(&mut self, n: u128, letter: &str) {
        self.start_of(&service(), n, letter);
    }

    fn start_of(&mut self, service: &ServiceName, n: u128, letter: &str) {
        let id = rollout(n);
        self.say(&RolloutEvent::Requested {
            rollout: id,
            service: service.clone(),
            environment: "production".parse().unwrap(),
            release: release(letter),
            previous: None,
            slot: Slot::Blue,
        });
        for state in [RolloutState::Locked, RolloutState::Prepared] {
            self.say(&RolloutEvent::Entered { rollout: id, state });
        }
        self.step(n, Step::Expand, Some(10));
        self.say(&RolloutEvent::Entered {
            rollout: id,
            state: RolloutState::Expanded,
        });
        self.step(
            n,
            Step::Start {
                instance: instance(n),
            },
            Some(10),
        );
        self.say(&RolloutEvent::InstanceStarted {
            rollout: id,
            instance: instance(n),
            pid: 1,
            start_ticks: 1,
            boot: "boot".to_owned(),
            address: "127.0.0.1:1".to_owned(),
        });
    }

    /// A rollout that visitors reach.
    fn live(&mut self, n: u128, letter: &str, took_us: u64) {
        self.live_of(&service(), n, letter, took_us);
    }

    fn live_of(&mut self, service: &ServiceName, n: u128, letter: &str, took_us: u64) {
        self.start_of(service, n, letter);
        let generation = Generation(u64::try_from(n).unwrap());
        self.step(
            n,
            Step::Shift {
                weight: 10_000,
                generation,
            },
            Some(took_us),
        );
        let states = [RolloutState::Live, RolloutState::Baking];
        for state in states {
            self.say(&RolloutEvent::Entered {
                rollout: rollout(n),
                state,
            });
        }
    }

    /// The old release's instance is told to stop and does.
    fn retire(&mut self, n: u128, old: u128) {
        self.step(
            n,
            Step::Stop {
                instance: instance(old),
            },
            None,
        );
        self.say(&RolloutEvent::InstanceExited {
            rollout: rollout(old),
            instance: instance(old),
            how: "ended when asked".to_owned(),
            expected: true,
        });
        for state in [RolloutState::Retired, RolloutState::Done] {
            self.say(&RolloutEvent::Entered {
                rollout: rollout(n),
                state,
            });
        }
    }

    fn prospect(&self, world: &World) -> Prospect {
        let prospect = prospect(&self.book, &service(), world);
        assert_eq!(prospect.can, prospect.obstacles.is_empty(), "{prospect:#?}");
        prospect
    }
}

/// Everything answers, and these instances are well.
fn well(instances: &[u128]) -> World {
    let ids = instances.iter().map(|n| instance(*n));
    World {
        control: true,
        proxy: true,
        alive: ids.clone().collect(),
        up: ids.collect(),
        ..World::default()
    }
}

#[test]
fn where_nothing_or_only_one_release_was_live_there_is_no_way_back() {
    let mut story = Story::new();
    let nothing = story.prospect(&well(&[]));
    assert_eq!((nothing.kind, nothing.can), (Kind::Impossible, false));
    story.live(1, "a", 2000);
    let first = story.prospect(&well(&[1]));
    assert_eq!((first.kind, first.can), (Kind::Impossible, false));
    assert!(first.words.contains("first release"), "{first:#?}");
    assert_eq!(first.from, Some(release("a")));
}

#[test]
fn a_warm_release_comes_back_as_fast_as_the_slowest_change_of_late() {
    let mut story = Story::new();
    story.live(1, "a", 2300);
    story.live(2, "b", 4900);
    let world = World {
        in_flight: 7,
        ..well(&[1, 2])
    };
    let warm = story.prospect(&world);
    assert_eq!((warm.kind, warm.can), (Kind::Warm, true));
    assert_eq!(
        (warm.from.clone(), warm.to.clone()),
        (Some(release("b")), Some(release("a")))
    );
    let speed = warm.speed.clone().unwrap();
    assert_eq!((speed.expected_us, speed.measured), (Some(4900), 2));
    let loss = warm.loss.join("; ");
    assert!(
        loss.contains("the 7 under way") && loss.contains("the schema stays"),
        "{loss}"
    );
}

#[test]
fn a_warm_release_none_of_whose_processes_run_cannot_take_visitors() {
    let mut story = Story::new();
    story.live(1, "a", 2300);
    story.live(2, "b", 4900);
    let dead = story.prospect(&well(&[2]));
    assert_eq!((dead.kind, dead.can), (Kind::Warm, false));
    assert!(dead.obstacles[0].what.contains("no instance"), "{dead:#?}");
    let ill = World {
        up: [instance(2)].into(),
        ..well(&[1, 2])
    };
    let ill = story.prospect(&ill);
    assert!(
        ill.can && ill.loss.join(" ").contains("0 of 1 instances"),
        "{ill:#?}"
    );
}

#[test]
fn a_stopped_release_comes_slowly_and_what_that_costs_is_told() {
    let mut story = Story::new();
    story.live(1, "a", 2300);
    story.live(2, "b", 4900);
    story.retire(2, 1);
    let world = World {
        rate: 20,
        ..well(&[2])
    };
    let slow = story.prospect(&world);
    assert_eq!((slow.kind, slow.can), (Kind::Slow, true));
    // From being asked for to the switch, a second for each thing that happened.
    assert_eq!(
        slow.speed.clone().unwrap().expected_us,
        Some(10_000_000),
        "{slow:#?}"
    );
    assert!(slow.loss[0].contains("about 200 requests"), "{slow:#?}");
    let unfit = World {
        unfit: [(release("a"), "there is no release aaaa".to_owned())].into(),
        ..world
    };
    let unfit = story.prospect(&unfit);
    assert_eq!((unfit.kind, unfit.can), (Kind::Slow, false));
    assert!(
        unfit.obstacles[0].what.contains("there is no release"),
        "{unfit:#?}"
    );
}

#[test]
fn what_has_no_visitors_yet_is_called_off() {
    let mut story = Story::new();
    story.live(1, "a", 2300);
    story.start(2, "b");
    let coming = story.prospect(&well(&[1, 2]));
    assert_eq!((coming.kind, coming.can), (Kind::CallOff, true));
    assert_eq!(
        (coming.from, coming.to),
        (Some(release("b")), Some(release("a")))
    );
    assert!(coming.loss.is_empty());
}

#[test]
fn whoever_does_not_answer_stands_in_the_way() {
    let mut story = Story::new();
    story.live(1, "a", 2300);
    story.live(2, "b", 4900);
    for (world, who) in [
        (
            World {
                control: false,
                ..well(&[1, 2])
            },
            "control",
        ),
        (
            World {
                proxy: false,
                ..well(&[1, 2])
            },
            "the proxy",
        ),
    ] {
        let silent = story.prospect(&world);
        assert_eq!((silent.kind, silent.can), (Kind::Warm, false));
        assert!(silent.obstacles[0].what.starts_with(who), "{silent:#?}");
        assert!(
            silent.obstacles[0].next.contains("slipway up"),
            "{silent:#?}"
        );
    }
}

#[test]
fn what_was_deployed_since_and_stands_on_it_is_named_and_so_are_its_pages() {
    let (web, old) = ("web".parse().unwrap(), "old".parse().unwrap());
    let mut story = Story::new();
    story.live_of(&old, 3, "d", 1000);
    story.live(1, "a", 2300);
    story.live(2, "b", 4900);
    story.live_of(&web, 4, "c", 1000);
    let world = World {
        followers: [web, old].into(),
        pages: Some(Duration::from_secs(600)),
        ..well(&[1, 2, 3, 4])
    };
    let warm = story.prospect(&world);
    let loss = warm.loss.join("; ");
    assert!(loss.contains("cccccccccccc of web came after it"), "{loss}");
    assert!(!loss.contains("of old"), "{loss}");
    assert!(loss.contains("pages that were loaded from bbbb"), "{loss}");
    story.retire(2, 1);
    let slow = story.prospect(&world);
    assert_eq!(slow.kind, Kind::Slow);
    assert!(slow.loss.join("; ").contains("of web came after it"));
}

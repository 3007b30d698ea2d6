//! Which workers run, by the pure part: whatever happens in whatever order, those of the live
//! release are there in the end and no others, and two releases' never meet where they may not.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use slipway_journal::event::RolloutEvent;
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{Generation, InstanceId, RoleName, RolloutId, ServiceName, Slot};
use slipway_proxy::Table;
use slipway_rollout::Policy;
use slipway_rollout::book::Book;
use slipway_rollout::care::{Repair, Sight, repair};
use slipway_rollout::recovery;
use slipway_rollout::routing::{Change, Manner, Side, changed};
use uuid::Uuid;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Somebody looks after the service.
    Care,
    /// The same, and is killed between the intent and the effect.
    Killed,
    /// A worker that was asked to end does.
    End(usize),
    /// A worker dies that was not asked to.
    Die(usize),
    /// A new release goes live.
    Switch,
    /// The one before comes back.
    Back,
    /// What is left of one that was taken back is cleared away.
    Clear,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Care),
        2 => Just(Fate::Killed),
        3 => (0..8_usize).prop_map(Fate::End),
        1 => (0..8_usize).prop_map(Fate::Die),
        1 => Just(Fate::Switch),
        1 => Just(Fate::Back),
        2 => Just(Fate::Clear),
    ]
}

/// A machine on which workers run.
struct House {
    book: Book,
    policy: Policy,
    roles: BTreeMap<RoleName, u32>,
    /// The workers that run, and whose they are; whether they were asked to end.
    running: BTreeMap<InstanceId, (RolloutId, bool)>,
    now: Timestamp,
    next: u128,
    live: Option<RolloutId>,
}

impl House {
    fn new(overlap: bool) -> Self {
        Self {
            book: Book::new("production".parse().unwrap()),
            policy: Policy {
                instances: 1,
                workers_overlap: overlap,
                ..Policy::default()
            },
            roles: [("mail", 2), ("bills", 1), ("idle", 0)]
                .map(|(role, count)| (role.parse().unwrap(), count))
                .into(),
            running: BTreeMap::new(),
            now: Timestamp::UNIX_EPOCH,
            next: 1,
            live: None,
        }
    }

    fn fresh(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    fn say(&mut self, event: &RolloutEvent) {
        self.book.event(event, self.now);
    }

    fn did(&mut self, rollout: RolloutId, step: &Step) {
        let step = step.clone();
        self.say(&RolloutEvent::Done {
            rollout,
            step,
            observed: String::new(),
            took_us: None,
            counters: None,
        });
    }

    fn intend(&mut self, rollout: RolloutId, step: &Step) {
        let step = step.clone();
        self.say(&RolloutEvent::Intent { rollout, step });
    }

    /// Something happens; whether anything did.
    fn meet(&mut self, fate: Fate) -> bool {
        self.now = self
            .now
            .checked_add(jiff::SignedDuration::from_secs(1))
            .unwrap();
        match fate {
            Fate::Care => self.care(false),
            Fate::Killed => self.care(true),
            Fate::End(n) => self.end(n),
            Fate::Die(n) => self.die(n),
            Fate::Switch => self.switch(),
            Fate::Back => self.back(),
            Fate::Clear => self.clear_away(),
        }
    }

    fn switch(&mut self) -> bool {
        let rollout = RolloutId(self.fresh());
        self.say(&RolloutEvent::Requested {
            rollout,
            service: service(),
            environment: "production".parse().unwrap(),
            release: blake(self.next),
            previous: None,
            slot: self.slot(),
        });
        for state in [RolloutState::Queued, RolloutState::Locked] {
            self.say(&RolloutEvent::Entered { rollout, state });
        }
        let instance = InstanceId(self.fresh());
        let start = Step::Start { instance };
        self.intend(rollout, &start);
        self.started(rollout, instance);
        self.did(rollout, &start);
        let shift = Step::Shift {
            weight: 10_000,
            generation: Generation(u64::try_from(self.next).unwrap()),
        };
        self.intend(rollout, &shift);
        self.did(rollout, &shift);
        for state in [RolloutState::Live, RolloutState::Baking] {
            self.say(&RolloutEvent::Entered { rollout, state });
        }
        self.live = Some(rollout);
        true
    }

    /// The old release gets the visitors back.
    fn back(&mut self) -> bool {
        let record = self.live.map(|live| self.book.rollouts[&live].clone());
        let Some((record, previous)) = record.and_then(|r| Some((r.clone(), r.previous?))) else {
            return false;
        };
        let rollout = record.id;
        let restore = Step::Restore {
            generation: Generation(u64::try_from(self.next).unwrap()),
        };
        self.intend(rollout, &restore);
        self.did(rollout, &restore);
        let state = RolloutState::RolledBack {
            reason: "prices".to_owned(),
        };
        self.say(&RolloutEvent::Entered { rollout, state });
        self.live = Some(previous);
        true
    }

    /// Whoever drives a release that was taken back asks what is left of it to end; whether
    /// anything was.
    fn clear_away(&mut self) -> bool {
        let is_over = |r: &RolloutId| {
            let stage = &self.book.rollouts[r].stage;
            matches!(stage, RolloutState::RolledBack { .. })
        };
        let mut left = self.running.iter();
        let left = left.find(|(_, (r, asked))| !asked && is_over(r));
        let Some((instance, rollout)) = left.map(|(i, (r, _))| (*i, *r)) else {
            return false;
        };
        self.ask(rollout, instance);
        true
    }

    fn ask(&mut self, rollout: RolloutId, instance: InstanceId) {
        self.intend(rollout, &Step::Stop { instance });
        if let Some((_, asked)) = self.running.get_mut(&instance) {
            *asked = true;
        }
    }

    fn end(&mut self, n: usize) -> bool {
        let asked = self.running.iter().filter(|(_, (_, asked))| *asked);
        let Some((instance, rollout)) = asked.map(|(i, (r, _))| (*i, *r)).nth(n) else {
            return false;
        };
        self.running.remove(&instance);
        self.say(&RolloutEvent::InstanceExited {
            rollout,
            instance,
            how: "ended when asked".to_owned(),
            expected: true,
        });
        self.did(rollout, &Step::Stop { instance });
        true
    }

    fn die(&mut self, n: usize) -> bool {
        // Of one that was asked to end whoever asked says what became of it.
        let living = self.running.iter().filter(|(_, (_, asked))| !asked);
        let Some(instance) = living.map(|(i, _)| *i).nth(n) else {
            return false;
        };
        let dead = [(instance, "signal: 9".to_owned())];
        self.running.remove(&instance);
        for event in recovery::deaths(&self.book, &dead, self.now) {
            // Whether that takes the release back is decided elsewhere.
            if !matches!(event, RolloutEvent::TriggerFired { .. }) {
                self.say(&event);
            }
        }
        true
    }

    fn care(&mut self, is_killed: bool) -> bool {
        if let Some((rollout, step)) = self.open() {
            return self.start(rollout, &step);
        }
        let instance = InstanceId(self.fresh());
        let (service, proved) = (service(), BTreeSet::new());
        let table = self.table();
        let repair = repair(&Sight {
            book: &self.book,
            service: &service,
            route: table.routes.get("shop"),
            proved: &proved,
            roles: Some(&self.roles),
            policy: &self.policy,
            now: self.now,
            generation: Generation(u64::MAX),
            instance,
        });
        match repair {
            Some(Repair::Do { rollout, step }) => match step {
                Step::Work { .. } => {
                    self.intend(rollout, &step);
                    is_killed || self.start(rollout, &step)
                }
                Step::Stop { instance } => {
                    self.ask(rollout, instance);
                    true
                }
                step => panic!("visitors lack nothing here: {step:?}"),
            },
            Some(Repair::Wait { .. }) => true,
            Some(repair @ Repair::Prove { .. }) => panic!("visitors lack nothing here: {repair:?}"),
            None => false,
        }
    }

    /// A start that was intended and not reported.
    fn open(&self) -> Option<(RolloutId, Step)> {
        self.book.rollouts.values().find_map(|r| {
            let mut open = r.open_cares();
            let open = open.find(|s| matches!(s.step, Step::Work { .. }))?;
            Some((r.id, open.step.clone()))
        })
    }

    fn start(&mut self, rollout: RolloutId, step: &Step) -> bool {
        let Step::Work { instance, .. } = step else {
            return false;
        };
        self.running.insert(*instance, (rollout, false));
        self.started(rollout, *instance);
        self.did(rollout, step);
        true
    }

    fn slot(&self) -> Slot {
        let live = self.live.map(|live| self.book.rollouts[&live].slot);
        live.map_or(Slot::Blue, Slot::other)
    }

    /// The table that names everything that answers visitors.
    fn table(&self) -> Table {
        let live = self.live.map(|live| &self.book.rollouts[&live]);
        let previous = live.and_then(|r| self.book.rollouts.get(&r.previous?));
        let mut table = Table::default();
        for record in previous.into_iter().chain(live) {
            let serving = self.book.serving_of(record.id);
            let side = Side {
                slot: record.slot,
                release: record.release.clone(),
                instances: serving
                    .map(|i| (i.id, ([127, 0, 0, 1], 1).into()))
                    .collect(),
            };
            let change = Change::Live { side };
            table = changed(&table, Generation(1), &service(), &manner(), &change).unwrap();
        }
        table
    }

    fn started(&mut self, rollout: RolloutId, instance: InstanceId) {
        self.say(&RolloutEvent::InstanceStarted {
            rollout,
            instance,
            pid: 1,
            start_ticks: 1,
            boot: "b".to_owned(),
            address: "127.0.0.1:1".to_owned(),
        });
    }

    /// The releases whose workers run.
    fn at_work(&self) -> BTreeSet<RolloutId> {
        self.running.values().map(|(rollout, _)| *rollout).collect()
    }

    /// Nothing more happens to it, and it comes to rest.
    fn rest(&mut self) {
        for _ in 0..500 {
            let cared = self.meet(Fate::Care);
            let ended = self.meet(Fate::End(0));
            let cleared = self.meet(Fate::Clear);
            if !cared && !ended && !cleared {
                return;
            }
        }
        panic!("it comes to no rest: {:?}", self.running);
    }
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

fn service() -> ServiceName {
    "shop".parse().unwrap()
}

fn blake(number: u128) -> slipway_journal::ReleaseId {
    format!("{number:064x}").parse().unwrap()
}

proptest! {
    #[test]
    fn in_the_end_the_live_release_has_its_workers_and_no_other_has_any(
        overlap: bool, fates in prop::collection::vec(fate(), 0..120),
    ) {
        let mut house = House::new(overlap);
        for fate in fates {
            house.meet(fate);
            let together = house.at_work().len();
            prop_assert!(overlap || together <= 1, "{together} releases' workers run at once");
        }
        house.rest();
        let at_work = house.at_work();
        prop_assert_eq!(at_work, house.live.into_iter().collect::<BTreeSet<_>>());
        prop_assert_eq!(house.running.len(), if house.live.is_some() { 3 } else { 0 });
    }

    #[test]
    fn somebody_works_all_the_time_where_they_may_overlap_and_none_dies(
        fates in prop::collection::vec(fate(), 0..120),
    ) {
        let mut house = House::new(true);
        house.switch();
        house.rest();
        for fate in fates.into_iter().filter(|f| !matches!(f, Fate::Die(_) | Fate::Back)) {
            house.meet(fate);
            prop_assert!(!house.running.is_empty(), "nobody works after {fate:?}");
        }
    }
}

#[test]
fn they_do_overlap_where_they_may() {
    let mut house = House::new(true);
    house.switch();
    house.rest();
    house.switch();
    house.meet(Fate::Care);
    let mut most = 0;
    for _ in 0..20 {
        house.meet(Fate::Care);
        most = most.max(house.at_work().len());
    }
    assert_eq!(most, 2);
}

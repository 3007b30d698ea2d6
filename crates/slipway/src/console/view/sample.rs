//! A journal of three rollouts for the tests of this module: one that went well, one
//! that was rolled back, one that runs.

#![cfg(test)]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use slipway_journal::event::judgement::{Figures, Metric, Verdict};
use slipway_journal::event::rollout::{
    Receipt, ReleaseTraffic, RolloutEvent, RolloutState, Steering, Step, Trigger,
};
use slipway_journal::event::{ControlEvent, PipelineEvent};
use slipway_journal::{
    Actor, Entry, Event, Generation, InstanceId, Outcome, ReleaseId, RolloutId, RunId, Seq,
    ServiceName, Slot,
};
use slipway_proxy::{
    Health, HealthCheck, Pool, PoolStats, Route, Stats, Table, Target, TargetStats,
};
use slipway_rollout::Standing;
use uuid::Uuid;

use crate::console::live::Picture;
use crate::console::words::Clockface;
use crate::reading::Reading;

pub(crate) fn service() -> ServiceName {
    "booking".parse().unwrap()
}

pub(crate) fn release(letter: char) -> ReleaseId {
    letter.to_string().repeat(64).parse().unwrap()
}

pub(crate) fn rollout_id(number: u128) -> RolloutId {
    RolloutId(Uuid::from_u128(number << 64 | number))
}

pub(crate) fn instance_id(number: u128) -> InstanceId {
    InstanceId(Uuid::from_u128(0xabc0 + number))
}

/// Two seconds after the last entry.
pub(crate) fn face() -> Clockface {
    Clockface {
        now: entries().last().unwrap().at + Duration::from_secs(2),
        zone: TimeZone::UTC,
    }
}

pub(crate) fn reading() -> Reading {
    Reading::of(&entries())
}

/// The picture after so many rollouts, with a proxy that tells what fits.
pub(crate) fn picture(rollouts: usize) -> Picture {
    let mut picture = Picture::default();
    for entry in entries_of(rollouts) {
        picture.take(&entry);
    }
    let (table, stats) = proxy_of(rollouts, 0);
    let (_, later) = proxy_of(rollouts, 1);
    picture.traffic.take(Duration::from_secs(1), &stats);
    picture.traffic.take(Duration::from_secs(2), &later);
    picture.proxy.table = Some(table);
    picture.proxy.stats = Some(later);
    picture
}

/// What a proxy tells after so many rollouts and so many seconds.
pub(crate) fn proxy_of(rollouts: usize, second: u64) -> (Table, Stats) {
    let (a, b, c) = (release('a'), release('b'), release('c'));
    let mut pools = BTreeMap::from([("blue".to_owned(), pool(&a, &[1, 2]))]);
    let mut counts = vec![counts(&a, 310 * second, 0, &[1, 2])];
    match rollouts {
        2 => counts.push(self::counts(&b, 118, 64, &[])),
        3 => {
            pools.insert("green".to_owned(), pool(&c, &[5, 6]));
            counts.push(self::counts(&c, 4 * second, 0, &[5, 6]));
        }
        _ => {}
    }
    let route = Route {
        hosts: Vec::new(),
        pools,
        live: "blue".into(),
        split: None,
        preview: None,
        hold: false,
        rules: Vec::new(),
        maintenance: None,
        skew: None,
        slow: None,
        slow_start_ms: 0,
        health: HealthCheck {
            path: "/health".into(),
            every_ms: 2000,
            timeout_ms: 1000,
            down_after: 3,
            up_after: 2,
        },
    };
    let generation = slipway_proxy::Generation(20 + rollouts as u64);
    let table = Table {
        generation,
        routes: BTreeMap::from([("booking".to_owned(), route)]),
    };
    let stats = Stats {
        start: "one".into(),
        generation,
        oldest_in_flight: generation,
        pools: counts,
        ..Stats::default()
    };
    (table, stats)
}

fn pool(release: &ReleaseId, instances: &[u128]) -> Pool {
    Pool {
        release: release.as_str().into(),
        targets: instances
            .iter()
            .map(|n| Target {
                instance: instance_id(*n).to_string(),
                address: ([127, 0, 0, 1], 40_000 + u16::try_from(*n).unwrap()).into(),
            })
            .collect(),
        health: None,
    }
}

fn counts(release: &ReleaseId, served: u64, failed: u64, instances: &[u128]) -> PoolStats {
    PoolStats {
        service: "booking".into(),
        release: release.as_str().into(),
        served,
        failed,
        slowest_us: 48_000,
        latency: vec![(1_900, served * 3 / 4), (6_200, served / 4)],
        targets: instances
            .iter()
            .map(|n| TargetStats {
                instance: instance_id(*n).to_string(),
                health: Health::Up,
                failures: 0,
                last_failure: None,
                in_flight: 2,
            })
            .collect(),
        ..PoolStats::default()
    }
}

/// The picture while the third release has a tenth of the visitors.
pub(crate) fn canary() -> Picture {
    let mut picture = picture(3);
    let entries = entries_of(3);
    let last = entries.last().unwrap();
    let mut book = Book {
        at: last.at,
        entries,
    };
    let id = rollout_id(3);
    let shifting = RolloutState::Shifting { weight: 1_000 };
    book.enter(id, 900, shifting.clone());
    let step = Step::Shift {
        weight: 1_000,
        generation: Generation(22),
    };
    book.step(id, 4, step, "table 22 is served");
    for entry in &book.entries {
        picture.take(entry);
    }
    picture
}

/// What a person says of it then.
pub(crate) fn say(picture: &mut Picture, order: Steering, state: RolloutState) {
    let entries = entries_of(3);
    let mut book = Book {
        at: entries.last().unwrap().at + Duration::from_secs(1),
        entries,
    };
    let rollout = rollout_id(3);
    // As many as the picture has, so that what follows is new to it.
    while book.entries.last().unwrap().seq < picture.reading.seq {
        let last = book.entries.last().unwrap().clone();
        book.write(0, last.event);
    }
    let reason = "the mail goes out at ten".to_owned();
    book.rollout(
        0,
        RolloutEvent::Steered {
            rollout,
            order,
            reason,
        },
    );
    book.enter(rollout, 0, state);
    for entry in &book.entries {
        picture.take(entry);
    }
}

/// The whole journal.
pub(crate) fn entries() -> Vec<Entry> {
    entries_of(3)
}

/// The journal up to so many rollouts.
pub(crate) fn entries_of(rollouts: usize) -> Vec<Entry> {
    entries_from("2026-11-24T11:00:00Z".parse().unwrap(), rollouts)
}

/// The journal from `at` on, up to so many rollouts.
pub(crate) fn entries_from(at: Timestamp, rollouts: usize) -> Vec<Entry> {
    let mut book = Book {
        at,
        entries: Vec::new(),
    };
    book.write(
        0,
        Event::Control(ControlEvent::Started {
            version: "0.1.0".into(),
            pid: 411,
            recovered: 0,
        }),
    );
    let plays: [fn(&mut Book); 3] = [good, rolled_back, running];
    for play in plays.into_iter().take(rollouts) {
        play(&mut book);
    }
    book.entries
}

struct Book {
    at: Timestamp,
    entries: Vec<Entry>,
}

impl Book {
    fn write(&mut self, after_ms: i64, event: Event) {
        self.at += SignedDuration::from_millis(after_ms);
        let seq = i64::try_from(self.entries.len()).unwrap() + 1;
        self.entries.push(Entry {
            seq: Seq(seq),
            at: self.at,
            actor: Actor::Person("thandi".into()),
            event,
            hash: format!("{seq:064x}"),
        });
    }

    fn made(&mut self, letter: char, commit: &str) {
        let run = RunId(Uuid::from_u128(u128::from(u32::from(letter))));
        let mut say = |after, event| self.write(after, Event::Pipeline(event));
        let jobs = vec!["fmt".into(), "clippy".into(), "test".into(), "build".into()];
        say(
            600_000,
            PipelineEvent::RunStarted {
                run,
                commit: commit.into(),
                jobs,
            },
        );
        for (gate, finding) in [
            ("tests", "318 of 318 passed, at least 300 wanted"),
            ("coverage", "86.2 % of lines, at least 80 % wanted"),
        ] {
            say(
                40_000,
                PipelineEvent::GateEvaluated {
                    run,
                    gate: gate.into(),
                    outcome: Outcome::Met,
                    findings: vec![finding.into()],
                },
            );
        }
        say(
            2_000,
            PipelineEvent::ReleaseMade {
                run,
                service: service(),
                release: release(letter),
                commit: commit.into(),
            },
        );
        say(
            10,
            PipelineEvent::RunFinished {
                run,
                passed: true,
                took_ms: 82_010,
            },
        );
    }

    fn rollout(&mut self, after_ms: i64, event: RolloutEvent) {
        self.write(after_ms, Event::Rollout(event));
    }

    fn enter(&mut self, rollout: RolloutId, after_ms: i64, state: RolloutState) {
        self.rollout(after_ms, RolloutEvent::Entered { rollout, state });
    }

    fn step(&mut self, rollout: RolloutId, took_ms: i64, step: Step, observed: &str) {
        let intent = RolloutEvent::Intent {
            rollout,
            step: step.clone(),
        };
        self.rollout(5, intent);
        let done = RolloutEvent::Done {
            rollout,
            step,
            observed: observed.into(),
            took_us: None,
            counters: None,
        };
        self.rollout(took_ms, done);
    }

    /// From the request to the preview.
    fn bring_up(&mut self, number: u128, letter: char, previous: Option<char>, slot: Slot) {
        let id = rollout_id(number);
        self.rollout(
            30_000,
            RolloutEvent::Requested {
                rollout: id,
                service: service(),
                environment: "production".parse().unwrap(),
                release: release(letter),
                previous: previous.map(release),
                slot,
            },
        );
        self.enter(id, 0, RolloutState::Queued);
        self.enter(id, 5, RolloutState::Locked);
        self.step(
            id,
            120,
            Step::Prepare,
            "41 files as the manifest says, 9.1 GB free",
        );
        self.enter(id, 0, RolloutState::Prepared);
        self.step(id, 640, Step::Expand, "schema at level 1");
        self.enter(id, 0, RolloutState::Expanded);
        for n in [2 * number - 1, 2 * number] {
            let instance = instance_id(n);
            let start = RolloutEvent::Intent {
                rollout: id,
                step: Step::Start { instance },
            };
            self.rollout(5, start);
            self.rollout(
                30,
                RolloutEvent::InstanceStarted {
                    rollout: id,
                    instance,
                    pid: 5100 + i32::try_from(n).unwrap(),
                    start_ticks: 88_000,
                    boot: "boot".into(),
                    address: format!("127.0.0.1:{}", 40_000 + n),
                },
            );
            let done = RolloutEvent::Done {
                rollout: id,
                step: Step::Start { instance },
                observed: "runs".into(),
                took_us: None,
                counters: None,
            };
            self.rollout(2, done);
        }
        self.enter(id, 0, RolloutState::Started);
        self.step(id, 3_100, Step::AwaitReady, "2 of 2 ready");
        self.enter(id, 0, RolloutState::Ready);
    }

    fn shift(&mut self, id: RolloutId, generation: u64) {
        let (preview, shift) = (Generation(generation), Generation(generation + 1));
        let step = Step::Preview {
            generation: preview,
        };
        self.step(id, 210, step, "4 pages answered below 400");
        self.enter(id, 0, RolloutState::Preview);
        self.enter(id, 10, RolloutState::Shifting { weight: 10_000 });
        let step = Step::Shift {
            weight: 10_000,
            generation: shift,
        };
        self.step(id, 4, step, "table served");
        self.enter(id, 0, RolloutState::Live);
    }
}

fn good(book: &mut Book) {
    book.made('a', "9d1c02f77be0a5c3");
    let id = rollout_id(1);
    book.bring_up(1, 'a', None, Slot::Blue);
    book.shift(id, 17);
    book.enter(id, 2_000, RolloutState::Baking);
    let receipt = Receipt {
        rollout: id,
        service: service(),
        environment: "production".parse().unwrap(),
        release: release('a'),
        previous: None,
        end: RolloutState::Baking,
        took_ms: 9_420,
        switch_us: Some(3_840),
        rollback_us: None,
        traffic: vec![traffic('a', 18_402, 0)],
        unrouted: 0,
        rollback_now: "nothing was live before this release".into(),
    };
    book.rollout(
        20,
        RolloutEvent::ReceiptIssued {
            receipt: Box::new(receipt),
        },
    );
}

fn rolled_back(book: &mut Book) {
    book.made('b', "51e88c0a9127d4ff");
    let id = rollout_id(2);
    book.bring_up(2, 'b', Some('a'), Slot::Green);
    book.shift(id, 19);
    book.rollout(
        1_900,
        RolloutEvent::TriggerFired {
            rollout: id,
            trigger: Trigger::ErrorBurst,
            evidence: "64 of 118 answers failed within 5 s, 31 clients".into(),
        },
    );
    let restore = Step::Restore {
        generation: Generation(21),
    };
    book.step(id, 6, restore, "table served");
    let reason = "error burst: 64 of 118 answers failed within 5 s".to_owned();
    for n in [3, 4] {
        book.rollout(
            40,
            RolloutEvent::InstanceExited {
                rollout: id,
                instance: instance_id(n),
                how: "ended with code 0".into(),
                expected: true,
            },
        );
    }
    book.rollout(
        5,
        RolloutEvent::Quarantined {
            rollout: id,
            release: release('b'),
            reason: reason.clone(),
        },
    );
    book.enter(
        id,
        0,
        RolloutState::RolledBack {
            reason: reason.clone(),
        },
    );
    let receipt = Receipt {
        rollout: id,
        service: service(),
        environment: "production".parse().unwrap(),
        release: release('b'),
        previous: Some(release('a')),
        end: RolloutState::RolledBack { reason },
        took_ms: 6_210,
        switch_us: Some(4_020),
        rollback_us: Some(6_120),
        traffic: vec![traffic('a', 14_377, 0), traffic('b', 118, 64)],
        unrouted: 0,
        rollback_now: "nothing to roll back: the release before is live again".into(),
    };
    book.rollout(
        20,
        RolloutEvent::ReceiptIssued {
            receipt: Box::new(receipt),
        },
    );
}

fn running(book: &mut Book) {
    book.made('c', "c70be21d9a4417e8-dirty");
    let id = rollout_id(3);
    book.bring_up(3, 'c', Some('a'), Slot::Green);
    book.enter(id, 0, RolloutState::Preview);
    let preview = RolloutEvent::Intent {
        rollout: id,
        step: Step::Preview {
            generation: Generation(21),
        },
    };
    book.rollout(5, preview);
}

/// A judge that has looked at the third rollout for a while.
pub(crate) fn standing() -> Standing {
    let figures = |metric, baseline, canary, ln_e_milli| Figures {
        metric,
        baseline,
        canary,
        ln_e_milli,
        ln_e_limit_milli: 5_704,
        bound_ppm: 47_000,
        bound_limit_ppm: 10_000,
    };
    Standing {
        rollout: rollout_id(3),
        at_ms: 43_000,
        verdict: Verdict::Hold {
            lacking: "it was looked at for 43 of 60 s".to_owned(),
        },
        figures: vec![
            figures(Metric::ServerError, (1_204, 3), (131, 2), 1_386),
            figures(Metric::Slow, (1_204, 61), (131, 5), -310),
            figures(Metric::VerySlow, (1_204, 1), (131, 0), -12),
        ],
    }
}

fn traffic(letter: char, served: u64, failed: u64) -> ReleaseTraffic {
    ReleaseTraffic {
        release: release(letter),
        served,
        failed,
        shielded: 0,
        retried: 2,
        held: 0,
        slowest_us: 48_100,
        p99_us: 6_200,
    }
}

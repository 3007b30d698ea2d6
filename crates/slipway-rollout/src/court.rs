//! From the proxy's counts to the judge: what was counted from one look to the next, for the
//! trial of a canary or for the vigil over a release that has all of the traffic. Pure.
//!
//! A restart of control begins a trial anew, with a part of α of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use slipway_journal::event::judgement::{Arm, Figures, Judgement, Metric, Verdict};
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{ReleaseId, RolloutId, ServiceName};
use slipway_proxy::{Bad, PoolStats, Stats};

use crate::book::Record;
use crate::history::History;
use crate::judge::{self, Trial, Vigil};
use crate::policy::{Policy, Strategy};
use crate::strategy::WHOLE;
use crate::trigger;

/// A release is slow at first, with caches that are empty: its slowness counts after this.
const WARM: Duration = Duration::from_secs(30);

/// Judges one release while it is in one state.
#[derive(Debug)]
pub(crate) struct Court {
    service: ServiceName,
    of: (RolloutId, RolloutState),
    strategy: Strategy,
    /// By the monotonic clock.
    began: Duration,
    new: ReleaseId,
    old: ReleaseId,
    seat: Seat,
    /// What the proxy had counted at the last look, since which start of it.
    last: Option<(String, Arm, Arm)>,
    /// What was written down last.
    said: Option<Verdict>,
}

/// What the judge sees of a rollout now, whether or not there is something to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The rollout.
    pub rollout: RolloutId,
    /// How long it has been looked at, milliseconds.
    pub at_ms: u64,
    /// What would be said now.
    pub verdict: Verdict,
    /// The numbers, one for each metric.
    pub figures: Vec<Figures>,
}

#[derive(Debug)]
enum Seat {
    Trial(Box<Trial>),
    Vigil(Box<Vigil>),
}

impl Court {
    /// Who judges the release now; nobody where there is nothing that it could be held against.
    pub(crate) fn of(
        record: &Record,
        old: &ReleaseId,
        policy: &Policy,
        now: Duration,
    ) -> Option<Self> {
        let history = History::of(record, old);
        let rules = match &policy.strategy {
            Strategy::Canary(canary) => Some(canary.rules()),
            // A batch is judged once it has its share.
            Strategy::Rolling(rolling)
                if record.share().is_some_and(|s| has_shifted(record, s)) =>
            {
                Some(rolling.rules())
            }
            Strategy::Rolling(_) | Strategy::BlueGreen | Strategy::Recreate(_) => None,
        };
        let seat = match (&record.stage, rules) {
            (RolloutState::Shifting { weight }, Some(rules)) if *weight < WHOLE => {
                let usual = history.map_or_else(History::unknown_ppm, |h| h.bad_ppm());
                let rules = judge::nth(rules, place(record));
                Seat::Trial(Box::new(Trial::new(rules, usual)))
            }
            (RolloutState::Live | RolloutState::Baking, _) => {
                let rules = judge::nth(judge::after_cut_over(), place(record));
                Seat::Vigil(Box::new(Vigil::new(rules, history?.bad_ppm())))
            }
            _ => return None,
        };
        Some(Self {
            service: record.service.clone(),
            of: (record.id, record.stage.clone()),
            strategy: policy.strategy.clone(),
            began: now,
            new: record.release.clone(),
            old: old.clone(),
            seat,
            last: None,
            said: None,
        })
    }

    /// Whether it judges this rollout in this state, by the rules that hold now.
    pub(crate) fn is_for(&self, record: &Record, policy: &Policy) -> bool {
        self.of.0 == record.id && self.of.1 == record.stage && self.strategy == policy.strategy
    }

    /// One look at an instant of the monotonic clock; a judgement where there is one to be
    /// written down, again and again until `wrote` says that it was.
    pub(crate) fn look(&mut self, stats: &Stats, now: Duration) -> Option<Judgement> {
        if !self.is_told(stats) {
            self.last = None;
            return None;
        }
        let since = now.saturating_sub(self.began);
        let (baseline, canary) = self.counted(stats);
        let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let is_warm = since >= WARM;
        let verdict = match &mut self.seat {
            Seat::Trial(trial) => {
                let (baseline, canary) = (judged(baseline, is_warm), judged(canary, is_warm));
                trial.see(at_ms, baseline, canary)
            }
            // Another hour of the day has other times to answer in; errors have no such excuse.
            Seat::Vigil(vigil) => vigil.see(at_ms, judged(canary, false)),
        };
        match verdict {
            Verdict::Hold { .. } => return None,
            // One that changes only in its words is none that is new.
            now if self.said.as_ref().is_some_and(|said| is_alike(said, now)) => return None,
            Verdict::Inconclusive { .. } | Verdict::Advance | Verdict::Abort { .. } => {}
        }
        Some(match &self.seat {
            Seat::Trial(trial) => trial.judgement(),
            Seat::Vigil(vigil) => vigil.judgement(),
        })
    }

    /// What is seen now.
    pub(crate) fn standing(&self, now: Duration) -> Standing {
        let (verdict, figures) = match &self.seat {
            Seat::Trial(trial) => (trial.verdict(), trial.figures()),
            Seat::Vigil(vigil) => (vigil.verdict(), vigil.figures()),
        };
        let at = now.saturating_sub(self.began);
        Standing {
            rollout: self.of.0,
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            verdict: verdict.clone(),
            figures,
        }
    }

    /// A judgement was written down.
    pub(crate) fn wrote(&mut self, verdict: &Verdict) {
        self.said = Some(verdict.clone());
    }

    /// A person wants to hear it again.
    pub(crate) fn say_again(&mut self) {
        self.said = None;
    }

    /// Whether the proxy tells what went badly of both releases. An older one does not, and that
    /// is not the same as that nothing did.
    pub(crate) fn is_told(&self, stats: &Stats) -> bool {
        [&self.old, &self.new]
            .into_iter()
            .filter_map(|release| trigger::pool(stats, &self.service, release))
            .all(|pool| pool.bad.is_some())
    }

    /// Whether the time was over before anything could be said.
    pub(crate) fn is_unsure(&self) -> bool {
        matches!(self.said, Some(Verdict::Inconclusive { .. }))
    }

    /// What was counted of both releases since the last look.
    fn counted(&mut self, stats: &Stats) -> (Arm, Arm) {
        let of = |release: &ReleaseId| {
            trigger::pool(stats, &self.service, release).map_or_else(Arm::default, arm)
        };
        let now = (of(&self.old), of(&self.new));
        let last = self.last.replace((stats.start.clone(), now.0, now.1));
        match last {
            // What was there before the court sat is not judged; but who had something bad then
            // is not counted again within ten minutes.
            None => (known(now.0), known(now.1)),
            // Another start of the proxy counts from nought again.
            Some((start, ..)) if start != stats.start => now,
            Some((_, baseline, canary)) => (less(now.0, baseline), less(now.1, canary)),
        }
    }
}

fn known(arm: Arm) -> Arm {
    Arm {
        clients: arm.clients,
        ..Arm::default()
    }
}

fn is_alike(one: &Verdict, other: &Verdict) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Which judgement of its rollout this is, from 1: there is one for each share of the traffic,
/// one more for the bake, and one for each time that control began anew.
fn place(record: &Record) -> u32 {
    let shares: BTreeSet<u16> = record
        .steps
        .iter()
        .filter_map(|s| match s.step {
            Step::Shift { weight, .. } => Some(weight),
            _ => None,
        })
        .collect();
    let bakes = usize::from(record.stage == RolloutState::Baking);
    let places = u32::try_from(shares.len() + bakes).unwrap_or(u32::MAX);
    places.saturating_add(record.restarts)
}

/// Whether traffic was moved to this very share.
fn has_shifted(record: &Record, share: u16) -> bool {
    record.did(|s| matches!(s, Step::Shift { weight, .. } if *weight == share))
}

/// What the proxy counted of a release, as it is judged: nothing, where it does not tell what
/// went badly.
pub(crate) fn arm(pool: &PoolStats) -> Arm {
    pool.bad.map_or_else(Arm::default, |bad| Arm {
        requests: pool.served,
        bad: by_metric(bad),
        left_out: by_metric(pool.left_out),
        clients: pool.bad_clients.map(by_metric),
    })
}

/// In the order of `Metric::ALL`.
fn by_metric(bad: Bad) -> [u64; 3] {
    [bad.failed, bad.slow, bad.very_slow]
}

fn judged(arm: Arm, is_slowness: bool) -> Arm {
    let mut judged = arm;
    if !is_slowness {
        judged.bad[Metric::Slow.place()] = 0;
        judged.bad[Metric::VerySlow.place()] = 0;
    }
    judged
}

fn less(now: Arm, before: Arm) -> Arm {
    Arm {
        requests: now.requests.saturating_sub(before.requests),
        bad: std::array::from_fn(|i| now.bad[i].saturating_sub(before.bad[i])),
        left_out: std::array::from_fn(|i| now.left_out[i].saturating_sub(before.left_out[i])),
        clients: now
            .clients
            .zip(before.clients)
            .map(|(now, before)| std::array::from_fn(|i| now[i].saturating_sub(before[i]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::policy::Canary;
    use jiff::Timestamp;
    use slipway_journal::event::{ControlEvent, RolloutEvent};
    use slipway_journal::{Actor, Entry, Event, Generation, RolloutId, Seq, Slot};

    fn release(letter: char) -> ReleaseId {
        letter.to_string().repeat(64).parse().unwrap()
    }

    fn entry(event: Event) -> Entry {
        Entry {
            seq: Seq(1),
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::System("test".to_owned()),
            event,
            hash: String::new(),
        }
    }

    fn started() -> Event {
        Event::Control(ControlEvent::Started {
            version: "1".to_owned(),
            pid: 1,
            recovered: 0,
        })
    }

    /// A canary of a tenth of the visitors, and what happened after.
    fn record(after: Vec<Event>) -> Record {
        let rollout: RolloutId = "00000000000000000000000000000001".parse().unwrap();
        let environment = "production".parse().unwrap();
        let step = Step::Shift {
            weight: 1_000,
            generation: Generation(2),
        };
        let events = [
            RolloutEvent::Requested {
                rollout,
                service: "web".parse().unwrap(),
                environment,
                release: release('b'),
                previous: None,
                slot: Slot::Green,
            },
            RolloutEvent::Entered {
                rollout,
                state: RolloutState::Shifting { weight: 1_000 },
            },
            RolloutEvent::Intent { rollout, step },
        ];
        let events = events.map(Event::Rollout).into_iter().chain(after);
        let entries: Vec<Entry> = events.map(entry).collect();
        let book = Book::of("production".parse().unwrap(), &entries);
        book.rollouts[&rollout].clone()
    }

    fn court(after: Vec<Event>) -> Court {
        let policy = Policy {
            strategy: Strategy::Canary(Canary::default()),
            ..Policy::default()
        };
        Court::of(&record(after), &release('a'), &policy, Duration::ZERO).unwrap()
    }

    #[test]
    fn what_could_not_be_written_down_is_said_again() {
        let mut court = court(Vec::new());
        let late = Duration::from_secs(3_600);
        let said = court.look(&Stats::default(), late).unwrap();
        assert!(matches!(said.verdict, Verdict::Inconclusive { .. }));
        assert!(!court.is_unsure());
        assert_eq!(court.look(&Stats::default(), late), Some(said.clone()));
        court.wrote(&said.verdict);
        assert!(court.is_unsure());
        assert_eq!(court.look(&Stats::default(), late), None);
    }

    #[test]
    fn each_start_of_control_within_a_rollout_has_a_part_of_alpha_of_its_own() {
        let shares = |restarts: usize| {
            let mut court = court(vec![started(); restarts]);
            let said = court.look(&Stats::default(), Duration::from_secs(3_600));
            said.unwrap().rules.shares
        };
        assert_eq!([0, 1, 2].map(shares), [2, 6, 12]);
    }

    /// What the proxy has counted of both releases.
    fn stats(served: u64, bad: u64, bad_clients: u64) -> Stats {
        let pool = |name: char, failed: u64, clients: u64| {
            let bad = |failed| Bad {
                failed,
                ..Bad::default()
            };
            PoolStats {
                service: "web".to_owned(),
                release: release(name).to_string(),
                served,
                bad: Some(bad(failed)),
                bad_clients: Some(bad(clients)),
                ..PoolStats::default()
            }
        };
        Stats {
            pools: vec![pool('a', 0, 0), pool('b', bad, bad_clients)],
            ..Stats::default()
        }
    }

    #[test]
    fn clients_who_had_something_bad_before_it_sat_are_clients_all_the_same() {
        let abort = |clients| {
            let mut court = court(Vec::new());
            // All that there are had it at once, and are not counted again within ten minutes.
            let looks = (0..20).find_map(|second| {
                let stats = stats(1_000 + second * 50, 10 + second * 10, clients);
                court.look(&stats, Duration::from_secs(second))
            });
            looks.is_some_and(|said| matches!(said.verdict, Verdict::Abort { .. }))
        };
        assert!(abort(3));
        assert!(!abort(2));
    }
}

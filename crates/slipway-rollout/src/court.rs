//! From the proxy's counts to the judge: what was counted from one look to the next, for the
//! trial of a canary or for the vigil over a release that has all of the traffic. Pure.
//!
//! A restart of control begins a trial anew, and spends the part of α of its place again.

use std::collections::BTreeSet;
use std::time::Duration;

use slipway_journal::event::judgement::{Arm, Judgement, Metric, Verdict};
use slipway_journal::event::rollout::{RolloutState, Step};
use slipway_journal::{ReleaseId, ServiceName};
use slipway_proxy::Stats;

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
    new: ReleaseId,
    old: ReleaseId,
    seat: Seat,
    /// What the proxy had counted at the last look, since which start of it.
    last: Option<(String, Arm, Arm)>,
    is_unsure: bool,
}

#[derive(Debug)]
enum Seat {
    Trial(Box<Trial>),
    Vigil(Box<Vigil>),
}

impl Court {
    /// Who judges the release now; nobody where there is nothing that it could be held against.
    pub(crate) fn of(record: &Record, old: &ReleaseId, policy: &Policy) -> Option<Self> {
        let history = History::of(record, old);
        let seat = match (&record.stage, &policy.strategy) {
            (RolloutState::Shifting { weight }, Strategy::Canary(canary)) if *weight < WHOLE => {
                let usual = history.map_or_else(History::unknown_ppm, |h| h.bad_ppm());
                let rules = judge::nth(canary.rules(), place(record));
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
            new: record.release.clone(),
            old: old.clone(),
            seat,
            last: None,
            is_unsure: false,
        })
    }

    /// One look; a judgement where there is one to be written down. `since` is how long the
    /// court has sat.
    pub(crate) fn look(&mut self, stats: &Stats, since: Duration) -> Option<Judgement> {
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
            Verdict::Inconclusive { .. } if self.is_unsure => return None,
            Verdict::Inconclusive { .. } => self.is_unsure = true,
            Verdict::Advance | Verdict::Abort { .. } => self.is_unsure = false,
        }
        Some(match &self.seat {
            Seat::Trial(trial) => trial.judgement(),
            Seat::Vigil(vigil) => vigil.judgement(),
        })
    }

    /// Whether the time was over before anything could be said.
    pub(crate) fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// What was counted of both releases since the last look.
    fn counted(&mut self, stats: &Stats) -> (Arm, Arm) {
        let of = |release: &ReleaseId| {
            trigger::pool(stats, &self.service, release).map_or_else(Arm::default, |pool| Arm {
                requests: pool.served,
                bad: [pool.bad.failed, pool.bad.slow, pool.bad.very_slow],
            })
        };
        let now = (of(&self.old), of(&self.new));
        let last = self.last.replace((stats.start.clone(), now.0, now.1));
        match last {
            // What was there before the court sat is not judged.
            None => (Arm::default(), Arm::default()),
            // Another start of the proxy counts from nought again.
            Some((start, ..)) if start != stats.start => now,
            Some((_, baseline, canary)) => (less(now.0, baseline), less(now.1, canary)),
        }
    }
}

/// Which judgement of its rollout this is, from 1: there is one for each share of the traffic,
/// and one more for the bake.
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
    u32::try_from(shares.len() + bakes).unwrap_or(u32::MAX)
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
    }
}

//! What must hold at every instant of a simulation, whatever happens. Looks at the journal's
//! book and at the world, which the engine cannot see; changes neither.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use slipway_journal::event::rollout::{Receipt, RolloutState, Step};
use slipway_journal::{RolloutId, ServiceName};
use slipway_proxy::Route;

use crate::book::{Book, Record, generation_of};
use crate::receipt::counters;
use crate::strategy::{self, WHOLE};
use crate::tests::crowd::{Count, Seen};
use crate::tests::state::{Account, State};

/// An intent ends within this long, if nothing else goes wrong meanwhile: more than any step
/// may take by the policy of a simulation.
const INTENT: Duration = Duration::from_secs(30);
/// Where fewer requests fail elsewhere, that is seen within this long.
const WATCH: Duration = Duration::from_secs(15);
/// By so many per cent more at least.
const WORSE: u64 = 30;
/// A service whose instances all died is served again within this long; the wait before a
/// restart grows to 30 s.
const DARK: Duration = Duration::from_secs(60);
/// An account is written down within this long after the counts were asked for.
const WRITTEN: Duration = Duration::from_secs(20);

/// One instant of a simulation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) book: &'a Book,
    pub(crate) state: &'a State,
    pub(crate) now: Duration,
    /// Whether control runs, the proxy speaks and the disk takes what is written.
    pub(crate) is_well: bool,
}

/// The laws, with what they have to remember, and what was broken.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    pub(crate) broken: Vec<String>,
    worse: BTreeMap<RolloutId, Duration>,
    dark: BTreeMap<ServiceName, Duration>,
    open: BTreeMap<(RolloutId, usize), Duration>,
    bases: BTreeMap<RolloutId, Account>,
    accounts: BTreeMap<RolloutId, usize>,
    halted: BTreeSet<RolloutId>,
}

impl Laws {
    pub(crate) fn look(&mut self, moment: Moment<'_>) {
        if !moment.is_well {
            self.worse.clear();
            self.dark.clear();
            self.open.clear();
        }
        for service in moment.book.services() {
            self.one_at_a_time(moment, &service);
            if let Some(route) = moment.state.plane.table.routes.get(service.as_str()) {
                self.as_planned(moment, &service, route);
                self.served(moment, &service, route);
            }
        }
        for record in moment.book.rollouts.values() {
            self.intents_end(moment, record);
            self.fewest_fail(moment, record);
            self.halts_rightly(moment, record);
            self.accounts_agree(moment, record);
        }
    }

    /// At most one rollout of a service is under way.
    fn one_at_a_time(&mut self, moment: Moment<'_>, service: &ServiceName) {
        let under_way = |r: &&Record| !r.stage.is_end() && r.stage != RolloutState::Queued;
        let count = moment.book.of_service(service).filter(under_way).count();
        self.hold(count <= 1, || {
            format!("{count} rollouts of {service} are under way at once")
        });
    }

    /// Visitors reach the release that the journal says, and a second one only as it says.
    fn as_planned(&mut self, moment: Moment<'_>, service: &ServiceName, route: &Route) {
        let moves = |s: &Step| {
            matches!(
                s,
                Step::Shift { .. } | Step::Thin { .. } | Step::Restore { .. }
            )
        };
        let records = || moment.book.of_service(service);
        let is_moving = records().any(|r| r.open_step().is_some_and(|s| moves(&s.step)));
        let release = |pool: &str| route.pools.get(pool).map(|p| p.release.clone());
        let live = moment.book.live_of(service).map(|r| r.release.to_string());
        if !is_moving {
            let shown = release(&route.live);
            self.hold(shown == live, || {
                format!(
                    "visitors of {service} reach {shown:?}, and {live:?} is live by the journal"
                )
            });
        }
        let Some(split) = &route.split else { return };
        let shared = release(&split.pool);
        // Where both do badly, both keep what they have until a person decides.
        let stays =
            |r: &Record| !r.stage.is_end() || matches!(r.stage, RolloutState::Halted { .. });
        let planned = records().any(|r| {
            Some(r.release.to_string()) == shared
                && (is_moving || (stays(r) && r.has_traffic()))
                && r.steps.iter().any(|s| {
                    matches!(s.step, Step::Shift { weight, .. } | Step::Thin { weight, .. }
                        if weight == split.weight && weight < WHOLE)
                })
        });
        self.hold(planned, || {
            format!(
                "{} of {service} go to {shared:?} without a plan",
                split.weight
            )
        });
    }

    /// Somebody answers, or does again soon.
    fn served(&mut self, moment: Moment<'_>, service: &ServiceName, route: &Route) {
        let targets = route.pools.get(&route.live).map(|p| &p.targets);
        let answers = |t: &slipway_proxy::Target| {
            let process = moment.state.machine.of(t);
            process.is_some_and(|p| p.is_ready(moment.now))
        };
        if !moment.is_well || targets.is_some_and(|t| t.iter().any(answers)) {
            self.dark.remove(service);
            return;
        }
        let since = *self.dark.entry(service.clone()).or_insert(moment.now);
        let lasts = moment.now.saturating_sub(since);
        self.hold(lasts < DARK, || {
            format!(
                "for {} s nobody answers visitors of {service}",
                lasts.as_secs()
            )
        });
    }

    /// What was intended is done, or given up.
    fn intents_end(&mut self, moment: Moment<'_>, record: &Record) {
        for (number, step) in record.steps.iter().enumerate() {
            let key = (record.id, number);
            if step.done.is_some() || !moment.is_well {
                self.open.remove(&key);
                continue;
            }
            let since = *self.open.entry(key).or_insert(moment.now);
            self.hold(moment.now.saturating_sub(since) < INTENT, || {
                format!("{} intended {:?} and does not end it", record.id, step.step)
            });
        }
    }

    /// The release that would fail fewer requests has the traffic, once the watch had its time.
    fn fewest_fail(&mut self, moment: Moment<'_>, record: &Record) {
        let is_worse = moment.is_well
            && record.has_traffic()
            && !record.stage.is_end()
            && Self::is_worse(moment, record);
        if !is_worse {
            self.worse.remove(&record.id);
            return;
        }
        let since = *self.worse.entry(record.id).or_insert(moment.now);
        self.hold(moment.now.saturating_sub(since) < WATCH, || {
            format!(
                "{} keeps its traffic although the release before fails fewer requests",
                record.id
            )
        });
    }

    /// Whether the release before is warm and fails clearly fewer requests.
    fn is_worse(moment: Moment<'_>, record: &Record) -> bool {
        let machine = &moment.state.machine;
        let previous = record.previous.and_then(|id| moment.book.rollouts.get(&id));
        let Some(previous) = previous.filter(|_| strategy::is_warm(moment.book, record)) else {
            return false;
        };
        let is_there = machine
            .processes
            .values()
            .any(|p| p.release == previous.release.as_str() && p.is_ready(moment.now));
        let failing = |r: &Record| machine.mood(r.release.as_str()).failing();
        is_there && failing(record) >= failing(previous) + WORSE
    }

    /// A rollout halts only where the release before would not do better.
    fn halts_rightly(&mut self, moment: Moment<'_>, record: &Record) {
        if !matches!(record.stage, RolloutState::Halted { .. }) || !self.halted.insert(record.id) {
            return;
        }
        let machine = &moment.state.machine;
        let previous = record.previous.and_then(|id| moment.book.rollouts.get(&id));
        let was_bad = previous.is_some_and(|p| machine.ever_bad.contains(p.release.as_str()));
        let is_wrong =
            moment.is_well && !was_bad && !machine.ever_out && Self::is_worse(moment, record);
        self.hold(!is_wrong, || {
            format!("{} halts although the release before does well", record.id)
        });
    }

    /// The sums of an account are what the visitors counted.
    fn accounts_agree(&mut self, moment: Moment<'_>, record: &Record) {
        let prepared = record
            .steps
            .iter()
            .find(|s| s.step == Step::Prepare && s.held());
        let counted = prepared.and_then(|s| s.done.as_ref()?.counters.as_ref());
        if let Some(counted) = counted
            && !self.bases.contains_key(&record.id)
        {
            let mut said = moment.state.accounts.iter().rev();
            let base = said.find(|a| counters(&a.stats, &record.service) == *counted);
            self.hold(base.is_some(), || {
                format!("{} begins with counts that nobody told it", record.id)
            });
            self.bases
                .insert(record.id, base.cloned().unwrap_or_default());
        }
        let known = self.accounts.entry(record.id).or_default();
        let new: Vec<&Receipt> = record.receipts.iter().skip(*known).collect();
        *known = record.receipts.len();
        for receipt in new {
            let base = self.bases.get(&record.id).cloned();
            let agrees = match &base {
                None => receipt.traffic.iter().all(|t| t.served == 0),
                Some(base) => moment
                    .state
                    .accounts
                    .iter()
                    .filter(|a| a.at >= base.at && moment.now < a.at + WRITTEN)
                    .any(|end| agrees(receipt, base, end)),
            };
            self.hold(agrees, || {
                format!(
                    "the account of {} is {:?}, unrouted {}; visitors counted {:?} until now and {:?} at its beginning",
                    record.id,
                    receipt.traffic,
                    receipt.unrouted,
                    moment.state.crowd.seen,
                    base.as_ref().map(|b| &b.seen)
                )
            });
        }
    }

    pub(crate) fn hold(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }
}

/// Whether an account is what visitors saw between two looks at the proxy's counts. Where the
/// proxy started anew between them, what it had counted since the last look before is lost.
fn agrees(receipt: &Receipt, base: &Account, end: &Account) -> bool {
    let service = receipt.service.to_string();
    let of = |seen: &Seen, release: Option<&str>| {
        let key = (service.clone(), release.map(str::to_owned));
        seen.get(&key).copied().unwrap_or_default()
    };
    let between = |from: &Seen, release: Option<&str>| {
        let (from, to) = (of(from, release), of(&end.seen, release));
        Count {
            // Of two looks at one instant either may have been the first.
            served: to.served.saturating_sub(from.served),
            failed: to.failed.saturating_sub(from.failed),
        }
    };
    let rows = receipt.traffic.iter().map(|t| {
        let count = Count {
            served: t.served,
            failed: t.failed,
        };
        (Some(t.release.as_str()), count)
    });
    let nobody = Count {
        served: receipt.unrouted,
        failed: receipt.unrouted,
    };
    let mut rows = rows.chain(std::iter::once((None, nobody)));
    let is_one_start = base.stats.start == end.stats.start;
    rows.all(|(release, told)| {
        let all = between(&base.seen, release);
        if is_one_start {
            return told == all;
        }
        let least = between(&end.seen_at_start, release);
        (least.served..=all.served).contains(&told.served)
            && (least.failed..=all.failed).contains(&told.failed)
    })
}

/// Whether nothing is left to do: every rollout is at its end and accounted for, nothing is
/// intended, and the live release has as many instances as are wanted, all of them in the table.
/// Else what is left.
pub(crate) fn unrest(moment: Moment<'_>, instances: usize) -> Option<String> {
    let (book, state) = (moment.book, moment.state);
    for record in book.rollouts.values() {
        let is_over = match record.stage {
            RolloutState::Done => true,
            RolloutState::Halted { .. } => strategy::is_accounted(record),
            _ => record.stage.is_end() && strategy::is_cleared(book, record),
        };
        if !is_over || record.steps.iter().any(|s| s.done.is_none()) {
            return Some(format!("{} is {:?}", record.id, record.stage));
        }
    }
    let (mut kept, mut routed) = (BTreeMap::new(), BTreeMap::new());
    for service in book.services() {
        let Some(live) = book.live_of(&service) else {
            continue;
        };
        kept.insert(live.release.to_string(), instances);
        if matches!(live.stage, RolloutState::Halted { .. })
            && let Some(previous) = live.previous.and_then(|id| book.rollouts.get(&id))
        {
            kept.insert(previous.release.to_string(), instances);
        }
        let route = state.plane.table.routes.get(service.as_str());
        let pool = route.and_then(|r| r.pools.get(&r.live));
        let ready = pool.map_or(0, |p| {
            let ready = p.targets.iter().filter(|t| {
                let process = state.machine.of(t);
                process.is_some_and(|p| p.is_ready(moment.now))
            });
            ready.count()
        });
        if ready < instances {
            return Some(format!("{ready} instances of {service} are in the table"));
        }
        routed.insert(live.release.to_string(), ready);
    }
    let mut alive: BTreeMap<String, usize> = BTreeMap::new();
    for process in state.machine.processes.values().filter(|p| p.is_alive()) {
        *alive.entry(process.release.clone()).or_default() += 1;
    }
    // More than are wanted stay until the next release comes.
    let is_kept = |(release, count): (&String, &usize)| {
        kept.get(release).is_some_and(|least| count >= least)
            && routed.get(release).is_none_or(|ready| count == ready)
    };
    let is_all = alive.len() == kept.len() && alive.iter().all(is_kept);
    (!is_all).then(|| format!("{alive:?} run instead of {kept:?}, and {routed:?} are in the table"))
}

/// Whether the tables that a journal's steps published rise, one after the other.
pub(crate) fn tables_rise(book: &Book) -> bool {
    let steps = book
        .rollouts
        .values()
        .flat_map(|r| r.steps.iter().map(move |s| (r, s)));
    // Some are looked at without a table.
    let is_table =
        |r: &Record, s: &Step| !strategy::is_direct(r) || !matches!(s, Step::Preview { .. });
    let mut numbers: Vec<_> = steps
        .filter(|(r, s)| s.held() && is_table(r, &s.step))
        .filter_map(|(_, s)| generation_of(&s.step))
        .collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() == all
}

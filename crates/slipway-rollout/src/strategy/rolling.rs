//! Rolling: a batch of new instances starts, proves itself, gets its share of the visitors and
//! is watched; then as many old ones go. Never fewer run than are wanted, less `unavailable`;
//! never more than are wanted, and `surge`; and one of the old release always stays, so that it
//! can have the visitors back at any moment. Pure.

use jiff::Timestamp;
use slipway_journal::event::rollout::{RolloutState, Steering, Step};
use slipway_journal::{InstanceId, RolloutId};

use super::{Next, View, WHOLE, act, move_to, whole};
use crate::book::Instance;
use crate::policy::Rolling;

/// The next step until the first batch is there.
pub(super) fn expanded(view: &View<'_>, rolling: &Rolling, previous: RolloutId) -> Next {
    let crowd = Crowd::of(view, rolling, previous);
    if fell(view, None) {
        return Next::Enter(RolloutState::Started);
    }
    match (crowd.room(), crowd.new, crowd.spare()) {
        // Nothing may go and nothing may come: rather one too many than one too few.
        (1.., ..) | (0, 0, 0) => start(view),
        (0, 0, spare) => thin(view, previous, spare, 0),
        _ => Next::Enter(RolloutState::Started),
    }
}

/// The next step from the first batch with visitors on.
pub(super) fn shifting(
    view: &View<'_>,
    rolling: &Rolling,
    previous: RolloutId,
    weight: u16,
) -> Next {
    if let Some(next) = parting(view) {
        return next;
    }
    let crowd = Crowd::of(view, rolling, previous);
    let started = place(view, |s| matches!(s, Step::Start { .. }));
    let proved = place(view, |s| *s == Step::AwaitReady);
    let shifted = place(view, |s| matches!(s, Step::Shift { .. }));
    if started > proved {
        return if crowd.room() > 0 && !fell(view, proved) {
            start(view)
        } else {
            act(Step::AwaitReady)
        };
    }
    if proved > shifted {
        return move_to(view, crowd.share());
    }
    if weight >= WHOLE {
        return whole(view);
    }
    // A person's word goes before the clock.
    let until = match view.record.steering() {
        Some(Steering::Hold) => Some(Timestamp::MAX),
        Some(Steering::Advance) => None,
        Some(Steering::Resume) | None => watched_until(view, rolling, shifted),
    };
    if let Some(until) = until {
        return Next::Watch { until };
    }
    match (crowd.spare(), crowd.room()) {
        // Fewer may be wanted by now than when it began.
        _ if crowd.new >= crowd.wanted => move_to(view, WHOLE),
        (0, 0) => move_to(view, WHOLE),
        (0, _) => start(view),
        (spare, _) => thin(view, previous, spare, crowd.without(spare).share()),
    }
}

/// What is left to do before more traffic may move where batches came and went until the policy
/// was changed: the last batch goes, and of the new release as many come as are wanted.
pub(super) fn complete(view: &View<'_>) -> Option<Next> {
    view.record.previous?;
    if let Some(next) = parting(view) {
        return Some(next);
    }
    let proved = place(view, |s| *s == Step::AwaitReady);
    let own = view.book.alive_of(view.record.id).filter(|i| !i.stopping);
    let wanted = usize::try_from(view.policy.instances.max(1)).unwrap_or(usize::MAX);
    if own.count() < wanted && !fell(view, proved) {
        return Some(start(view));
    }
    let started = place(view, |s| matches!(s, Step::Start { .. }));
    (started > proved).then(|| act(Step::AwaitReady))
}

/// The share that the new release's instances are to have.
pub(super) fn share(view: &View<'_>, rolling: &Rolling, previous: RolloutId) -> u16 {
    Crowd::of(view, rolling, previous).share()
}

/// The instances that run and are to go on.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    wanted: usize,
    surge: usize,
    unavailable: usize,
    new: usize,
    old: usize,
}

impl Crowd {
    fn of(view: &View<'_>, rolling: &Rolling, previous: RolloutId) -> Self {
        let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let wanted = view.policy.instances.max(1);
        let stay = |owner| view.book.serving_of(owner).count();
        Self {
            wanted: size(wanted),
            surge: size(rolling.surge.up(wanted)),
            unavailable: size(rolling.unavailable.down(wanted)),
            new: stay(view.record.id),
            old: stay(previous),
        }
    }

    /// As many new ones may start now.
    fn room(self) -> usize {
        let most = self.wanted.saturating_add(self.surge);
        let lacking = self.wanted.saturating_sub(self.new);
        lacking.min(most.saturating_sub(self.new + self.old))
    }

    /// As many old ones may go now.
    fn spare(self) -> usize {
        let least = self.wanted.saturating_sub(self.unavailable);
        let spare = (self.new + self.old).saturating_sub(least);
        spare.min(self.old.saturating_sub(1))
    }

    fn without(self, gone: usize) -> Self {
        Self {
            old: self.old.saturating_sub(gone),
            ..self
        }
    }

    /// Each instance has as many visitors as any other, until all of the new ones are there.
    fn share(self) -> u16 {
        if self.new >= self.wanted || self.old == 0 {
            return WHOLE;
        }
        let share = self.new * usize::from(WHOLE) / (self.new + self.old);
        u16::try_from(share).unwrap_or(WHOLE)
    }
}

/// What becomes of the instances of the last batch that went.
pub(super) fn parting(view: &View<'_>) -> Option<Next> {
    let thin = view.record.last(|s| matches!(s, Step::Thin { .. }))?;
    let Step::Thin {
        instances,
        weight,
        generation,
    } = &thin.step
    else {
        return None;
    };
    if !thin.held() {
        // Its table was never served, and these are still in it.
        return Some(leave(view, instances.clone(), *weight));
    }
    let generation = *generation;
    let drain = Step::Drain { generation };
    if !view.record.did(|s| *s == drain) {
        return Some(act(drain));
    }
    let is_alive = |i: &&InstanceId| {
        let known = view.book.instances.get(i);
        known.is_some_and(Instance::is_alive)
    };
    let instance = *instances.iter().find(is_alive)?;
    Some(act(Step::Stop { instance }))
}

/// The oldest of the old release go.
fn thin(view: &View<'_>, previous: RolloutId, count: usize, weight: u16) -> Next {
    let stay = view.book.serving_of(previous);
    let instances = stay.map(|i| i.id).take(count).collect();
    leave(view, instances, weight)
}

fn leave(view: &View<'_>, instances: Vec<InstanceId>, weight: u16) -> Next {
    Next::Do {
        enter: (weight > 0).then_some(RolloutState::Shifting { weight }),
        step: Step::Thin {
            instances,
            weight,
            generation: view.generation,
        },
    }
}

fn start(view: &View<'_>) -> Next {
    let instance = view.instance;
    act(Step::Start { instance })
}

/// Whether an instance that was started after a step ended already: the look at the batch then
/// says why.
fn fell(view: &View<'_>, since: Option<usize>) -> bool {
    let later = view
        .record
        .steps
        .iter()
        .skip(since.map_or(0, |place| place + 1));
    let mut started = later.filter_map(|s| match &s.step {
        Step::Start { instance } => view.book.instances.get(instance),
        _ => None,
    });
    started.any(|i| i.owner == view.record.id && i.exited.is_some())
}

/// The place among the steps of the last one that `is` true of and that was done.
fn place(view: &View<'_>, is: impl Fn(&Step) -> bool) -> Option<usize> {
    let mut steps = view.record.steps.iter();
    steps.rposition(|s| s.held() && !s.is_care && is(&s.step))
}

/// Until when the last batch is watched; none when it was.
fn watched_until(view: &View<'_>, rolling: &Rolling, shifted: Option<usize>) -> Option<Timestamp> {
    let shift = shifted.and_then(|place| view.record.steps.get(place))?;
    let until = shift.done.as_ref()?.at.checked_add(rolling.dwell).ok()?;
    (view.now < until).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_wanted_it_comes_to_an_end_between_its_bounds_and_one_old_one_stays(
            wanted in 1_usize..30, surge in 0_usize..30, unavailable in 0_usize..30, old in 1_usize..40,
        ) {
            prop_assume!(surge > 0 || (unavailable > 0 && wanted > 1));
            let mut crowd = Crowd { wanted, surge, unavailable, new: 0, old };
            let (least, most) = (wanted.saturating_sub(unavailable), wanted + surge);
            let mut last = 0;
            for batch in 0.. {
                prop_assert!(batch <= 2 * (wanted + old), "{crowd:?}");
                let room = crowd.room();
                crowd.new += room;
                if room > 0 {
                    prop_assert!(crowd.new + crowd.old <= most, "{crowd:?}");
                    prop_assert!(crowd.share() > last, "{crowd:?}");
                    last = crowd.share();
                }
                if crowd.new >= wanted {
                    break;
                }
                let spare = crowd.spare();
                crowd = crowd.without(spare);
                prop_assert!(crowd.old >= 1 && (spare == 0 || crowd.new + crowd.old >= least), "{crowd:?}");
                if spare == 0 && crowd.room() == 0 {
                    break;
                }
            }
            prop_assert!(crowd.new >= wanted || (surge == 0 && crowd.new >= least.min(wanted - 1)), "{crowd:?}");
        }
    }
}

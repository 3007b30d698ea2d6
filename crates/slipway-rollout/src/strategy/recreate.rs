//! Recreate: everybody waits in the proxy, the old release is stopped, the new one starts. The
//! two never run at once. Pure.

use slipway_journal::RolloutId;
use slipway_journal::event::rollout::Step;

use super::{Next, View, act};

/// What comes before the new release's first instance: nothing of the old one runs after it.
pub(super) fn room(view: &View<'_>, previous: RolloutId) -> Option<Next> {
    let record = view.record;
    let hold = record.last(|s| matches!(s, Step::Hold { .. }));
    let Some(Step::Hold { generation }) = hold.filter(|s| s.held()).map(|s| &s.step) else {
        let generation = view.generation;
        return Some(act(Step::Hold { generation }));
    };
    let generation = *generation;
    let drain = Step::Drain { generation };
    if !record.did(|s| *s == drain) {
        return Some(act(drain));
    }
    let instance = view.book.alive_of(previous).next()?.id;
    Some(act(Step::Stop { instance }))
}

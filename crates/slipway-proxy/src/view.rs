//! A worker's own view of the table that is served: the shared snapshot and, beside each
//! target, this worker's idle connections to it. Never leaves its thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::snapshot::Snapshot;
use crate::target::{TargetKey, TargetState};
use crate::upstream::Upstream;

/// A worker's view of a snapshot.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) snapshot: Arc<Snapshot>,
    /// By route and pool.
    lanes: Vec<Vec<Vec<Rc<Lane>>>>,
}

/// A target as one worker reaches it.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) target: Arc<TargetState>,
    idle: RefCell<Vec<(Instant, Box<Upstream>)>>,
    /// The table does not name the target any more: nothing is kept for another request.
    is_closed: Cell<bool>,
}

impl View {
    /// The view of `snapshot` that keeps the idle connections of `before`.
    pub(crate) fn of(snapshot: Arc<Snapshot>, before: Option<&Self>) -> Self {
        let mut known: HashMap<&TargetKey, &Rc<Lane>> = HashMap::new();
        for lane in before.into_iter().flat_map(Self::all) {
            known.insert(&lane.target.key, lane);
        }
        let lane = |target: &Arc<TargetState>| match known.get(&target.key) {
            Some(lane) if Arc::ptr_eq(&lane.target, target) => Rc::clone(lane),
            _ => Rc::new(Lane {
                target: Arc::clone(target),
                idle: RefCell::default(),
                is_closed: Cell::new(false),
            }),
        };
        let lanes = snapshot
            .routes
            .iter()
            .map(|route| {
                let pools = route.pools.iter();
                pools
                    .map(|pool| pool.targets.iter().map(lane).collect())
                    .collect()
            })
            .collect();
        let view = Self { snapshot, lanes };
        // A request that takes days keeps the view before, but not its idle connections.
        for old in before.into_iter().flat_map(Self::all) {
            if !view.all().any(|lane| Rc::ptr_eq(lane, old)) {
                old.close();
            }
        }
        view
    }

    /// The targets of a pool.
    pub(crate) fn lanes(&self, route: usize, pool: usize) -> &[Rc<Lane>] {
        &self.lanes[route][pool]
    }

    /// Every target.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Rc<Lane>> {
        self.lanes.iter().flatten().flatten()
    }
}

impl Lane {
    /// An idle connection that is still open, the one used last first.
    pub(crate) fn reuse(&self, youngest: Option<Instant>) -> Option<Box<Upstream>> {
        let mut idle = self.idle.borrow_mut();
        while let Some((since, mut upstream)) = idle.pop() {
            if youngest.is_some_and(|youngest| since < youngest) {
                idle.push((since, upstream));
                return None;
            }
            if upstream.is_open() {
                return Some(upstream);
            }
        }
        None
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep(&self, upstream: Box<Upstream>, now: Instant, most: usize) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < most && !self.is_closed.get() {
            idle.push((now, upstream));
        }
    }

    /// Closes what is idle, and whatever becomes so.
    fn close(&self) {
        self.is_closed.set(true);
        self.idle.borrow_mut().clear();
    }

    /// Closes what was idle for longer than `limit`.
    pub(crate) fn sweep(&self, now: Instant, limit: Duration) {
        self.idle
            .borrow_mut()
            .retain(|(since, _)| now.saturating_duration_since(*since) < limit);
    }
}

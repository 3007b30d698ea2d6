//! The table that is served, behind one atomic pointer, and the older ones that requests
//! in flight still hold. A request is counted in its snapshot before it can be missed, so
//! waiting for an old table to empty sees every request that was routed by it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use crate::snapshot::Snapshot;
use crate::table::Generation;

/// The table that is served, and the ones before it that are still held.
#[derive(Debug)]
pub(crate) struct Published {
    current: ArcSwap<Snapshot>,
    /// The serial of `current`, or one that is about to be replaced by it.
    serial: AtomicU64,
    older: Mutex<Vec<Arc<Snapshot>>>,
    /// A request of an older table ended.
    left: Notify,
    /// The table or the health of a target changed: whoever waits looks again.
    changed: watch::Sender<u64>,
}

impl Published {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self {
            serial: AtomicU64::new(snapshot.serial),
            current: ArcSwap::from_pointee(snapshot),
            older: Mutex::default(),
            left: Notify::new(),
            changed: watch::Sender::new(0),
        }
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// The serial that a request must have been counted under.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.load(Ordering::SeqCst)
    }

    /// Serves `snapshot` from now on. One caller at a time.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        let serial = snapshot.serial;
        let before = self.current.swap(Arc::new(snapshot));
        // Whoever counted itself in the old snapshot and sees the old serial after that is
        // seen by every sum that is taken from here on.
        self.serial.store(serial, Ordering::SeqCst);
        let mut older = self.older();
        older.retain(|snapshot| snapshot.in_flight.sum() > 0);
        older.push(before);
        drop(older);
        self.wake_waiting();
    }

    /// A request that was counted in the snapshot `serial` is gone.
    pub(crate) fn left(&self, serial: u64) {
        if serial != self.serial() {
            self.left.notify_waiters();
        }
    }

    /// Lets every request that waits look again.
    pub(crate) fn wake_waiting(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells of changes from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The lowest generation that a request in flight was routed by.
    pub(crate) fn oldest_in_flight(&self) -> Generation {
        let current = self.current().table.generation;
        let mut older = self.older();
        older.retain(|snapshot| snapshot.in_flight.sum() > 0);
        older
            .iter()
            .map(|snapshot| snapshot.table.generation)
            .min()
            .unwrap_or(current)
    }

    /// Waits until no request routed by a table older than `generation` is in flight, up to
    /// `within`; gives how many still are. Cancel-safe.
    pub(crate) async fn drained(&self, generation: Generation, within: Duration) -> u64 {
        let drained = async {
            loop {
                let mut left = std::pin::pin!(self.left.notified());
                left.as_mut().enable();
                if self.in_flight_below(generation) == 0 {
                    return;
                }
                left.await;
            }
        };
        match tokio::time::timeout(within, drained).await {
            Ok(()) => 0,
            Err(_) => self.in_flight_below(generation),
        }
    }

    fn in_flight_below(&self, generation: Generation) -> u64 {
        let current = self.current();
        let older: u64 = self
            .older()
            .iter()
            .filter(|snapshot| snapshot.table.generation < generation)
            .map(|snapshot| snapshot.in_flight.sum())
            .sum();
        // Asked for a generation that was not published yet, everything is older.
        if current.table.generation < generation {
            older + current.in_flight.sum()
        } else {
            older
        }
    }

    fn older(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Snapshot>>> {
        self.older.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

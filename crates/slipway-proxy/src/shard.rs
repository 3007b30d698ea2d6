//! A number that every worker counts for itself, on a cache line of its own, and that is
//! summed when somebody asks. Workers never wait for each other.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicU64);

/// A sharded number: a count, or a gauge that goes up and down.
#[derive(Debug)]
pub(crate) struct Shards(Box<[Padded]>);

impl Shards {
    /// Nought, for `workers` workers.
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers.max(1)).map(|_| Padded::default()).collect())
    }

    /// Counts one more. Sequentially consistent: draining relies on it.
    pub(crate) fn add(&self, worker: usize) {
        self.of(worker).fetch_add(1, Ordering::SeqCst);
    }

    /// Counts one less.
    pub(crate) fn remove(&self, worker: usize) {
        self.of(worker).fetch_sub(1, Ordering::SeqCst);
    }

    /// What this worker counted.
    pub(crate) fn own(&self, worker: usize) -> u64 {
        self.of(worker).load(Ordering::Relaxed)
    }

    /// What all of them counted. A gauge that falls while it is summed may be seen a little
    /// high, never below nought.
    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().fold(0_u64, |sum, shard| {
            sum.wrapping_add(shard.0.load(Ordering::SeqCst))
        })
    }

    fn of(&self, worker: usize) -> &AtomicU64 {
        &self.0[worker % self.0.len()].0
    }
}

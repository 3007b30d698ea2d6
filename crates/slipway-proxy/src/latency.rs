//! Buckets of time to the first byte: sixteen to every doubling, so that a value is known
//! to about six per cent, in a fixed table that needs no lock.

use std::sync::atomic::{AtomicU64, Ordering};

const STEPS: usize = 16;
/// The last bucket begins at about nine hours.
const DOUBLINGS: usize = 32;
const BUCKETS: usize = STEPS + DOUBLINGS * STEPS;

/// Counts of one worker.
#[derive(Debug)]
pub(crate) struct Latency(Box<[AtomicU64]>);

impl Latency {
    pub(crate) fn new() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Counts one answer that took `micros`.
    pub(crate) fn record(&self, micros: u64) {
        self.0[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds what was counted to `sums`, which has a place for every bucket.
    pub(crate) fn add_to(&self, sums: &mut [u64]) {
        for (sum, count) in sums.iter_mut().zip(&self.0) {
            *sum += count.load(Ordering::Relaxed);
        }
    }
}

/// Sums of no counts.
pub(crate) fn empty() -> Vec<u64> {
    vec![0; BUCKETS]
}

/// The buckets with something in them, as (upper bound in microseconds, count).
pub(crate) fn listed(sums: &[u64]) -> Vec<(u64, u64)> {
    sums.iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(index, count)| (upper(index), *count))
        .collect()
}

fn bucket(micros: u64) -> usize {
    let small = usize::try_from(micros).unwrap_or(usize::MAX);
    if small < STEPS {
        return small;
    }
    let doubling = micros.ilog2() as usize - STEPS.ilog2() as usize;
    let step = (small >> doubling) & (STEPS - 1);
    (STEPS + doubling * STEPS + step).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper(index: usize) -> u64 {
    if index < STEPS {
        return index as u64;
    }
    let (doubling, step) = ((index - STEPS) / STEPS, (index - STEPS) % STEPS);
    (((STEPS + step + 1) as u64) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket_and_above_the_one_before(micros in 0_u64..1 << 35) {
            let index = bucket(micros);
            prop_assert!(micros <= upper(index));
            prop_assert!(index == 0 || micros > upper(index - 1));
            prop_assert!(upper(index) - micros <= micros / 16);
        }
    }

    #[test]
    fn only_buckets_with_something_in_them_are_listed() {
        let latency = Latency::new();
        for micros in [0, 7, 7, 1000, u64::MAX] {
            latency.record(micros);
        }
        let mut sums = empty();
        latency.add_to(&mut sums);
        let listed = listed(&sums);
        assert_eq!(&listed[..3], &[(0, 1), (7, 2), (1023, 1)]);
        assert_eq!(listed.len(), 4);
    }
}

//! What to offer instead of a time that is gone.

use jiff::Timestamp;

/// The `count` of `free` nearest to `wanted`, in order of time. Of two that are
/// equally near, the earlier one.
pub fn nearest(wanted: Timestamp, free: &[Timestamp], count: usize) -> Vec<Timestamp> {
    let mut by_distance: Vec<Timestamp> = free.iter().copied().filter(|t| *t != wanted).collect();
    by_distance.sort_by_key(|t| (t.duration_since(wanted).abs(), *t));
    by_distance.dedup();
    by_distance.truncate(count);
    by_distance.sort_unstable();
    by_distance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_the_wanted_one_never() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let free = [at(0), at(50), at(100), at(150), at(900)];
        assert_eq!(nearest(at(100), &free, 3), [at(0), at(50), at(150)]);
        assert_eq!(nearest(at(100), &[], 3), []);
    }
}

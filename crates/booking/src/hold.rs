//! A time that is kept while somebody says who they are: for how long, and for how many
//! at once, so that nobody can hold everything.

use jiff::{SignedDuration, Timestamp};

/// How long a time is kept, and by how much that can be extended, once.
pub const HOLD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// So many times one visitor may hold at one business.
pub const HELD_BY_VISITOR_MAX: i64 = 3;
/// So many times may be held from one address at one business; whole villages share one.
pub const HELD_FROM_ADDRESS_MAX: i64 = 20;

/// Until when what is held until `until` is kept after it was extended at `now`; none
/// where it was extended before.
pub fn extended(until: Timestamp, is_extended: bool, now: Timestamp) -> Option<Timestamp> {
    if is_extended {
        return None;
    }
    until.max(now).checked_add(HOLD_FOR).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_extended_once_and_from_now_where_it_has_run_out() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(extended(at(1000), false, at(500)), Some(at(1600)));
        assert_eq!(extended(at(1000), false, at(1100)), Some(at(1700)));
        assert_eq!(extended(at(1000), true, at(500)), None);
    }
}

//! Somebody at the desk, and whose calendars they keep.

use uuid::Uuid;

use super::moves::By;
use crate::crew::Who;

/// A member of the business who changes bookings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeper {
    /// Their account, as the audit names it.
    pub(crate) account: Uuid,
    /// Whose calendar they are bound to; none where they keep everybody's.
    pub(crate) only: Option<Uuid>,
}

impl Keeper {
    pub(crate) fn by(self) -> By {
        By::Staff(self.account)
    }

    /// Whether the calendar of `staff` is theirs to change.
    pub(super) fn keeps(self, staff: Uuid) -> bool {
        self.only.is_none_or(|only| only == staff)
    }

    /// `who`, as far as they may give something to them; none where they may not.
    pub(super) fn narrows(self, who: Who) -> Option<Who> {
        match (self.only, who) {
            (None, who) => Some(who),
            (Some(only), Who::Anyone) => Some(Who::Only(only)),
            (Some(only), Who::Only(staff)) => (staff == only).then_some(who),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_bound_to_one_calendar_gives_nothing_to_others() {
        let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let account = Uuid::nil();
        let bound = Keeper {
            account,
            only: Some(own),
        };
        assert_eq!(bound.narrows(Who::Anyone), Some(Who::Only(own)));
        assert_eq!(bound.narrows(Who::Only(other)), None);
        assert!(bound.keeps(own) && !bound.keeps(other));
        let free = Keeper {
            account,
            only: None,
        };
        assert_eq!(free.narrows(Who::Only(other)), Some(Who::Only(other)));
        assert!(free.keeps(other));
    }
}

//! The states of a booking and the moves between them. The database holds the same moves
//! as rows and refuses every other one.

use jiff::{SignedDuration, Timestamp};

use crate::policy::{Policy, Waiver};

/// After its start, so long is waited before somebody may be said not to have come.
pub const NO_SHOW_GRACE: SignedDuration = SignedDuration::from_mins(10);
/// So long afterwards that can be taken back.
pub const NO_SHOW_UNDO: SignedDuration = SignedDuration::from_hours(48);

/// Who moves a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The person who booked.
    Customer,
    /// The business.
    Business,
    /// Time that has passed.
    Clock,
}

impl Actor {
    /// Its name in the database and the logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Business => "business",
            Self::Clock => "clock",
        }
    }
}

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody has chosen the time and not said yet who they are; it is kept for a while.
    Held,
    /// Held for long enough without a word.
    Expired,
    /// It will take place; its claims hold.
    Confirmed,
    /// The customer is there.
    Arrived,
    /// It took place.
    Completed,
    /// The customer did not come.
    NoShow,
    /// The customer called it off.
    CancelledByCustomer,
    /// The business called it off.
    CancelledByBusiness,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Held,
        Self::Expired,
        Self::Confirmed,
        Self::Arrived,
        Self::Completed,
        Self::NoShow,
        Self::CancelledByCustomer,
        Self::CancelledByBusiness,
    ];

    /// Its name in the database, the API and the logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Expired => "expired",
            Self::Confirmed => "confirmed",
            Self::Arrived => "arrived",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::CancelledByCustomer => "cancelled_by_customer",
            Self::CancelledByBusiness => "cancelled_by_business",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether its claims keep others out.
    pub fn is_active(self) -> bool {
        !matches!(
            self,
            Self::Expired | Self::CancelledByCustomer | Self::CancelledByBusiness
        )
    }

    /// Whether it was called off.
    pub fn is_cancelled(self) -> bool {
        matches!(self, Self::CancelledByCustomer | Self::CancelledByBusiness)
    }

    /// Whether `actor` may move a booking from this state to `to`.
    pub fn may_become(self, to: Self, actor: Actor) -> bool {
        MOVES.contains(&(Some(self), to, actor))
    }
}

/// From which state to which, by whom; from none where the booking begins.
pub const MOVES: [(Option<State>, State, Actor); 18] = {
    use Actor::{Business, Clock, Customer};
    use State::{
        Arrived, CancelledByBusiness, CancelledByCustomer, Completed, Confirmed, Expired, Held,
        NoShow,
    };
    [
        (None, Held, Customer),
        (None, Confirmed, Customer),
        (None, Confirmed, Business),
        (None, Arrived, Business),
        (Some(Held), Confirmed, Customer),
        (Some(Held), Expired, Customer),
        (Some(Held), Expired, Clock),
        (Some(Expired), Confirmed, Customer),
        (Some(Confirmed), CancelledByCustomer, Customer),
        // They rang, and somebody at the desk does it for them.
        (Some(Confirmed), CancelledByCustomer, Business),
        (Some(Confirmed), CancelledByBusiness, Business),
        (Some(Confirmed), Arrived, Business),
        (Some(Confirmed), Completed, Business),
        (Some(Confirmed), NoShow, Business),
        (Some(Arrived), Completed, Business),
        // What was pressed by mistake.
        (Some(Arrived), Confirmed, Business),
        (Some(NoShow), Confirmed, Business),
        (Some(NoShow), Arrived, Business),
    ]
};

/// What becomes of a customer's wish to call it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelling {
    /// It can be done, at this fee.
    For {
        /// In the smallest unit of the currency.
        fee_cents: i64,
    },
    /// Not here, not any more.
    TooLate,
}

/// Whether a customer may call off at `now` what begins at `start`, and what it costs.
/// Whoever lies in hospital or mourns may do so until the start, and pays nothing.
pub fn cancelling(
    policy: &Policy,
    price_cents: i64,
    start: Timestamp,
    waiver: Option<Waiver>,
    now: Timestamp,
) -> Cancelling {
    let latest = match waiver {
        Some(Waiver::HospitalOrBereavement) => start,
        None => policy.cancel_until(start),
    };
    if now > latest {
        return Cancelling::TooLate;
    }
    let fee_cents = match waiver {
        Some(Waiver::HospitalOrBereavement) => 0,
        None => policy.fee_cents(price_cents, start, now),
    };
    Cancelling::For { fee_cents }
}

/// Whether somebody who was expected at `start` may be said not to have come.
pub fn may_be_no_show(start: Timestamp, now: Timestamp) -> bool {
    start
        .checked_add(NO_SHOW_GRACE)
        .is_ok_and(|from| now >= from)
}

/// Whether what was said at `said` about somebody who did not come can be taken back.
pub fn may_undo_no_show(said: Timestamp, now: Timestamp) -> bool {
    said.checked_add(NO_SHOW_UNDO)
        .is_ok_and(|until| now <= until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn every_name_is_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn nothing_leads_out_of_a_cancellation_and_everything_can_be_reached() {
        for (from, to, _) in MOVES {
            assert!(from.is_none_or(|from| !from.is_cancelled()), "{from:?}");
            assert_ne!(from, Some(to));
        }
        for state in State::ALL {
            assert!(MOVES.iter().any(|(_, to, _)| *to == state), "{state:?}");
        }
    }

    #[test]
    fn a_move_is_for_whom_it_is_written() {
        use State::{Confirmed, Held, NoShow};
        assert!(Held.may_become(Confirmed, Actor::Customer));
        assert!(!Held.may_become(NoShow, Actor::Business));
        assert!(Confirmed.may_become(NoShow, Actor::Business));
        assert!(!Confirmed.may_become(NoShow, Actor::Customer));
    }

    #[test]
    fn nobody_is_missing_before_the_grace_is_over_nor_for_ever() {
        let start = at(100_000);
        assert!(!may_be_no_show(start, at(100_599)));
        assert!(may_be_no_show(start, at(100_600)));
        let two_days = 48 * 3600;
        assert!(may_undo_no_show(start, at(100_000 + two_days)));
        assert!(!may_undo_no_show(start, at(100_001 + two_days)));
    }
}

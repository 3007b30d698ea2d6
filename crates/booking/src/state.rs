//! The states of a booking and the moves between them.

use jiff::{SignedDuration, Timestamp};

/// Who moves a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The person who booked.
    Customer,
    /// The business.
    Business,
}

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It will take place; its claim holds.
    Confirmed,
    /// The customer called it off.
    CancelledByCustomer,
    /// The business called it off.
    CancelledByBusiness,
}

impl State {
    /// Its name in the database, the API and the logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::CancelledByCustomer => "cancelled_by_customer",
            Self::CancelledByBusiness => "cancelled_by_business",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Confirmed,
            Self::CancelledByCustomer,
            Self::CancelledByBusiness,
        ]
        .into_iter()
        .find(|state| state.as_str() == name)
    }

    /// Whether its claim keeps others out.
    pub fn is_active(self) -> bool {
        self == Self::Confirmed
    }

    /// The state after `actor` cancels; none where that cannot be done any more. A
    /// customer may cancel until `limit` before the start, a business until the start.
    pub fn cancel(
        self,
        actor: Actor,
        start: Timestamp,
        limit: SignedDuration,
        now: Timestamp,
    ) -> Option<Self> {
        let (latest, next) = match actor {
            Actor::Customer => (start.checked_sub(limit).ok()?, Self::CancelledByCustomer),
            Actor::Business => (start, Self::CancelledByBusiness),
        };
        (self.is_active() && now <= latest).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_may_cancel_up_to_the_limit_and_not_a_second_later() {
        let start = Timestamp::from_second(100_000).unwrap();
        let limit = SignedDuration::from_hours(1);
        let at = |s| Timestamp::from_second(s).unwrap();
        let cancel = |now| State::Confirmed.cancel(Actor::Customer, start, limit, at(now));
        assert_eq!(cancel(96_400), Some(State::CancelledByCustomer));
        assert_eq!(cancel(96_401), None);
    }

    #[test]
    fn what_is_cancelled_is_not_cancelled_again() {
        let start = Timestamp::from_second(100_000).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let state = State::CancelledByCustomer;
        assert_eq!(
            state.cancel(Actor::Business, start, SignedDuration::ZERO, now),
            None
        );
    }

    #[test]
    fn every_name_is_read_back() {
        for state in [
            State::Confirmed,
            State::CancelledByCustomer,
            State::CancelledByBusiness,
        ] {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }
}

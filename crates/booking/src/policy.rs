//! What calling a booking off costs: until when it can be done, and a share of the price
//! that rises as the start comes nearer. Fixed when the booking is made.

use jiff::{SignedDuration, Timestamp};

/// Less notice than `notice` costs `percent` of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Time before the start; exactly so much is enough to stay out of the band.
    pub notice: SignedDuration,
    /// Of the price, 0 to 100.
    pub percent: u8,
}

/// The terms under which a booking can be called off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// So long before the start the customer can still do it.
    pub limit: SignedDuration,
    /// In any order; the nearest band that applies counts.
    pub bands: Vec<Band>,
    /// No fee is higher than this.
    pub cap_cents: Option<i64>,
}

/// Why no fee is asked, whatever the terms say (Consumer Protection Act, section 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiver {
    /// The customer is in hospital, or somebody has died. Which of the two is nobody's
    /// business, so it is not asked.
    HospitalOrBereavement,
}

impl Policy {
    /// The last instant at which the customer can call off what begins at `start`.
    pub fn cancel_until(&self, start: Timestamp) -> Timestamp {
        start.checked_sub(self.limit).unwrap_or(Timestamp::MIN)
    }

    /// What calling off at `now` costs. Parts of a cent are the customer's.
    pub fn fee_cents(&self, price_cents: i64, start: Timestamp, now: Timestamp) -> i64 {
        let given = start.duration_since(now);
        let band = self
            .bands
            .iter()
            .filter(|band| given < band.notice)
            .min_by_key(|band| band.notice);
        let percent = band.map_or(0, |band| i64::from(band.percent.min(100)));
        let fee = price_cents.max(0) / 100 * percent + price_cents.max(0) % 100 * percent / 100;
        fee.min(self.cap_cents.unwrap_or(i64::MAX)).max(0)
    }

    /// The fees that are still to come after `now`, as (from when on, how much), in order.
    pub fn fees_ahead(
        &self,
        price_cents: i64,
        start: Timestamp,
        now: Timestamp,
    ) -> Vec<(Timestamp, i64)> {
        let mut ahead: Vec<(Timestamp, i64)> = self
            .bands
            .iter()
            .filter_map(|band| {
                // Exactly so much notice is enough: the fee begins just after.
                let edge = start.checked_sub(band.notice).ok()?;
                let just_after = edge.checked_add(SignedDuration::from_nanos(1)).ok()?;
                let fee = self.fee_cents(price_cents, start, just_after);
                (edge >= now && edge < self.cancel_until(start)).then_some((edge, fee))
            })
            .collect();
        ahead.sort_unstable();
        ahead.dedup();
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Cancelling, cancelling};

    const START: i64 = 1_000_000;
    const HOUR: i64 = 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn policy(cap_cents: Option<i64>) -> Policy {
        let band = |hours, percent| Band {
            notice: SignedDuration::from_hours(hours),
            percent,
        };
        Policy {
            limit: SignedDuration::from_hours(1),
            bands: vec![band(24, 50), band(4, 100), band(48, 25)],
            cap_cents,
        }
    }

    #[test]
    fn the_fee_follows_the_notice_to_the_second() {
        // Seconds before the start, price, cap, and what it costs.
        for (notice, price, cap, expected) in [
            (72 * HOUR, 35_000, None, Some(0)),
            (48 * HOUR, 35_000, None, Some(0)),
            (48 * HOUR - 1, 35_000, None, Some(8_750)),
            (24 * HOUR + 1, 35_000, None, Some(8_750)),
            (24 * HOUR, 35_000, None, Some(8_750)),
            (24 * HOUR - 1, 35_000, None, Some(17_500)),
            (4 * HOUR, 35_000, None, Some(17_500)),
            (4 * HOUR - 1, 35_000, None, Some(35_000)),
            (4 * HOUR - 1, 35_000, Some(20_000), Some(20_000)),
            (24 * HOUR - 1, 35_000, Some(20_000), Some(17_500)),
            (HOUR, 35_000, Some(0), Some(0)),
            (HOUR, 35_000, None, Some(35_000)),
            (HOUR - 1, 35_000, None, None),
            // Parts of a cent are the customer's.
            (48 * HOUR - 1, 999, None, Some(249)),
            (24 * HOUR - 1, 1, None, Some(0)),
            (4 * HOUR - 1, 0, None, Some(0)),
            (4 * HOUR - 1, i64::MAX, None, Some(i64::MAX)),
        ] {
            let ruling = cancelling(&policy(cap), price, at(START), None, at(START - notice));
            let expected = expected.map_or(Cancelling::TooLate, |fee_cents| Cancelling::For {
                fee_cents,
            });
            assert_eq!(ruling, expected, "{notice} seconds before, {price} cents");
        }
    }

    #[test]
    fn hospital_and_bereavement_cost_nothing_until_the_start() {
        let waiver = Some(Waiver::HospitalOrBereavement);
        for before in [72 * HOUR, 4 * HOUR - 1, HOUR - 1, 0] {
            let ruling = cancelling(&policy(None), 35_000, at(START), waiver, at(START - before));
            assert_eq!(ruling, Cancelling::For { fee_cents: 0 }, "{before}");
        }
        let ruling = cancelling(&policy(None), 35_000, at(START), waiver, at(START + 1));
        assert_eq!(ruling, Cancelling::TooLate);
    }

    #[test]
    fn without_terms_nothing_is_asked_and_the_start_is_the_limit() {
        let none = Policy::default();
        let ruling = |now| cancelling(&none, 35_000, at(START), None, at(now));
        assert_eq!(ruling(START), Cancelling::For { fee_cents: 0 });
        assert_eq!(ruling(START + 1), Cancelling::TooLate);
    }

    #[test]
    fn the_fees_to_come_are_told_in_order_and_only_while_it_can_be_called_off() {
        let ahead = |now| policy(None).fees_ahead(35_000, at(START), at(now));
        assert_eq!(
            ahead(START - 72 * HOUR),
            [
                (at(START - 48 * HOUR), 8_750),
                (at(START - 24 * HOUR), 17_500),
                (at(START - 4 * HOUR), 35_000)
            ]
        );
        assert_eq!(ahead(START - 5 * HOUR), [(at(START - 4 * HOUR), 35_000)]);
        assert_eq!(ahead(START - HOUR), []);
        let late = Policy {
            limit: SignedDuration::from_hours(30),
            ..policy(None)
        };
        let told = late.fees_ahead(35_000, at(START), at(START - 72 * HOUR));
        assert_eq!(told, [(at(START - 48 * HOUR), 8_750)]);
    }
}

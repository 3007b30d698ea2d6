//! How many may be booked on a day and in a week, by the provider's calendar. Weeks begin on
//! Monday.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

/// The most that may be booked; none means as much as there is time for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    /// Visits that begin on one day.
    pub day: Option<u16>,
    /// Visits that begin in one week.
    pub week: Option<u16>,
}

/// A limit with what counts towards it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// The most that may be booked.
    pub limit: Limit,
    /// The visits that stand, by the day on which they begin.
    pub taken: BTreeMap<Date, u16>,
    /// The day of a visit that is to be moved: on that day, and in its week, it is not one
    /// more.
    pub moved_from: Option<Date>,
}

impl Limit {
    /// Whether there is any.
    pub fn is_set(self) -> bool {
        self.day.is_some() || self.week.is_some()
    }
}

impl Quota {
    /// How many more may be booked on `date`.
    pub fn left(&self, date: Date) -> u16 {
        let week = week_of(date);
        let taken_in_week = self.taken.range(week.0..=week.1).map(|(_, count)| count);
        let taken_in_week = taken_in_week.fold(0_u16, |sum, count| sum.saturating_add(*count));
        let taken = self.taken.get(&date).copied().unwrap_or(0);
        let is_within =
            |from: Date, to: Date| self.moved_from.is_some_and(|d| from <= d && d <= to);
        let day = self.limit.day.filter(|_| !is_within(date, date));
        let week = self.limit.week.filter(|_| !is_within(week.0, week.1));
        let left = |limit: Option<u16>, taken| limit.map_or(u16::MAX, |l| l.saturating_sub(taken));
        left(day, taken).min(left(week, taken_in_week))
    }

    /// Whether nothing more may be booked on `date`.
    pub fn is_full(&self, date: Date) -> bool {
        self.limit.is_set() && self.left(date) == 0
    }
}

/// The first and the last day of the week of `date`.
pub fn week_of(date: Date) -> (Date, Date) {
    let monday = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
    (monday, monday.saturating_add(6.days()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn quota(day: Option<u16>, week: Option<u16>, taken: &[(Date, u16)]) -> Quota {
        Quota {
            limit: Limit { day, week },
            taken: taken.iter().copied().collect(),
            moved_from: None,
        }
    }

    #[test]
    fn a_day_is_full_with_its_last_visit_and_a_week_over_all_its_days() {
        let (monday, sunday) = (date(2026, 12, 28), date(2027, 1, 3));
        let day = quota(Some(2), None, &[(monday, 2), (sunday, 1)]);
        assert_eq!((day.left(monday), day.left(sunday)), (0, 1));
        assert_eq!(day.left(date(2027, 1, 4)), 2);
        // One week, although two years.
        let week = quota(None, Some(3), &[(monday, 2), (sunday, 1)]);
        assert!(week.is_full(date(2026, 12, 31)) && week.is_full(sunday));
        assert_eq!(week.left(date(2027, 1, 4)), 3);
        assert_eq!(week.left(date(2026, 12, 27)), 3);
    }

    #[test]
    fn without_a_limit_nothing_is_ever_full() {
        let none = quota(None, None, &[(date(2027, 1, 4), u16::MAX)]);
        assert_eq!(none.left(date(2027, 1, 4)), u16::MAX);
    }

    #[test]
    fn moving_within_a_day_or_a_week_is_not_one_more_also_where_there_are_too_many() {
        let (monday, tuesday) = (date(2027, 1, 4), date(2027, 1, 5));
        let mut both = quota(Some(2), Some(2), &[(monday, 3), (tuesday, 2)]);
        both.moved_from = Some(monday);
        assert!(!both.is_full(monday), "within its day");
        assert!(both.is_full(tuesday), "that day is full");
        assert!(!both.is_full(date(2027, 1, 6)), "within its week");
        assert_eq!(both.left(date(2027, 1, 11)), 2);
    }
}

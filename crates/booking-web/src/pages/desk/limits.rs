//! How many may be booked in a day and in a week, as it is shown and sent. A field that is
//! left empty is no limit.

use std::ops::RangeInclusive;

/// As many as may be set.
const MAX: i32 = 1000;

/// A limit as it stands in its field.
pub(super) fn typed(max: Option<i16>) -> String {
    max.map_or_else(String::new, |max| max.to_string())
}

/// The limits of a day and of a week as they were sent, with `number` to read one.
pub(super) fn read(
    (day, week): (&str, &str),
    number: &mut impl FnMut(&'static str, &str, RangeInclusive<i32>) -> i32,
) -> (Option<i16>, Option<i16>) {
    let mut limit = |field, text: &str| {
        let is_set = !text.trim().is_empty();
        is_set.then(|| i16::try_from(number(field, text, 1..=MAX)).unwrap_or(0))
    };
    (limit("day_max", day), limit("week_max", week))
}

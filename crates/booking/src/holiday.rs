//! Public holidays of South Africa, as the Public Holidays Act 36 of 1994 has them since 1995.
//! Days that the President declares for one year only (section 2A), such as the day of an
//! election, follow no rule and are not here.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};

/// One public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// The date on which it is kept.
    pub date: Date,
    /// Its name in English.
    pub name: &'static str,
    /// The Sunday because of which this Monday is a holiday, too.
    pub because_of: Option<Date>,
}

/// The same date every year.
const FIXED: [(i8, i8, &str); 10] = [
    (1, 1, "New Year’s Day"),
    (3, 21, "Human Rights Day"),
    (4, 27, "Freedom Day"),
    (5, 1, "Workers’ Day"),
    (6, 16, "Youth Day"),
    (8, 9, "National Women’s Day"),
    (9, 24, "Heritage Day"),
    (12, 16, "Day of Reconciliation"),
    (12, 25, "Christmas Day"),
    (12, 26, "Day of Goodwill"),
];

/// The holidays of a year, by date; no date is there twice. Years before 1995 have none here.
pub fn south_african_holidays(year: i16) -> Vec<Holiday> {
    if !(1995..=9998).contains(&year) {
        return Vec::new();
    }
    let easter = easter(year);
    let moving = [
        (easter - 2.days(), "Good Friday"),
        (easter + 1.day(), "Family Day"),
    ];
    let fixed = FIXED.map(|(month, day, name)| (date(year, month, day), name));
    let mut holidays = BTreeMap::new();
    for (date, name) in fixed.into_iter().chain(moving) {
        let because_of = None;
        holidays.insert(
            date,
            Holiday {
                date,
                name,
                because_of,
            },
        );
    }
    // Section 2 (1): where one falls on a Sunday, the Monday that follows is one, too. Where
    // that Monday is one already, nothing is added.
    let sundays: Vec<Holiday> = holidays
        .values()
        .filter(|holiday| holiday.date.weekday() == Weekday::Sunday)
        .copied()
        .collect();
    for sunday in sundays {
        let monday = sunday.date + 1.day();
        holidays.entry(monday).or_insert(Holiday {
            date: monday,
            name: sunday.name,
            because_of: Some(sunday.date),
        });
    }
    holidays.into_values().collect()
}

/// Easter Sunday by the Gregorian calendar (the anonymous algorithm of 1876, as in Meeus,
/// Astronomical Algorithms, chapter 8).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let golden = y % 19;
    let (century, rest) = (y / 100, y % 100);
    let moon =
        (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let week = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let late = (golden + 11 * moon + 22 * week) / 451;
    // Days since the first of March.
    let days = moon + week - 7 * late + 21;
    date(year, 3, 1) + days.days()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(year: i16) -> Vec<String> {
        let holidays = south_african_holidays(year);
        holidays.iter().map(|h| h.date.to_string()).collect()
    }

    #[test]
    fn a_holiday_on_a_sunday_makes_the_monday_one() {
        assert_eq!(
            dates(2027),
            [
                "2027-01-01",
                "2027-03-21",
                "2027-03-22",
                "2027-03-26",
                "2027-03-29",
                "2027-04-27",
                "2027-05-01",
                "2027-06-16",
                "2027-08-09",
                "2027-09-24",
                "2027-12-16",
                "2027-12-25",
                "2027-12-26",
                "2027-12-27",
            ]
        );
        let monday = south_african_holidays(2027)[2];
        assert_eq!(monday.name, "Human Rights Day");
        assert_eq!(monday.because_of, Some(date(2027, 3, 21)));
    }

    #[test]
    fn a_holiday_on_a_saturday_makes_no_other_day_one() {
        // The 21st of March 2026 and the 26th of December 2026 are Saturdays.
        assert!(!dates(2026).contains(&"2026-03-23".to_owned()));
        assert!(!dates(2026).contains(&"2026-12-28".to_owned()));
    }

    #[test]
    fn christmas_on_a_sunday_adds_nothing_to_the_day_of_goodwill() {
        // The 27th of December 2022 was declared for that year only.
        let mut december = dates(2022);
        december.retain(|date| date.starts_with("2022-12"));
        assert_eq!(december, ["2022-12-16", "2022-12-25", "2022-12-26"]);
    }

    #[test]
    fn two_holidays_on_one_date_are_one() {
        // Good Friday 2008 was Human Rights Day.
        let march = dates(2008)
            .iter()
            .filter(|d| d.starts_with("2008-03"))
            .count();
        assert_eq!(march, 2);
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        let known = [
            (1995, "1995-04-16"),
            (2000, "2000-04-23"),
            (2008, "2008-03-23"),
            (2016, "2016-03-27"),
            (2024, "2024-03-31"),
            (2025, "2025-04-20"),
            (2026, "2026-04-05"),
            (2027, "2027-03-28"),
            (2028, "2028-04-16"),
            (2038, "2038-04-25"),
            (2049, "2049-04-18"),
            (2076, "2076-04-19"),
        ];
        for (year, expected) in known {
            assert_eq!(easter(year).to_string(), expected);
        }
    }

    #[test]
    fn every_year_keeps_the_rules() {
        for year in 1995..=2500 {
            let sunday = easter(year);
            assert_eq!(sunday.weekday(), Weekday::Sunday, "{year}");
            assert!(
                date(year, 3, 22) <= sunday && sunday <= date(year, 4, 25),
                "{year}"
            );
            let holidays = south_african_holidays(year);
            assert!(
                holidays.windows(2).all(|pair| pair[0].date < pair[1].date),
                "{year}"
            );
            for holiday in holidays
                .iter()
                .filter(|h| h.date.weekday() == Weekday::Sunday)
            {
                let monday = holiday.date + 1.day();
                assert!(holidays.iter().any(|h| h.date == monday), "{monday}");
            }
        }
        assert!(south_african_holidays(1994).is_empty());
    }
}

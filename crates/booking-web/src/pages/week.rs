//! Seven days with their free times, as the page shows them. Pure: from instants
//! and a zone to words, with nothing read from outside.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::language::{Language, Text};
use crate::openings::Days;
use crate::pages::words;

/// One free time, as instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Free {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// How many can still book it, where it is a class.
    pub(crate) seats: Option<u16>,
}

/// So few free times that a day is nearly full.
const FEW: usize = 3;

/// A week of days to choose from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Week {
    pub(crate) title: String,
    /// The day that "earlier" leads to, where it is not wholly past.
    pub(crate) earlier: Option<Date>,
    pub(crate) later: Option<Date>,
    /// The month of the chosen day, as it travels in addresses.
    pub(crate) month: String,
    pub(crate) days: Vec<Day>,
}

/// What a day has to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offers {
    Many,
    Few,
    /// There was something, and it is taken or too near.
    NoneLeft,
    /// There is nothing to book on it at all.
    Closed,
    /// It is past, or too far ahead.
    OutOfReach,
}

impl Offers {
    /// How the stylesheet calls it.
    fn class(self) -> &'static str {
        match self {
            Self::Many => "many",
            Self::Few => "few",
            Self::NoneLeft => "none",
            Self::Closed => "closed",
            Self::OutOfReach => "beyond",
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) weekday: String,
    pub(crate) number: i8,
    pub(crate) full_name: String,
    /// "5 free times", "closed"
    pub(crate) words: String,
    pub(crate) class: &'static str,
    pub(crate) is_chosen: bool,
    /// Whether it can be chosen at all: not past, and not beyond the last day.
    pub(crate) is_in_reach: bool,
}

/// Morning, afternoon or evening, with its times.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PartOfDay {
    pub(crate) id: &'static str,
    pub(crate) name: String,
    pub(crate) times: Vec<TimeChoice>,
}

/// One time as a radio button or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeChoice {
    /// The id of its element.
    pub(crate) id: String,
    /// The instant, as it travels in the form.
    pub(crate) start: String,
    /// "09:30"
    pub(crate) clock: String,
    /// What tells two equal wall times apart when clocks go back; mostly nothing.
    pub(crate) suffix: String,
    /// The day at the business.
    pub(crate) date: Date,
    /// "Wed 24 March"
    pub(crate) day: String,
    /// "Wednesday 24 March 2027, 09:30"
    pub(crate) full_name: String,
    /// "3 seats left", for a class.
    pub(crate) seats: Option<String>,
}

/// A month of days to choose from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Month {
    /// "2027-03", as it travels in addresses.
    pub(crate) name: String,
    pub(crate) title: String,
    /// The months around it, where there is something to book.
    pub(crate) earlier: Option<String>,
    pub(crate) later: Option<String>,
    /// "Mon" to "Sun"
    pub(crate) weekdays: Vec<String>,
    /// Places in its first week that belong to the month before.
    pub(crate) before: std::ops::Range<i8>,
    pub(crate) days: Vec<Day>,
}

/// The Monday on or before `day`.
pub(crate) fn monday_of(day: Date) -> Date {
    let since = i64::from(day.weekday().since(Weekday::Monday));
    day.saturating_sub(since.days())
}

/// The week of `chosen`, between the first and the last day that may be booked.
pub(crate) fn week(
    language: Language,
    known: &Days,
    chosen: Date,
    reach: &RangeInclusive<Date>,
    zone: &TimeZone,
) -> Week {
    let (today, last) = (*reach.start(), *reach.end());
    let monday = monday_of(chosen);
    let sunday = monday.saturating_add(6.days());
    let days = (0..7)
        .map(|offset| monday.saturating_add(offset.days()))
        .map(|date| {
            let count = on_day(&known.free, date, zone).count();
            let offers = offers(date, count, known, reach);
            Day {
                is_chosen: date == chosen,
                ..day(language, date, offers, count)
            }
        })
        .collect();
    let next = monday.saturating_add(7.days());
    Week {
        title: words::months(language, monday, sunday),
        earlier: (monday > today).then(|| monday.saturating_sub(7.days()).max(today)),
        later: (next <= last).then_some(next),
        month: chosen.strftime("%Y-%m").to_string(),
        days,
    }
}

fn offers(date: Date, free: usize, known: &Days, reach: &RangeInclusive<Date>) -> Offers {
    if !reach.contains(&date) {
        return Offers::OutOfReach;
    }
    match free {
        0 if known.open.contains(&date) => Offers::NoneLeft,
        0 => Offers::Closed,
        1..=FEW => Offers::Few,
        _ => Offers::Many,
    }
}

fn day(language: Language, date: Date, offers: Offers, free: usize) -> Day {
    Day {
        date,
        weekday: words::weekday_short(language, date),
        number: date.day(),
        full_name: words::day_name(language, date),
        words: words::day_offers(language, offers, free),
        class: offers.class(),
        is_chosen: false,
        is_in_reach: offers != Offers::OutOfReach,
    }
}

/// The month of `first`, between the first and the last day that may be booked.
pub(crate) fn month(
    language: Language,
    known: &Days,
    first: Date,
    reach: &RangeInclusive<Date>,
    zone: &TimeZone,
) -> Month {
    let mut counts: BTreeMap<Date, usize> = BTreeMap::new();
    for free in &known.free {
        *counts
            .entry(zone.to_datetime(free.start).date())
            .or_default() += 1;
    }
    let last = first.last_of_month();
    let mut days = Vec::new();
    for offset in 0..i64::from(last.day()) {
        let date = first.saturating_add(offset.days());
        let count = counts.get(&date).copied().unwrap_or(0);
        let offers = offers(date, count, known, reach);
        days.push(day(language, date, offers, count));
    }
    let name = |first: Date| first.strftime("%Y-%m").to_string();
    let next = first.saturating_add(1.month());
    let monday = monday_of(first);
    let week = (0..7).map(|offset| monday.saturating_add(offset.days()));
    Month {
        name: name(first),
        title: words::months(language, first, last),
        earlier: (first > *reach.start()).then(|| name(first.saturating_sub(1.month()))),
        later: (next <= *reach.end()).then(|| name(next)),
        weekdays: week
            .map(|date| words::weekday_short(language, date))
            .collect(),
        before: 0..first.weekday().since(Weekday::Monday),
        days,
    }
}

/// The free times that begin on `date` at the business.
pub(crate) fn on_day<'a>(
    free: &'a [Free],
    date: Date,
    zone: &'a TimeZone,
) -> impl Iterator<Item = &'a Free> {
    free.iter()
        .filter(move |free| free.start.to_zoned_datetime(zone.clone()).date() == date)
}

/// The times of one day, by part of the day; parts without a time are left out.
pub(crate) fn parts(
    language: Language,
    free: &[Free],
    date: Date,
    zone: &TimeZone,
) -> Vec<PartOfDay> {
    let choices = choices(language, on_day(free, date, zone), zone);
    let part = |id, name: Text, hours: std::ops::Range<&str>| PartOfDay {
        id,
        name: name.to_string(),
        times: choices
            .iter()
            .filter(|choice| hours.contains(&choice.clock.as_str()))
            .cloned()
            .collect(),
    };
    [
        part("morning", language.text("morning"), "00:00".."12:00"),
        part("afternoon", language.text("afternoon"), "12:00".."17:00"),
        part("evening", language.text("evening"), "17:00".."25:00"),
    ]
    .into_iter()
    .filter(|part| !part.times.is_empty())
    .collect()
}

/// Free times as choices, told apart where the same wall time comes twice.
pub(crate) fn choices<'a>(
    language: Language,
    free: impl Iterator<Item = &'a Free>,
    zone: &TimeZone,
) -> Vec<TimeChoice> {
    let mut choices: Vec<_> = free.map(|free| choice(language, free, zone)).collect();
    for second in 1..choices.len() {
        // With steps of less than an hour, others stand between the two.
        let mut earlier = choices[..second].iter();
        let first = earlier.rposition(|choice| choice.full_name == choices[second].full_name);
        if let Some(first) = first {
            choices[first].suffix = language.text("before-clocks-change").to_string();
            choices[second].suffix = language.text("after-clocks-change").to_string();
        }
    }
    choices
}

fn choice(language: Language, free: &Free, zone: &TimeZone) -> TimeChoice {
    let start = free.start;
    let local = start.to_zoned_datetime(zone.clone());
    let clock = words::clock(&local);
    TimeChoice {
        id: format!("t{}", start.as_second()),
        start: start.to_string(),
        suffix: String::new(),
        date: local.date(),
        day: words::day_short(language, local.date()),
        full_name: words::day_and_clock(language, &local),
        clock,
        seats: free.seats.map(|seats| words::seats_left(language, seats)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const EN: Language = Language::English;

    fn free(starts: &[&str]) -> Vec<Free> {
        starts
            .iter()
            .map(|start| Free {
                start: start.parse().unwrap(),
                end: start.parse::<Timestamp>().unwrap() + 30.minutes(),
                seats: None,
            })
            .collect()
    }

    fn days(free: Vec<Free>, open: &[Date]) -> Days {
        let open = open.iter().copied().collect();
        let full = [].into();
        Days { free, open, full }
    }

    #[test]
    fn a_week_begins_on_monday_and_counts_free_times_by_local_day() {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        // 22:30 UTC on Tuesday is 00:30 on Wednesday at the business.
        let free = free(&["2027-03-23T22:30:00Z", "2027-03-24T07:00:00Z"]);
        let today = date(2027, 3, 22);
        let reach = today..=date(2027, 4, 30);
        let known = days(free, &[date(2027, 3, 23)]);
        let week = week(EN, &known, date(2027, 3, 24), &reach, &zone);
        let words: Vec<_> = week.days.iter().map(|day| day.words.as_str()).collect();
        let words = &words[..4];
        assert_eq!(
            words,
            ["closed", "no times left", "only 2 free times", "closed"]
        );
        assert!(week.days[2].is_chosen);
        assert_eq!((week.earlier, week.later), (None, Some(date(2027, 3, 29))));
    }

    #[test]
    fn nobody_is_led_before_today_or_beyond_the_last_day() {
        let zone = TimeZone::UTC;
        let (today, last) = (date(2027, 3, 24), date(2027, 3, 31));
        let (none, reach) = (Days::default(), today..=last);
        let second = week(EN, &none, date(2027, 3, 30), &reach, &zone);
        assert_eq!((second.earlier, second.later), (Some(today), None));
        let open = |week: Week| {
            let days = week.days.iter();
            days.map(|day| day.is_in_reach).collect::<Vec<_>>()
        };
        let (yes, no) = (true, false);
        assert_eq!(open(second), [yes, yes, yes, no, no, no, no]);
        let first = week(EN, &none, today, &reach, &zone);
        assert_eq!(open(first), [no, no, yes, yes, yes, yes, yes]);
    }

    #[test]
    fn a_month_counts_the_days_and_begins_under_its_weekday() {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        let free = free(&["2027-05-03T22:30:00Z", "2027-05-04T07:00:00Z"]);
        let open = date(2027, 4, 20)..=date(2027, 5, 31);
        let known = days(free, &[date(2027, 5, 4), date(2027, 5, 5)]);
        let month = month(EN, &known, date(2027, 5, 1), &open, &zone);
        // The first of May 2027 is a Saturday.
        assert_eq!((month.before, month.days.len()), (0..5, 31));
        let classes: Vec<_> = month.days[2..6].iter().map(|day| day.class).collect();
        assert_eq!(classes, ["closed", "few", "none", "closed"]);
        assert_eq!(month.days[3].words, "only 2 free times");
        assert_eq!(
            (month.earlier, month.later),
            (Some("2027-04".to_owned()), None)
        );
    }

    #[test]
    fn parts_without_a_time_are_left_out() {
        let free = free(&["2027-03-24T08:00:00Z", "2027-03-24T17:00:00Z"]);
        let parts = parts(EN, &free, date(2027, 3, 24), &TimeZone::UTC);
        let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["Morning", "Evening"]);
    }

    #[test]
    fn a_wall_time_that_comes_twice_is_two_choices_told_apart() {
        let zone = TimeZone::get("Europe/London").unwrap();
        let free = free(&[
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
        ]);
        let choices = choices(EN, free.iter(), &zone);
        let clocks: Vec<_> = choices.iter().map(|choice| choice.clock.as_str()).collect();
        assert_eq!(clocks, ["01:00", "01:30", "01:00", "01:30", "02:00"]);
        let suffix = |place: usize| choices[place].suffix.as_str();
        assert_eq!((suffix(0), suffix(2)), (suffix(1), suffix(3)));
        assert_ne!(suffix(0), suffix(2));
        assert_eq!(suffix(4), "", "what comes once needs no more");
    }
}

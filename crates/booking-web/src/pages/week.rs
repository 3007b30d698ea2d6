//! Seven days with their free times, as the page shows them. Pure: from instants
//! and a zone to words, with nothing read from outside.

use std::ops::RangeInclusive;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::language::{Language, Text};
use crate::pages::words;

/// One free time, as instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Free {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// How many can still book it.
    pub(crate) seats: u16,
}

/// A week of days to choose from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Week {
    pub(crate) title: String,
    /// The day that "earlier" leads to, where it is not wholly past.
    pub(crate) earlier: Option<Date>,
    pub(crate) later: Option<Date>,
    pub(crate) days: Vec<Day>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) weekday: String,
    pub(crate) number: i8,
    pub(crate) full_name: String,
    pub(crate) free: usize,
    pub(crate) free_words: String,
    pub(crate) is_chosen: bool,
    /// Whether it can be chosen at all: not past, and not beyond the last day.
    pub(crate) is_open: bool,
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
    /// "Wed 24 March"
    pub(crate) day: String,
    /// "Wednesday 24 March 2027, 09:30"
    pub(crate) full_name: String,
}

/// The Monday on or before `day`.
pub(crate) fn monday_of(day: Date) -> Date {
    let since = i64::from(day.weekday().since(Weekday::Monday));
    day.saturating_sub(since.days())
}

/// The week of `chosen`, between the first and the last day that may be booked.
pub(crate) fn week(
    language: Language,
    free: &[Free],
    chosen: Date,
    open: RangeInclusive<Date>,
    zone: &TimeZone,
) -> Week {
    let (today, last) = (*open.start(), *open.end());
    let monday = monday_of(chosen);
    let sunday = monday.saturating_add(6.days());
    let days = (0..7)
        .map(|offset| monday.saturating_add(offset.days()))
        .map(|date| day(language, date, chosen, &open, free, zone))
        .collect();
    let next = monday.saturating_add(7.days());
    Week {
        title: words::months(language, monday, sunday),
        earlier: (monday > today).then(|| monday.saturating_sub(7.days()).max(today)),
        later: (next <= last).then_some(next),
        days,
    }
}

fn day(
    language: Language,
    date: Date,
    chosen: Date,
    open: &RangeInclusive<Date>,
    free: &[Free],
    zone: &TimeZone,
) -> Day {
    let count = on_day(free, date, zone).count();
    Day {
        date,
        weekday: words::weekday_short(language, date),
        number: date.day(),
        full_name: words::day_name(language, date),
        free: count,
        free_words: words::free_times(language, count),
        is_chosen: date == chosen,
        is_open: open.contains(&date),
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
    let mut choices: Vec<_> = free
        .map(|free| choice(language, free.start, zone))
        .collect();
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

fn choice(language: Language, start: Timestamp, zone: &TimeZone) -> TimeChoice {
    let local = start.to_zoned_datetime(zone.clone());
    let clock = words::clock(&local);
    TimeChoice {
        id: format!("t{}", start.as_second()),
        start: start.to_string(),
        suffix: String::new(),
        day: words::day_short(language, local.date()),
        full_name: words::day_and_clock(language, &local),
        clock,
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
                seats: 1,
            })
            .collect()
    }

    #[test]
    fn a_week_begins_on_monday_and_counts_free_times_by_local_day() {
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        // 22:30 UTC on Tuesday is 00:30 on Wednesday at the business.
        let free = free(&["2027-03-23T22:30:00Z", "2027-03-24T07:00:00Z"]);
        let today = date(2027, 3, 22);
        let open = today..=date(2027, 4, 30);
        let week = week(EN, &free, date(2027, 3, 24), open, &zone);
        let counts: Vec<_> = week.days.iter().map(|day| day.free).collect();
        assert_eq!(counts, [0, 0, 2, 0, 0, 0, 0]);
        assert!(week.days[2].is_chosen);
        assert_eq!((week.earlier, week.later), (None, Some(date(2027, 3, 29))));
    }

    #[test]
    fn nobody_is_led_before_today_or_beyond_the_last_day() {
        let zone = TimeZone::UTC;
        let (today, last) = (date(2027, 3, 24), date(2027, 3, 31));
        let second = week(EN, &[], date(2027, 3, 30), today..=last, &zone);
        assert_eq!((second.earlier, second.later), (Some(today), None));
        let open = |week: Week| week.days.iter().map(|day| day.is_open).collect::<Vec<_>>();
        let (yes, no) = (true, false);
        assert_eq!(open(second), [yes, yes, yes, no, no, no, no]);
        let first = week(EN, &[], today, today..=last, &zone);
        assert_eq!(open(first), [no, no, yes, yes, yes, yes, yes]);
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

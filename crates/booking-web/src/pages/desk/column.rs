//! One day of one person, as a column of the calendar: what is closed, who is away, and the
//! visits, each with its place. Pure: from spans and a zone to words and places. A place is
//! names of classes of the stylesheet, to five minutes, since nothing may be styled inline.

use booking::{Span, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use crate::language::{Language, Text};
use crate::store::calendar::{Away, Visit};

const SLOT_MINUTES: i64 = 5;
const SLOTS_PER_HOUR: u16 = 12;
const SLOTS_PER_DAY: u16 = 24 * SLOTS_PER_HOUR;
/// Of a day with nothing in it, these hours are shown.
const HOURS_OF_AN_EMPTY_DAY: (u16, u16) = (8, 17);

/// A stretch of the day in slots since midnight on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    from: u16,
    to: u16,
}

impl Place {
    /// Where `span` is on `date`; none where it is on other days only.
    fn of(span: Span, date: Date, zone: &TimeZone) -> Option<Self> {
        let from = slot(span.start(), date, zone, Rounding::Down);
        let to = slot(span.end(), date, zone, Rounding::Up);
        // While the clocks go back, it may end on the wall before it began.
        let both_here = [span.start(), span.end()]
            .into_iter()
            .all(|at| zone.to_datetime(at).date() == date);
        let to = if both_here { to.max(from + 1) } else { to };
        (from < to).then_some(Self { from, to })
    }

    /// The classes that put it there.
    pub(crate) fn classes(self) -> String {
        let length = self.to - self.from;
        let (h, q) = (self.from / SLOTS_PER_HOUR, self.from % SLOTS_PER_HOUR);
        let (dh, dq) = (length / SLOTS_PER_HOUR, length % SLOTS_PER_HOUR);
        format!("h-{h} q-{q} dh-{dh} dq-{dq}")
    }

    /// Whether there is room for one line only.
    fn is_short(self) -> bool {
        self.to - self.from <= 4
    }
}

#[derive(Debug, Clone, Copy)]
enum Rounding {
    Down,
    Up,
}

/// The slot of an instant by the clock on the wall, within the date.
fn slot(at: Timestamp, date: Date, zone: &TimeZone, rounding: Rounding) -> u16 {
    let wall = zone.to_datetime(at);
    if wall.date() < date {
        return 0;
    }
    if wall.date() > date {
        return SLOTS_PER_DAY;
    }
    let minutes = i64::from(wall.hour()) * 60 + i64::from(wall.minute());
    let slot = match rounding {
        Rounding::Down => minutes / SLOT_MINUTES,
        Rounding::Up => (minutes + SLOT_MINUTES - 1) / SLOT_MINUTES,
    };
    u16::try_from(slot).unwrap_or(SLOTS_PER_DAY)
}

/// What a calendar shows at a place.
#[derive(Debug)]
pub(crate) enum What {
    /// Before it opens, or after it closes.
    Closed,
    /// Between two openings.
    Break,
    Away {
        reason: String,
    },
    /// One visit, or those of a class.
    Visits(Vec<VisitWords>),
}

/// A visit in the calendar.
#[derive(Debug, Clone)]
pub(crate) struct VisitWords {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) service: String,
}

/// Something in a column.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) hours: String,
    /// The class that says what it is.
    pub(crate) class: &'static str,
    pub(crate) what: What,
}

/// One person's day.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) staff: Uuid,
    pub(crate) name: String,
    pub(crate) entries: Vec<Entry>,
    pub(crate) visits: usize,
}

/// What is known of one person's day.
pub(crate) struct Known<'a> {
    pub(crate) staff: Uuid,
    pub(crate) name: &'a str,
    /// When they are at work.
    pub(crate) open: &'a [Span],
    pub(crate) away: Vec<&'a Away>,
    pub(crate) visits: Vec<&'a Visit>,
}

/// The column of one person, in the order of the day.
pub(crate) fn column(language: Language, known: &Known<'_>, date: Date, zone: &TimeZone) -> Column {
    let mut entries = closed(language, known.open, date, zone);
    for away in &known.away {
        let span = Span::new(away.start, away.end);
        if let Some(place) = span.and_then(|span| Place::of(span, date, zone)) {
            entries.push(Entry {
                place,
                hours: hours(language, place),
                class: "entry--away",
                what: What::Away {
                    reason: reason(language, &away.reason).to_string(),
                },
            });
        }
    }
    entries.extend(visits(language, &known.visits, date, zone));
    entries.sort_by_key(|entry| entry.place);
    Column {
        staff: known.staff,
        name: known.name.to_owned(),
        entries,
        visits: known.visits.len(),
    }
}

/// What lies between the openings of a day.
fn closed(language: Language, open: &[Span], date: Date, zone: &TimeZone) -> Vec<Entry> {
    let mut places: Vec<Place> = open
        .iter()
        .filter_map(|span| Place::of(*span, date, zone))
        .collect();
    places.sort_unstable();
    let mut entries = Vec::new();
    let mut gap = |from: u16, to: u16| {
        if from < to {
            let place = Place { from, to };
            let is_break = from > 0 && to < SLOTS_PER_DAY;
            entries.push(Entry {
                place,
                hours: hours(language, place),
                class: "entry--closed",
                what: if is_break { What::Break } else { What::Closed },
            });
        }
    };
    let mut until = 0;
    for place in places {
        gap(until, place.from);
        until = until.max(place.to);
    }
    gap(until, SLOTS_PER_DAY);
    entries
}

/// The visits, those of one class together.
fn visits(language: Language, visits: &[&Visit], date: Date, zone: &TimeZone) -> Vec<Entry> {
    let mut entries: Vec<(Entry, &Visit)> = Vec::new();
    for visit in visits {
        let words = VisitWords {
            id: visit.id,
            name: name(language, visit.name.as_deref()),
            state: state(language, visit.state).to_string(),
            service: visit.service.clone(),
        };
        let like = |first: &Visit| {
            (first.start, first.end, &first.service) == (visit.start, visit.end, &visit.service)
        };
        let together = entries.iter_mut().find(|(_, first)| like(first));
        if let Some((
            Entry {
                what: What::Visits(class),
                ..
            },
            _,
        )) = together
        {
            class.push(words);
            continue;
        }
        let span = Span::new(visit.start, visit.end);
        let Some(place) = span.and_then(|span| Place::of(span, date, zone)) else {
            continue;
        };
        let entry = Entry {
            place,
            hours: span_hours(language, visit.start, visit.end, zone),
            class: class(visit.state, place.is_short()),
            what: What::Visits(vec![words]),
        };
        entries.push((entry, visit));
    }
    entries.into_iter().map(|(entry, _)| entry).collect()
}

fn class(state: State, is_short: bool) -> &'static str {
    match (state, is_short) {
        (State::Held, false) => "entry--held",
        (State::Held, true) => "entry--held entry--short",
        (State::Arrived, false) => "entry--visit entry--arrived",
        (State::Arrived, true) => "entry--visit entry--arrived entry--short",
        (State::Completed | State::NoShow, false) => "entry--visit entry--past",
        (State::Completed | State::NoShow, true) => "entry--visit entry--past entry--short",
        (_, false) => "entry--visit",
        (_, true) => "entry--visit entry--short",
    }
}

/// "09:30 to 10:15"
pub(crate) fn span_hours(
    language: Language,
    start: Timestamp,
    end: Timestamp,
    zone: &TimeZone,
) -> String {
    crate::pages::words::When::of(language, start, end, zone).hours
}

/// The same from a place; a day ends at 24:00.
fn hours(language: Language, place: Place) -> String {
    let clock = |slot: u16| {
        let (hour, slot) = (slot / SLOTS_PER_HOUR, slot % SLOTS_PER_HOUR);
        format!("{hour:02}:{:02}", i64::from(slot) * SLOT_MINUTES)
    };
    language
        .text("hours")
        .with("from", clock(place.from))
        .with("until", clock(place.to))
        .to_string()
}

/// Who comes; a time that is only held belongs to somebody who has not said who they are.
pub(crate) fn name(language: Language, name: Option<&str>) -> String {
    match name {
        Some(name) => name.to_owned(),
        None => language.text("desk-nobody-yet").to_string(),
    }
}

/// Where a booking stands, in a word.
pub(crate) fn state(language: Language, state: State) -> Text {
    match state {
        State::Held => language.text("state-held"),
        State::Expired => language.text("state-expired"),
        State::Confirmed => language.text("state-confirmed"),
        State::Arrived => language.text("state-arrived"),
        State::Completed => language.text("state-completed"),
        State::NoShow => language.text("state-no-show"),
        State::CancelledByCustomer => language.text("state-cancelled-by-customer"),
        State::CancelledByBusiness => language.text("state-cancelled-by-business"),
    }
}

/// The class of the badge that says where a booking stands.
pub(crate) fn state_class(state: State) -> &'static str {
    match state {
        State::Confirmed => "badge--coming",
        State::Arrived | State::Completed => "badge--good",
        State::NoShow | State::CancelledByCustomer | State::CancelledByBusiness => "badge--bad",
        State::Held | State::Expired => "badge--quiet",
    }
}

/// Why somebody is away, as it is stored, in a word.
pub(crate) fn reason(language: Language, reason: &str) -> Text {
    match reason {
        "leave" => language.text("away-leave"),
        "sick" => language.text("away-sick"),
        "training" => language.text("away-training"),
        "closed" => language.text("away-closed"),
        _ => language.text("away-other"),
    }
}

/// The hours that are shown: from the first to the last at which something is, with the
/// closed hours beyond left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl Shown {
    pub(crate) fn of(columns: &[Column]) -> Self {
        let is_edge = |entry: &&Entry| !matches!(entry.what, What::Closed);
        let closed = columns.iter().flat_map(|column| &column.entries);
        let edges = closed
            .clone()
            .filter(|entry| matches!(entry.what, What::Closed));
        // Where it is closed before and after says when it is open.
        let (mut first, mut last) = (SLOTS_PER_DAY, 0);
        for entry in edges {
            if entry.place.from == 0 && entry.place.to < SLOTS_PER_DAY {
                first = first.min(entry.place.to);
            }
            if entry.place.to == SLOTS_PER_DAY && entry.place.from > 0 {
                last = last.max(entry.place.from);
            }
        }
        for entry in closed.filter(is_edge) {
            // Who is away all day has no reason to show the night.
            if matches!(entry.what, What::Away { .. }) && first < last {
                continue;
            }
            first = first.min(entry.place.from);
            last = last.max(entry.place.to);
        }
        if first >= last {
            let (first, last) = HOURS_OF_AN_EMPTY_DAY;
            return Self { first, last };
        }
        Self {
            first: first / SLOTS_PER_HOUR,
            last: last.div_ceil(SLOTS_PER_HOUR),
        }
    }

    pub(crate) fn hours(self) -> u16 {
        self.last - self.first
    }

    pub(crate) fn each_hour(self) -> impl Iterator<Item = u16> {
        self.first..self.last
    }

    /// The part of a column's entry that is shown.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    pub(crate) fn part(self, place: &Place) -> Option<Place> {
        let part = Place {
            from: place.from.max(self.first * SLOTS_PER_HOUR),
            to: place.to.min(self.last * SLOTS_PER_HOUR),
        };
        (part.from < part.to).then_some(part)
    }

    /// Where the present is, if it is shown.
    pub(crate) fn now(self, now: Timestamp, date: Date, zone: &TimeZone) -> Option<Place> {
        let wall = zone.to_datetime(now);
        let from = slot(now, date, zone, Rounding::Down);
        let place = Place { from, to: from + 1 };
        (wall.date() == date)
            .then_some(place)
            .and_then(|place| self.part(&place))
    }
}

/// The instants between which a day lies.
pub(crate) fn day_span(date: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let start = |date| booking::day_start(zone, date);
    (start(date), start(date.saturating_add(1.days())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;

    fn zone() -> TimeZone {
        TimeZone::get("Africa/Johannesburg").unwrap()
    }

    fn date() -> Date {
        "2027-03-24".parse().unwrap()
    }

    fn at(clock: &str) -> Timestamp {
        format!("2027-03-24T{clock}:00+02:00").parse().unwrap()
    }

    fn span(from: &str, to: &str) -> Span {
        Span::new(at(from), at(to)).unwrap()
    }

    fn visit(from: &str, to: &str, name: &str) -> Visit {
        Visit {
            id: Uuid::nil(),
            staff: Uuid::nil(),
            state: State::Confirmed,
            start: at(from),
            end: at(to),
            service: "Haircut".into(),
            customer: None,
            name: Some(name.into()),
            phone: None,
        }
    }

    fn of(open: &[Span], away: &[Away], visits: &[Visit]) -> Column {
        let known = Known {
            staff: Uuid::nil(),
            name: "Sipho",
            open,
            away: away.iter().collect(),
            visits: visits.iter().collect(),
        };
        column(EN, &known, date(), &zone())
    }

    fn said(column: &Column) -> Vec<String> {
        let say = |entry: &Entry| {
            let what = match &entry.what {
                What::Closed => "closed".to_owned(),
                What::Break => "break".to_owned(),
                What::Away { reason } => reason.clone(),
                What::Visits(visits) => {
                    let names: Vec<_> = visits.iter().map(|v| v.name.as_str()).collect();
                    names.join(" and ")
                }
            };
            format!("{} {what}", entry.hours)
        };
        column.entries.iter().map(say).collect()
    }

    #[test]
    fn a_day_is_told_in_its_order_with_breaks_and_closed_hours() {
        let open = [span("08:00", "12:30"), span("13:15", "17:30")];
        let away = [Away {
            lane: Uuid::nil(),
            start: at("15:00"),
            end: at("16:00"),
            reason: "training".into(),
        }];
        let column = of(&open, &away, &[visit("09:30", "10:15", "Thandi")]);
        assert_eq!(
            said(&column),
            [
                "00:00 to 08:00 closed",
                "09:30 to 10:15 Thandi",
                "12:30 to 13:15 break",
                "15:00 to 16:00 Training",
                "17:30 to 24:00 closed",
            ]
        );
        let shown = Shown::of(&[column]);
        assert_eq!((shown.first, shown.last), (8, 18));
    }

    #[test]
    fn those_of_one_class_stand_together_and_others_beside_them() {
        let visits = [
            visit("09:00", "10:00", "Thandi"),
            visit("09:00", "10:00", "Sipho"),
            visit("09:00", "09:30", "Anneke"),
        ];
        let column = of(&[span("08:00", "17:00")], &[], &visits);
        let told = said(&column);
        assert!(
            told.contains(&"09:00 to 10:00 Thandi and Sipho".to_owned()),
            "{told:?}"
        );
        assert!(
            told.contains(&"09:00 to 09:30 Anneke".to_owned()),
            "{told:?}"
        );
    }

    #[test]
    fn what_reaches_over_midnight_is_shown_within_its_day() {
        let night = Away {
            lane: Uuid::nil(),
            start: "2027-03-23T10:00:00Z".parse().unwrap(),
            end: "2027-03-25T10:00:00Z".parse().unwrap(),
            reason: "sick".into(),
        };
        let column = of(&[], &[night], &[]);
        assert_eq!(
            said(&column),
            ["00:00 to 24:00 closed", "00:00 to 24:00 Sick"]
        );
    }

    #[test]
    fn a_visit_outside_the_opening_hours_is_shown_all_the_same() {
        let open = [span("09:00", "12:00")];
        let column = of(&open, &[], &[visit("18:10", "18:52", "Thandi")]);
        let shown = Shown::of(std::slice::from_ref(&column));
        assert_eq!((shown.first, shown.last), (9, 19));
        let place = column.entries.last().unwrap().place;
        let visit = column
            .entries
            .iter()
            .find(|e| matches!(e.what, What::Visits(_)));
        assert_eq!(visit.unwrap().place.classes(), "h-18 q-2 dh-0 dq-9");
        assert!(shown.part(&place).is_some());
    }

    #[test]
    fn a_day_on_which_nobody_works_shows_the_usual_hours() {
        let shown = Shown::of(&[of(&[], &[], &[])]);
        assert_eq!((shown.first, shown.last), (8, 17));
        assert!(shown.now(at("10:02"), date(), &zone()).is_some());
        assert!(shown.now(at("19:00"), date(), &zone()).is_none());
    }
}

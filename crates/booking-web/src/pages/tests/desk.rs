//! Renders the pages of the desk with sample words, and holds each to the rules that all
//! pages keep.

use askama::Template;
use booking::{Span, State};
use chassis::Env;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::booking::{BookingPage, BookingWords, NoteForm};
use super::calendar::{CalendarPage, Turn};
use super::change::{Button, Changes};
use super::column::{self, Known, Shown};
use super::customer::{CustomerForm, CustomerPage};
use super::customers::{CustomersPage, NewCustomerPage};
use super::frame::Tab;
use super::merge::MergePage;
use super::today::TodayPage;
use super::week::{Choice, Day, Line, WeekPage};
use super::{Frame, customer, history, merge, today};
use crate::assets;
use crate::error::FieldProblem;
use crate::language::Language;
use crate::pages::gallery::{check, said_outside_messages, site};
use crate::pages::words::{self, When};
use crate::store::calendar::{Away, Visit};
use crate::store::customer::Found;

pub(super) fn zone() -> TimeZone {
    TimeZone::get("Africa/Johannesburg").unwrap()
}

pub(super) fn day() -> Date {
    date(2027, 3, 24)
}

pub(super) fn at(clock: &str) -> Timestamp {
    format!("2027-03-24T{clock}:00+02:00").parse().unwrap()
}

pub(super) fn frame(language: Language, done: bool) -> Frame {
    let tab = |name: &'static str, is_here| Tab {
        address: "/desk/karoo-cuts".into(),
        name: language.text(name).to_string(),
        is_here,
    };
    Frame {
        business: "Karoo Cuts".into(),
        slug: "karoo-cuts".into(),
        base: "/desk/karoo-cuts".into(),
        name: "Sipho Dlamini".into(),
        role: language.text("role-staff").to_string(),
        tabs: vec![tab("desk-today", false), tab("desk-calendar", true)],
        stylesheet: assets::desk_stylesheet(),
        csrf: "token".into(),
        is_demonstration: done,
        done: done.then(|| language.text("desk-done-saved").to_string()),
    }
}

fn visit(n: u128, state: State, from: &str, to: &str) -> Visit {
    Visit {
        id: Uuid::from_u128(n),
        staff: Uuid::nil(),
        state,
        start: at(from),
        end: at(to),
        service: "Haircut & beard".into(),
        customer: None,
        name: (state != State::Held).then(|| "<script>alert(1)</script>".into()),
        phone: None,
    }
}

fn calendar(language: Language, is_empty: bool) -> String {
    let open = [
        Span::new(at("08:00"), at("12:30")).unwrap(),
        Span::new(at("13:15"), at("17:30")).unwrap(),
    ];
    let away = Away {
        lane: Uuid::nil(),
        start: at("16:00"),
        end: at("17:00"),
        reason: "training".into(),
    };
    let visits = [
        visit(1, State::Confirmed, "09:30", "10:15"),
        visit(2, State::Arrived, "10:15", "10:30"),
        visit(3, State::Held, "11:00", "11:45"),
        visit(4, State::NoShow, "14:00", "14:45"),
        visit(5, State::Confirmed, "15:00", "15:45"),
        visit(6, State::Confirmed, "15:00", "15:45"),
    ];
    let known = |n| Known {
        staff: Uuid::from_u128(n),
        name: "Sipho Dlamini",
        open: &open,
        away: vec![&away],
        visits: if n == 1 {
            visits.iter().collect()
        } else {
            vec![]
        },
    };
    let column = |n| column::column(language, &known(n), day(), &zone());
    let columns = if is_empty {
        vec![]
    } else {
        vec![column(1), column(2)]
    };
    let shown = Shown::of(&columns);
    CalendarPage {
        site: site(language),
        desk: frame(language, is_empty),
        title: words::day_name(language, day()),
        turn: Turn::of(
            "/desk/karoo-cuts/calendar".into(),
            day(),
            1,
            day(),
            Some(Uuid::from_u128(1)),
        ),
        shown,
        now: shown.now(at("10:20"), day(), &zone()),
        chosen: columns.first().map(|column| column.staff),
        columns,
    }
    .render()
    .unwrap()
}

fn week(language: Language) -> String {
    let line = || Line {
        id: Uuid::nil(),
        hours: column::span_hours(language, at("09:30"), at("10:15"), &zone()),
        name: "<script>alert(1)</script>".into(),
        service: "Haircut & beard".into(),
        state: column::state(language, State::Confirmed).to_string(),
        staff: "Sipho Dlamini".into(),
    };
    let choice = |n| Choice {
        staff: Uuid::from_u128(n),
        name: "Sipho Dlamini".into(),
    };
    let on = |date: Date, lines| Day {
        date,
        name: words::day_short(language, date),
        is_today: date == day(),
        lines,
    };
    WeekPage {
        site: site(language),
        desk: frame(language, false),
        title: words::months(language, day(), day()),
        turn: Turn::of(
            "/desk/karoo-cuts/calendar/week".into(),
            day(),
            7,
            day(),
            None,
        ),
        people: vec![choice(1), choice(2)],
        days: vec![
            on(day(), vec![line(), line()]),
            on(date(2027, 3, 25), vec![]),
        ],
    }
    .render()
    .unwrap()
}

fn today(language: Language, is_empty: bool) -> String {
    let line = || today::Line {
        id: Uuid::nil(),
        hours: column::span_hours(language, at("09:30"), at("10:15"), &zone()),
        name: "<script>alert(1)</script>".into(),
        service: "Haircut & beard".into(),
        staff: "Sipho Dlamini".into(),
        phone: Some("+27821234567".into()),
        late: Some(words::duration(language, 12)),
    };
    let lines = || {
        if is_empty {
            vec![]
        } else {
            vec![line(), line()]
        }
    };
    let gap = today::Gap {
        hours: column::span_hours(language, at("14:00"), at("15:00"), &zone()),
        staff: "Sipho Dlamini".into(),
        lasts: words::duration(language, 60),
    };
    TodayPage {
        site: site(language),
        desk: frame(language, false),
        title: words::day_and_clock(language, &at("10:20").to_zoned_datetime(zone())),
        late: lines(),
        to_finish: lines(),
        there: lines(),
        next: lines(),
        later: 3,
        not_sent: 2,
        gaps: if is_empty { vec![] } else { vec![gap] },
    }
    .render()
    .unwrap()
}

pub(super) fn booking_words(language: Language) -> BookingWords {
    BookingWords {
        id: Uuid::nil(),
        state: column::state(language, State::Confirmed).to_string(),
        state_class: column::state_class(State::Confirmed),
        when: When::of(language, at("09:30"), at("10:15"), &zone()),
        zone_name: words::zone_name(language, "Africa/Johannesburg"),
        service: "Haircut & beard".into(),
        staff: "Sipho Dlamini".into(),
        place: "12 Church Street, Graaff-Reinet".into(),
        price: words::price(language, 35_000, "ZAR"),
        fee: Some(words::price(language, 17_500, "ZAR")),
        note: Some("<script>alert(1)</script>".into()),
        name: "<script>alert(1)</script>".into(),
        phone: Some("+27821234567".into()),
        email: Some("<script>alert(1)</script>".into()),
        customer: Some(Uuid::nil()),
        day: day().to_string(),
        time: words::day_and_clock(language, &at("09:30").to_zoned_datetime(zone())),
        version: 1,
        source: language.text("source-phone").to_string(),
        cancel_reason: Some("<script>alert(1)</script>".into()),
    }
}

pub(super) fn problem(language: Language, field: &'static str, key: &'static str) -> FieldProblem {
    FieldProblem {
        field,
        detail: language.text(key).to_string(),
    }
}

fn changes(language: Language, is_to_come: bool) -> Changes {
    let button = |to, key| Button {
        to,
        name: language.text(key).to_string(),
    };
    Changes {
        told: vec![
            button("arrived", "change-arrived"),
            button("no_show", "change-no-show"),
        ],
        is_to_come,
        can_repeat: true,
    }
}

fn booking(language: Language, problems: Vec<FieldProblem>) -> String {
    BookingPage {
        site: site(language),
        desk: frame(language, false),
        booking: booking_words(language),
        changes: changes(language, problems.is_empty()),
        note: NoteForm {
            note: "<script>alert(1)</script>".into(),
            seen: "mark".into(),
        },
        problems,
        history: vec![history::Line {
            at: words::day_and_clock(language, &at("09:30").to_zoned_datetime(zone())),
            what: language.text("history-confirmed").to_string(),
            who: language.text("history-by-customer").to_string(),
        }],
    }
    .render()
    .unwrap()
}

fn customer_form(typed: bool) -> CustomerForm {
    CustomerForm {
        name: "<script>alert(1)</script>".into(),
        restricted: if typed { "yes" } else { "" }.into(),
        ..CustomerForm::default()
    }
}

pub(super) fn found() -> Found {
    Found {
        id: Uuid::nil(),
        name: "<script>alert(1)</script>".into(),
        email: Some("<script>alert(1)</script>".into()),
        phone: Some("+27821234567".into()),
        bookings: 3,
    }
}

fn customers(language: Language, asked: &str, found: Vec<Found>) -> String {
    CustomersPage {
        site: site(language),
        desk: frame(language, false),
        asked: asked.into(),
        found,
    }
    .render()
    .unwrap()
}

fn new_customer(language: Language, problems: Vec<FieldProblem>) -> String {
    NewCustomerPage {
        site: site(language),
        desk: frame(language, false),
        form: customer_form(!problems.is_empty()),
        problems,
    }
    .render()
    .unwrap()
}

fn customer(language: Language, is_new: bool) -> String {
    let line = customer::Line {
        id: Uuid::nil(),
        when: words::day_and_clock(language, &at("09:30").to_zoned_datetime(zone())),
        what: "Haircut & beard, Sipho Dlamini".into(),
        state: column::state(language, State::NoShow).to_string(),
        state_class: column::state_class(State::NoShow),
    };
    let event = history::Line {
        at: words::day_and_clock(language, &at("09:30").to_zoned_datetime(zone())),
        what: language.text("history-merged").to_string(),
        who: language
            .text("history-by")
            .with("name", "Sipho Dlamini")
            .to_string(),
    };
    let told = history::Line {
        at: words::day_and_clock(language, &at("09:30").to_zoned_datetime(zone())),
        what: language
            .text("told-phone")
            .with("notice", "booking-notice-2026-11")
            .to_string(),
        who: language.text("history-by-staff").to_string(),
    };
    CustomerPage {
        site: site(language),
        desk: frame(language, false),
        id: Uuid::nil(),
        name: "<script>alert(1)</script>".into(),
        form: customer_form(true),
        problems: if is_new {
            vec![problem(language, "name", "desk-changed")]
        } else {
            vec![]
        },
        bookings: if is_new { vec![] } else { vec![line] },
        missed: if is_new { 0 } else { 2 },
        may_ask: !is_new,
        history: if is_new { vec![] } else { vec![event] },
        told: if is_new { vec![] } else { vec![told] },
    }
    .render()
    .unwrap()
}

fn merge(language: Language, found: Vec<Found>, is_changed: bool) -> String {
    let plan = merge::Plan {
        other: Uuid::nil(),
        other_name: "<script>alert(1)</script>".into(),
        bookings: 3,
        email: Some("<script>alert(1)</script>".into()),
        phone: Some("+27821234567".into()),
        note: Some("<script>alert(1)</script>".into()),
        is_restricted: true,
        seen: "mark".into(),
    };
    MergePage {
        site: site(language),
        desk: frame(language, false),
        id: Uuid::nil(),
        name: "<script>alert(1)</script>".into(),
        asked: String::new(),
        plan: found.is_empty().then_some(plan),
        found,
        is_changed,
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let changed = problem(language, "note", "desk-changed");
    let taken = problem(language, "email", "customer-email-taken");
    vec![
        ("desk-today", today(language, false)),
        ("desk-today-empty", today(language, true)),
        ("desk-calendar", calendar(language, false)),
        ("desk-calendar-empty", calendar(language, true)),
        ("desk-week", week(language)),
        ("desk-booking", booking(language, vec![])),
        (
            "desk-booking-not-now",
            booking(
                language,
                vec![problem(language, "change", "change-not-now")],
            ),
        ),
        ("desk-booking-changed", booking(language, vec![changed])),
        (
            "desk-customers",
            customers(language, "", vec![found(), found()]),
        ),
        (
            "desk-customers-none",
            customers(language, "+27821234567", vec![]),
        ),
        ("desk-new-customer", new_customer(language, vec![])),
        (
            "desk-new-customer-taken",
            new_customer(language, vec![taken]),
        ),
        ("desk-customer", customer(language, false)),
        ("desk-customer-new", customer(language, true)),
        ("desk-merge-whom", merge(language, vec![found()], false)),
        ("desk-merge", merge(language, vec![], true)),
    ]
}

/// Holds pages to the rules of all pages, in every language, and looks for what is no
/// message.
pub(super) fn hold(pages: impl Fn(Language) -> Vec<(&'static str, String)>) {
    for language in Language::ALL {
        for (name, html) in pages(language) {
            check(name, &html);
            assert!(
                !html.contains("<script"),
                "{name}: what was typed is markup"
            );
            if let Some(folder) = Env::process().get("GALLERY") {
                let name = format!("{name}.{}.html", language.tag());
                let path = std::path::Path::new(folder).join(name);
                std::fs::write(path, html).unwrap();
            }
        }
    }
    for (name, html) in pages(Language::Bracketed) {
        assert_eq!(said_outside_messages(&html), "", "{name} in {html}");
    }
}

#[test]
fn every_page_of_the_desk_keeps_the_rules_of_all_pages() {
    hold(pages);
}

#[test]
fn a_visit_is_read_out_whole() {
    let html = calendar(Language::English, false);
    let mut said = String::new();
    let item = html
        .split("<li class=\"entry entry--visit h-")
        .nth(1)
        .unwrap();
    let item = item.split("</li>").next().unwrap();
    for piece in item.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        if !tag.contains("aria-hidden") {
            said.push_str(text);
        }
    }
    assert_eq!(
        said.trim(),
        "09:30 to 10:15, Haircut &#38; beard,  &#60;script&#62;alert(1)&#60;/script&#62;, Confirmed"
    );
}

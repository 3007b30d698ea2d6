//! Renders the pages on which staff makes, moves and calls off bookings and enters time off,
//! and holds each to the rules that all pages keep.

use askama::Template;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::book::{BookPage, Booking, ServiceChoice};
use super::change::{CancelForm, CancelPage, MovePage};
use super::column;
use super::gallery::{at, booking_words, day, found, frame, hold, problem, zone};
use super::guest::{GuestForm, Guests};
use super::repeat::RepeatPage;
use super::slots::{Person, Slots};
use super::time_off::{AheadWords, AwayForm, Choice, HitWords, HitsPage, Reason, TimeOffPage};
use super::walk_in::{Next, Seeing, WalkInPage};
use crate::error::FieldProblem;
use crate::language::Language;
use crate::openings::Days;
use crate::pages::gallery::site;
use crate::pages::repeat::sample;
use crate::pages::times::Further;
use crate::pages::week::{self, Free};
use crate::pages::words::{self, When};

const SCRIPT: &str = "<script>alert(1)</script>";

fn moment(language: Language) -> String {
    words::day_and_clock(language, &at("09:30").to_zoned_datetime(zone()))
}

fn slots(language: Language, is_empty: bool) -> Slots {
    let free = |clock| Free {
        start: at(clock),
        end: at("17:00"),
        seats: None,
    };
    let free = vec![free("09:30"), free("14:00")];
    let (today, zone): (_, TimeZone) = (day(), zone());
    let last = today.saturating_add(jiff::Span::new().days(90));
    let none: &[Free] = &[];
    let known = Days {
        free: free.clone(),
        open: [today].into(),
        full: [].into(),
    };
    Slots {
        days_at: "/desk/karoo-cuts/book?service=haircut&staff=&day=".into(),
        week: week::week(language, &known, today, &(today..=last), &zone),
        day: today,
        day_name: words::day_name(language, today),
        day_on: words::day_on(language, today),
        parts: week::parts(language, if is_empty { none } else { &free }, today, &zone),
        further: Further::of(language, Some(today)),
        soonest: if is_empty {
            week::choices(language, free.iter(), &zone)
        } else {
            vec![]
        },
        people: vec![person(1), person(2)],
        day_is_full: is_empty,
        staff: String::new(),
    }
}

fn person(n: u128) -> Person {
    Person {
        id: Uuid::from_u128(n),
        name: "Sipho Dlamini".into(),
        is_chosen: n == 1,
    }
}

fn guest() -> GuestForm {
    GuestForm {
        q: SCRIPT.into(),
        guest: Uuid::nil().to_string(),
        name: SCRIPT.into(),
        ..GuestForm::default()
    }
}

fn guests(is_found: bool) -> Guests {
    Guests {
        may_search: true,
        is_searched: true,
        found: if is_found { vec![found()] } else { vec![] },
    }
}

fn services() -> Vec<ServiceChoice> {
    vec![ServiceChoice {
        slug: "haircut".into(),
        name: "Haircut & beard".into(),
        is_chosen: true,
    }]
}

fn book(language: Language, is_known: bool, problems: Vec<FieldProblem>) -> String {
    let is_gone = !problems.is_empty();
    let booking = Booking {
        request: "key".into(),
        service: "haircut".into(),
        start: at("09:30").to_string(),
        slots: slots(language, is_gone),
        guests: guests(!is_gone),
    };
    BookPage {
        site: site(language),
        desk: frame(language, false),
        services: services(),
        booking: is_known.then_some(booking),
        guest: guest(),
        gone: is_gone.then(|| moment(language)),
        problems,
    }
    .render()
    .unwrap()
}

fn walk_in(language: Language, is_free: bool, problems: Vec<FieldProblem>) -> String {
    let next = Next {
        staff: Uuid::nil(),
        name: "Sipho Dlamini".into(),
        value: "2027-03-24T07:30:00Z 0".into(),
        when: language.text("walk-in-now").to_string(),
        is_chosen: true,
    };
    WalkInPage {
        site: site(language),
        desk: frame(language, false),
        services: services(),
        seeing: Some(Seeing {
            request: "key".into(),
            service: "haircut".into(),
            next: if is_free { vec![next] } else { vec![] },
            guests: guests(true),
        }),
        guest: guest(),
        is_gone: !problems.is_empty(),
        problems,
    }
    .render()
    .unwrap()
}

fn moving(language: Language, problems: Vec<FieldProblem>) -> String {
    MovePage {
        site: site(language),
        desk: frame(language, false),
        booking: booking_words(language),
        slots: slots(language, false),
        gone: Some(moment(language)),
        problems,
    }
    .render()
    .unwrap()
}

fn cancelling(language: Language, problems: Vec<FieldProblem>) -> String {
    CancelPage {
        site: site(language),
        desk: frame(language, false),
        booking: booking_words(language),
        fee: problems
            .is_empty()
            .then(|| words::price(language, 17_500, "ZAR")),
        form: CancelForm {
            reason: SCRIPT.into(),
            ..CancelForm::default()
        },
        rest: problems.len() + 1,
        problems,
    }
    .render()
    .unwrap()
}

fn away_form() -> AwayForm {
    AwayForm {
        staff: Uuid::nil().to_string(),
        from: day().to_string(),
        ..AwayForm::default()
    }
}

fn time_off(language: Language, problems: Vec<FieldProblem>) -> String {
    let ahead = AheadWords {
        id: Uuid::nil(),
        staff: "Sipho Dlamini".into(),
        reason: column::reason(language, "leave").to_string(),
        from: moment(language),
        until: moment(language),
    };
    TimeOffPage {
        site: site(language),
        desk: frame(language, false),
        people: vec![person(1), person(2)],
        reasons: vec![Reason {
            name: "leave",
            words: column::reason(language, "leave").to_string(),
            is_chosen: true,
        }],
        form: away_form(),
        ahead: if problems.is_empty() {
            vec![ahead]
        } else {
            vec![]
        },
        problems,
    }
    .render()
    .unwrap()
}

fn hits(language: Language, count: u128) -> String {
    let choice = |value: &str, name: String| Choice {
        value: value.into(),
        name,
        is_chosen: value == "stays",
    };
    let stays = language.text("time-off-stays").to_string();
    let moved = language
        .text("time-off-move")
        .with("time", moment(language))
        .to_string();
    let hit = |n| HitWords {
        id: Uuid::from_u128(n),
        version: 1,
        when: When::of(language, at("09:30"), at("10:15"), &zone()),
        name: SCRIPT.into(),
        service: "Haircut & beard".into(),
        phone: Some("+27821234567".into()),
        choices: vec![
            choice("stays", stays.clone()),
            choice("2027-03-24T07:30:00Z", moved.clone()),
        ],
        problem: (n == 1).then(|| language.text("time-off-meanwhile").to_string()),
    };
    HitsPage {
        site: site(language),
        desk: frame(language, false),
        form: away_form(),
        name: "Sipho Dlamini".into(),
        reason: column::reason(language, "leave").to_string(),
        from: moment(language),
        until: moment(language),
        hits: (1..=count).map(hit).collect(),
        notice: (count > 1).then(|| language.text("time-off-undecided").to_string()),
    }
    .render()
    .unwrap()
}

fn repeat(language: Language, step: usize) -> String {
    RepeatPage {
        site: site(language),
        desk: frame(language, false),
        booking: booking_words(language),
        steps: sample::steps(language, step),
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let start = || vec![problem(language, "start", "field-start-missing")];
    let whose = vec![problem(language, "whose", "desk-cancel-whose-missing")];
    let next = vec![problem(language, "next", "walk-in-next-missing")];
    let staff = vec![problem(language, "staff", "time-off-staff-missing")];
    vec![
        ("desk-book", book(language, true, vec![])),
        ("desk-book-what", book(language, false, vec![])),
        ("desk-book-gone", book(language, true, start())),
        ("desk-walk-in", walk_in(language, true, vec![])),
        ("desk-walk-in-gone", walk_in(language, true, next)),
        ("desk-walk-in-none", walk_in(language, false, vec![])),
        ("desk-move", moving(language, vec![])),
        ("desk-move-wrong", moving(language, start())),
        ("desk-cancel", cancelling(language, vec![])),
        ("desk-cancel-wrong", cancelling(language, whose)),
        ("desk-time-off", time_off(language, vec![])),
        ("desk-time-off-wrong", time_off(language, staff)),
        ("desk-time-off-hits", hits(language, 2)),
        ("desk-time-off-free", hits(language, 0)),
        ("desk-repeat", repeat(language, 0)),
        ("desk-repeat-plan", repeat(language, 1)),
        ("desk-repeat-done", repeat(language, 2)),
    ]
}

#[test]
fn every_page_that_changes_bookings_keeps_the_rules_of_all_pages() {
    hold(pages);
}

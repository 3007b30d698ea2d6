//! Renders the pages on which a business changes what it offers, with sample words, and
//! holds each to the rules that all pages keep.

use std::collections::BTreeMap;

use askama::Template;
use uuid::Uuid;

use super::gallery::{frame, hold, problem};
use super::hours::{Day, HoursPage, Other, OtherForm, Times};
use super::messages::{Line as Line2, MessagesPage};
use super::rooms::{Kind, RoomForm, RoomsPage};
use super::services::{Existing, Giver, Line, Need, ServiceForm, ServicePage, ServicesPage};
use super::settings::{SettingsForm, SettingsPage};
use super::staff::{Choice, PersonForm, PersonPage, StaffPage};
use crate::error::FieldProblem;
use crate::language::Language;
use crate::pages::gallery::site;
use crate::pages::words;
use crate::store::letter::Counts;
use crate::store::offer::Staff;
use crate::store::pool::Unit;

fn services(language: Language, is_empty: bool) -> String {
    let line = |is_active| Line {
        id: Uuid::nil(),
        name: "Haircut & beard".into(),
        price: words::price(language, 35_000, "ZAR"),
        duration: words::duration(language, 45),
        is_active,
        ahead: 2,
    };
    ServicesPage {
        site: site(language),
        desk: frame(language, false),
        services: if is_empty {
            vec![]
        } else {
            vec![line(true), line(false)]
        },
    }
    .render()
    .unwrap()
}

fn service(language: Language, is_new: bool, is_active: bool, wrong: Vec<FieldProblem>) -> String {
    let existing = Existing {
        id: Uuid::nil(),
        slug: "haircut".into(),
        name: "Haircut & beard".into(),
        is_active,
        ahead: 2,
    };
    let giver = Giver {
        field: "gives-1".into(),
        name: "Sipho Dlamini".into(),
        gives: true,
    };
    ServicePage {
        site: site(language),
        desk: frame(language, false),
        existing: (!is_new).then_some(existing),
        form: ServiceForm {
            name: "<script>alert(1)</script>".into(),
            price: "350".into(),
            ..ServiceForm::default()
        },
        needs: vec![Need {
            field: "need-1".into(),
            kind: "Church Street".into(),
            quantity: "1".into(),
        }],
        givers: if is_new { vec![] } else { vec![giver] },
        problems: wrong,
    }
    .render()
    .unwrap()
}

fn person(is_active: bool) -> Staff {
    Staff {
        id: Uuid::nil(),
        lane: Uuid::nil(),
        location: Uuid::nil(),
        name: "Sipho Dlamini".into(),
        day_max: Some(8),
        week_max: None,
        is_active,
        ahead: 1,
    }
}

fn staff(language: Language, staff: Vec<Staff>) -> String {
    StaffPage {
        site: site(language),
        desk: frame(language, false),
        staff,
    }
    .render()
    .unwrap()
}

fn one(language: Language, existing: Option<Staff>, problems: Vec<FieldProblem>) -> String {
    let choice = |field: &str, name: &str| Choice {
        field: field.into(),
        name: name.into(),
        is_on: true,
    };
    PersonPage {
        site: site(language),
        desk: frame(language, false),
        services: match existing {
            Some(_) => vec![choice("gives-1", "Haircut & beard")],
            None => vec![],
        },
        existing,
        form: PersonForm {
            name: "<script>alert(1)</script>".into(),
            seen: "mark".into(),
            place: String::new(),
            day_max: "8".into(),
            week_max: String::new(),
            ticked: BTreeMap::new(),
        },
        places: vec![choice("place-1", "Church Street")],
        problems,
    }
    .render()
    .unwrap()
}

fn hours(language: Language, is_wrong: bool) -> String {
    let label = |key: &crate::language::Text| key.clone().with("day", "Sipho Dlamini").to_string();
    let times = Times {
        opens_field: "d1-0-opens".into(),
        opens: "08:00".into(),
        opens_label: label(&language.text("hours-opens")),
        closes_field: "d1-0-closes".into(),
        closes: "17:00".into(),
        closes_label: label(&language.text("hours-closes-again")),
    };
    let wrong = |field| {
        if is_wrong {
            vec![problem(language, field, "hours-differ-wrong")]
        } else {
            vec![]
        }
    };
    let day = Day {
        id: "day-1",
        name: words::weekday_long(language, jiff::civil::Weekday::Monday),
        times: vec![times],
        problem: is_wrong.then(|| language.text("desk-changed").to_string()),
    };
    let other = |hours: Option<String>| Other {
        date: jiff::civil::date(2027, 3, 24),
        name: words::day_name(language, jiff::civil::date(2027, 3, 24)),
        hours,
    };
    let text = language
        .text("hours")
        .with("from", "09:00")
        .with("until", "12:00");
    HoursPage {
        site: site(language),
        desk: frame(language, false),
        lane: Uuid::nil(),
        name: "Sipho Dlamini".into(),
        seen: "mark".into(),
        days: vec![day],
        others: if is_wrong {
            vec![]
        } else {
            vec![other(Some(text.to_string())), other(None)]
        },
        other: OtherForm::default(),
        problems: [wrong("date"), wrong("day-1")].concat(),
    }
    .render()
    .unwrap()
}

fn rooms(language: Language, is_empty: bool, problems: Vec<FieldProblem>) -> String {
    let unit = |is_active| Unit {
        lane: Uuid::nil(),
        pool: Uuid::nil(),
        name: "Church Street".into(),
        is_active,
    };
    let kind = Kind {
        id: Uuid::nil(),
        name: "Church Street".into(),
        place: "Church Street".into(),
        units: vec![unit(true), unit(false)],
    };
    RoomsPage {
        site: site(language),
        desk: frame(language, false),
        kinds: if is_empty { vec![] } else { vec![kind] },
        places: vec![(Uuid::nil(), "Church Street".into())],
        form: RoomForm::default(),
        problems,
    }
    .render()
    .unwrap()
}

fn messages(language: Language, is_empty: bool) -> String {
    let line = |is_late| Line2 {
        id: Uuid::nil(),
        what: language.text("message-reminder").to_string(),
        channel: language.text("message-by-email").to_string(),
        recipient: Some("<script>alert(1)</script>".into()),
        reason: Some("<script>alert(1)</script>".into()),
        at: words::day_name(language, jiff::civil::date(2027, 3, 24)),
        booking: Some(Uuid::nil()),
        name: Some("<script>alert(1)</script>".into()),
        start: Some(words::day_name(language, jiff::civil::date(2027, 3, 24))),
        is_late,
    };
    MessagesPage {
        site: site(language),
        desk: frame(language, false),
        counts: Counts {
            waiting: 1,
            sent: 20,
            dead: 2,
        },
        dead: if is_empty {
            vec![]
        } else {
            vec![line(false), line(true)]
        },
    }
    .render()
    .unwrap()
}

fn settings(language: Language, problems: Vec<FieldProblem>) -> String {
    SettingsPage {
        site: site(language),
        desk: frame(language, false),
        form: SettingsForm {
            name: "<script>alert(1)</script>".into(),
            locale: "af".into(),
            ..SettingsForm::default()
        },
        kept: 1,
        problems,
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let wrong = |field| vec![problem(language, field, "field-name-missing")];
    vec![
        ("desk-services", services(language, false)),
        ("desk-services-empty", services(language, true)),
        ("desk-service", service(language, false, true, vec![])),
        (
            "desk-service-archived",
            service(language, false, false, vec![]),
        ),
        ("desk-service-new", service(language, true, true, vec![])),
        (
            "desk-service-wrong",
            service(language, true, true, wrong("duration")),
        ),
        (
            "desk-staff",
            staff(language, vec![person(true), person(false)]),
        ),
        ("desk-staff-empty", staff(language, vec![])),
        ("desk-person", one(language, Some(person(true)), vec![])),
        (
            "desk-person-left",
            one(language, Some(person(false)), wrong("place")),
        ),
        ("desk-person-new", one(language, None, wrong("name"))),
        ("desk-rooms", rooms(language, false, vec![])),
        ("desk-rooms-empty", rooms(language, true, wrong("name"))),
        ("desk-messages", messages(language, false)),
        ("desk-messages-none", messages(language, true)),
        ("desk-settings", settings(language, vec![])),
        (
            "desk-settings-wrong",
            settings(language, [wrong("zone"), wrong("cap")].concat()),
        ),
        ("desk-hours", hours(language, false)),
        ("desk-hours-wrong", hours(language, true)),
    ]
}

#[test]
fn every_page_of_the_offer_keeps_the_rules_of_all_pages() {
    hold(pages);
}

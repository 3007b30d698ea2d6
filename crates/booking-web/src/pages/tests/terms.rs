//! Renders the pages on which a business sets its messages, holidays and privacy, with sample
//! words, and holds each to the rules that all pages keep.

use askama::Template;
use jiff::civil::date;

use super::gallery::{frame, hold, problem};
use super::{holidays, reminders, responsible};
use crate::error::FieldProblem;
use crate::language::Language;
use crate::pages::gallery::site;
use crate::pages::words;

const TYPED: &str = "<script>alert(1)</script>";

fn reminders(language: Language, problems: Vec<FieldProblem>) -> String {
    let lead = reminders::Lead {
        minutes: "120".into(),
        words: words::duration(language, 120),
    };
    reminders::RemindersPage {
        site: site(language),
        desk: frame(language, false),
        form: reminders::ReminderForm {
            sender: TYPED.into(),
            by_email: "120".into(),
            hides_service: "yes".into(),
            ..reminders::ReminderForm::default()
        },
        leads: vec![lead],
        problems,
    }
    .render()
    .unwrap()
}

fn holidays(language: Language, keeps: bool, problems: Vec<FieldProblem>) -> String {
    let line = |is_closed, is_own| holidays::Line {
        date: date(2027, 3, 22),
        day: words::day_name(language, date(2027, 3, 22)),
        name: TYPED.into(),
        is_closed,
        is_own,
    };
    holidays::HolidaysPage {
        site: site(language),
        desk: frame(language, false),
        keeps,
        days: vec![line(true, false), line(false, false), line(true, true)],
        form: holidays::HolidayForm {
            name: TYPED.into(),
            ..holidays::HolidayForm::default()
        },
        problems,
    }
    .render()
    .unwrap()
}

fn responsible(language: Language, problems: Vec<FieldProblem>) -> String {
    responsible::ResponsiblePage {
        site: site(language),
        desk: frame(language, false),
        form: responsible::ResponsibleForm {
            legal_name: TYPED.into(),
            ..responsible::ResponsibleForm::default()
        },
        days: (1095, 365),
        problems,
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let wrong = |field, key| vec![problem(language, field, key)];
    vec![
        ("desk-reminders", reminders(language, vec![])),
        (
            "desk-reminders-wrong",
            reminders(language, wrong("quiet_from", "reminders-time-wrong")),
        ),
        ("desk-holidays", holidays(language, true, vec![])),
        (
            "desk-holidays-wrong",
            holidays(language, false, wrong("date", "holidays-date-wrong")),
        ),
        ("desk-responsible", responsible(language, vec![])),
        (
            "desk-responsible-wrong",
            responsible(language, wrong("officer", "field-name-missing")),
        ),
    ]
}

#[test]
fn every_page_of_terms_keeps_the_rules_of_all_pages() {
    hold(pages);
}

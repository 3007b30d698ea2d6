//! Renders the pages on which a business lets its programs in, with sample words, and holds
//! each to the rules that all pages keep.

use std::collections::BTreeMap;

use askama::Template;
use uuid::Uuid;

use super::Tick;
use super::gallery::{frame, hold, problem};
use super::{feeds, keys, webhooks};
use crate::error::FieldProblem;
use crate::language::Language;
use crate::pages::gallery::site;

const TYPED: &str = "<script>alert(1)</script>";

fn tick(language: Language, key: &'static str) -> Tick {
    Tick {
        field: "box".into(),
        words: language.text(key).to_string(),
        is_on: true,
    }
}

fn once(is_made: bool) -> Option<String> {
    is_made.then(|| "bk_3k5p7q2r_n4x6z8a".to_owned())
}

fn keys(language: Language, is_empty: bool, problems: Vec<FieldProblem>) -> String {
    let line = |is_good| keys::Line {
        id: Uuid::nil(),
        name: TYPED.into(),
        prefix: "bk_3k5p7q2r".into(),
        scopes: vec![language.text("scope-read-bookings").to_string()],
        used: language.text("programs-unused").to_string(),
        until: Some("2027".into()),
        is_good,
    };
    keys::KeysPage {
        site: site(language),
        desk: frame(language, false),
        keys: if is_empty {
            vec![]
        } else {
            vec![line(true), line(false)]
        },
        scopes: vec![tick(language, "scope-read-bookings")],
        form: keys::KeyForm {
            name: TYPED.into(),
            ticked: BTreeMap::new(),
        },
        made: once(problems.is_empty()),
        problems,
    }
    .render()
    .unwrap()
}

fn feeds(language: Language, is_empty: bool) -> String {
    let line = feeds::Line {
        id: Uuid::nil(),
        whose: "Sipho Dlamini".into(),
        names: language.text("feeds-names-short").to_string(),
        made: "2027".into(),
    };
    let choice = |words: String| feeds::Choice {
        value: "short".into(),
        words,
    };
    feeds::FeedsPage {
        site: site(language),
        desk: frame(language, false),
        feeds: if is_empty { vec![] } else { vec![line] },
        staff: vec![choice("Sipho Dlamini".into())],
        names: vec![choice(language.text("feeds-names-short").to_string())],
        made: once(!is_empty),
    }
    .render()
    .unwrap()
}

fn hook(language: Language, is_active: bool, is_for_all: bool) -> webhooks::Line {
    webhooks::Line {
        id: Uuid::nil(),
        url: "https://8.8.8.8/%3Cscript%3E".into(),
        kinds: if is_for_all {
            vec![]
        } else {
            vec![language.text("hook-moved").to_string()]
        },
        is_active,
    }
}

fn webhooks(language: Language, is_empty: bool, problems: Vec<FieldProblem>) -> String {
    webhooks::WebhooksPage {
        site: site(language),
        desk: frame(language, false),
        webhooks: if is_empty {
            vec![]
        } else {
            vec![
                hook(language, true, true),
                hook(language, true, false),
                hook(language, false, true),
            ]
        },
        kinds: vec![tick(language, "hook-moved")],
        form: webhooks::WebhookForm {
            url: TYPED.into(),
            ticked: BTreeMap::new(),
        },
        made: once(problems.is_empty()),
        problems,
    }
    .render()
    .unwrap()
}

fn webhook(language: Language, is_active: bool) -> String {
    let call = |can_again| webhooks::CallLine {
        id: Uuid::nil(),
        what: language.text("hook-ping").to_string(),
        state: language.text("call-dead").to_string(),
        at: "2027".into(),
        failures: 2,
        reason: Some(TYPED.into()),
        can_again,
    };
    webhooks::WebhookPage {
        site: site(language),
        desk: frame(language, false),
        webhook: hook(language, is_active, false),
        calls: if is_active {
            vec![call(true), call(false)]
        } else {
            vec![]
        },
        made: once(is_active),
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let wrong = |field, key| vec![problem(language, field, key)];
    vec![
        ("desk-keys", keys(language, false, vec![])),
        (
            "desk-keys-wrong",
            keys(
                language,
                true,
                [
                    wrong("name", "field-name-missing"),
                    wrong("scopes", "keys-scopes-missing"),
                ]
                .concat(),
            ),
        ),
        ("desk-feeds", feeds(language, false)),
        ("desk-feeds-empty", feeds(language, true)),
        ("desk-webhooks", webhooks(language, false, vec![])),
        (
            "desk-webhooks-wrong",
            webhooks(language, true, wrong("url", "hooks-address-private")),
        ),
        ("desk-webhook", webhook(language, true)),
        ("desk-webhook-off", webhook(language, false)),
    ]
}

#[test]
fn every_page_for_programs_keeps_the_rules_of_all_pages() {
    hold(pages);
}

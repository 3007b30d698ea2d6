//! Renders the pages about privacy with sample words, and holds each to the rules that all
//! pages keep.

use askama::Template;
use chassis::Env;
use uuid::Uuid;

use super::ask::{AskPage, ConfirmPage, ToldPage};
use super::gallery::{business, check, said_outside_messages, site};
use super::incidents::{IncidentForm, IncidentPage, IncidentsPage, Line, ToldForm};
use super::marketing::MarketingPage;
use super::office::{AccessPage, EnterForm, RequestPage, RequestWords, RequestsPage, SeenWords};
use super::privacy::PrivacyPage;
use crate::error::FieldProblem;
use crate::intake::Problem;
use crate::language::{Language, message};
use crate::privacy::breach::Drafts;
use crate::privacy::notice;
use crate::privacy::request::{Kind, SentAsk};
use crate::store;
use crate::store::incident::{Affected, Incident};
use crate::store::notice::Responsible;

fn notice(language: Language) -> String {
    let who = Responsible {
        name: "Karoo Cuts".into(),
        address: "12 Church Street, Graaff-Reinet".into(),
        officer: Some("Sipho Dlamini".into()),
        officer_email: None,
        officer_phone: None,
        recipients: None,
        contact_days: None,
        note_days: None,
    };
    let mut items = notice::notice(language, &who).items;
    // What the business wrote is no message.
    items.retain(|item| item.text != [who.address.clone()]);
    PrivacyPage {
        site: site(language),
        business: business(language),
        version: notice::VERSION,
        items,
    }
    .render()
    .unwrap()
}

fn ask(language: Language, wrong: &[(&'static str, &'static str)]) -> String {
    let problem = |(field, key): &(&'static str, &'static str)| -> FieldProblem {
        let detail = message(key);
        Problem { field, detail }.in_words(language)
    };
    AskPage {
        site: site(language),
        csrf: "token".into(),
        business: business(language),
        sent: SentAsk::default(),
        problems: wrong.iter().map(problem).collect(),
    }
    .render()
    .unwrap()
}

fn confirm(language: Language, kind: Kind) -> String {
    let site = site(language);
    ConfirmPage {
        csrf: "token".into(),
        business: business(language),
        token: "secret",
        kind,
        asked: site.text("confirm-access").with("business", "Karoo Cuts"),
        site,
    }
    .render()
    .unwrap()
}

fn told(language: Language) -> String {
    let site = site(language);
    ToldPage {
        business: business(language),
        title: site.text("asked-title"),
        lines: vec![site.text("asked-lede"), site.text("asked-nothing")],
        site,
    }
    .render()
    .unwrap()
}

fn marketing(language: Language, agrees: bool) -> String {
    MarketingPage {
        site: site(language),
        csrf: "token".into(),
        token: "secret",
        business: "Karoo Cuts".into(),
        agrees,
    }
    .render()
    .unwrap()
}

/// What customers and the staff wrote.
const WRITTEN: [&str; 6] = [
    "thandi@example.co.za",
    "It was all right.",
    "blake3:00ff",
    "Thandi Nkosi",
    "IR-2026-77",
    "00000000-0000-0000-0000-000000000000",
];

fn asked(language: Language, is_open: bool) -> RequestWords {
    RequestWords {
        id: Uuid::nil(),
        kind: language.text("office-erasure"),
        who: WRITTEN[0].into(),
        details: None,
        received: language.text("office-received").to_string(),
        state: language.text("office-soon").with("days", 3),
        is_open,
        outcome: (!is_open).then(|| WRITTEN[1].into()),
        evidence: (!is_open).then(|| WRITTEN[2].into()),
        has_customer: is_open,
    }
}

fn problems(language: Language, wrong: &[&'static str]) -> Vec<FieldProblem> {
    let problem = |field: &&'static str| -> FieldProblem {
        let detail = message("field-email-missing");
        Problem { field, detail }.in_words(language)
    };
    wrong.iter().map(problem).collect()
}

fn requests(
    language: Language,
    requests: Vec<RequestWords>,
    about: Option<&str>,
    wrong: &[&'static str],
) -> String {
    RequestsPage {
        site: site(language),
        csrf: "token".into(),
        business: business(language),
        requests,
        is_owner: true,
        form: EnterForm::default(),
        about: about.map(str::to_owned),
        problems: problems(language, wrong),
    }
    .render()
    .unwrap()
}

fn request(language: Language, is_open: bool, is_held: bool) -> String {
    RequestPage {
        site: site(language),
        csrf: "token".into(),
        business: business(language),
        request: asked(language, is_open),
        is_held,
        may_erase: true,
        refused: is_held.then(|| language.text("office-is-held")),
        words: String::new(),
        problems: problems(language, if is_held { &["words"] } else { &[] }),
    }
    .render()
    .unwrap()
}

fn access(language: Language) -> String {
    AccessPage {
        site: site(language),
        business: business(language),
        lines: vec![SeenWords {
            at: language.text("office-received").to_string(),
            by: "Sipho Dlamini".into(),
            customer: Uuid::nil(),
            action: language.text("office-saw"),
        }],
    }
    .render()
    .unwrap()
}

fn incident(language: Language, wrong: &[&'static str]) -> String {
    let now = store::stored("2027-03-24T07:30:00Z".parse().unwrap());
    let say = || language.text("incident-told").to_string();
    IncidentPage {
        site: site(language),
        csrf: "token".into(),
        business: business(language),
        incident: Incident {
            id: Uuid::nil(),
            what: say(),
            noticed_at: now,
            began_at: now,
            ended_at: now,
            account: None,
            consequences: say(),
            measures: say(),
            advice: say(),
            intruder: None,
            delay_reason: None,
            portal_reference: Some(WRITTEN[4].into()),
            reported_at: Some(now),
            people_told_at: None,
        },
        affected: vec![Affected {
            customer: Uuid::nil(),
            name: WRITTEN[3].into(),
            email: Some(WRITTEN[0].into()),
        }],
        drafts: Drafts {
            regulator: say(),
            people: say(),
        },
        told: ToldForm {
            reference: WRITTEN[4].into(),
            ..ToldForm::default()
        },
        problems: problems(language, wrong),
    }
    .render()
    .unwrap()
}

fn incidents(language: Language, wrong: &[&'static str]) -> String {
    IncidentsPage {
        site: site(language),
        csrf: "token".into(),
        business: business(language),
        incidents: vec![Line {
            id: Uuid::nil(),
            what: language.text("incident-told").to_string(),
            noticed: language.text("office-received").to_string(),
        }],
        form: IncidentForm::default(),
        problems: problems(language, wrong),
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let wrong = [
        ("kind", "field-request-kind-missing"),
        ("email", "field-email-missing"),
    ];
    vec![
        ("privacy", notice(language)),
        ("ask", ask(language, &[])),
        ("ask-wrong", ask(language, &wrong)),
        ("ask-confirm", confirm(language, Kind::Erasure)),
        ("ask-confirm-copy", confirm(language, Kind::Access)),
        ("asked", told(language)),
        ("marketing", marketing(language, false)),
        ("marketing-on", marketing(language, true)),
        (
            "requests",
            requests(language, vec![asked(language, true)], None, &[]),
        ),
        (
            "requests-none",
            requests(language, vec![], Some(WRITTEN[3]), &[]),
        ),
        (
            "requests-wrong",
            requests(
                language,
                vec![],
                None,
                &["kind", "channel", "email", "details"],
            ),
        ),
        ("request", request(language, true, false)),
        ("request-held", request(language, true, true)),
        ("request-done", request(language, false, false)),
        ("access", access(language)),
        ("incidents", incidents(language, &[])),
        (
            "incidents-wrong",
            incidents(language, &["what", "began", "ended", "account", "intruder"]),
        ),
        ("incident", incident(language, &[])),
        (
            "incident-wrong",
            incident(language, &["reference", "delay"]),
        ),
    ]
}

#[test]
fn every_page_about_privacy_keeps_the_rules_of_all_pages() {
    for language in Language::ALL {
        for (name, html) in pages(language) {
            check(name, &html);
            if let Some(folder) = Env::process().get("GALLERY") {
                let name = format!("{name}.{}.html", language.tag());
                let path = std::path::Path::new(folder).join(name);
                std::fs::write(path, html.replace("/assets/booking.", "booking.")).unwrap();
            }
        }
    }
}

#[test]
fn no_page_about_privacy_says_anything_that_is_not_a_message() {
    for (name, html) in pages(Language::Bracketed) {
        let mut said = said_outside_messages(&html);
        for written in WRITTEN {
            let letters: String = written.chars().filter(|c| c.is_alphabetic()).collect();
            if !letters.is_empty() {
                said = said.replace(&letters, "");
            }
        }
        assert_eq!(said, "", "{name} in {html}");
    }
}

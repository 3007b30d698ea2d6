//! Renders the pages of accounts with sample words, and holds each to the rules that all
//! pages keep.

use askama::Template;
use chassis::Env;

use super::gallery::{check, said_outside_messages, site};
use super::sign_in::{Again, SignInPage};
use crate::error::FieldProblem;
use crate::intake::Problem;
use crate::language::{Language, message};

fn problems(language: Language, wrong: &[(&'static str, &'static str)]) -> Vec<FieldProblem> {
    wrong
        .iter()
        .map(|(field, key)| Problem {
            field,
            detail: message(key),
        })
        .map(|problem| problem.in_words(language))
        .collect()
}

fn sign_in(language: Language, again: Again, wrong: &[(&'static str, &'static str)]) -> String {
    SignInPage {
        site: site(language),
        csrf: "token".into(),
        email: "thandi@karoo-cuts.example",
        next: "/desk/karoo-cuts",
        again,
        problems: problems(language, wrong),
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let empty = [
        ("email", "field-email-missing"),
        ("password", "field-password-missing"),
    ];
    let wait = super::words::duration(language, 5);
    vec![
        ("sign-in", sign_in(language, Again::Not, &[])),
        ("sign-in-wrong", sign_in(language, Again::Not, &empty)),
        ("sign-in-refused", sign_in(language, Again::Refused, &[])),
        ("sign-in-later", sign_in(language, Again::Later(wait), &[])),
    ]
}

#[test]
fn every_page_of_accounts_keeps_the_rules_of_all_pages() {
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
fn no_page_of_accounts_says_anything_that_is_not_a_message() {
    for (name, html) in pages(Language::Bracketed) {
        assert_eq!(said_outside_messages(&html), "", "{name} in {html}");
    }
}

//! Renders the pages of accounts with sample words, and holds each to the rules that all
//! pages keep.

use askama::Template;
use chassis::Env;

use super::account::{AccountPage, CodesPage, NewPasswordPage, SessionWords};
use super::embed::{EmbedPage, Next, Second, WelcomePage};
use super::form::Problems;
use super::gallery::{business, check, free, said_outside_messages, site, zone};
use super::members::{InvitationPage, MembersPage, PersonWords, choices};
use super::passkeys::{PasskeyWords, PasskeysPage};
use super::reset::{ForgotPage, OverPage};
use super::second_step::{Step, StepPage};
use super::sign_in::{Again, SignInPage};
use super::start::{ConfirmPage, StartForm, StartPage};
use super::{week, words};
use crate::account::passkeys::Added;
use crate::intake::Problem;
use crate::language::{Language, message};

type Wrong = [(&'static str, &'static str)];

fn problems(language: Language, wrong: &Wrong) -> Problems {
    let problem = |(field, key): &(&'static str, &'static str)| Problem {
        field,
        detail: message(key),
    };
    Problems::in_words(wrong.iter().map(problem).collect(), language)
}

fn rendered(page: &impl Template) -> String {
    page.render().unwrap()
}

fn csrf() -> String {
    "token".to_owned()
}

fn sign_in(language: Language, again: Again, wrong: &Wrong) -> String {
    rendered(&SignInPage {
        site: site(language),
        csrf: csrf(),
        email: "thandi@karoo-cuts.example",
        next: "/desk/karoo-cuts",
        passkeys: Some("https://booking.example"),
        again,
        problems: problems(language, wrong),
    })
}

fn step(language: Language, step: Step, later: Option<String>, wrong: &Wrong) -> String {
    rendered(&StepPage {
        site: site(language),
        csrf: csrf(),
        step,
        next: "/desk/karoo-cuts",
        later,
        problems: problems(language, wrong),
    })
}

fn forgot(language: Language, is_sent: bool) -> String {
    rendered(&ForgotPage {
        site: site(language),
        csrf: csrf(),
        email: "",
        is_sent,
        problems: Problems::default(),
    })
}

fn start(language: Language, wrong: &Wrong) -> String {
    let form = StartForm::default();
    let problems = problems(language, wrong);
    rendered(&StartPage::of(site(language), csrf(), &form, problems))
}

fn account(language: Language, is_confirmed: bool) -> String {
    let session = |id: &str, is_this| SessionWords {
        id: id.into(),
        agent: "Firefox on Linux".into(),
        seen: words::moment(language, &free()[0].start.to_zoned_datetime(zone())),
        is_this,
    };
    rendered(&AccountPage {
        site: site(language),
        csrf: csrf(),
        name: "Sipho Dlamini",
        email: "thandi@karoo-cuts.example",
        is_confirmed,
        has_codes: is_confirmed,
        passkeys: is_confirmed.then_some(2),
        sessions: vec![session("1", true), session("2", false)],
    })
}

fn codes(language: Language, secret: Option<&str>, recovery: &[&str]) -> String {
    rendered(&CodesPage {
        site: site(language),
        csrf: csrf(),
        secret: secret.map(str::to_owned),
        recovery: recovery.iter().map(|code| (*code).to_owned()).collect(),
        problems: Problems::default(),
    })
}

fn passkeys(language: Language, refused: Option<Added>, wrong: &Wrong) -> String {
    let passkey = |id: &str, used| PasskeyWords {
        id: id.into(),
        name: "Firefox on Linux".into(),
        added: words::moment(language, &free()[0].start.to_zoned_datetime(zone())),
        used,
    };
    let used = words::moment(language, &free()[0].start.to_zoned_datetime(zone()));
    rendered(&PasskeysPage {
        site: site(language),
        csrf: csrf(),
        origin: "https://booking.example",
        is_confirmed: refused.is_none(),
        passkeys: vec![passkey("1", Some(used)), passkey("2", None)],
        name: "",
        refused,
        problems: problems(language, wrong),
    })
}

fn members(language: Language, wrong: &Wrong) -> String {
    let person = |id: &str, is_oneself, role| PersonWords {
        id: id.into(),
        name: "Sipho Dlamini".into(),
        email: "thandi@karoo-cuts.example".into(),
        role: "staff".into(),
        role_words: Some(words::role(language, role)),
        is_oneself,
    };
    rendered(&MembersPage {
        site: site(language),
        csrf: csrf(),
        business: business(language),
        members: vec![
            person("1", true, booking::Role::Owner),
            person("2", false, booking::Role::Manager),
        ],
        invited: vec![person("3", false, booking::Role::FrontDesk)],
        roles: choices(language),
        email: "",
        problems: problems(language, wrong),
    })
}

fn invitation(language: Language) -> String {
    rendered(&InvitationPage {
        site: site(language),
        csrf: csrf(),
        token: "secret",
        business: "Karoo Cuts".into(),
        role: Some(words::role(language, booking::Role::Staff)),
        email: "thandi@karoo-cuts.example".into(),
        name: "",
        problems: Problems::default(),
    })
}

fn welcome(language: Language, second: Second) -> String {
    rendered(&WelcomePage {
        site: site(language),
        csrf: csrf(),
        business: business(language),
        origin: "https://karoo-cuts.example".into(),
        is_confirmed: false,
        may_change: true,
        may_invite: true,
        second,
    })
}

fn embed(language: Language) -> String {
    let next = |times| Next {
        path: "/karoo-cuts/haircut".into(),
        service: "Haircut & beard".into(),
        times,
    };
    let times = week::choices(language, free().iter().take(3), &zone());
    rendered(&EmbedPage {
        site: site(language),
        business: business(language),
        next: vec![next(times), next(Vec::new())],
    })
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let empty = [
        ("email", "field-email-missing"),
        ("password", "field-password-missing"),
    ];
    let missing = [
        ("business", "field-business-missing"),
        ("address", "field-address-missing"),
        ("kind", "field-kind-missing"),
        ("slug", "field-slug-shape"),
        ("password", "field-password-guessable"),
    ];
    let wait = words::duration(language, 5);
    let new_password = NewPasswordPage {
        site: site(language),
        csrf: csrf(),
        path: "/account/password".into(),
        problems: Problems::default(),
    };
    let over = OverPage {
        site: site(language),
    };
    let confirm = ConfirmPage {
        site: site(language),
        csrf: csrf(),
        token: "secret",
        problems: Problems::default(),
    };
    let later = Some(wait.clone());
    let wrong = [("code", "field-code-wrong")];
    let last = [("members", "members-last-owner")];
    vec![
        ("sign-in", sign_in(language, Again::Not, &[])),
        ("sign-in-wrong", sign_in(language, Again::Not, &empty)),
        ("sign-in-refused", sign_in(language, Again::Refused, &[])),
        (
            "sign-in-passkey",
            sign_in(language, Again::PasskeyRefused, &[]),
        ),
        ("sign-in-later", sign_in(language, Again::Later(wait), &[])),
        ("code", step(language, Step::Code, None, &wrong)),
        ("password-again", step(language, Step::Password, later, &[])),
        ("forgot", forgot(language, false)),
        ("forgot-sent", forgot(language, true)),
        ("new-password", rendered(&new_password)),
        ("link-over", rendered(&over)),
        ("confirm", rendered(&confirm)),
        ("start", start(language, &[])),
        ("start-wrong", start(language, &missing)),
        ("account", account(language, true)),
        ("account-unconfirmed", account(language, false)),
        ("codes", codes(language, Some("ABCD EFGH"), &[])),
        ("codes-on", codes(language, None, &[])),
        (
            "codes-recovery",
            codes(language, None, &["abcde-fghij"; 10]),
        ),
        ("passkeys", passkeys(language, None, &[])),
        (
            "passkeys-wrong",
            passkeys(language, None, &[("name", "field-name-missing")]),
        ),
        ("passkeys-refused", passkeys(language, Some(Added::No), &[])),
        (
            "passkeys-enough",
            passkeys(language, Some(Added::Enough), &[]),
        ),
        ("members", members(language, &[])),
        ("members-last", members(language, &last)),
        ("invitation", invitation(language)),
        ("welcome", welcome(language, Second::Passkey)),
        ("welcome-code-app", welcome(language, Second::CodeApp)),
        ("embed", embed(language)),
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
        let html = html.replace("thandi@karoo-cuts.example", "");
        assert_eq!(said_outside_messages(&html), "", "{name} in {html}");
    }
}

//! Renders every page with sample words, and holds each to the rules that all pages
//! keep: one main heading, every control labelled, nothing inline, light to load.

use askama::Template;
use chassis::Env;
use http::{HeaderMap, Uri};
use jiff::ToSpan as _;
use jiff::civil::date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::booking::{BookingPage, Stage};
use super::business::BusinessPage;
use super::cancel::CancelPage;
use super::details::{DetailsPage, FormWords, HeldWords};
use super::fault::FaultPage;
use super::home::HomePage;
use super::month::MonthPage;
use super::repeat::{RepeatPage, sample};
use super::times::{Further, Gone, TimesPage};
use super::unsubscribe::UnsubscribePage;
use super::week::{self, Free};
use super::whom::Whom;
use super::words::{self, When};
use super::{BookingWords, BusinessWords, LocationWords, ServiceWords, Site};
use crate::assets;
use crate::crew::Who;
use crate::error::FieldProblem;
use crate::intake::Sent;
use crate::language::{Language, Text, Wanted};
use crate::links::Reminders;
use crate::openings::Days;

const PAGE_BYTES_MAX: usize = 60 * 1024;

/// What is not ours to translate: what businesses and visitors wrote, and marks.
const DATA: [&str; 10] = [
    "Anneke Botha",
    "Karoo Cuts",
    "An unhurried barber in the middle of Graaff-Reinet.",
    "Haircut &#38; beard",
    "Wash, cut and hot towel.",
    "Sipho Dlamini",
    "12 Church Street, Graaff-Reinet",
    "Church Street",
    "4f1c2a90b7d3",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
];

pub(super) fn site(language: Language) -> Site<'static> {
    let address = Uri::from_static("/karoo-cuts/haircut?day=2027-03-24");
    Site {
        language,
        wanted: Wanted::of(&address, &HeaderMap::new()),
        stylesheet: assets::stylesheet(),
        icon: assets::icon(),
        countdown: assets::countdown(),
        passkey: assets::passkey(),
        password: assets::password(),
        release: "4f1c2a90b7d3",
    }
}

pub(super) fn business(language: Language) -> BusinessWords {
    BusinessWords {
        slug: "karoo-cuts".into(),
        name: "Karoo Cuts".into(),
        monogram: words::monogram("Karoo Cuts"),
        about: Some("An unhurried barber in the middle of Graaff-Reinet.".into()),
        zone_name: words::zone_name(language, "Africa/Johannesburg"),
        is_listed: true,
    }
}

fn service(language: Language) -> ServiceWords {
    ServiceWords {
        slug: "haircut".into(),
        name: "Haircut & beard".into(),
        about: Some("Wash, cut and hot towel.".into()),
        duration: words::duration(language, 45),
        price: words::price(language, 35_000, "ZAR"),
    }
}

pub(super) fn zone() -> TimeZone {
    TimeZone::get("Africa/Johannesburg").unwrap()
}

pub(super) fn free() -> Vec<Free> {
    let morning: jiff::Timestamp = "2027-03-24T06:30:00Z".parse().unwrap();
    (0..18)
        .map(|n| morning + (n * 30).minutes())
        .chain((0..4).map(|n| morning + (48 + n).hours()))
        .map(|start| Free {
            start,
            end: start + 45.minutes(),
            seats: None,
        })
        .collect()
}

fn unsubscribe(language: Language, is_done: bool) -> String {
    UnsubscribePage {
        site: site(language),
        token: "secret",
        business: "Karoo Cuts",
        reminders: Reminders::Email,
        is_done,
    }
    .render()
    .unwrap()
}

fn staff(language: Language) -> Whom {
    let id = Uuid::from_u128;
    let people = [(1, "Sipho Dlamini"), (2, "Anneke Botha")];
    let everybody = people.map(|(n, name)| (id(n), name.to_owned()));
    let address = "/karoo-cuts/haircut?day=2027-03-24";
    Whom::of(language, address, &everybody, Who::Only(id(2)))
}

/// What is known of the days around the sample's.
fn days(free: &[Free]) -> Days {
    Days {
        free: free.to_vec(),
        open: (22..=28).map(|day| date(2027, 3, day)).collect(),
        full: [].into(),
    }
}

fn month(language: Language, free: &[Free], soonest: &[Free]) -> String {
    let (first, reach) = (date(2027, 3, 1), date(2027, 3, 22)..=date(2027, 5, 1));
    MonthPage {
        site: site(language),
        path: "/karoo-cuts/haircut".into(),
        business: business(language),
        service: service(language),
        month: week::month(language, &days(free), first, &reach, &zone()),
        soonest: week::choices(language, soonest.iter(), &zone()),
        further: Further::of(language, Some(first)).filter(|_| language == Language::Zulu),
        staff: staff(language),
    }
    .render()
    .unwrap()
}

fn times(language: Language, free: &[Free], problems: Vec<FieldProblem>) -> String {
    let (day, today) = (date(2027, 3, 24), date(2027, 3, 22));
    TimesPage {
        site: site(language),
        csrf: "token".into(),
        path: "/karoo-cuts/haircut".into(),
        action: "/karoo-cuts/haircut/hold".into(),
        moving: None,
        hold: String::new(),
        held: None,
        gone: None,
        business: business(language),
        service: service(language),
        staff: staff(language),
        week: week::week(
            language,
            &days(free),
            day,
            &(today..=date(2027, 5, 1)),
            &zone(),
        ),
        day_name: words::day_name(language, day),
        day_on: words::day_on(language, day),
        parts: week::parts(language, free, day, &zone()),
        further: Further::of(language, free.is_empty().then_some(day)),
        soonest: if free.is_empty() {
            week::choices(language, self::free().iter().take(3), &zone())
        } else {
            Vec::new()
        },
        problems,
    }
    .render()
    .unwrap()
}

fn details(language: Language, sent: Sent, problems: Vec<FieldProblem>, is_gone: bool) -> String {
    let free = free();
    let when = When::of(language, free[2].start, free[2].end, &zone());
    DetailsPage {
        site: site(language),
        csrf: "token".into(),
        action: "/karoo-cuts/haircut/details".into(),
        times: "/karoo-cuts/haircut?day=2027-03-24".into(),
        held: None,
        business: business(language),
        service: service(language),
        with: is_gone.then(|| "Sipho Dlamini".to_owned()),
        gone: is_gone.then(|| Gone {
            time: when.day.clone(),
            day_is_full: language == Language::Afrikaans,
        }),
        alternatives: if is_gone {
            week::choices(language, free.iter().skip(3).take(3), &zone())
        } else {
            Vec::new()
        },
        when,
        form: FormWords::of(sent, "request".into(), problems),
    }
    .render()
    .unwrap()
}

fn held(language: Language, until: Option<&str>) -> String {
    let free = free();
    DetailsPage {
        site: site(language),
        csrf: "token".into(),
        business: business(language),
        service: service(language),
        action: "/b/secret/details".into(),
        times: "/karoo-cuts/haircut?day=2027-03-24&hold=secret".into(),
        held: Some(HeldWords {
            until: until.map(str::to_owned),
            seconds: 583,
            extend: until.map(|_| "/b/secret/extend".to_owned()),
        }),
        with: Some("Sipho Dlamini".into()),
        gone: None,
        alternatives: Vec::new(),
        when: When::of(language, free[2].start, free[2].end, &zone()),
        form: FormWords::of(Sent::default(), String::new(), Vec::new()),
    }
    .render()
    .unwrap()
}

fn booked(language: Language) -> BookingWords {
    let free = free();
    BookingWords {
        business: "Karoo Cuts".into(),
        business_slug: "karoo-cuts".into(),
        service: "Haircut & beard".into(),
        service_slug: "haircut".into(),
        staff: Some("Sipho Dlamini".into()),
        place: Some("12 Church Street, Graaff-Reinet".into()),
        price: words::price(language, 35_000, "ZAR"),
        zone_name: words::zone_name(language, "Africa/Johannesburg"),
        when: When::of(language, free[2].start, free[2].end, &zone()),
    }
}

fn booking(language: Language, stage: Stage) -> String {
    BookingPage {
        site: site(language),
        token: "secret",
        stage,
        fee: (stage == Stage::Cancelled).then(|| words::price(language, 17_500, "ZAR")),
        can_move: true,
        only_with_waiver: true,
        cancel_until: Some(words::moment(
            language,
            &free()[0].start.to_zoned_datetime(zone()),
        )),
        booking: booked(language),
    }
    .render()
    .unwrap()
}

fn problem(field: &'static str, detail: &Text) -> FieldProblem {
    FieldProblem {
        field,
        detail: detail.to_string(),
    }
}

fn home(language: Language, businesses: Vec<BusinessWords>) -> String {
    let site = site(language);
    HomePage { site, businesses }.render().unwrap()
}

fn offers(language: Language, services: Vec<ServiceWords>) -> String {
    BusinessPage {
        site: site(language),
        business: business(language),
        services,
        locations: vec![LocationWords {
            name: "Church Street".into(),
            address: "12 Church Street, Graaff-Reinet".into(),
        }],
    }
    .render()
    .unwrap()
}

fn repeat(language: Language, step: usize) -> String {
    RepeatPage {
        site: site(language),
        business: "Karoo Cuts".into(),
        steps: sample::steps(language, step),
    }
    .render()
    .unwrap()
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let typed = Sent {
        name: "<script>alert(1)</script>".into(),
        email: "thandi".into(),
        ..Sent::default()
    };
    let wrong = vec![
        problem("email", &language.text("field-email-shape")),
        problem("phone", &language.text("field-phone-shape")),
    ];
    vec![
        (
            "home",
            home(language, vec![business(language), business(language)]),
        ),
        ("home-empty", home(language, vec![])),
        (
            "business",
            offers(language, vec![service(language), service(language)]),
        ),
        ("business-empty", offers(language, vec![])),
        ("times", times(language, &free(), vec![])),
        ("times-none", times(language, &[], vec![])),
        ("month", month(language, &free(), &free()[..3])),
        ("month-none", month(language, &[], &[])),
        (
            "times-wrong",
            times(
                language,
                &free(),
                vec![problem("start", &language.text("field-start-missing"))],
            ),
        ),
        ("details", details(language, Sent::default(), vec![], false)),
        (
            "details-wrong",
            details(language, typed.clone(), wrong, false),
        ),
        ("details-gone", details(language, typed, vec![], true)),
        ("held", held(language, Some("14:35"))),
        ("held-over", held(language, None)),
        ("booked", booking(language, Stage::Ahead)),
        ("over", booking(language, Stage::Over)),
        ("cancelled", booking(language, Stage::Cancelled)),
        (
            "cancel",
            CancelPage {
                site: site(language),
                csrf: "token".into(),
                token: "secret",
                booking: booked(language),
                only_with_waiver: false,
                fee: Some(words::price(language, 17_500, "ZAR")),
                later: vec![
                    language
                        .text("cancel-costs-later")
                        .with("moment", "08:30")
                        .with("fee", "R350")
                        .to_string(),
                ],
                rest: 2,
            }
            .render()
            .unwrap(),
        ),
        ("repeat", repeat(language, 0)),
        ("repeat-plan", repeat(language, 1)),
        ("repeat-done", repeat(language, 2)),
        ("unsubscribe", unsubscribe(language, false)),
        ("unsubscribed", unsubscribe(language, true)),
        (
            "fault",
            FaultPage {
                site: site(language),
                status: 404,
                title: language.text("fault-not-found-title").to_string(),
                advice: language.text("fault-not-found-advice").to_string(),
                request_id: "0198",
            }
            .render()
            .unwrap(),
        ),
    ]
}

#[test]
fn a_wall_time_that_comes_twice_is_told_apart_for_the_eye_too() {
    let london = TimeZone::get("Europe/London").unwrap();
    let first: jiff::Timestamp = "2026-10-25T00:30:00Z".parse().unwrap();
    let twice = [first, first + 1.hours()].map(|start| Free {
        start,
        end: start + 30.minutes(),
        seats: None,
    });
    let language = Language::English;
    let choices = week::choices(language, twice.iter(), &london);
    let page = TimesPage {
        site: site(language),
        csrf: "token".into(),
        path: "/karoo-cuts/haircut".into(),
        action: "/karoo-cuts/haircut/hold".into(),
        moving: None,
        hold: String::new(),
        held: None,
        gone: None,
        business: business(language),
        service: service(language),
        staff: staff(language),
        week: week::week(
            language,
            &days(&twice),
            date(2026, 10, 25),
            &(date(2026, 10, 1)..=date(2026, 12, 1)),
            &london,
        ),
        day_name: words::day_name(language, date(2026, 10, 25)),
        day_on: words::day_on(language, date(2026, 10, 25)),
        parts: week::parts(language, &twice, date(2026, 10, 25), &london),
        further: None,
        soonest: choices,
        problems: Vec::new(),
    };
    let html = page.render().unwrap();
    for words in [
        "01:30, before the clocks change</label>",
        "01:30, after the clocks change</label>",
        "Sun 25 October, after the clocks change",
    ] {
        assert!(html.contains(words), "{words} is missing");
    }
}

/// The values of `attribute` in the order of the page.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    html.split(&format!(" {attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

pub(super) fn check(name: &str, html: &str) {
    assert_eq!(
        html.matches("<h1").count(),
        1,
        "{name} has one main heading"
    );
    for script in html.split("<script").skip(1) {
        assert!(
            script.starts_with(" src=\"/assets/") && script.contains("\" defer></script>"),
            "{name} holds a script of its own"
        );
    }
    for forbidden in [" style=", " onclick=", "javascript:"] {
        assert!(!html.contains(forbidden), "{name} holds {forbidden}");
    }
    assert!(html.len() <= PAGE_BYTES_MAX, "{name} is too heavy");
    let ids = values(html, "id");
    for id in &ids {
        let count = ids.iter().filter(|other| *other == id).count();
        assert_eq!(count, 1, "{name} holds the id {id} {count} times");
    }
    for attribute in ["for", "aria-describedby", "aria-labelledby"] {
        for reference in values(html, attribute).iter().flat_map(|v| v.split(' ')) {
            assert!(ids.contains(&reference), "{name}: {attribute} {reference}");
        }
    }
    let labels = values(html, "for");
    for control in html.split("<input ").skip(1) {
        let tag = control.split('>').next().unwrap_or_default();
        let tag = format!(" {tag}");
        if values(&tag, "type") != ["hidden"] {
            assert!(labels.contains(&values(&tag, "id")[0]), "{name}: {tag}");
        }
    }
}

#[test]
fn every_page_keeps_the_rules_of_all_pages() {
    for language in Language::ALL {
        for (name, html) in pages(language) {
            check(name, &html);
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
            // For looking at: GALLERY names a folder for the pages.
            if let Some(folder) = Env::process().get("GALLERY") {
                let name = format!("{name}.{}.html", language.tag());
                let path = std::path::Path::new(folder).join(name);
                std::fs::write(path, html.replace("/assets/booking.", "booking.")).unwrap();
            }
        }
    }
}

/// What a page says outside of messages, for the eye and for the ear.
pub(super) fn said_outside_messages(html: &str) -> String {
    let mut said: String = ["aria-label", "title", "alt", "placeholder", "content"]
        .iter()
        .flat_map(|attribute| values(html, attribute))
        .filter(|value| {
            ![
                "width=device-width, initial-scale=1",
                "light dark",
                "noindex",
            ]
            .contains(value)
        })
        .filter(|value| !value.starts_with('#'))
        .fold(String::new(), |said, value| said + value + "\n");
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        // The names of languages are written in these languages, and release ids in none.
        if !tag.contains(" hreflang=") && !tag.contains("translate=\"no\"") {
            said.push_str(text);
        }
    }
    for data in DATA {
        said = said.replace(data, "");
    }
    let mut depth = 0;
    said.retain(|c| {
        match c {
            '⟦' => depth += 1,
            '⟧' => depth -= 1,
            _ => return depth == 0 && c.is_alphabetic(),
        }
        false
    });
    said
}

#[test]
fn no_page_says_anything_that_is_not_a_message() {
    for (name, html) in pages(Language::Bracketed) {
        assert_eq!(said_outside_messages(&html), "", "{name} in {html}");
    }
    let stray = "<h1>⟦Book ⟦a⟧ time⟧</h1><p>now</p><img alt=\"us\">";
    assert_eq!(said_outside_messages(stray), "usnow");
}

#[test]
fn what_a_visitor_typed_is_text_and_never_markup() {
    let pages = pages(Language::English);
    let (_, html) = pages
        .iter()
        .find(|(name, _)| *name == "details-wrong")
        .unwrap();
    assert!(html.contains("&#60;script&#62;alert(1)"));
}

#[test]
fn each_problem_is_in_the_summary_and_beside_its_field() {
    let pages = pages(Language::English);
    let (_, html) = pages
        .iter()
        .find(|(name, _)| *name == "details-wrong")
        .unwrap();
    for field in ["email", "phone"] {
        assert!(html.contains(&format!("href=\"#{field}\"")));
        assert!(html.contains(&format!("id=\"{field}-error\"")));
    }
    assert!(html.contains("<title>Error: "));
}

//! Renders every page with sample words, and holds each to the rules that all pages
//! keep: one main heading, every control labelled, nothing inline, light to load.

use askama::Template;
use chassis::Env;
use jiff::ToSpan as _;
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::booking::BookingPage;
use super::business::BusinessPage;
use super::cancel::CancelPage;
use super::details::{DetailsPage, FormWords};
use super::fault::FaultPage;
use super::home::HomePage;
use super::times::TimesPage;
use super::week::{self, Free};
use super::words::{self, When};
use super::{BookingWords, BusinessWords, LocationWords, ServiceWords, Site};
use crate::assets;
use crate::error::FieldProblem;
use crate::intake::Sent;

const PAGE_BYTES_MAX: usize = 60 * 1024;

fn site() -> Site<'static> {
    Site {
        stylesheet: assets::stylesheet(),
        icon: assets::icon(),
        release: "4f1c2a90b7d3",
    }
}

fn business() -> BusinessWords {
    BusinessWords {
        slug: "karoo-cuts".into(),
        name: "Karoo Cuts".into(),
        monogram: words::monogram("Karoo Cuts"),
        about: Some("An unhurried barber in the middle of Graaff-Reinet.".into()),
        zone_name: words::zone_name("Africa/Johannesburg"),
    }
}

fn service() -> ServiceWords {
    ServiceWords {
        slug: "haircut".into(),
        name: "Haircut & beard".into(),
        about: Some("Wash, cut and hot towel.".into()),
        duration: words::duration(45),
        price: words::price(35_000, "ZAR"),
    }
}

fn zone() -> TimeZone {
    TimeZone::get("Africa/Johannesburg").unwrap()
}

fn free() -> Vec<Free> {
    let morning: jiff::Timestamp = "2027-03-24T06:30:00Z".parse().unwrap();
    (0..18)
        .map(|n| morning + (n * 30).minutes())
        .chain((0..4).map(|n| morning + (48 + n).hours()))
        .map(|start| Free {
            start,
            end: start + 45.minutes(),
        })
        .collect()
}

fn times(free: &[Free], problems: Vec<FieldProblem>) -> String {
    let (day, today) = (date(2027, 3, 24), date(2027, 3, 22));
    TimesPage {
        site: site(),
        path: "/karoo-cuts/haircut".into(),
        business: business(),
        service: service(),
        week: week::week(free, day, today, date(2027, 5, 1), &zone()),
        day_name: words::day_name(day),
        parts: week::parts(free, day, &zone()),
        soonest: if free.is_empty() {
            week::choices(self::free().iter().take(3), &zone())
        } else {
            Vec::new()
        },
        problems,
    }
    .render()
    .unwrap()
}

fn details(sent: Sent, problems: Vec<FieldProblem>, is_gone: bool) -> String {
    let free = free();
    let when = When::of(free[2].start, free[2].end, &zone());
    DetailsPage {
        site: site(),
        csrf: "token".into(),
        path: "/karoo-cuts/haircut".into(),
        business: business(),
        service: service(),
        day: date(2027, 3, 24),
        gone: is_gone.then(|| format!("{}, {}", when.day, when.clock)),
        alternatives: if is_gone {
            week::choices(free.iter().skip(3).take(3), &zone())
        } else {
            Vec::new()
        },
        when,
        form: FormWords::of(sent, "request".into(), problems),
    }
    .render()
    .unwrap()
}

fn booked(is_cancelled: bool) -> BookingWords {
    let free = free();
    BookingWords {
        business: "Karoo Cuts".into(),
        business_slug: "karoo-cuts".into(),
        service: "Haircut & beard".into(),
        service_slug: "haircut".into(),
        staff: Some("Sipho Dlamini".into()),
        place: Some("12 Church Street, Graaff-Reinet".into()),
        price: words::price(35_000, "ZAR"),
        zone_name: words::zone_name("Africa/Johannesburg"),
        when: When::of(free[2].start, free[2].end, &zone()),
        is_cancelled,
    }
}

fn booking(is_cancelled: bool) -> String {
    BookingPage {
        site: site(),
        token: "secret",
        heading: "You are booked",
        cancel_until: Some("08:30 on Wednesday 24 March 2027".into()),
        booking: booked(is_cancelled),
    }
    .render()
    .unwrap()
}

fn problem(field: &'static str, detail: &str) -> FieldProblem {
    FieldProblem {
        field,
        detail: detail.into(),
    }
}

fn home(businesses: Vec<BusinessWords>) -> String {
    let site = site();
    HomePage { site, businesses }.render().unwrap()
}

fn offers(services: Vec<ServiceWords>) -> String {
    BusinessPage {
        site: site(),
        business: business(),
        services,
        locations: vec![LocationWords {
            name: "Church Street".into(),
            address: "12 Church Street, Graaff-Reinet".into(),
        }],
    }
    .render()
    .unwrap()
}

fn pages() -> Vec<(&'static str, String)> {
    let typed = Sent {
        name: "<script>alert(1)</script>".into(),
        email: "thandi".into(),
        ..Sent::default()
    };
    let wrong = vec![
        problem(
            "email",
            "Enter an e-mail address in the form name@example.com",
        ),
        problem("phone", "Enter a phone number such as 082 123 4567"),
    ];
    vec![
        ("home", home(vec![business(), business(), business()])),
        ("home-empty", home(vec![])),
        ("business", offers(vec![service(), service()])),
        ("business-empty", offers(vec![])),
        ("times", times(&free(), vec![])),
        ("times-none", times(&[], vec![])),
        (
            "times-wrong",
            times(&free(), vec![problem("start", "Choose a time")]),
        ),
        ("details", details(Sent::default(), vec![], false)),
        ("details-wrong", details(typed.clone(), wrong, false)),
        ("details-gone", details(typed, vec![], true)),
        ("booked", booking(false)),
        ("cancelled", booking(true)),
        (
            "cancel",
            CancelPage {
                site: site(),
                csrf: "token".into(),
                token: "secret",
                booking: booked(false),
            }
            .render()
            .unwrap(),
        ),
        (
            "fault",
            FaultPage {
                site: site(),
                status: "404 Not Found".into(),
                title: "This page does not exist",
                advice: "The address may be mistyped.",
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
    });
    let choices = week::choices(twice.iter(), &london);
    let page = TimesPage {
        site: site(),
        path: "/karoo-cuts/haircut".into(),
        business: business(),
        service: service(),
        week: week::week(
            &twice,
            date(2026, 10, 25),
            date(2026, 10, 1),
            date(2026, 12, 1),
            &london,
        ),
        day_name: words::day_name(date(2026, 10, 25)),
        parts: week::parts(&twice, date(2026, 10, 25), &london),
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

fn check(name: &str, html: &str) {
    assert_eq!(
        html.matches("<h1").count(),
        1,
        "{name} has one main heading"
    );
    for forbidden in ["<script", " style=", " onclick=", "javascript:"] {
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
    for (name, html) in pages() {
        check(name, &html);
        // For looking at: GALLERY names a folder for the pages.
        if let Some(folder) = Env::process().get("GALLERY") {
            let path = std::path::Path::new(folder).join(format!("{name}.html"));
            std::fs::write(path, html.replace("/assets/booking.", "booking.")).unwrap();
        }
    }
}

#[test]
fn what_a_visitor_typed_is_text_and_never_markup() {
    let pages = pages();
    let (_, html) = pages
        .iter()
        .find(|(name, _)| *name == "details-wrong")
        .unwrap();
    assert!(html.contains("&#60;script&#62;alert(1)"));
}

#[test]
fn each_problem_is_in_the_summary_and_beside_its_field() {
    let pages = pages();
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

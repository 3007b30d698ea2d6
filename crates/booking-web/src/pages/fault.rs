//! The page that a person sees when a request was not answered as asked: what
//! happened, what to do, and the id to mention. Never what broke inside.

use askama::Template;
use axum::response::Response;

use crate::app::App;
use crate::error::Fault;
use crate::language::{Language, Text, Wanted};
use crate::pages::{Site, render};

#[derive(Template)]
#[template(path = "fault.html")]
pub(super) struct FaultPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) status: u16,
    pub(super) title: String,
    pub(super) advice: String,
    pub(super) request_id: &'a str,
}

pub(crate) fn page(app: &App, wanted: Wanted, fault: &Fault, request_id: &str) -> Response {
    let site = Site::of(app, wanted);
    let (title, advice) = words(site.language, fault);
    let page = FaultPage {
        site,
        status: fault.status().as_u16(),
        title: title.to_string(),
        advice: advice.to_string(),
        request_id,
    };
    render(&page).unwrap_or_else(|_| Response::new(page.title.into()))
}

fn words(language: Language, fault: &Fault) -> (Text, Text) {
    match fault {
        Fault::NotFound => (
            language.text("fault-not-found-title"),
            language.text("fault-not-found-advice"),
        ),
        Fault::Forged => (
            language.text("fault-forged-title"),
            language.text("fault-forged-advice"),
        ),
        Fault::Forbidden => (
            language.text("fault-forbidden-title"),
            language.text("fault-forbidden-advice"),
        ),
        Fault::TooMany(_) => (
            language.text("fault-too-many-title"),
            language.text("fault-too-many-advice"),
        ),
        Fault::Busy | Fault::HeldEnough | Fault::TimedOut | Fault::Unavailable(_) => (
            language.text("fault-unavailable-title"),
            language.text("fault-unavailable-advice"),
        ),
        Fault::Broken(_) => (
            language.text("fault-broken-title"),
            language.text("fault-broken-advice"),
        ),
        Fault::TooLarge => (
            language.text("fault-too-large-title"),
            language.text("fault-too-large-advice"),
        ),
        Fault::SlotTaken(_) | Fault::DayFull(_) | Fault::OtherVersion => (
            language.text("fault-gone-title"),
            language.text("fault-gone-advice"),
        ),
        Fault::Refused(_) => (
            language.text("fault-refused-title"),
            language.text("fault-refused-advice"),
        ),
        _ => (
            language.text("fault-malformed-title"),
            language.text("fault-malformed-advice"),
        ),
    }
}

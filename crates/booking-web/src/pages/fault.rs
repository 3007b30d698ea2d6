//! The page that a person sees when a request was not answered as asked: what
//! happened, what to do, and the id to mention. Never what broke inside.

use askama::Template;
use axum::response::Response;

use crate::app::App;
use crate::error::Fault;
use crate::pages::{Site, render};

#[derive(Template)]
#[template(path = "fault.html")]
pub(super) struct FaultPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) status: String,
    pub(super) title: &'static str,
    pub(super) advice: &'static str,
    pub(super) request_id: &'a str,
}

pub(crate) fn page(app: &App, fault: &Fault, request_id: &str) -> Response {
    let (title, advice) = words(fault);
    let page = FaultPage {
        site: Site::of(app),
        status: fault.status().to_string(),
        title,
        advice,
        request_id,
    };
    render(&page).unwrap_or_else(|_| Response::new(title.into()))
}

fn words(fault: &Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::NotFound => (
            "This page does not exist",
            "The address may be mistyped, or what was here has been taken down.",
        ),
        Fault::Forged => (
            "This form is no longer valid",
            "Nothing was changed. Please go back, load the page again and send the form once more. Your browser must accept cookies from this site.",
        ),
        Fault::Busy | Fault::TimedOut | Fault::Unavailable(_) => (
            "We cannot answer just now",
            "Please try again in a minute. A form that you send again is never booked twice.",
        ),
        Fault::Broken(_) => (
            "Something went wrong on our side",
            "We have been told about it. Please try again in a minute.",
        ),
        Fault::TooLarge => (
            "That is too large",
            "Please shorten what you typed and try again.",
        ),
        Fault::SlotTaken(_) => (
            "This is no longer possible",
            "The time has been taken in the meantime. Please choose another one.",
        ),
        Fault::Refused(_) => (
            "This is no longer possible",
            "It is too late to cancel this booking here. Please speak to the business.",
        ),
        _ => (
            "We could not understand that request",
            "Please go back and try again. If it happens twice, start from the first page.",
        ),
    }
}

//! The form that makes a booking. A time that is gone by then is answered with the
//! nearest free ones, in the same form, with everything that was typed.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;

use crate::account::network::Network;
use crate::address::Path;
use crate::app::App;
use crate::desk::Booked;
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem, Sent};
use crate::language::Wanted;
use crate::limit::BOOKINGS;
use crate::openings::Nearest;
use crate::pages::times::{self, Gone};
use crate::pages::week::{self, TimeChoice};
use crate::pages::words::When;
use crate::pages::{BusinessWords, ServiceWords, Site, render, whom, words};
use crate::security::{Visit, VisitorForm};

/// A key that a page made is as long as this at most.
const REQUEST_CHARS_MAX: usize = 64;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    start: String,
    #[serde(default)]
    staff: String,
}

/// The form as it was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct DetailsForm {
    /// Made with the page; the same form sent twice is one booking.
    #[serde(default)]
    request: String,
    #[serde(flatten)]
    sent: Sent,
}

impl DetailsForm {
    pub(super) fn into_sent(self) -> Sent {
        self.sent
    }
}

/// The form as it is shown.
pub(super) struct FormWords {
    request: String,
    start: String,
    staff: String,
    name: String,
    email: String,
    phone: String,
    note: String,
    problems: Vec<FieldProblem>,
}

impl FormWords {
    pub(super) fn of(sent: Sent, request: String, problems: Vec<FieldProblem>) -> Self {
        Self {
            request,
            start: sent.start,
            staff: sent.staff,
            name: sent.name,
            email: sent.email,
            phone: sent.phone,
            note: sent.note,
            problems,
        }
    }

    fn problem(&self, field: &str) -> Option<&str> {
        self.problems
            .iter()
            .find(|problem| problem.field == field)
            .map(|problem| problem.detail.as_str())
    }
}

/// A hold in words.
pub(super) struct HeldWords {
    /// "14:35"; none where it has run out.
    pub(super) until: Option<String>,
    pub(super) seconds: i64,
    /// Where more time is asked for, while that can be done.
    pub(super) extend: Option<String>,
}

#[derive(Template)]
#[template(path = "details.html")]
pub(super) struct DetailsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    /// Where the form is sent.
    pub(super) action: String,
    /// What leads back to the times.
    pub(super) times: String,
    pub(super) held: Option<HeldWords>,
    pub(super) business: BusinessWords,
    pub(super) service: ServiceWords,
    /// The one who was chosen.
    pub(super) with: Option<String>,
    pub(super) when: When,
    pub(super) form: FormWords,
    pub(super) gone: Option<Gone>,
    pub(super) alternatives: Vec<TimeChoice>,
}

/// Answers `GET /{business}/{service}/details?start=…`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Chosen>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(chosen) = query?;
    let offer = Offer::find(&app, &business, &service).await?;
    let site = Site::of(&app, wanted.at(offer.business.language));
    let start = match intake::start(&chosen.start) {
        Ok(start) => start,
        Err(problem) => {
            let shown = times::Shown::of(whom::read(&chosen.staff));
            let wrong = shown.with(vec![problem.in_words(site.language)]);
            return times::page(&app, site, &offer, &visit, wrong).await;
        }
    };
    let with = app.giver(&offer, whom::read(&chosen.staff)).await?;
    let sent = Sent {
        start: start.to_string(),
        staff: chosen.staff,
        ..Sent::default()
    };
    let form = FormWords::of(sent, app.random.token(), Vec::new());
    let mut response = page(site, &offer, &visit, (start, with), form, None)?;
    // Whoever goes back after booking finds the same form, with the same key, so that
    // sending it again is no second booking. Nobody's details are in it yet.
    let caching = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(CACHE_CONTROL, caching);
    Ok(response)
}

/// Answers `POST /{business}/{service}/details`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    network: Network,
    wanted: Wanted,
    form: VisitorForm<DetailsForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let offer = Offer::find(&app, &business, &service).await?;
    let site = Site::of(&app, wanted.at(offer.business.language));
    let start = match intake::start(&form.sent.start) {
        Ok(start) => start,
        Err(problem) => {
            let shown = times::Shown::of(whom::read(&form.sent.staff));
            let wrong = shown.with(vec![problem.in_words(site.language)]);
            return times::page(&app, site, &offer, &visit, wrong).await;
        }
    };
    let is_ours = |key: &str| {
        (1..=REQUEST_CHARS_MAX).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if !is_ours(&form.request) {
        return Err(Fault::Malformed("the form cannot be read".to_owned()));
    }
    let with = app.giver(&offer, whom::read(&form.sent.staff)).await?;
    let checked = match intake::check(&form.sent) {
        Ok(checked) => checked,
        Err(problems) => {
            let problems = Problem::all_in_words(problems, site.language);
            let form = FormWords::of(form.sent, form.request, problems);
            let page = page(site, &offer, &visit, (start, with), form, None)?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    app.within_network(BOOKINGS, &network).await?;
    let who = (Some(site.language), Some(visit.holder()));
    let transaction = app.begin(&offer).await?;
    let booked = app.book((&offer, transaction), &checked, who, &form.request);
    match booked.await? {
        Booked::Made(made) => Ok(Redirect::to(&format!("/b/{}", made.token)).into_response()),
        Booked::Gone(nearest) => {
            // Another time is another request, so it gets another key.
            let form = FormWords::of(form.sent, app.random.token(), Vec::new());
            let page = page(site, &offer, &visit, (start, with), form, Some(&nearest))?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Booked::KeyReused => Err(Fault::KeyReused),
    }
}

pub(super) fn page(
    site: Site<'_>,
    offer: &Offer,
    visit: &Visit,
    chosen: (Timestamp, Option<String>),
    form: FormWords,
    instead: Option<&Nearest>,
) -> Result<Response, Fault> {
    let sending = Sending {
        action: format!("{}/details", offer.path()),
        held: None,
    };
    sent_to(site, offer, visit, sending, (chosen, form), instead)
}

/// Where a details form is sent, and what is held for it.
pub(super) struct Sending {
    pub(super) action: String,
    pub(super) held: Option<(String, HeldWords)>,
}

pub(super) fn sent_to(
    site: Site<'_>,
    offer: &Offer,
    visit: &Visit,
    sending: Sending,
    ((start, with), form): ((Timestamp, Option<String>), FormWords),
    instead: Option<&Nearest>,
) -> Result<Response, Fault> {
    let staff = whom::with(whom::read(&form.staff));
    let times = format!("{}?day={}{staff}", offer.path(), offer.day(start));
    let (times, held) = match sending.held {
        Some((token, held)) => (format!("{times}&hold={token}"), Some(held)),
        None => (times, None),
    };
    let (zone, language) = (&offer.business.zone, site.language);
    let when = When::of(language, start, offer.end(start), zone);
    let mut response = render(&DetailsPage {
        csrf: visit.form_token(),
        action: sending.action,
        times,
        held,
        business: BusinessWords::of(language, &offer.business),
        service: ServiceWords::of(language, &offer.service),
        with,
        gone: instead.map(|nearest| Gone {
            time: words::day_and_clock(language, &start.to_zoned_datetime(zone.clone())),
            day_is_full: nearest.day_is_full,
        }),
        when,
        form,
        alternatives: instead.map_or_else(Vec::new, |nearest| {
            week::choices(language, nearest.free.iter(), zone)
        }),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

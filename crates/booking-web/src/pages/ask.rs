//! Asking a business about one's data. Whoever asks is answered the same, whether the
//! business knows the address or not: what is kept is shown only behind a link that comes
//! by mail and works once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::Timestamp;
use serde::Deserialize;

use crate::account::network::Network;
use crate::address::Path;
use crate::app::App;
use crate::desk::Business;
use crate::error::{Fault, FieldProblem};
use crate::intake::Problem;
use crate::language::{Text, Wanted};
use crate::limit::Limit;
use crate::pages::{BusinessWords, Site, copy, render, words};
use crate::privacy::request::{self, Confirmed, Kind, SentAsk};
use crate::security::{CheckedForm, Visit};

/// Each one may be a mail.
const ASKS: Limit = Limit {
    name: "privacy-requests",
    most: 10,
    seconds: 3600,
};

#[derive(Template)]
#[template(path = "ask.html")]
pub(super) struct AskPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) sent: SentAsk,
    pub(super) problems: Vec<FieldProblem>,
}

impl AskPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        self.problems
            .iter()
            .find(|problem| problem.field == field)
            .map(|problem| problem.detail.as_str())
    }
}

/// One sentence with a way on; what comes after asking and confirming.
#[derive(Template)]
#[template(path = "told.html")]
pub(super) struct ToldPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: BusinessWords,
    pub(super) title: Text,
    pub(super) lines: Vec<Text>,
}

#[derive(Template)]
#[template(path = "ask_confirm.html")]
pub(super) struct ConfirmPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) token: &'a str,
    pub(super) kind: Kind,
    pub(super) asked: Text,
}

/// The form has a button for each answer.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfirmForm {
    #[serde(default)]
    answer: String,
}

/// Answers `GET /{business}/privacy/request`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let site = Site::of(&app, wanted.at(business.language));
    page(site, &visit, &business, SentAsk::default(), Vec::new())
}

/// Answers `POST /{business}/privacy/request`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<SentAsk>,
) -> Result<Response, Fault> {
    let (sent, visit) = form.open();
    let business = app.business(&slug).await?;
    let site = Site::of(&app, wanted.at(business.language));
    let asked = match request::check(&sent) {
        Ok(asked) => asked,
        Err(problems) => {
            let problems = Problem::all_in_words(problems, site.language);
            let page = page(site, &visit, &business, sent, problems)?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    app.within_network(ASKS, &network).await?;
    app.ask(&business, &asked, site.language).await?;
    Ok(Redirect::to(&format!("/{}/privacy/asked", business.slug)).into_response())
}

/// Answers `GET /{business}/privacy/asked`.
pub(crate) async fn asked(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let site = Site::of(&app, wanted.at(business.language));
    render(&ToldPage {
        business: BusinessWords::of(site.language, &business),
        title: site.text("asked-title"),
        lines: vec![site.text("asked-lede"), site.text("asked-nothing")],
        site,
    })
}

fn page(
    site: Site<'_>,
    visit: &Visit,
    business: &Business,
    sent: SentAsk,
    problems: Vec<FieldProblem>,
) -> Result<Response, Fault> {
    let mut response = render(&AskPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(site.language, business),
        sent,
        problems,
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `GET /{business}/privacy/confirm/{token}`. Changes nothing: mail scanners follow
/// links.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Path((slug, token)): Path<(String, String)>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let kind = app.asked(&business, &token).await?;
    let site = Site::of(&app, wanted.at(business.language));
    let name = &business.name;
    let asked = match kind {
        Kind::Access => site.text("confirm-access").with("business", name),
        Kind::Correction => site.text("confirm-correction").with("business", name),
        Kind::Erasure => site.text("confirm-erasure").with("business", name),
        Kind::Objection => site.text("confirm-objection").with("business", name),
    };
    let mut response = render(&ConfirmPage {
        csrf: visit.form_token(),
        asked,
        business: BusinessWords::of(site.language, &business),
        token: &token,
        kind,
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /{business}/privacy/confirm/{token}`.
pub(crate) async fn confirmed(
    State(app): State<Arc<App>>,
    Path((slug, token)): Path<(String, String)>,
    wanted: Wanted,
    form: CheckedForm<ConfirmForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let business = app.business(&slug).await?;
    let site = Site::of(&app, wanted.at(business.language));
    let now = app.clock.now();
    match app.confirm_request(&business, &token).await? {
        Confirmed::Open(due) => told(site, &business, due),
        Confirmed::Copy(rows) if form.answer == "file" => Ok(file(&copy::json(&rows, now))),
        Confirmed::Copy(rows) => copy::page(site, &business, &rows, now),
        Confirmed::Nothing => render(&ToldPage {
            business: BusinessWords::of(site.language, &business),
            title: site.text("confirmed-none").with("business", &business.name),
            lines: Vec::new(),
            site,
        }),
    }
}

fn told(site: Site<'_>, business: &Business, due: Timestamp) -> Result<Response, Fault> {
    let day = due.to_zoned_datetime(business.zone.clone()).date();
    let day = words::day_name(site.language, day);
    render(&ToldPage {
        business: BusinessWords::of(site.language, business),
        title: site
            .text("confirmed-title")
            .with("business", &business.name),
        lines: vec![site.text("confirmed-lede").with("day", day)],
        site,
    })
}

/// A file that the browser keeps.
pub(super) fn file(json: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
    ];
    (headers, json.to_owned()).into_response()
}

//! A service's week and the free times of one day, to choose from.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::crew::Who;
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};
use crate::language::Wanted;
use crate::pages::week::{self, PartOfDay, TimeChoice, Week};
use crate::pages::{BusinessWords, ServiceWords, Site, render, words};

/// How many of the next free times are shown besides the chosen day's.
const SOONEST_MAX: usize = 3;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    day: Option<String>,
}

#[derive(Template)]
#[template(path = "times.html")]
pub(super) struct TimesPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) path: String,
    pub(super) business: BusinessWords,
    pub(super) service: ServiceWords,
    pub(super) week: Week,
    pub(super) day_name: String,
    /// "on Wednesday 24 March 2027"
    pub(super) day_on: String,
    pub(super) parts: Vec<PartOfDay>,
    pub(super) soonest: Vec<TimeChoice>,
    pub(super) problems: Vec<FieldProblem>,
}

/// Answers `GET /{business}/{service}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Chosen>, QueryRejection>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let Query(chosen) = query?;
    let offer = Offer::find(&app, &business, &service).await?;
    // A day that cannot be read is a day that was not chosen.
    let day = chosen.day.and_then(|day| day.parse().ok());
    let site = Site::of(&app, wanted.at(offer.business.language));
    page(&app, site, &offer, day, Vec::new()).await
}

/// The page of `day`, or of the first day with a free time, with what is wrong.
pub(crate) async fn page(
    app: &App,
    site: Site<'_>,
    offer: &Offer,
    day: Option<Date>,
    problems: Vec<FieldProblem>,
) -> Result<Response, Fault> {
    let (zone, language) = (&offer.business.zone, site.language);
    let openings = app.openings(offer, Who::Anyone).await?;
    let (today, last) = (openings.today, openings.last);
    let soonest = openings.next(SOONEST_MAX).await?;
    let first_free = soonest
        .first()
        .map(|free| free.start.to_zoned_datetime(zone.clone()).date());
    let chosen = day.or(first_free).unwrap_or(today).clamp(today, last);
    let monday = week::monday_of(chosen);
    let free = openings
        .between(monday, monday.saturating_add(6.days()))
        .await?;
    // The page shows the chosen day's times anyway.
    let elsewhere = first_free.is_some_and(|first| first != chosen);
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut response = render(&TimesPage {
        path: offer.path(),
        business: BusinessWords::of(language, &offer.business),
        service: ServiceWords::of(language, &offer.service),
        week: week::week(language, &free, chosen, today..=last, zone),
        day_name: words::day_name(language, chosen),
        day_on: words::day_on(language, chosen),
        parts: week::parts(language, &free, chosen, zone),
        soonest: if elsewhere {
            week::choices(language, soonest.iter(), zone)
        } else {
            Vec::new()
        },
        problems,
        site,
    })?;
    *response.status_mut() = status;
    Ok(response)
}

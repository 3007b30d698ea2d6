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
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};
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
    pub(super) parts: Vec<PartOfDay>,
    pub(super) soonest: Vec<TimeChoice>,
    pub(super) problems: Vec<FieldProblem>,
}

/// Answers `GET /{business}/{service}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Chosen>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(chosen) = query?;
    let offer = Offer::find(&app, &business, &service).await?;
    // A day that cannot be read is a day that was not chosen.
    let day = chosen.day.and_then(|day| day.parse().ok());
    page(&app, &offer, day, Vec::new()).await
}

/// The page of `day`, or of the first day with a free time, with what is wrong.
pub(crate) async fn page(
    app: &App,
    offer: &Offer,
    day: Option<Date>,
    problems: Vec<FieldProblem>,
) -> Result<Response, Fault> {
    let zone = &offer.business.zone;
    let today = app.clock.now().to_zoned_datetime(zone.clone()).date();
    let last = offer.last_day(app.clock.now());
    let soonest = app.next_free(offer, SOONEST_MAX).await?;
    let first_free = soonest
        .first()
        .map(|free| free.start.to_zoned_datetime(zone.clone()).date());
    let chosen = day
        .or(first_free)
        .unwrap_or(today)
        .clamp(today, last.max(today));
    let monday = week::monday_of(chosen);
    let free = app
        .free_times(offer, monday.max(today), monday.saturating_add(6.days()))
        .await?;
    // The page shows the chosen day's times anyway.
    let elsewhere = first_free.is_some_and(|first| first != chosen);
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut response = render(&TimesPage {
        site: Site::of(app),
        path: offer.path(),
        business: BusinessWords::of(&offer.business),
        service: ServiceWords::of(&offer.service),
        week: week::week(&free, chosen, today, last, zone),
        day_name: words::day_name(chosen),
        parts: week::parts(&free, chosen, zone),
        soonest: if elsewhere {
            week::choices(soonest.iter(), zone)
        } else {
            Vec::new()
        },
        problems,
    })?;
    *response.status_mut() = status;
    Ok(response)
}

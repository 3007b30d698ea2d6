//! A calendar month of a service: which days have free times, and the next of them.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::desk::Offer;
use crate::error::Fault;
use crate::intake;
use crate::language::Wanted;
use crate::pages::times::{Further, SOONEST_MAX};
use crate::pages::week::{self, Month, TimeChoice};
use crate::pages::whom::{self, Whom};
use crate::pages::{BusinessWords, ServiceWords, Site, render};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    month: String,
    #[serde(default)]
    staff: String,
}

#[derive(Template)]
#[template(path = "month.html")]
pub(super) struct MonthPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) path: String,
    pub(super) business: BusinessWords,
    pub(super) service: ServiceWords,
    pub(super) month: Month,
    pub(super) soonest: Vec<TimeChoice>,
    pub(super) staff: Whom,
    /// Where to go on looking.
    pub(super) further: Option<Further>,
}

/// Answers `GET /{business}/{service}/month`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Chosen>, QueryRejection>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let Query(chosen) = query?;
    let offer = Offer::find(&app, &business, &service).await?;
    let site = Site::of(&app, wanted.at(offer.business.language));
    let (zone, language) = (&offer.business.zone, site.language);
    let who = whom::read(&chosen.staff);
    let openings = app.openings_or_anyone(&offer, who).await?;
    let open = openings.today..=openings.last;
    // What cannot be read was not chosen.
    let asked = intake::day(&format!("{}-01", chosen.month));
    let first: Date = asked.unwrap_or(openings.today);
    let first = first.clamp(openings.today, openings.last).first_of_month();
    let days = openings.days(first, first.last_of_month()).await?;
    let next = openings.soonest(SOONEST_MAX, asked).await?;
    let month = week::month(language, &days, first, &open, zone);
    let address = format!("{}/month?month={}", offer.path(), month.name);
    render(&MonthPage {
        path: offer.path(),
        business: BusinessWords::of(language, &offer.business),
        service: ServiceWords::of(language, &offer.service),
        staff: Whom::of(language, &address, &openings.everybody, openings.who),
        soonest: week::choices(language, next.free.iter(), zone),
        further: Further::of(language, next.further),
        month,
        site,
    })
}

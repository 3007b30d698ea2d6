//! A business: what it offers, and where it is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BusinessWords, LocationWords, ServiceWords, Site, render};

#[derive(Template)]
#[template(path = "business.html")]
pub(super) struct BusinessPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: BusinessWords,
    pub(super) services: Vec<ServiceWords>,
    pub(super) locations: Vec<LocationWords>,
}

/// Answers `GET /{business}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let services = app.services(&business).await?;
    let locations = app.locations(&business).await?;
    let site = Site::of(&app, wanted.at(business.language));
    let words = |service| ServiceWords::of(site.language, service);
    render(&BusinessPage {
        business: BusinessWords::of(site.language, &business),
        services: services.iter().map(words).collect(),
        locations: locations.iter().map(LocationWords::of).collect(),
        site,
    })
}

//! A business: what it offers, and where it is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
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
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let services = app.services(&business).await?;
    let locations = app.locations(&business).await?;
    render(&BusinessPage {
        site: Site::of(&app),
        business: BusinessWords::of(&business),
        services: services.iter().map(ServiceWords::of).collect(),
        locations: locations.iter().map(LocationWords::of).collect(),
    })
}

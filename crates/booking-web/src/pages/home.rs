//! The first page: the businesses that can be booked.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BusinessWords, Site, render};

#[derive(Template)]
#[template(path = "home.html")]
pub(super) struct HomePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) businesses: Vec<BusinessWords>,
}

/// Answers `GET /`.
pub(crate) async fn get(State(app): State<Arc<App>>, wanted: Wanted) -> Result<Response, Fault> {
    let businesses = app.businesses().await?;
    let site = Site::of(&app, wanted);
    let words = |business| BusinessWords::of(site.language, business);
    render(&HomePage {
        businesses: businesses.iter().map(words).collect(),
        site,
    })
}

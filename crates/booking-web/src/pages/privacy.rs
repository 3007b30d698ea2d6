//! What people are told about their data before they give any.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BusinessWords, Site, render};
use crate::privacy::notice::{self, Item};

#[derive(Template)]
#[template(path = "privacy.html")]
pub(super) struct PrivacyPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: BusinessWords,
    pub(super) version: &'a str,
    pub(super) items: Vec<Item>,
}

/// Answers `GET /{business}/privacy`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let site = Site::of(&app, wanted.at(business.language));
    let notice = app.notice(&business, site.language).await?;
    render(&PrivacyPage {
        business: BusinessWords::of(site.language, &business),
        version: notice::VERSION,
        items: notice.items,
        site,
    })
}

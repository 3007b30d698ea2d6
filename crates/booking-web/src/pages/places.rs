//! The businesses that somebody who is signed in belongs to.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::account::member::SignedIn;
use crate::app::App;
use crate::error::Fault;
use crate::language::{Language, Text, Wanted};
use crate::pages::{Site, render, words};
use crate::security::Visit;
use crate::store::membership::Place;

/// One of the businesses, in words.
pub(super) struct PlaceWords {
    slug: String,
    name: String,
    monogram: String,
    role: Option<Text>,
}

impl PlaceWords {
    fn of(language: Language, place: &Place) -> Self {
        Self {
            slug: place.slug.clone(),
            name: place.name.clone(),
            monogram: words::monogram(&place.name),
            role: booking::Role::parse(&place.role).map(|role| words::role(language, role)),
        }
    }
}

#[derive(Template)]
#[template(path = "places.html")]
pub(super) struct PlacesPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) name: &'a str,
    pub(super) places: Vec<PlaceWords>,
}

/// Answers `GET /desk`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let places = app.accounts.places(signed_in.account.id).await?;
    let language = wanted.language();
    let mut response = render(&PlacesPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        name: &signed_in.account.name,
        places: places
            .iter()
            .map(|place| PlaceWords::of(language, place))
            .collect(),
    })?;
    visit.remember(&mut response);
    Ok(response)
}

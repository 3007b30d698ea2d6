//! News and offers of a business: a question of its own, for whoever holds the secret link
//! of a booking.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{Site, render};
use crate::security::{CheckedForm, Visit};

#[derive(Template)]
#[template(path = "marketing.html")]
pub(super) struct MarketingPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) token: &'a str,
    pub(super) business: String,
    pub(super) agrees: bool,
}

/// The form has a button for each answer.
#[derive(Debug, Deserialize)]
pub(crate) struct MarketingForm {
    #[serde(default)]
    answer: String,
}

/// Answers `GET /b/{token}/marketing`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    let agrees = app.agrees_to_marketing(&booking).await?;
    let mut response = render(&MarketingPage {
        site: Site::of(&app, wanted.about(&booking)),
        csrf: visit.form_token(),
        token: &token,
        business: booking.business,
        agrees,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /b/{token}/marketing`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    form: CheckedForm<MarketingForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let agrees = match form.answer.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Fault::Malformed("the form cannot be read".to_owned())),
    };
    let booking = app.booking(&token).await?;
    let language = wanted.about(&booking).language();
    app.say_to_marketing(&booking, language, agrees).await?;
    Ok(Redirect::to(&format!("/b/{token}/marketing")).into_response())
}

//! Asks before a booking is cancelled, because a link alone must change nothing:
//! mail scanners follow links.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::desk::Cancelled;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BookingWords, Site, render};
use crate::security::{CheckedForm, Visit};

#[derive(Template)]
#[template(path = "cancel.html")]
pub(super) struct CancelPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) token: &'a str,
    pub(super) booking: BookingWords,
}

/// The form has no field of its own; sending it is the decision.
#[derive(Debug, Deserialize)]
pub(crate) struct CancelForm {}

/// Answers `GET /b/{token}/cancel`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    // Its page says why there is nothing to cancel.
    if !booking.can_cancel(app.clock.now()) {
        return Ok(Redirect::to(&format!("/b/{token}")).into_response());
    }
    let site = Site::of(&app, wanted.about(&booking));
    let mut response = render(&CancelPage {
        csrf: visit.form_token(),
        token: &token,
        booking: BookingWords::of(site.language, &booking),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /b/{token}/cancel`. Sent twice, it cancels once.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    _form: CheckedForm<CancelForm>,
) -> Result<Response, Fault> {
    match app.cancel(&token).await? {
        Cancelled::Now | Cancelled::Before => {
            Ok(Redirect::to(&format!("/b/{token}")).into_response())
        }
        Cancelled::TooLate => Err(Fault::Refused("the booking can no longer be cancelled")),
    }
}

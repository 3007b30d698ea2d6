//! Moving a booking to another time: its week and the free times of one day, as when it was
//! made. Choosing one moves it at once; the old time stays where that cannot be done.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::desk::changes::Rescheduled;
use crate::error::Fault;
use crate::intake;
use crate::language::Wanted;
use crate::pages::Site;
use crate::pages::times::{self, Chosen, Shown};
use crate::security::{Visit, VisitorForm};

/// The time that was chosen, and the version of the booking that was looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct MoveForm {
    #[serde(default)]
    start: String,
    #[serde(default)]
    version: Option<i32>,
}

/// Answers `GET /b/{token}/reschedule`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    query: Result<Query<Chosen>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(chosen) = query?;
    let booking = app.booking(&token).await?;
    // Its page says why it cannot be moved.
    if !booking.can_move(app.clock.now()) {
        return Ok(Redirect::to(&format!("/b/{token}")).into_response());
    }
    let offer = app.offer_of(&token).await?;
    let site = Site::of(&app, wanted.about(&booking));
    let day = chosen.day().unwrap_or_else(|| offer.day(booking.start));
    let shown = Shown::moving(&token, &booking).on(day);
    times::page(&app, site, &offer, &visit, shown).await
}

/// Answers `POST /b/{token}/reschedule`. Sent twice, it moves once.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    form: VisitorForm<MoveForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let booking = app.booking(&token).await?;
    let offer = app.offer_of(&token).await?;
    let site = Site::of(&app, wanted.about(&booking));
    let shown = Shown::moving(&token, &booking);
    let start = match intake::start(&form.start) {
        Ok(start) => start,
        Err(problem) => {
            let wrong = vec![problem.in_words(site.language)];
            let shown = shown.on(offer.day(booking.start)).with(wrong);
            return times::page(&app, site, &offer, &visit, shown).await;
        }
    };
    match app.reschedule(&token, start, form.version).await? {
        Rescheduled::There => Ok(Redirect::to(&format!("/b/{token}")).into_response()),
        Rescheduled::Gone(nearest) => {
            let shown = shown.on(offer.day(start)).without(start, nearest);
            times::page(&app, site, &offer, &visit, shown).await
        }
        Rescheduled::TooLate => Err(Fault::Refused("the booking can no longer be moved")),
    }
}

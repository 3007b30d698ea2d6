//! Asks before a booking is cancelled, because a link alone must change nothing:
//! mail scanners follow links.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use booking::Waiver;
use serde::Deserialize;

use crate::address::Path;
use crate::app::App;
use crate::desk::changes::Cancelled;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BookingWords, Site, render, words};
use crate::security::{Visit, VisitorForm};

#[derive(Template)]
#[template(path = "cancel.html")]
pub(super) struct CancelPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) token: &'a str,
    pub(super) booking: BookingWords,
    /// The time for calling it off is over, but for a reason that always counts.
    pub(super) only_with_waiver: bool,
    /// What it costs now; none where it costs nothing.
    pub(super) fee: Option<String>,
    /// "From 09:30 on Wednesday 24 March 2027 it costs R350."
    pub(super) later: Vec<String>,
    /// How many of its series come after it.
    pub(super) rest: usize,
}

/// Sending the form is the decision.
#[derive(Debug, Deserialize)]
pub(crate) struct CancelForm {
    /// Why no fee is asked; mostly nothing.
    #[serde(default)]
    waiver: String,
    /// Whether those of its series that come after it go, too.
    #[serde(default)]
    rest: String,
}

/// The reason of that name.
pub(crate) fn waiver(name: &str) -> Option<Waiver> {
    (name == "hospital-or-bereavement").then_some(Waiver::HospitalOrBereavement)
}

/// Answers `GET /b/{token}/cancel`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    // Its page says why there is nothing to cancel.
    let now = app.clock.now();
    let only_with_waiver = booking.only_with_waiver(now);
    if !booking.can_cancel(now) && !only_with_waiver {
        return Ok(Redirect::to(&format!("/b/{token}")).into_response());
    }
    let site = Site::of(&app, wanted.about(&booking));
    let language = site.language;
    let price = |cents| words::price(language, cents, &booking.currency);
    let later = booking.fees_ahead(now).into_iter().map(|(from, cents)| {
        let from = words::moment(language, &from.to_zoned_datetime(booking.zone.clone()));
        language
            .text("cancel-costs-later")
            .with("moment", from)
            .with("fee", price(cents))
            .to_string()
    });
    let mut response = render(&CancelPage {
        fee: booking.fee(now).filter(|cents| *cents > 0).map(price),
        later: later.collect(),
        only_with_waiver,
        rest: app.rest_of_series(&booking).await?.len(),
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
    form: VisitorForm<CancelForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let waiver = waiver(&form.waiver);
    let cancelled = if form.rest == "yes" {
        app.end_series(&token, waiver).await?
    } else {
        app.cancel(&token, waiver, None).await?
    };
    match cancelled {
        Cancelled::Now | Cancelled::Before => {
            Ok(Redirect::to(&format!("/b/{token}")).into_response())
        }
        Cancelled::TooLate => Err(Fault::Refused("the booking can no longer be cancelled")),
    }
}

//! One booking, for whoever holds its secret link.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::address::Path;
use crate::app::App;
use crate::calendar::{self, Method};
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BookingWords, Site, render, words};

#[derive(Template)]
#[template(path = "booking.html")]
pub(super) struct BookingPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) token: &'a str,
    pub(super) heading: String,
    /// Until when it can be cancelled here; none where that is past.
    pub(super) cancel_until: Option<String>,
    /// What calling it off has cost.
    pub(super) fee: Option<String>,
    pub(super) booking: BookingWords,
}

/// Answers `GET /b/{token}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    if booking.is_open() {
        return Ok(Redirect::to(&format!("/b/{token}/details")).into_response());
    }
    let site = Site::of(&app, wanted.about(&booking));
    let language = site.language;
    let cancel_until = booking
        .can_cancel(app.clock.now())
        .then(|| {
            booking
                .cancel_until()
                .to_zoned_datetime(booking.zone.clone())
        })
        .map(|until| words::moment(language, &until));
    let charged = booking.fee_cents.filter(|cents| *cents > 0);
    let fee = charged.map(|cents| words::price(language, cents, &booking.currency));
    let booking = BookingWords::of(language, &booking);
    let heading = if booking.is_cancelled {
        site.text("cancelled-title")
    } else {
        site.text("booked-title")
    };
    render(&BookingPage {
        site,
        token: &token,
        heading: heading.to_string(),
        cancel_until,
        fee,
        booking,
    })
}

/// Answers `GET /b/{token}/calendar.ics`.
pub(crate) async fn calendar(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    if booking.is_cancelled() || booking.is_open() {
        return Err(Fault::NotFound);
    }
    let words = BookingWords::of(wanted.about(&booking).language(), &booking);
    let file = calendar::file(&calendar::Entry {
        method: Method::Publish,
        uid: &booking.id.to_string(),
        sequence: booking.version,
        made: booking.created_at,
        start: booking.start,
        end: booking.end,
        summary: &format!("{}, {}", words.service, words.business),
        place: words.place.as_deref().unwrap_or(&words.business),
        description: &format!(
            "{}, {} ({})",
            words.when.day, words.when.hours, words.zone_name
        ),
    });
    let headers = [
        (CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"booking.ics\""),
    ];
    Ok((headers, file).into_response())
}

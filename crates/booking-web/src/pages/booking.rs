//! One booking, for whoever holds its secret link.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::pages::{BookingWords, Site, calendar, render, words};

#[derive(Template)]
#[template(path = "booking.html")]
pub(super) struct BookingPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) token: &'a str,
    pub(super) heading: &'static str,
    /// Until when it can be cancelled here; none where that is past.
    pub(super) cancel_until: Option<String>,
    pub(super) booking: BookingWords,
}

/// Answers `GET /b/{token}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    let cancel_until = booking.can_cancel(app.clock.now()).then(|| {
        words::moment(
            &booking
                .cancel_until()
                .to_zoned_datetime(booking.zone.clone()),
        )
    });
    let booking = BookingWords::of(&booking);
    render(&BookingPage {
        site: Site::of(&app),
        token: &token,
        heading: if booking.is_cancelled {
            "Your booking is cancelled"
        } else {
            "You are booked"
        },
        cancel_until,
        booking,
    })
}

/// Answers `GET /b/{token}/calendar.ics`.
pub(crate) async fn calendar(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    if booking.is_cancelled() {
        return Err(Fault::NotFound);
    }
    let words = BookingWords::of(&booking);
    let file = calendar::file(&calendar::Entry {
        uid: &booking.id.to_string(),
        made: booking.created_at,
        start: booking.start,
        end: booking.end,
        summary: &format!("{}, {}", words.service, words.business),
        place: words.place.as_deref().unwrap_or(&words.business),
    });
    let headers = [
        (CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"booking.ics\""),
    ];
    Ok((headers, file).into_response())
}

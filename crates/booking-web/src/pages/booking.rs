//! One booking, for whoever holds its secret link.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::Timestamp;

use crate::address::Path;
use crate::app::App;
use crate::calendar::{self, Method};
use crate::desk::Booking;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BookingWords, Site, render, words};

/// What there is to say about a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Somebody is expected, or there.
    Ahead,
    /// The visit is over, or nobody came.
    Over,
    Cancelled,
}

impl Stage {
    fn of(booking: &Booking, now: Timestamp) -> Self {
        match booking.state {
            state if state.is_cancelled() => Self::Cancelled,
            booking::State::Completed | booking::State::NoShow => Self::Over,
            _ if booking.end <= now => Self::Over,
            _ => Self::Ahead,
        }
    }
}

#[derive(Template)]
#[template(path = "booking.html")]
pub(super) struct BookingPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) token: &'a str,
    pub(super) stage: Stage,
    /// Until when it can be cancelled here; none where that is past.
    pub(super) cancel_until: Option<String>,
    /// Whether it can be moved; where calling it off costs, it cannot.
    pub(super) can_move: bool,
    /// Past the time for cancelling, for a reason that always counts.
    pub(super) only_with_waiver: bool,
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
    let now = app.clock.now();
    let cancel_until = booking
        .can_cancel(now)
        .then(|| {
            booking
                .cancel_until()
                .to_zoned_datetime(booking.zone.clone())
        })
        .map(|until| words::moment(language, &until));
    let charged = booking.fee_cents.filter(|cents| *cents > 0);
    let fee = charged.map(|cents| words::price(language, cents, &booking.currency));
    let stage = Stage::of(&booking, now);
    let (can_move, only_with_waiver) = (booking.can_move(now), booking.only_with_waiver(now));
    let booking = BookingWords::of(language, &booking);
    render(&BookingPage {
        site,
        token: &token,
        stage,
        cancel_until,
        can_move,
        only_with_waiver,
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

//! Making, reading and cancelling a booking, for programs. Each POST carries an
//! `Idempotency-Key`: sent again with the same body it gets the same answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::address::Path;
use crate::api::local;
use crate::app::App;
use crate::desk::Offer;
use crate::desk::{Booked, Booking, Cancelled};
use crate::error::{Alternative, Fault, FieldProblem};
use crate::intake::{self, Problem, Sent};
use crate::language::Language;

const KEY_CHARS_MAX: usize = 128;

/// What is sent to make a booking.
#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    service: String,
    #[serde(flatten)]
    sent: Sent,
}

/// A booking as programs see it.
#[derive(Debug, Serialize)]
struct BookingEntry {
    id: String,
    token: String,
    state: String,
    business: String,
    service: String,
    start: String,
    end: String,
    local_start: String,
    time_zone: String,
    links: Links,
}

#[derive(Debug, Serialize)]
struct Links {
    page: String,
    cancel: String,
}

/// Answers `POST /api/v1/businesses/{business}/bookings`.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Path(business): Path<String>,
    headers: HeaderMap,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Response, Fault> {
    let key = idempotency_key(&headers)?;
    let Json(wish) = wish?;
    let checked = check(&wish)?;
    let offer = Offer::find(&app, &business, &wish.service).await?;
    match app.book(&offer, &checked, None, &key).await? {
        Booked::Made(made) => {
            let booking = app.booking(&made.token).await?;
            let location = format!("/api/v1/bookings/{}", made.token);
            let entry = Json(entry(&booking, &made.token));
            Ok((StatusCode::CREATED, [(LOCATION, location)], entry).into_response())
        }
        Booked::Gone(nearest) => Err(Fault::SlotTaken(
            nearest
                .iter()
                .map(|free| Alternative {
                    start: free.start.to_string(),
                    local_start: local(free.start, &offer.business.zone),
                })
                .collect(),
        )),
        Booked::KeyReused => Err(Fault::KeyReused),
    }
}

/// Answers `GET /api/v1/bookings/{token}`.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Response, Fault> {
    let booking = app.booking(&token).await?;
    Ok(Json(entry(&booking, &token)).into_response())
}

/// Answers `POST /api/v1/bookings/{token}/cancel`. Cancelling is the same however
/// often it is asked for, so the key is required for the rule's sake and not kept.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    idempotency_key(&headers)?;
    match app.cancel(&token).await? {
        Cancelled::Now | Cancelled::Before => {
            let booking = app.booking(&token).await?;
            Ok(Json(entry(&booking, &token)).into_response())
        }
        Cancelled::TooLate => Err(Fault::Refused("the booking can no longer be cancelled")),
    }
}

fn check(wish: &Wish) -> Result<intake::Checked, Fault> {
    let mut problems = Vec::new();
    if wish.service.trim().is_empty() {
        problems.push(FieldProblem {
            field: "service",
            detail: "Name the service by its slug".to_owned(),
        });
    }
    match intake::check(&wish.sent) {
        Ok(checked) if problems.is_empty() => Ok(checked),
        Ok(_) => Err(Fault::Fields(problems)),
        Err(more) => {
            problems.extend(Problem::all_in_words(more, Language::English));
            Err(Fault::Fields(problems))
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Fault> {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .map(|key| key.trim().trim_matches('"'))
        .filter(|key| !key.is_empty() && key.len() <= KEY_CHARS_MAX);
    key.map(str::to_owned).ok_or_else(|| {
        Fault::Malformed(format!(
            "the header Idempotency-Key is required, with 1 to {KEY_CHARS_MAX} characters"
        ))
    })
}

fn entry(booking: &Booking, token: &str) -> BookingEntry {
    BookingEntry {
        id: booking.id.to_string(),
        token: token.to_owned(),
        state: booking.state.as_str().to_owned(),
        business: booking.business_slug.clone(),
        service: booking.service_slug.clone(),
        start: booking.start.to_string(),
        end: booking.end.to_string(),
        local_start: local(booking.start, &booking.zone),
        time_zone: booking.zone_id.clone(),
        links: Links {
            page: format!("/b/{token}"),
            cancel: format!("/api/v1/bookings/{token}/cancel"),
        },
    }
}

//! Moving a booking to another time, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::address::Path;
use crate::api::bookings::{BookingEntry, KEY_WORDS, alternatives, entry, idempotency_key};
use crate::api::object::Object;
use crate::api::whole;
use crate::app::App;
use crate::desk::changes::Rescheduled;
use crate::error::Fault;
use crate::intake;
use crate::language::Language;

/// What is sent to move a booking.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RescheduleWish)]
pub(crate) struct Wanted {
    /// The new time.
    #[serde(default)]
    #[schema(required = true, format = DateTime)]
    start: String,
    /// The version that was looked at; another one is a conflict.
    #[serde(default, deserialize_with = "whole::number")]
    version: Option<i64>,
}

/// Answers `POST /api/v1/bookings/{token}/reschedule`. Being there is the same however often
/// it is asked for, so the key is required for the rule's sake and not kept.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{token}/reschedule",
    tag = "Booking",
    summary = "Move a booking to another time",
    description = "Where the new time is gone the old one stays. Asked for again, it is answered alike.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    request_body = Wanted,
    responses((status = 200, description = "The booking as it is now", body = BookingEntry))
)]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    wanted: Result<Json<Object<Wanted>>, JsonRejection>,
) -> Result<Response, Fault> {
    idempotency_key(&headers)?;
    let Json(Object(wanted)) = wanted?;
    let start = intake::start(&wanted.start)
        .map_err(|problem| Fault::Fields(vec![problem.in_words(Language::English)]))?;
    // No booking has a version that is not counted.
    let counted = |version| i32::try_from(version).unwrap_or(i32::MIN);
    let version = wanted.version.map(counted);
    match app.reschedule(&token, start, version).await? {
        Rescheduled::There => {
            let booking = app.booking(&token).await?;
            Ok(Json(entry(&booking, &token, app.clock.now())).into_response())
        }
        Rescheduled::Gone(nearest) => {
            let booking = app.booking(&token).await?;
            Err(alternatives(&nearest, &booking.zone))
        }
        Rescheduled::TooLate => Err(Fault::Refused("the booking can no longer be moved")),
    }
}

//! Making, reading and cancelling a booking, for programs. Each POST carries an
//! `Idempotency-Key`: sent again with the same body it gets the same answer.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use booking::Waiver;
use http::header::{IF_MATCH, LOCATION};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::network::Network;
use crate::address::Path;
use crate::api::local;
use crate::api::object::Object;
use crate::app::App;
use crate::desk::Offer;
use crate::desk::changes::Cancelled;
use crate::desk::{Booked, Booking};
use crate::error::{Alternative, Fault, FieldProblem};
use crate::etag::Tag;
use crate::intake::{self, Problem, Sent};
use crate::language::Language;
use crate::limit::BOOKINGS;
use crate::openings::Nearest;
use crate::pages::cancel;
use crate::pages::week::Free;

const KEY_CHARS_MAX: usize = 128;
pub(super) const KEY_WORDS: &str =
    "Names the request, so that it can be sent again: 1 to 128 characters, in quotes or not";
/// What such a key looks like, for the description.
pub(super) const KEY_PATTERN: &str = r#"^("[ !#-~]{1,128}"|[!#-~]([ !#-~]{0,126}[!#-~])?)$"#;

/// What is sent to make a booking.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Wish {
    /// The slug of the service.
    #[serde(default)]
    #[schema(required = true)]
    service: String,
    /// The token of a hold that is confirmed; then service and start are known.
    #[serde(default)]
    hold: Option<String>,
    #[serde(flatten)]
    sent: Sent,
}

/// What may be sent to cancel a booking.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Reason {
    /// `hospital-or-bereavement`: then no fee is asked.
    #[serde(default)]
    waiver: String,
}

/// A booking as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BookingEntry {
    #[schema(format = "uuid")]
    id: String,
    /// The secret part of its address: whoever knows it may see and cancel the booking.
    token: String,
    /// `confirmed`, or for example `cancelled_by_customer`; new states may be added.
    state: String,
    business: String,
    service: String,
    /// The instant it begins, in UTC.
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
    /// The wall time at the business.
    #[schema(format = DateTime)]
    local_start: String,
    time_zone: String,
    /// Rises with each change.
    version: i32,
    /// What calling it off would cost now, or has cost; none where it cannot be done here.
    cancellation_fee_cents: Option<i64>,
    /// Until when the time is held, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    held_until: Option<String>,
    links: Links,
}

/// Where it goes on from here.
#[derive(Debug, Serialize, ToSchema)]
struct Links {
    page: String,
    cancel: String,
    reschedule: String,
}

/// Answers `POST /api/v1/businesses/{business}/bookings`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/bookings",
    tag = "Booking",
    summary = "Book a time",
    description = "Sent again with the same key and body, it gets the same answer and books once.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    request_body = Wish,
    responses((status = 201, description = "The booking", body = BookingEntry,
        headers(("location" = String, description = "Its address"))))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Path(business): Path<String>,
    network: Network,
    headers: HeaderMap,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Response, Fault> {
    let key = idempotency_key(&headers)?;
    let Json(wish) = wish?;
    app.within_network(BOOKINGS, &network).await?;
    if let Some(hold) = wish.hold.as_deref().filter(|hold| !hold.is_empty()) {
        return confirm(&app, hold, wish.sent, &key).await;
    }
    let checked = check(&wish)?;
    let (offer, transaction) = Offer::begin(&app, &business, &wish.service).await?;
    let booked = app.book((&offer, transaction), &checked, (None, None), &key);
    let booked = booked.await?;
    answer(&app, booked, &offer.business.zone)
}

/// Confirms what is held. Its business is that of the hold, whatever the address says.
async fn confirm(app: &App, hold: &str, sent: Sent, key: &str) -> Result<Response, Fault> {
    let held = app.booking(hold).await?;
    let sent = Sent {
        start: held.start.to_string(),
        ..sent
    };
    let checked = intake::check(&sent)
        .map_err(|problems| Fault::Fields(Problem::all_in_words(problems, Language::English)))?;
    let booked = app.confirm(hold, &checked, None, Some(key)).await?;
    answer(app, booked, &held.zone)
}

fn answer(app: &App, booked: Booked, zone: &TimeZone) -> Result<Response, Fault> {
    match booked {
        Booked::Made(made) => {
            let location = format!("/api/v1/bookings/{}", made.token);
            let entry = Json(entry(&made.booking, &made.token, app.clock.now()));
            Ok((StatusCode::CREATED, [(LOCATION, location)], entry).into_response())
        }
        Booked::Gone(nearest) => Err(alternatives(&nearest, zone)),
        Booked::KeyReused => Err(Fault::KeyReused),
    }
}

/// That a time is gone, with the nearest free ones.
pub(super) fn alternatives(nearest: &Nearest, zone: &TimeZone) -> Fault {
    let alternative = |free: &Free| Alternative {
        start: free.start.to_string(),
        local_start: local(free.start, zone),
    };
    let times = nearest.free.iter().map(alternative).collect();
    if nearest.day_is_full {
        Fault::DayFull(times)
    } else {
        Fault::SlotTaken(times)
    }
}

/// Answers `GET /api/v1/bookings/{token}`.
#[utoipa::path(
    get,
    path = "/api/v1/bookings/{token}",
    tag = "Booking",
    summary = "A booking, for whoever knows its secret address",
    params(("if-none-match" = Option<String>, Header, description = "An `ETag` that is known")),
    responses(
        (status = 200, description = "The booking", body = BookingEntry,
            headers(("etag" = String, description = "Stands for its state"))),
        (status = 304, description = "It is as it was"),
    )
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (tag, entry) = tagged(&app.booking(&token).await?, &token, app.clock.now())?;
    if tag.is_known(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, [tag.header()]).into_response());
    }
    Ok(([tag.header()], Json(entry)).into_response())
}

/// A booking as programs see it, with what stands for its state.
fn tagged(
    booking: &Booking,
    token: &str,
    now: Timestamp,
) -> Result<(Tag, serde_json::Value), Fault> {
    let entry = serde_json::to_value(entry(booking, token, now))
        .map_err(|error| Fault::Broken(anyhow::Error::new(error).context("writing a booking")))?;
    Ok((Tag::of(entry.to_string().as_bytes()), entry))
}

/// Answers `POST /api/v1/bookings/{token}/cancel`. Cancelling is the same however
/// often it is asked for, so the key is required for the rule's sake and not kept.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{token}/cancel",
    tag = "Booking",
    summary = "Cancel a booking",
    description = "Cancelling again changes nothing and is answered alike.",
    params(
        ("idempotency-key" = String, Header, description = KEY_WORDS),
        ("if-match" = Option<String>, Header,
            description = "The `ETag` that was seen; another one is refused with 412"),
    ),
    request_body(content = Option<Reason>),
    responses((status = 200, description = "The booking as it is now", body = BookingEntry))
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    idempotency_key(&headers)?;
    let reason = reason(&body)?;
    let booking = app.booking(&token).await?;
    let (tag, _) = tagged(&booking, &token, app.clock.now())?;
    tag.must_be_seen(&headers)?;
    // Between this look and the change somebody else may be faster.
    let seen = headers.contains_key(IF_MATCH).then_some(booking.version);
    match app.cancel(&token, reason, seen).await? {
        Cancelled::Now | Cancelled::Before => {
            let booking = app.booking(&token).await?;
            Ok(Json(entry(&booking, &token, app.clock.now())).into_response())
        }
        Cancelled::TooLate => Err(Fault::Refused("the booking can no longer be cancelled")),
    }
}

/// Why no fee is asked. The body may be left out.
fn reason(body: &[u8]) -> Result<Option<Waiver>, Fault> {
    if body.is_empty() {
        return Ok(None);
    }
    let reason: Option<Object<Reason>> = serde_json::from_slice(body)
        .map_err(|_| Fault::Malformed("the body cannot be read as JSON".to_owned()))?;
    Ok(reason.and_then(|Object(reason)| cancel::waiver(&reason.waiver)))
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

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, Fault> {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .map(|key| {
            let quoted = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
            quoted.unwrap_or(key)
        })
        .filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()))
        .filter(|key| key.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"'));
    key.map(str::to_owned).ok_or_else(|| {
        Fault::Malformed(format!(
            "the header Idempotency-Key is required, with 1 to {KEY_CHARS_MAX} characters of ASCII"
        ))
    })
}

pub(super) fn entry(booking: &Booking, token: &str, now: Timestamp) -> BookingEntry {
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
        version: booking.version,
        cancellation_fee_cents: booking.fee_cents.or_else(|| booking.fee(now)),
        held_until: booking
            .hold_until
            .filter(|_| booking.state == booking::State::Held)
            .map(|until| until.to_string()),
        links: Links {
            page: format!("/b/{token}"),
            cancel: format!("/api/v1/bookings/{token}/cancel"),
            reschedule: format!("/api/v1/bookings/{token}/reschedule"),
        },
    }
}

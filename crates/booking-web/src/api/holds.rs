//! Holding a time while a person says who they are, for programs. The hold is confirmed by
//! making a booking with its token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::account::network::Network;
use crate::address::Path;
use crate::api::bookings::{BookingEntry, KEY_WORDS, alternatives, entry, idempotency_key};
use crate::api::object::Object;
use crate::app::App;
use crate::appointments::Choice;
use crate::desk::Offer;
use crate::desk::holds::Chosen;
use crate::error::Fault;
use crate::intake;
use crate::language::Language;
use crate::limit::BOOKINGS;
use crate::origin::Origin;
use crate::store::hold::Holder;

/// What is sent to hold a time.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = HoldWish)]
pub(crate) struct Wanted {
    /// The slug of the service.
    #[serde(default)]
    #[schema(required = true)]
    service: String,
    /// One of the free times.
    #[serde(default)]
    #[schema(required = true, format = DateTime)]
    start: String,
    /// The id of one member of staff; whoever has time where it is left out.
    #[serde(default)]
    staff: String,
    /// The token of a hold that this one takes the place of.
    #[serde(default)]
    instead_of: Option<String>,
}

/// Answers `POST /api/v1/businesses/{business}/holds`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/holds",
    tag = "Booking",
    summary = "Hold a time for ten minutes",
    description = "Book with its token to confirm it, or cancel it to let it go.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    request_body = Wanted,
    responses((status = 201, description = "What is held", body = BookingEntry,
        headers(("location" = String, description = "Its address"))))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Path(business): Path<String>,
    Origin(origin): Origin,
    network: Network,
    headers: HeaderMap,
    wanted: Result<Json<Object<Wanted>>, JsonRejection>,
) -> Result<Response, Fault> {
    let key = idempotency_key(&headers)?;
    let Json(Object(wanted)) = wanted?;
    app.within_network(BOOKINGS, &network).await?;
    let start = intake::start(&wanted.start)
        .map_err(|problem| Fault::Fields(vec![problem.in_words(Language::English)]))?;
    let offer = Offer::find(&app, &business, &wanted.service).await?;
    let holder = Holder {
        visit: None,
        origin,
    };
    let choice = Choice {
        start,
        who: intake::who(&wanted.staff),
        holder,
        instead_of: wanted.instead_of.as_deref(),
        key: Some(&key),
    };
    match app.hold(&offer, choice).await? {
        Chosen::Held(token) => {
            let booking = app.booking(&token).await?;
            let location = format!("/api/v1/bookings/{token}");
            let entry = Json(entry(&booking, &token, app.clock.now()));
            Ok((StatusCode::CREATED, [(LOCATION, location)], entry).into_response())
        }
        Chosen::Gone(nearest) => Err(alternatives(&nearest, &offer.business.zone)),
        Chosen::TooMany => Err(Fault::HeldEnough),
        Chosen::KeyReused => Err(Fault::KeyReused),
    }
}

/// Answers `POST /api/v1/bookings/{token}/extend`. Asked for twice, it is extended once.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{token}/extend",
    tag = "Booking",
    summary = "Hold a time for ten minutes more, once",
    description = "Asked for again, it changes nothing and is answered alike.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    responses((status = 200, description = "What is held", body = BookingEntry))
)]
pub(crate) async fn extend(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    idempotency_key(&headers)?;
    app.extend(&token).await?;
    let booking = app.booking(&token).await?;
    Ok(Json(entry(&booking, &token, app.clock.now())).into_response())
}

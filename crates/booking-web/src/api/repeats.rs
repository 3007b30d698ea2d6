//! Visits that repeat, for the programs of their business: a series is read, and what is left
//! of it called off, all of it or nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::address::Path;
use crate::api::bookings::{KEY_WORDS, idempotency_key};
use crate::api::diary::{self, DiaryEntry};
use crate::app::App;
use crate::appointments::{By, Ending};
use crate::error::Fault;
use crate::key::{Program, Scope};
use crate::store;
use crate::store::diary::Wanted;

/// So many are told of, the first ones first; a series that was gone on with for years may have
/// more.
const VISITS_MAX: i64 = 500;

/// Visits that repeat, each a booking of its own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Repeats {
    #[schema(format = "uuid")]
    id: String,
    /// The recurrence rule, as in RFC 5545.
    rule: String,
    /// The wall time of the first visit, without an offset.
    local_start: String,
    time_zone: String,
    /// By their start, also those that were called off.
    bookings: Vec<DiaryEntry>,
}

/// Answers `GET /api/v1/businesses/{business}/series/{id}`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/series/{id}",
    tag = "Business",
    summary = "Visits that repeat",
    responses((status = 200, description = "The series with its bookings", body = Repeats)),
    security(("key" = ["read:bookings"]))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Json<Repeats>, Fault> {
    program.must(Scope::ReadBookings)?;
    Ok(Json(app.repeats(&program, id).await?))
}

/// Answers `POST /api/v1/businesses/{business}/series/{id}/cancel`. The same however often it
/// is asked for, so the key is required for the rule's sake and not kept.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/series/{id}/cancel",
    tag = "Business",
    summary = "Call off what is left of a series",
    description = "All visits that are to come, or none where one cannot be called off; the \
        customer is told in one mail. Calling off again changes nothing.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    responses((status = 200, description = "The series as it is now", body = Repeats)),
    security(("key" = ["write:bookings"]))
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<Repeats>, Fault> {
    program.must(Scope::WriteBookings)?;
    idempotency_key(&headers)?;
    let (business, by, now) = (program.business.id, By::Staff(program.id), app.clock.now());
    match app
        .appointments
        .end_series_of(business, id, by, now)
        .await?
    {
        Ending::Done(count) => app.metrics.cancellations.inc_by(count),
        Ending::TooLate => {
            return Err(Fault::Refused("a visit can no longer be called off"));
        }
        Ending::Changed => return Err(Fault::Changed),
        Ending::Unknown => return Err(Fault::NotFound),
    };
    Ok(Json(app.repeats(&program, id).await?))
}

impl App {
    async fn repeats(&self, program: &Program, id: Uuid) -> Result<Repeats, Fault> {
        let business = program.business.id;
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let series = store::series::by_id(&mut transaction, id).await?;
        transaction.rollback().await?;
        let series = series.ok_or(Fault::NotFound)?;
        let wanted = Wanted {
            series: Some(id),
            limit: VISITS_MAX,
            ..Wanted::default()
        };
        let entries = self.diary(program, &wanted).await?;
        let bookings = entries.iter().map(|entry| diary::shown(entry, program));
        Ok(Repeats {
            id: series.id.to_string(),
            rule: series.rule,
            local_start: series.local_start,
            time_zone: series.zone,
            bookings: bookings.collect(),
        })
    }
}

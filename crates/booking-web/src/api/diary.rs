//! The bookings of a business, for its own programs: listed, read, called off.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::address::Path;
use crate::api::bookings::idempotency_key;
use crate::api::{local, page};
use crate::app::App;
use crate::appointments::{By, CallingOff};
use crate::desk::Business;
use crate::error::{Fault, FieldProblem};
use crate::etag::Tag;
use crate::intake;
use crate::key::{Program, Scope};
use crate::store::diary::{self, Entry, Wanted};
use crate::store::privacy::Viewer;
use crate::store::{self, instant};

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// The first day, at the business.
    #[serde(default)]
    #[param(example = "2027-03-24", format = Date)]
    from: Option<String>,
    /// The last day, at the business.
    #[serde(default)]
    #[param(example = "2027-03-31", format = Date)]
    until: Option<String>,
    /// Only those in this state, such as `confirmed`.
    #[serde(default)]
    state: Option<String>,
    /// Only those with this person, by id.
    #[serde(default)]
    #[param(format = "uuid")]
    staff: Option<String>,
    /// How many rows, from 1 to 100; 50 where it is left out.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Bookings by their start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bookings {
    bookings: Vec<DiaryEntry>,
    /// The `cursor` of the following page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A booking as its business sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiaryEntry {
    #[schema(format = "uuid")]
    id: String,
    /// New states may be added.
    state: String,
    /// Grows with every change; `ETag` is made of it.
    version: i32,
    /// The slug of the service.
    service: String,
    staff: Person,
    /// Only where the key allows `read:customers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Contact>,
    /// The instant it begins, in UTC.
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
    /// The wall time at the business.
    #[schema(format = DateTime)]
    local_start: String,
    price_cents: i64,
    currency: String,
    /// The series that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    series: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Somebody of the staff.
#[derive(Debug, Serialize, ToSchema)]
struct Person {
    #[schema(format = "uuid")]
    id: String,
    name: String,
}

/// A customer with what they gave for this booking.
#[derive(Debug, Serialize, ToSchema)]
struct Contact {
    #[schema(format = "uuid")]
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

/// Answers `GET /api/v1/businesses/{business}/bookings`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/bookings",
    tag = "Business",
    summary = "The bookings of a business",
    description = "By their start; what was only held is left out.",
    params(Question),
    responses((status = 200, description = "One page of bookings", body = Bookings)),
    security(("key" = ["read:bookings"]))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    program: Program,
    query: Result<Query<Question>, QueryRejection>,
) -> Result<Json<Bookings>, Fault> {
    program.must(Scope::ReadBookings)?;
    let Query(question) = query?;
    let wanted = read_question(&question, &program.business)?;
    let mut entries = app.diary(&program, &wanted).await?;
    let is_more = entries.len() > usize::try_from(wanted.limit - 1).unwrap_or_default();
    if is_more {
        entries.pop();
    }
    let last = entries.last().filter(|_| is_more);
    Ok(Json(Bookings {
        next: last.map(|last| page::cursor(instant(last.starts_at), last.id)),
        bookings: entries.iter().map(|entry| shown(entry, &program)).collect(),
    }))
}

/// Answers `GET /api/v1/businesses/{business}/bookings/{id}`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/bookings/{id}",
    tag = "Business",
    summary = "A booking of a business",
    params(("if-none-match" = Option<String>, Header, description = "An `ETag` that is known")),
    responses(
        (status = 200, description = "The booking", body = DiaryEntry,
            headers(("etag" = String, description = "Its version"))),
        (status = 304, description = "It is as it was"),
    ),
    security(("key" = ["read:bookings"]))
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    program.must(Scope::ReadBookings)?;
    let entry = app.diary_entry(&program, id).await?;
    let tag = Tag::of_version(entry.version);
    if tag.is_known(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, [tag.header()]).into_response());
    }
    Ok(([tag.header()], Json(shown(&entry, &program))).into_response())
}

/// Answers `POST /api/v1/businesses/{business}/bookings/{id}/cancel`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/bookings/{id}/cancel",
    tag = "Business",
    summary = "Call a booking off",
    description = "For the business; the customer is told. Calling off again changes nothing.",
    params(
        ("idempotency-key" = String, Header, description = "Names the request"),
        ("if-match" = Option<String>, Header,
            description = "The `ETag` that was seen; another one is refused with 412"),
    ),
    responses((status = 200, description = "The booking as it is now", body = DiaryEntry)),
    security(("key" = ["write:bookings"]))
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    program.must(Scope::WriteBookings)?;
    idempotency_key(&headers)?;
    let is_as_seen = |version| Tag::of_version(version).must_be_seen(&headers).is_ok();
    let by = By::Staff(program.id);
    let (business, now) = (&program.business, app.clock.now());
    let outcome = app
        .appointments
        .call_off(business.id, id, is_as_seen, by, now);
    match outcome.await? {
        CallingOff::Now => app.metrics.cancellations.inc(),
        CallingOff::Before => 0,
        CallingOff::TooLate => {
            return Err(Fault::Refused("the booking can no longer be called off"));
        }
        CallingOff::Changed => return Err(Fault::Changed),
        CallingOff::Unknown => return Err(Fault::NotFound),
    };
    let entry = app.diary_entry(&program, id).await?;
    let tag = Tag::of_version(entry.version);
    Ok(([tag.header()], Json(shown(&entry, &program))).into_response())
}

impl App {
    /// The bookings that a program asks for.
    pub(super) async fn diary(
        &self,
        program: &Program,
        wanted: &Wanted,
    ) -> Result<Vec<Entry>, Fault> {
        let business = program.business.id;
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let entries = diary::bookings(&mut transaction, wanted).await?;
        if program.may(Scope::ReadCustomers) {
            let shown: Vec<_> = entries.iter().filter_map(|e| e.customer_id).collect();
            let viewer = Viewer::Program(program.id);
            self.shown_to(&mut transaction, business, viewer, &shown)
                .await?;
        }
        transaction.commit().await?;
        Ok(entries)
    }

    async fn diary_entry(&self, program: &Program, id: Uuid) -> Result<Entry, Fault> {
        let wanted = Wanted {
            id: Some(id),
            limit: 1,
            ..Wanted::default()
        };
        self.diary(program, &wanted)
            .await?
            .pop()
            .ok_or(Fault::NotFound)
    }
}

/// One row more than a page has, to tell whether another page follows.
fn read_question(question: &Question, business: &Business) -> Result<Wanted, Fault> {
    let mut problems = Vec::new();
    let keep = &mut problems;
    let midnight = |day: Date| business.zone.to_timestamp(day.at(0, 0, 0, 0)).ok();
    let from = page::kept(day("from", question.from.as_deref()), keep);
    let until = page::kept(day("until", question.until.as_deref()), keep);
    let wanted = Wanted {
        id: None,
        from: from.and_then(midnight),
        until: until.and_then(|day| midnight(day.saturating_add(1.day()))),
        state: page::kept(state(question.state.as_deref()), keep),
        staff: page::kept(staff(question.staff.as_deref()), keep),
        series: None,
        behind: page::kept(page::behind(question.cursor.as_deref()), keep),
        limit: page::kept(page::limit(question.limit.as_deref()), keep) + 1,
    };
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(Fault::Fields(problems))
    }
}

fn day(field: &'static str, text: Option<&str>) -> Result<Option<Date>, FieldProblem> {
    let Some(text) = text else { return Ok(None) };
    intake::day(text).map(Some).ok_or_else(|| FieldProblem {
        field,
        detail: "must be a date such as 2027-03-24".to_owned(),
    })
}

fn state(text: Option<&str>) -> Result<Option<&'static str>, FieldProblem> {
    let Some(text) = text else { return Ok(None) };
    let state = booking::State::parse(text).map(booking::State::as_str);
    state.map(Some).ok_or_else(|| FieldProblem {
        field: "state",
        detail: "must be a state such as confirmed".to_owned(),
    })
}

fn staff(text: Option<&str>) -> Result<Option<Uuid>, FieldProblem> {
    let read = text.map(str::parse);
    read.transpose().map_err(|_| FieldProblem {
        field: "staff",
        detail: "must be the id of somebody of the staff".to_owned(),
    })
}

pub(super) fn shown(entry: &Entry, program: &Program) -> DiaryEntry {
    let start = instant(entry.starts_at);
    let contact = |id: Uuid| Contact {
        id: id.to_string(),
        name: entry.name.clone(),
        email: entry.email.clone(),
        phone: entry.phone.clone(),
    };
    DiaryEntry {
        id: entry.id.to_string(),
        state: entry.state.clone(),
        version: entry.version,
        service: entry.service.clone(),
        staff: Person {
            id: entry.staff_id.to_string(),
            name: entry.staff.clone(),
        },
        customer: entry
            .customer_id
            .filter(|_| program.may(Scope::ReadCustomers))
            .map(contact),
        start: start.to_string(),
        end: instant(entry.ends_at).to_string(),
        local_start: local(start, &program.business.zone),
        price_cents: entry.price_cents,
        currency: entry.currency.clone(),
        series: entry.series_id.map(|series| series.to_string()),
        created_at: instant(entry.created_at).to_string(),
    }
}

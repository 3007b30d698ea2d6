//! Booking visits that repeat, for programs: first each is told with what is near where it
//! cannot be had, then those that are wanted are booked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use booking::{End, Every, Repeat};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::address::Path;
use crate::api::bookings::{KEY_WORDS, idempotency_key};
use crate::api::{local, whole};
use crate::app::App;
use crate::appointments::{Planned, SeriesAnswer, SeriesWish, Whose};
use crate::crew::Who;
use crate::desk::Offer;
use crate::error::{Alternative, Fault, FieldProblem};
use crate::intake::{self, Problem, Sent};
use crate::language::Language;

/// How visits repeat.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SeriesPlan)]
pub(crate) struct Asked {
    /// The slug of the service.
    #[serde(default)]
    #[schema(required = true)]
    service: String,
    /// The first visit.
    #[serde(default)]
    #[schema(required = true, format = DateTime)]
    start: String,
    /// `week`, `fortnight` or `month`.
    #[serde(default)]
    #[schema(required = true)]
    every: String,
    /// How many visits, at most 53. Either this or `until`.
    #[serde(default, deserialize_with = "whole::number")]
    #[schema(minimum = 1, maximum = 53)]
    count: Option<i64>,
    /// The last day, `2027-06-30`.
    #[serde(default)]
    #[schema(format = Date)]
    until: Option<String>,
    /// The id of one member of staff; whoever has time where it is left out.
    #[serde(default)]
    staff: String,
}

/// What is sent to book visits that repeat.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SeriesWish)]
pub(crate) struct Wanted {
    /// The slug of the service.
    #[serde(default)]
    #[schema(required = true)]
    service: String,
    /// `week`, `fortnight` or `month`.
    #[serde(default)]
    #[schema(required = true)]
    every: String,
    /// How many visits, at most 53. Either this or `until`.
    #[serde(default, deserialize_with = "whole::number")]
    #[schema(minimum = 1, maximum = 53)]
    count: Option<i64>,
    /// The last day, `2027-06-30`.
    #[serde(default)]
    #[schema(format = Date)]
    until: Option<String>,
    /// The visits that are wanted; every one of the series where it is left out.
    #[serde(default)]
    starts: Option<Vec<String>>,
    #[serde(flatten)]
    sent: Sent,
}

/// The visits of a series before they are booked.
#[derive(Debug, Serialize, ToSchema)]
struct Plan {
    /// The recurrence rule, as in RFC 5545.
    rule: String,
    visits: Vec<PlannedVisit>,
}

/// A visit that could be booked, or what is near.
#[derive(Debug, Serialize, ToSchema)]
struct PlannedVisit {
    /// None where the clocks leave that wall time out.
    #[schema(format = DateTime)]
    start: Option<String>,
    /// The wall time at the business, without an offset.
    local_start: String,
    is_free: bool,
    /// The nearest free times, where it is not free.
    alternatives: Vec<Alternative>,
}

/// The visits that were booked, and those that could not be.
#[derive(Debug, Serialize, ToSchema)]
struct Series {
    #[schema(format = "uuid")]
    id: String,
    visits: Vec<Visit>,
}

/// A visit of a series.
#[derive(Debug, Serialize, ToSchema)]
struct Visit {
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    local_start: String,
    /// The secret part of its address; none where somebody was faster.
    token: Option<String>,
}

/// Answers `POST /api/v1/businesses/{business}/series/plan`. Only looks.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/series/plan",
    tag = "Booking",
    summary = "Look at visits that repeat",
    description = "Says of each whether it can be had, and what is near. Books nothing.",
    request_body = Asked,
    responses((status = 200, description = "Every visit", body = Plan))
)]
pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    Path(business): Path<String>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Fault> {
    let Json(asked) = asked?;
    let first = intake::start(&asked.start)
        .map_err(|problem| Fault::Fields(vec![problem.in_words(Language::English)]))?;
    let repeat = repeat(&asked.every, asked.count, asked.until.as_deref())?;
    let who = Who::parse(&asked.staff).unwrap_or(Who::Only(uuid::Uuid::nil()));
    let offer = Offer::find(&app, &business, &asked.service).await?;
    let planned = planned(&app, &offer, who, (first, repeat)).await?;
    let plan = Plan {
        rule: repeat.rule(offer.day(first)),
        visits: planned.iter().map(|one| visit(&offer, one)).collect(),
    };
    Ok(Json(plan).into_response())
}

/// Answers `POST /api/v1/businesses/{business}/series`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/series",
    tag = "Booking",
    summary = "Book visits that repeat",
    description = "Those that can be had are booked, the others are named. Sent again with the \
        same key and body, it gets the same bookings.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    request_body = Wanted,
    responses((status = 201, description = "What was booked, and what was not", body = Series))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Path(business): Path<String>,
    headers: HeaderMap,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Fault> {
    let key = idempotency_key(&headers)?;
    let Json(wanted) = wanted?;
    let repeat = repeat(&wanted.every, wanted.count, wanted.until.as_deref())?;
    let checked = intake::check(&wanted.sent)
        .map_err(|problems| Fault::Fields(Problem::all_in_words(problems, Language::English)))?;
    let offer = Offer::find(&app, &business, &wanted.service).await?;
    let starts = match &wanted.starts {
        Some(starts) => starts
            .iter()
            .take(booking::SERIES_MAX)
            .map(|start| intake::start(start))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| Fault::Fields(vec![problem.in_words(Language::English)]))?,
        None => planned(&app, &offer, checked.who, (checked.start, repeat))
            .await?
            .into_iter()
            .filter_map(|planned| planned.start)
            .collect(),
    };
    let wish = SeriesWish {
        whose: Whose::Person(checked.person(None)),
        who: checked.who,
        first: checked.start,
        repeat,
        starts: &starts,
        key: &key,
    };
    let now = app.clock.now();
    let answer = app.appointments.book_series(offer.offered(), &wish, now);
    let SeriesAnswer::Made { id, visits } = answer.await? else {
        return Err(Fault::KeyReused);
    };
    let visits = visits.into_iter().map(|(start, booking)| {
        match booking {
            Some(_) => app.metrics.bookings.inc(),
            None => app.metrics.conflicts.inc(),
        };
        Visit {
            start: start.to_string(),
            local_start: local(start, &offer.business.zone),
            token: booking.map(|booking| app.appointments.address_of(booking)),
        }
    });
    let series = Series {
        id: id.to_string(),
        visits: visits.collect(),
    };
    Ok((StatusCode::CREATED, Json(series)).into_response())
}

async fn planned(
    app: &App,
    offer: &Offer,
    who: Who,
    series: (Timestamp, Repeat),
) -> Result<Vec<Planned>, Fault> {
    let now = app.clock.now();
    let planned = app
        .appointments
        .plan_series(offer.offered(), who, series, now);
    Ok(planned.await?)
}

fn visit(offer: &Offer, planned: &Planned) -> PlannedVisit {
    let alternative = |start: &Timestamp| Alternative {
        start: start.to_string(),
        local_start: local(*start, &offer.business.zone),
    };
    PlannedVisit {
        start: planned.start.map(|start| start.to_string()),
        local_start: planned.at.to_string(),
        is_free: planned.is_free,
        alternatives: planned.near.iter().map(alternative).collect(),
    }
}

fn repeat(every: &str, count: Option<i64>, until: Option<&str>) -> Result<Repeat, Fault> {
    let wrong = |field, detail: &str| {
        Fault::Fields(vec![FieldProblem {
            field,
            detail: detail.to_owned(),
        }])
    };
    let every =
        Every::parse(every).ok_or_else(|| wrong("every", "Say week, fortnight or month"))?;
    // What cannot be counted is too many, or too few.
    let count = count.map(|count| usize::try_from(count).unwrap_or(0));
    let end = match (count, until) {
        (Some(count), None) if (1..=booking::SERIES_MAX).contains(&count) => End::Count(count),
        (None, Some(until)) => End::Until(
            until
                .parse()
                .map_err(|_| wrong("until", "Give a day such as 2027-06-30"))?,
        ),
        _ => {
            return Err(wrong(
                "count",
                "Give count, 1 to 53, or until, and not both",
            ));
        }
    };
    Ok(Repeat { every, end })
}

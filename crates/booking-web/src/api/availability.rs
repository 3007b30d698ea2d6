//! The free times of one service, for programs: of some days, of a month by day, and the
//! next ones. Days are those of the business; `tz` only says how times are written. Each
//! answer has a tag that changes with the claims and hours of whoever gives the service.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::address::Path;
use crate::api::local;
use crate::api::question::{Problems, Question};
use crate::app::App;
use crate::desk::Offer;
use crate::error::Fault;
use crate::openings::Openings;
use crate::pages::week::Free;
use crate::tag;

/// The most days that one question may span.
const DAYS_MAX: i64 = 31;
const DAYS_DEFAULT: i64 = 7;
const NEXT_MAX: i64 = 50;
const NEXT_DEFAULT: i64 = 5;

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Days {
    /// The first day at the business; today where it is left out.
    #[param(example = "2027-03-24", format = Date)]
    from: Option<String>,
    /// The last day, at most 30 days after the first one.
    #[param(example = "2027-03-31", format = Date)]
    to: Option<String>,
    /// How many days instead, from 1 to 31; 7 where both are left out.
    #[param(example = "7", value_type = Option<u8>, minimum = 1, maximum = 31)]
    days: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfMonth {
    /// The month at the business; this one where it is left out.
    #[param(example = "2027-03", pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$")]
    month: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Soonest {
    /// How many, from 1 to 50; 5 where it is left out.
    #[param(example = "5", value_type = Option<u8>, minimum = 1, maximum = 50)]
    n: Option<String>,
    /// The day at the business to begin with; today if there is none.
    #[param(example = "2027-03-24", format = Date)]
    from: Option<String>,
}

/// Free times.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Availability {
    business: String,
    service: String,
    /// The zone in which local times are written, by its name in the tz database.
    time_zone: String,
    /// The first day that was asked about.
    #[schema(format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// How many days were asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    /// The day from which on nobody has looked, where fewer times were found than were asked
    /// for: ask again with it as `from`.
    #[schema(format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    further: Option<String>,
    slots: Vec<Slot>,
}

/// One free time.
#[derive(Debug, Serialize, ToSchema)]
struct Slot {
    /// The instant it begins, in UTC.
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
    /// The wall time in the zone.
    #[schema(format = DateTime)]
    local_start: String,
    /// How many can still book it; more than one for a class.
    seats: u16,
}

/// The days of a month with free times.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Month {
    business: String,
    service: String,
    /// The zone in which days are counted, by its name in the tz database.
    time_zone: String,
    month: String,
    days: Vec<Day>,
}

/// A day with free times; days without any are left out.
#[derive(Debug, Serialize, ToSchema)]
struct Day {
    #[schema(format = Date)]
    date: String,
    /// How many there are.
    free: usize,
    /// The wall time of the first one.
    #[schema(format = DateTime)]
    first: String,
}

/// Those who give a service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Staff {
    staff: Vec<Member>,
}

/// Somebody who gives a service.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    id: String,
    name: String,
}

/// Answers `GET /api/v1/businesses/{business}/services/{service}/staff`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/services/{service}/staff",
    tag = "Booking",
    summary = "Who gives a service",
    description = "An id can be sent as `staff` to ask for the times of one of them.",
    responses((status = 200, description = "Who gives a service", body = Staff))
)]
pub(crate) async fn staff(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
) -> Result<Json<Staff>, Fault> {
    let offer = Offer::find(&app, &business, &service).await?;
    let openings = app.openings(&offer, crate::crew::Who::Anyone).await?;
    let member = |(id, name): (uuid::Uuid, String)| Member {
        id: id.to_string(),
        name,
    };
    let staff = openings.everybody.into_iter().map(member).collect();
    Ok(Json(Staff { staff }))
}

/// Answers `GET /api/v1/businesses/{business}/services/{service}/availability`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/services/{service}/availability",
    tag = "Booking",
    summary = "The free times of a service",
    description = "Each slot could be booked when the answer was made; somebody else may be faster. The answer has an `ETag`, which changes when claims or hours do.",
    params(Days, Question),
    responses((status = 200, description = "The free times of a service", body = Availability))
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Days>, QueryRejection>,
    question: Result<Query<Question>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (Query(asked), Query(question)) = (query?, question?);
    let offer = Offer::find(&app, &business, &service).await?;
    let today = offer.day(app.clock.now());
    let mut problems = Problems::default();
    let (from, days) = span(&asked, today, &mut problems);
    let (who, zone) = question.read(&offer, &mut problems);
    problems.none()?;
    let openings = app.openings(&offer, who).await?.of_somebody()?;
    let to = from.saturating_add((days - 1).days());
    let tag = openings.tag(from, to, &format!("days {from} {days} {}", zone.name));
    if tag::is_known(&headers, &tag) {
        return Ok(tag::unchanged(tag));
    }
    let free = openings.between(from, to).await?;
    let availability = Availability {
        from: Some(from.to_string()),
        days: Some(days),
        ..availability(&offer, &zone.name, &zone.zone, &free)
    };
    Ok(tag::tagged(tag, Json(availability)))
}

/// Answers `GET /api/v1/businesses/{business}/services/{service}/availability/month`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/services/{service}/availability/month",
    tag = "Booking",
    summary = "The days of a month with free times",
    description = "Days without a free time are left out.",
    params(OfMonth, Question),
    responses((status = 200, description = "The days of a month with free times", body = Month))
)]
pub(crate) async fn month(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<OfMonth>, QueryRejection>,
    question: Result<Query<Question>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (Query(asked), Query(question)) = (query?, question?);
    let offer = Offer::find(&app, &business, &service).await?;
    let mut problems = Problems::default();
    let this = offer.day(app.clock.now()).first_of_month();
    let first = match &asked.month {
        None => this,
        Some(text) => format!("{text}-01").parse().unwrap_or_else(|_| {
            problems.add("month", "must be a month such as 2027-03".to_owned());
            this
        }),
    };
    let (who, zone) = question.read(&offer, &mut problems);
    problems.none()?;
    let openings = app.openings(&offer, who).await?.of_somebody()?;
    let last = first.last_of_month();
    let tag = openings.tag(first, last, &format!("month {first} {}", zone.name));
    if tag::is_known(&headers, &tag) {
        return Ok(tag::unchanged(tag));
    }
    let free = openings.between(first, last).await?;
    let month = Month {
        business: offer.business.slug.clone(),
        service: offer.service.slug.clone(),
        month: first.strftime("%Y-%m").to_string(),
        days: days(&free, &zone.zone),
        time_zone: zone.name,
    };
    Ok(tag::tagged(tag, Json(month)))
}

/// Answers `GET /api/v1/businesses/{business}/services/{service}/availability/next`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/services/{service}/availability/next",
    tag = "Booking",
    summary = "The next free times of a service",
    description = "From now, or a day that is named, on. One request looks through six months; where that is not enough, `further` says where to go on.",
    params(Soonest, Question),
    responses((status = 200, description = "The next free times of a service", body = Availability))
)]
pub(crate) async fn next(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Soonest>, QueryRejection>,
    question: Result<Query<Question>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (Query(asked), Query(question)) = (query?, question?);
    let offer = Offer::find(&app, &business, &service).await?;
    let mut problems = Problems::default();
    let count = problems.number("n", asked.n.as_deref(), NEXT_DEFAULT, NEXT_MAX);
    let from = problems.date("from", asked.from.as_deref());
    let (who, zone) = question.read(&offer, &mut problems);
    problems.none()?;
    let openings = app.openings(&offer, who).await?.of_somebody()?;
    let from = from.unwrap_or(openings.today);
    let shape = format!("next {count} {from} {}", zone.name);
    let tag = openings.tag(openings.today, openings.last, &shape);
    if tag::is_known(&headers, &tag) {
        return Ok(tag::unchanged(tag));
    }
    let next = openings.next(usize::try_from(count).unwrap_or(1), from);
    let next = next.await?;
    let availability = Availability {
        further: next.further.map(|day| day.to_string()),
        ..availability(&offer, &zone.name, &zone.zone, &next.free)
    };
    Ok(tag::tagged(tag, Json(availability)))
}

/// The first day and how many are asked about.
fn span(asked: &Days, today: Date, problems: &mut Problems) -> (Date, i64) {
    let from = problems
        .date("from", asked.from.as_deref())
        .unwrap_or(today);
    let Some(to) = problems.date("to", asked.to.as_deref()) else {
        let days = asked.days.as_deref();
        return (from, problems.number("days", days, DAYS_DEFAULT, DAYS_MAX));
    };
    let days = i64::from(to.since(from).map_or(0, |span| span.get_days())) + 1;
    if !(1..=DAYS_MAX).contains(&days) {
        let detail = format!("must be a day from the first one to {DAYS_MAX} days on");
        problems.add("to", detail);
    }
    (from, days.clamp(1, DAYS_MAX))
}

fn availability(offer: &Offer, zone_name: &str, zone: &TimeZone, free: &[Free]) -> Availability {
    let slot = |free: &Free| Slot {
        start: free.start.to_string(),
        end: free.end.to_string(),
        local_start: local(free.start, zone),
        seats: free.seats.unwrap_or(1),
    };
    Availability {
        business: offer.business.slug.clone(),
        service: offer.service.slug.clone(),
        time_zone: zone_name.to_owned(),
        from: None,
        days: None,
        further: None,
        slots: free.iter().map(slot).collect(),
    }
}

/// The days on which free times begin for somebody in `zone`.
fn days(free: &[Free], zone: &TimeZone) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for free in free {
        let date = zone.to_datetime(free.start).date().to_string();
        match days.last_mut().filter(|day| day.date == date) {
            Some(day) => day.free += 1,
            None => days.push(Day {
                date,
                free: 1,
                first: local(free.start, zone),
            }),
        }
    }
    days
}

impl Openings<'_> {
    /// Refuses where nobody is left who gives the service.
    fn of_somebody(self) -> Result<Self, Fault> {
        if self.is_of_nobody() {
            let mut problems = Problems::default();
            problems.add("staff", "nobody of that id gives this service".to_owned());
            problems.none()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn asked(from: Option<&str>, to: Option<&str>, days: Option<&str>) -> Days {
        Days {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            days: days.map(str::to_owned),
        }
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let mut problems = Problems::default();
        span(
            &asked(Some("tomorrow"), None, Some("400")),
            date(2027, 3, 24),
            &mut problems,
        );
        span(
            &asked(None, Some("2027-05-24"), None),
            date(2027, 3, 24),
            &mut problems,
        );
        let Err(Fault::Fields(problems)) = problems.none() else {
            panic!("wrong parameters were taken");
        };
        let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["from", "days", "to"]);
    }

    #[test]
    fn a_bare_question_is_about_the_coming_week_and_a_last_day_is_included() {
        let today = date(2027, 3, 24);
        let read = |asked| span(&asked, today, &mut Problems::default());
        assert_eq!(read(asked(None, None, None)), (today, DAYS_DEFAULT));
        assert_eq!(read(asked(None, Some("2027-03-24"), None)), (today, 1));
        assert_eq!(read(asked(None, Some("2027-04-23"), None)), (today, 31));
    }
}

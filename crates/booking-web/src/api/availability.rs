//! The free times of one service, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::address::Path;
use crate::api::local;
use crate::app::App;
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};

/// The most days that one question may span.
const DAYS_MAX: i64 = 31;
const DAYS_DEFAULT: i64 = 7;

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// The first day at the business; today where it is left out.
    #[serde(default)]
    #[param(example = "2027-03-24", format = Date)]
    from: Option<String>,
    /// How many days, from 1 to 31; 7 where it is left out.
    #[serde(default)]
    #[param(example = "7")]
    days: Option<String>,
}

/// The free times of some days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Availability {
    business: String,
    service: String,
    /// The zone of the business, by its name in the tz database.
    time_zone: String,
    #[schema(format = Date)]
    from: String,
    days: i64,
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
    /// The wall time at the business.
    #[schema(format = DateTime)]
    local_start: String,
}

/// Answers `GET /api/v1/businesses/{business}/services/{service}/availability`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/services/{service}/availability",
    tag = "Booking",
    summary = "The free times of a service",
    description = "Each slot could be booked when the answer was made; somebody else may be faster.",
    params(Question),
    responses((status = 200, description = "The free times", body = Availability))
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((business, service)): Path<(String, String)>,
    query: Result<Query<Question>, QueryRejection>,
) -> Result<Json<Availability>, Fault> {
    let Query(question) = query?;
    let offer = Offer::find(&app, &business, &service).await?;
    let zone = &offer.business.zone;
    let today = app.clock.now().to_zoned_datetime(zone.clone()).date();
    let (from, days) = read(&question, today)?;
    let until = from.saturating_add((days - 1).days());
    let free = app.free_times(&offer, from, until).await?;
    Ok(Json(Availability {
        business: offer.business.slug.clone(),
        service: offer.service.slug.clone(),
        time_zone: offer.business.zone_id.clone(),
        from: from.to_string(),
        days,
        slots: free
            .iter()
            .map(|free| Slot {
                start: free.start.to_string(),
                end: free.end.to_string(),
                local_start: local(free.start, zone),
            })
            .collect(),
    }))
}

fn read(question: &Question, today: Date) -> Result<(Date, i64), Fault> {
    let mut problems = Vec::new();
    let from = match question.from.as_deref().map(str::parse) {
        None => today,
        Some(Ok(date)) => date,
        Some(Err(_)) => {
            problems.push(FieldProblem {
                field: "from",
                detail: "must be a date such as 2027-03-24".to_owned(),
            });
            today
        }
    };
    let days = match question.days.as_deref().map(str::parse) {
        None => DAYS_DEFAULT,
        Some(Ok(days)) if (1..=DAYS_MAX).contains(&days) => days,
        Some(_) => {
            problems.push(FieldProblem {
                field: "days",
                detail: format!("must be a number from 1 to {DAYS_MAX}"),
            });
            DAYS_DEFAULT
        }
    };
    if problems.is_empty() {
        Ok((from, days))
    } else {
        Err(Fault::Fields(problems))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn both_wrong_parameters_are_named() {
        let question = Question {
            from: Some("tomorrow".into()),
            days: Some("400".into()),
        };
        let Err(Fault::Fields(problems)) = read(&question, date(2027, 3, 24)) else {
            panic!("wrong parameters were taken");
        };
        assert_eq!(problems.len(), 2);
    }

    #[test]
    fn a_bare_question_is_about_the_coming_week() {
        let today = date(2027, 3, 24);
        let read = read(&Question::default(), today).unwrap();
        assert_eq!(read, (today, DAYS_DEFAULT));
    }
}

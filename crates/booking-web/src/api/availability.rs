//! The free times of one service, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::address::Path;
use crate::api::local;
use crate::app::App;
use crate::desk::Offer;
use crate::error::{Fault, FieldProblem};

/// The most days that one question may span.
const DAYS_MAX: i64 = 31;
const DAYS_DEFAULT: i64 = 7;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Question {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    days: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Availability {
    business: String,
    service: String,
    time_zone: String,
    from: String,
    days: i64,
    slots: Vec<Slot>,
}

#[derive(Debug, Serialize)]
struct Slot {
    start: String,
    end: String,
    local_start: String,
}

/// Answers `GET /api/v1/businesses/{business}/services/{service}/availability`.
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

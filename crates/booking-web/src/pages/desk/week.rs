//! A week of the calendar, as a list of what takes place on each day.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use jiff::ToSpan as _;
use jiff::civil::Date;
use uuid::Uuid;

use super::calendar::{self, Asked, Turn};
use super::{Desk, Frame, Here, column};
use crate::error::Fault;
use crate::pages::{Site, week, words};
use crate::store;

/// One visit of a week.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) hours: String,
    pub(super) name: String,
    pub(super) service: String,
    pub(super) state: String,
    pub(super) staff: String,
}

/// One day of a week.
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) name: String,
    pub(super) is_today: bool,
    pub(super) lines: Vec<Line>,
}

/// Somebody whose week can be chosen.
pub(super) struct Choice {
    pub(super) staff: Uuid,
    pub(super) name: String,
}

#[derive(Template)]
#[template(path = "desk/week.html")]
pub(super) struct WeekPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) title: String,
    pub(super) turn: Turn,
    pub(super) people: Vec<Choice>,
    pub(super) days: Vec<Day>,
}

impl WeekPage<'_> {
    fn is_chosen(&self, staff: &Uuid) -> bool {
        self.turn.staff.as_ref() == Some(staff)
    }
}

/// Answers `GET /desk/{business}/calendar/week?day=…&staff=…`.
pub(crate) async fn get(
    desk: Desk,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    let only = desk.only()?;
    let (language, zone, today) = (desk.language(), desk.zone(), desk.today());
    let date = asked.day(today);
    let monday = week::monday_of(date);
    let sunday = monday.saturating_add(6.days());
    let (start, _) = column::day_span(monday, zone);
    let (_, end) = column::day_span(sunday, zone);
    let mut transaction = desk.begin().await?;
    let people = calendar::people(&mut transaction, only).await?;
    let wanted = asked.staff();
    let wanted = wanted.filter(|wanted| people.iter().any(|person| person.staff == *wanted));
    let visits = store::calendar::visits(&mut transaction, wanted.or(only), start, end).await?;
    desk.saw(&mut transaction, visits.iter().map(|visit| visit.customer))
        .await?;
    transaction.commit().await?;
    let line = |visit: &store::calendar::Visit| Line {
        id: visit.id,
        hours: column::span_hours(language, visit.start, visit.end, zone),
        name: column::name(language, visit.name.as_deref()),
        service: visit.service.clone(),
        state: column::state(language, visit.state).to_string(),
        staff: (people.iter().find(|p| p.staff == visit.staff))
            .map_or_else(String::new, |person| person.name.clone()),
    };
    let days = (0..7).map(|offset| {
        let date = monday.saturating_add(offset.days());
        let on_day = visits
            .iter()
            .filter(|v| zone.to_datetime(v.start).date() == date);
        Day {
            date,
            name: words::day_short(language, date),
            is_today: date == today,
            lines: on_day.map(line).collect(),
        }
    });
    let choice = |person: &store::calendar::Person| Choice {
        staff: person.staff,
        name: person.name.clone(),
    };
    let active = people.iter().filter(|person| person.is_active);
    desk.show(&WeekPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        title: words::months(language, monday, sunday),
        turn: Turn::of(desk.path("/calendar/week"), date, 7, today, wanted),
        people: active.map(choice).collect(),
        days: days.collect(),
    })
}

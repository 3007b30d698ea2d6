//! A day of the calendar: a column for each person, and the hours of the business.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::column::{self, Column, Known, Place, Shown, What};
use super::{Desk, Frame, Here};
use crate::availability;
use crate::error::Fault;
use crate::intake;
use crate::language::Language;
use crate::pages::{Site, words};
use crate::store;
use crate::store::calendar::Person;

/// Which day is wanted, and on a narrow screen whose.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    pub(super) day: String,
    #[serde(default)]
    pub(super) staff: String,
}

impl Asked {
    /// The day that is wanted, or else today.
    pub(super) fn day(&self, today: Date) -> Date {
        intake::day(&self.day).unwrap_or(today)
    }

    pub(super) fn staff(&self) -> Option<Uuid> {
        self.staff.parse().ok()
    }
}

/// Days around one, as a calendar turns to them.
pub(super) struct Turn {
    /// The page that turns.
    pub(super) address: String,
    pub(super) shown: Date,
    pub(super) earlier: Date,
    pub(super) later: Date,
    pub(super) today: Date,
    /// Whose calendar is wanted, as it goes on in addresses.
    pub(super) staff: Option<Uuid>,
}

impl Turn {
    pub(super) fn of(
        address: String,
        shown: Date,
        days: i64,
        today: Date,
        staff: Option<Uuid>,
    ) -> Self {
        Self {
            address,
            shown,
            earlier: shown.saturating_sub(days.days()),
            later: shown.saturating_add(days.days()),
            today,
            staff,
        }
    }

    /// The query of a day, with whose calendar it is.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "templates pass references"
    )]
    pub(super) fn query(&self, day: &Date) -> String {
        match self.staff {
            Some(staff) => format!("?day={day}&staff={staff}"),
            None => format!("?day={day}"),
        }
    }
}

#[derive(Template)]
#[template(path = "desk/calendar.html")]
pub(super) struct CalendarPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) title: String,
    pub(super) turn: Turn,
    pub(super) shown: Shown,
    pub(super) now: Option<Place>,
    pub(super) columns: Vec<Column>,
    /// Whose column a narrow screen shows.
    pub(super) chosen: Option<Uuid>,
}

impl CalendarPage<'_> {
    fn is_chosen(&self, staff: &Uuid) -> bool {
        self.chosen.as_ref() == Some(staff)
    }
}

/// Answers `GET /desk/{business}/calendar?day=…&staff=…`.
pub(crate) async fn get(
    desk: Desk,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    let only = desk.only()?;
    let (language, zone) = (desk.language(), desk.zone());
    let date = asked.day(desk.today());
    let mut transaction = desk.begin().await?;
    let (columns, shown) = read(&mut transaction, language, zone, only, date).await?;
    desk.saw(&mut transaction, shown).await?;
    transaction.commit().await?;
    let wanted = asked.staff();
    let wanted = wanted.filter(|wanted| columns.iter().any(|column| column.staff == *wanted));
    let hours = Shown::of(&columns);
    desk.show(&CalendarPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        title: words::day_name(language, date),
        turn: Turn::of(desk.path("/calendar"), date, 1, desk.today(), wanted),
        now: hours.now(desk.now(), date, zone),
        shown: hours,
        chosen: wanted.or(columns.first().map(|column| column.staff)),
        columns,
    })
}

/// The columns of a day: of everybody who works here, and of whoever had a visit then; and
/// the customers who stand in them.
async fn read(
    connection: &mut PgConnection,
    language: Language,
    zone: &TimeZone,
    only: Option<Uuid>,
    date: Date,
) -> Result<(Vec<Column>, Vec<Option<Uuid>>), Fault> {
    let (start, end) = column::day_span(date, zone);
    let visits = store::calendar::visits(connection, only, start, end).await?;
    let away = store::calendar::away(connection, start, end).await?;
    let mut people = people(connection, only).await?;
    people.retain(|p| p.is_active || visits.iter().any(|visit| visit.staff == p.staff));
    let open = availability::at_work(connection, zone, &people, date, date).await?;
    let columns = people.iter().zip(&open).map(|(person, open)| {
        let known = Known {
            staff: person.staff,
            name: &person.name,
            open,
            away: away.iter().filter(|a| a.lane == person.lane).collect(),
            visits: visits.iter().filter(|v| v.staff == person.staff).collect(),
        };
        column::column(language, &known, date, zone)
    });
    let shown = visits.iter().map(|visit| visit.customer).collect();
    Ok((columns.collect(), shown))
}

/// Those whose calendar may be seen.
pub(super) async fn people(
    connection: &mut PgConnection,
    only: Option<Uuid>,
) -> sqlx::Result<Vec<Person>> {
    let mut people = store::calendar::people(connection).await?;
    people.retain(|person| only.is_none_or(|only| person.staff == only));
    Ok(people)
}

//! The opening hours of one lane: a week with breaks, and days that differ.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Desk, Frame, Here, clock, seen};
use crate::address::Path;
use crate::availability::{date, stored_date};
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, message};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store;
use crate::store::hours::Differs;
use crate::store::lane::Opening;

/// Openings of one day in the form: before and after a break, or as many as there are.
const OPENINGS_MIN: usize = 2;
/// The ids of the days in the form.
const DAYS: [&str; 7] = [
    "day-1", "day-2", "day-3", "day-4", "day-5", "day-6", "day-7",
];

/// One opening in the form.
pub(super) struct Times {
    pub(super) opens_field: String,
    pub(super) opens: String,
    pub(super) opens_label: String,
    pub(super) closes_field: String,
    pub(super) closes: String,
    pub(super) closes_label: String,
}

/// One weekday in the form.
pub(super) struct Day {
    pub(super) id: &'static str,
    pub(super) name: String,
    pub(super) times: Vec<Times>,
    pub(super) problem: Option<String>,
}

/// A day that differs, in words.
pub(super) struct Other {
    pub(super) date: Date,
    pub(super) name: String,
    pub(super) hours: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct WeekForm {
    #[serde(default)]
    seen: String,
    #[serde(flatten)]
    times: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct OtherForm {
    #[serde(default)]
    pub(super) date: String,
    #[serde(default)]
    pub(super) opens: String,
    #[serde(default)]
    pub(super) closes: String,
}

#[derive(Template)]
#[template(path = "desk/hours.html")]
pub(super) struct HoursPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) lane: Uuid,
    pub(super) name: String,
    pub(super) seen: String,
    pub(super) days: Vec<Day>,
    pub(super) others: Vec<Other>,
    pub(super) other: OtherForm,
    pub(super) problems: Vec<FieldProblem>,
}

impl HoursPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

fn field(weekday: i16, number: usize, end: &str) -> String {
    format!("d{weekday}-{number}-{end}")
}

/// The week as it stands, as the fields of its form.
fn fields(openings: &[Opening]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for weekday in 1..=7 {
        let mut own: Vec<_> = openings.iter().filter(|o| o.weekday == weekday).collect();
        own.sort_by_key(|opening| opening.opens);
        for (number, opening) in own.into_iter().enumerate() {
            fields.insert(field(weekday, number, "opens"), clock::of(opening.opens));
            fields.insert(field(weekday, number, "closes"), clock::of(opening.closes));
        }
    }
    fields
}

/// How many openings a day of the form has.
fn most(fields: &BTreeMap<String, String>) -> usize {
    let numbers = fields
        .keys()
        .filter_map(|name| name.split('-').nth(1)?.parse().ok());
    let most = numbers
        .max()
        .map_or(0, |number: usize| number.saturating_add(1));
    most.clamp(OPENINGS_MIN, 12)
}

/// The openings of the form, as (weekday, opens, closes), or the weekdays that are wrong.
fn read(fields: &BTreeMap<String, String>) -> Result<Vec<(i16, i16, i16)>, Vec<i16>> {
    let (mut openings, mut wrong) = (Vec::new(), Vec::new());
    let text = |weekday, number, end| {
        let text = fields.get(&field(weekday, number, end));
        text.map_or("", |text| text.trim())
    };
    for weekday in 1..=7 {
        let mut until = -1;
        for number in 0..most(fields) {
            let (opens, closes) = (
                text(weekday, number, "opens"),
                text(weekday, number, "closes"),
            );
            if opens.is_empty() && closes.is_empty() {
                continue;
            }
            match clock::span(opens, closes) {
                Some((opens, closes)) if opens > until => {
                    openings.push((weekday, opens, closes));
                    until = closes;
                }
                _ => {
                    wrong.push(weekday);
                    break;
                }
            }
        }
    }
    if wrong.is_empty() {
        Ok(openings)
    } else {
        Err(wrong)
    }
}

fn mark(fields: &BTreeMap<String, String>) -> String {
    seen::mark(
        fields
            .iter()
            .flat_map(|(name, time)| [name.as_str(), time.as_str()]),
    )
}

fn weekday_name(language: Language, weekday: i16) -> String {
    let number = i8::try_from(weekday).unwrap_or(1);
    let weekday = Weekday::from_monday_one_offset(number).unwrap_or(Weekday::Monday);
    words::weekday_long(language, weekday)
}

fn days(language: Language, fields: &BTreeMap<String, String>, wrong: &[i16]) -> Vec<Day> {
    let value = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let day = |(weekday, id): (i16, &'static str)| {
        let name = weekday_name(language, weekday);
        let times = (0..most(fields)).map(|number| {
            let (opens, closes) = (
                field(weekday, number, "opens"),
                field(weekday, number, "closes"),
            );
            let (opens_label, closes_label) = if number == 0 {
                (
                    language.text("hours-opens").with("day", &name),
                    language.text("hours-closes").with("day", &name),
                )
            } else {
                (
                    language.text("hours-opens-again").with("day", &name),
                    language.text("hours-closes-again").with("day", &name),
                )
            };
            Times {
                opens: value(&opens),
                opens_field: opens,
                opens_label: opens_label.to_string(),
                closes: value(&closes),
                closes_field: closes,
                closes_label: closes_label.to_string(),
            }
        });
        let problem = wrong
            .contains(&weekday)
            .then(|| problem(weekday, language).detail);
        Day {
            id,
            times: times.collect(),
            problem,
            name,
        }
    };
    (1..=7).zip(DAYS).map(day).collect()
}

fn problem(weekday: i16, language: Language) -> FieldProblem {
    let index = usize::try_from(weekday - 1).unwrap_or(0);
    Problem {
        field: DAYS.get(index).copied().unwrap_or(DAYS[0]),
        detail: message("hours-wrong").with("day", weekday_name(language, weekday)),
    }
    .in_words(language)
}

/// Answers `GET /desk/{business}/hours/{lane}`.
pub(crate) async fn get(
    desk: Desk,
    Path((_, lane)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let mut transaction = desk.begin().await?;
    let (name, stands) = stands(&mut transaction, lane).await?;
    let page = page(&desk, &mut transaction, (lane, name), &stands, &stands).await?;
    transaction.rollback().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/hours/{lane}`.
pub(crate) async fn post(
    desk: Desk,
    Path((_, lane)): Path<(String, Uuid)>,
    form: CheckedForm<WeekForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let language = desk.language();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    store::hours::lock(connection, lane).await?;
    let (name, stands) = stands(connection, lane).await?;
    let (wrong, problems) = match read(&form.times) {
        Err(wrong) => {
            let problems = wrong
                .iter()
                .map(|weekday| problem(*weekday, language))
                .collect();
            (wrong, problems)
        }
        Ok(_) if form.seen != mark(&stands) => {
            let detail = message("desk-changed");
            let problem = Problem {
                field: DAYS[0],
                detail,
            };
            (Vec::new(), vec![problem.in_words(language)])
        }
        Ok(openings) => {
            let entered: Vec<_> = openings
                .into_iter()
                .map(|(weekday, opens, closes)| (desk.id(), weekday, opens, closes))
                .collect();
            let business = desk.member.business.id;
            store::hours::set(connection, business, lane, &entered).await?;
            return changed(&desk, transaction, lane).await;
        }
    };
    let mut page = page(&desk, connection, (lane, name), &stands, &form.times).await?;
    transaction.rollback().await?;
    page.days = days(language, &form.times, &wrong);
    page.problems = problems;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Answers `POST /desk/{business}/hours/{lane}/differ`.
pub(crate) async fn differ(
    desk: Desk,
    Path((_, lane)): Path<(String, Uuid)>,
    form: CheckedForm<OtherForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    store::hours::lock(connection, lane).await?;
    let (name, stands) = stands(connection, lane).await?;
    let detail = match other(&form) {
        Some(differs)
            if differs.opens.is_some()
                && store::hours::is_closed(connection, lane, differs.date).await? =>
        {
            message("hours-differ-is-closed")
        }
        Some(differs) => {
            let (id, business) = (desk.id(), desk.member.business.id);
            store::hours::add(connection, id, business, lane, &differs).await?;
            return changed(&desk, transaction, lane).await;
        }
        None => message("hours-differ-wrong"),
    };
    let mut page = page(&desk, connection, (lane, name), &stands, &stands).await?;
    transaction.rollback().await?;
    let problem = Problem {
        field: "date",
        detail,
    };
    page.problems = vec![problem.in_words(desk.language())];
    page.other = form;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Answers `POST /desk/{business}/hours/{lane}/differ/remove`.
pub(crate) async fn remove(
    desk: Desk,
    Path((_, lane)): Path<(String, Uuid)>,
    form: CheckedForm<OtherForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    store::hours::lock(&mut transaction, lane).await?;
    stands(&mut transaction, lane).await?;
    let date = intake::day(&form.date).ok_or(Fault::NotFound)?;
    store::hours::remove(&mut transaction, lane, stored_date(date)).await?;
    changed(&desk, transaction, lane).await
}

/// A day that differs out of its form.
fn other(form: &OtherForm) -> Option<Differs> {
    let date = intake::day(&form.date)?;
    let (opens, closes) = (form.opens.trim(), form.closes.trim());
    let times = match (opens.is_empty(), closes.is_empty()) {
        (true, true) => None,
        _ => Some(clock::span(opens, closes)?),
    };
    Some(Differs {
        date: stored_date(date),
        opens: times.map(|(opens, _)| opens),
        closes: times.map(|(_, closes)| closes),
    })
}

async fn changed(
    desk: &Desk,
    mut transaction: sqlx::postgres::PgTransaction<'static>,
    lane: Uuid,
) -> Result<Response, Fault> {
    desk.audit(&mut transaction, "hours.changed", lane).await?;
    transaction.commit().await?;
    Ok(desk.on_to(&format!("/hours/{lane}"), "saved"))
}

/// Whose hours they are and the week as it stands.
async fn stands(
    connection: &mut PgConnection,
    lane: Uuid,
) -> Result<(String, BTreeMap<String, String>), Fault> {
    let name = store::hours::name(connection, lane).await?;
    let openings = store::lane::openings(connection, &[lane]).await?;
    Ok((name.ok_or(Fault::NotFound)?, fields(&openings)))
}

async fn page<'a>(
    desk: &'a Desk,
    connection: &mut PgConnection,
    (lane, name): (Uuid, String),
    stands: &BTreeMap<String, String>,
    shown: &BTreeMap<String, String>,
) -> Result<HoursPage<'a>, Fault> {
    let language = desk.language();
    let differs = store::hours::differs(connection, lane, stored_date(desk.today())).await?;
    let other = |differs: Differs| {
        let date = date(differs.date)?;
        let hours = differs.opens.zip(differs.closes).map(|(opens, closes)| {
            let (from, until) = (clock::of(opens), clock::of(closes));
            let hours = language
                .text("hours")
                .with("from", from)
                .with("until", until);
            hours.to_string()
        });
        Some(Other {
            date,
            name: words::day_name(language, date),
            hours,
        })
    };
    Ok(HoursPage {
        site: desk.site(),
        desk: desk.frame(Here::Staff),
        lane,
        name,
        seen: mark(stands),
        days: days(language, shown, &[]),
        others: differs.into_iter().filter_map(other).collect(),
        other: OtherForm::default(),
        problems: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(times: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, time): &(&str, &str)| ((*name).to_owned(), (*time).to_owned());
        times.iter().map(owned).collect()
    }

    #[test]
    fn a_week_is_read_as_it_was_shown() {
        let opening = |weekday, opens, closes| Opening {
            lane_id: Uuid::nil(),
            weekday,
            opens,
            closes,
        };
        let week = [
            opening(1, 795, 1050),
            opening(1, 480, 750),
            opening(5, 1320, 1800),
        ];
        let read = read(&fields(&week)).unwrap();
        assert_eq!(read, [(1, 480, 750), (1, 795, 1050), (5, 1320, 1800)]);
    }

    #[test]
    fn every_day_that_is_wrong_is_named() {
        let wrong = form(&[
            ("d1-0-opens", "08:00"),
            ("d2-0-opens", "17:00"),
            ("d2-0-closes", "13:00"),
            ("d3-0-opens", "08:00"),
            ("d3-0-closes", "12:00"),
            ("d3-1-opens", "11:00"),
            ("d3-1-closes", "15:00"),
            ("d4-0-opens", "8 o'clock"),
            ("d4-0-closes", "12:00"),
            ("d5-1-opens", "13:00"),
            ("d5-1-closes", "15:00"),
        ]);
        assert_eq!(read(&wrong), Err(vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_day_that_differs_is_closed_or_has_both_times() {
        let other = |date: &str, opens: &str, closes: &str| {
            let form = OtherForm {
                date: date.into(),
                opens: opens.into(),
                closes: closes.into(),
            };
            other(&form).map(|differs| (differs.opens, differs.closes))
        };
        assert_eq!(other("2027-03-24", "", ""), Some((None, None)));
        assert_eq!(
            other("2027-03-24", "09:00", "12:00"),
            Some((Some(540), Some(720)))
        );
        for (date, opens, closes) in [
            ("", "", ""),
            ("2027-03-24", "09:00", ""),
            ("2027-02-30", "", ""),
            ("-004800-01-01", "", ""),
        ] {
            assert_eq!(other(date, opens, closes), None, "{date} {opens} {closes}");
        }
    }
}

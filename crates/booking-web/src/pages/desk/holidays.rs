//! On which public holidays a business is open, and days of its own on which it is closed.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use booking::{Right, south_african_holidays};
use http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::{Desk, Frame, Here};
use crate::availability::{date as civil_date, stored_date};
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, message};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store::{self, holiday};

const NAME_CHARS_MAX: usize = 120;
/// So many months ahead are shown.
const MONTHS: i32 = 14;

/// A public holiday, or a day of the business's own.
pub(super) struct Line {
    pub(super) date: Date,
    pub(super) day: String,
    pub(super) name: String,
    pub(super) is_closed: bool,
    /// Whether it is a day of the business's own, which can be taken back.
    pub(super) is_own: bool,
}

/// What is done: `keep` (all) with `yes` or not, `open`, `closed` or `forget` with a date, or
/// `add` with a date and a name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HolidayForm {
    pub(super) action: String,
    pub(super) date: String,
    pub(super) name: String,
}

#[derive(Template)]
#[template(path = "desk/holidays.html")]
pub(super) struct HolidaysPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) keeps: bool,
    pub(super) days: Vec<Line>,
    pub(super) form: HolidayForm,
    pub(super) problems: Vec<FieldProblem>,
}

impl HolidaysPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Answers `GET /desk/{business}/settings/holidays`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let page = page(&desk, HolidayForm::default(), Vec::new()).await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/settings/holidays`.
pub(crate) async fn post(desk: Desk, form: CheckedForm<HolidayForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeOffer)?;
    let (form, _) = form.open();
    let change = match read(&form, desk.today()) {
        Ok(change) => change,
        Err(problems) => {
            let page = page(&desk, form, problems).await?;
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let business = desk.member.business.id;
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    match change {
        Change::Keep(keeps) => holiday::keep(connection, keeps).await?,
        Change::Decide(date, is_closed, name) => {
            let decision = (stored_date(date), is_closed, name.as_deref());
            holiday::decide(connection, business, decision).await?;
        }
        Change::Forget(date) => holiday::forget(connection, stored_date(date)).await?,
    }
    // What is free has changed for everybody.
    let lanes = holiday::lanes(connection).await?;
    store::lane::bump(connection, &lanes).await?;
    desk.audit(connection, "holidays.changed", business).await?;
    transaction.commit().await?;
    Ok(desk.on_to("/settings/holidays", "saved"))
}

/// What a form asks for.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Keep(bool),
    Decide(Date, bool, Option<String>),
    Forget(Date),
}

fn read(form: &HolidayForm, today: Date) -> Result<Change, Vec<Problem>> {
    let date = form.date.trim().parse::<Date>().ok();
    let date = date.filter(|date| *date >= today && *date <= last(today));
    let wrong = || {
        vec![Problem {
            field: "date",
            detail: message("holidays-date-wrong"),
        }]
    };
    match form.action.as_str() {
        "keep" => Ok(Change::Keep(true)),
        "ignore" => Ok(Change::Keep(false)),
        "open" => Ok(Change::Decide(date.ok_or_else(wrong)?, false, None)),
        "closed" => Ok(Change::Decide(date.ok_or_else(wrong)?, true, None)),
        "forget" => Ok(Change::Forget(date.ok_or_else(wrong)?)),
        _ => {
            let name = intake::line(&form.name, NAME_CHARS_MAX);
            match (date, name) {
                (Some(date), Ok(name)) => Ok(Change::Decide(date, true, Some(name))),
                (date, name) => {
                    let mut problems = if date.is_none() { wrong() } else { Vec::new() };
                    problems.extend(name.err().map(|detail| Problem {
                        field: "name",
                        detail,
                    }));
                    Err(problems)
                }
            }
        }
    }
}

/// What a public holiday is called.
fn holiday_words(language: Language, name: &str) -> String {
    let text = match name {
        "New Year’s Day" => language.text("holiday-new-year"),
        "Human Rights Day" => language.text("holiday-human-rights"),
        "Good Friday" => language.text("holiday-good-friday"),
        "Family Day" => language.text("holiday-family"),
        "Freedom Day" => language.text("holiday-freedom"),
        "Workers’ Day" => language.text("holiday-workers"),
        "Youth Day" => language.text("holiday-youth"),
        "National Women’s Day" => language.text("holiday-women"),
        "Heritage Day" => language.text("holiday-heritage"),
        "Day of Reconciliation" => language.text("holiday-reconciliation"),
        "Christmas Day" => language.text("holiday-christmas"),
        "Day of Goodwill" => language.text("holiday-goodwill"),
        other => return other.to_owned(),
    };
    text.to_string()
}

/// The last day that is shown.
fn last(today: Date) -> Date {
    today.saturating_add(MONTHS.months())
}

async fn page(
    desk: &Desk,
    form: HolidayForm,
    problems: Vec<Problem>,
) -> Result<HolidaysPage<'_>, Fault> {
    let (today, language) = (desk.today(), desk.language());
    let mut transaction = desk.begin().await?;
    let (from, to) = (stored_date(today), stored_date(last(today)));
    let (keeps, choices) = holiday::choices(&mut transaction, from, to).await?;
    transaction.rollback().await?;
    let mut days = BTreeMap::new();
    for year in today.year()..=last(today).year() {
        for holiday in south_african_holidays(year) {
            if (today..=last(today)).contains(&holiday.date) {
                let name = holiday_words(language, holiday.name);
                days.insert(holiday.date, (name, keeps, false));
            }
        }
    }
    for choice in choices {
        let Some(date) = civil_date(choice.date) else {
            continue;
        };
        let day = days
            .entry(date)
            .or_insert_with(|| (choice.name.clone().unwrap_or_default(), true, true));
        day.1 = choice.is_closed;
    }
    let days = days
        .into_iter()
        .map(|(date, (name, is_closed, is_own))| Line {
            date,
            day: words::day_name(language, date),
            name,
            is_closed,
            is_own,
        });
    Ok(HolidaysPage {
        site: desk.site(),
        desk: desk.frame(Here::Settings),
        keeps,
        days: days.collect(),
        form,
        problems: Problem::all_in_words(problems, language),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_public_holiday_has_a_name_in_every_language() {
        for holiday in south_african_holidays(2027) {
            let own = holiday_words(Language::Afrikaans, holiday.name);
            assert_ne!(own, holiday.name);
        }
    }

    #[test]
    fn a_day_of_ones_own_needs_a_date_to_come_and_a_name() {
        let today = date(2027, 3, 24);
        let form = |action: &str, date: &str, name: &str| HolidayForm {
            action: action.into(),
            date: date.into(),
            name: name.into(),
        };
        let day = date(2027, 4, 1);
        let named = Change::Decide(day, true, Some("Stocktaking".into()));
        for (form, change) in [
            (form("add", "2027-04-01", " Stocktaking "), named),
            (
                form("open", "2027-04-01", ""),
                Change::Decide(day, false, None),
            ),
            (form("forget", "2027-04-01", ""), Change::Forget(day)),
            (form("ignore", "", ""), Change::Keep(false)),
        ] {
            assert_eq!(read(&form, today).unwrap(), change);
        }
        let wrong = read(&form("add", "2027-03-23", ""), today).unwrap_err();
        let fields: Vec<_> = wrong.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["date", "name"]);
        assert!(read(&form("open", "2037-03-24", ""), today).is_err());
    }
}

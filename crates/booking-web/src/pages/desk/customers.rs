//! The customers of the business: those who were found, and a form for a new one.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::customer::{CustomerForm, taken};
use super::{Desk, Frame, Here};
use crate::error::{Fault, FieldProblem};
use crate::intake::Problem;
use crate::pages::Site;
use crate::security::CheckedForm;
use crate::store;
use crate::store::customer::Found;

/// Fewer digits say nothing about whose number it is.
const DIGITS_MIN: usize = 3;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

#[derive(Template)]
#[template(path = "desk/customers.html")]
pub(super) struct CustomersPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) asked: String,
    pub(super) found: Vec<Found>,
}

#[derive(Template)]
#[template(path = "desk/new_customer.html")]
pub(super) struct NewCustomerPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) form: CustomerForm,
    pub(super) problems: Vec<FieldProblem>,
}

impl NewCustomerPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// The digits of a number as it is stored, which has no nought before it.
pub(super) fn digits(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_digit() || " +-()./".contains(c);
    if !text.chars().all(plain) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0').to_owned();
    (digits.len() >= DIGITS_MIN).then_some(digits)
}

/// Answers `GET /desk/{business}/customers?q=…`.
pub(crate) async fn get(
    desk: Desk,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    desk.must(Right::KeepCustomers)?;
    let text = asked.q.trim();
    let digits = digits(text);
    let mut transaction = desk.begin().await?;
    let found = store::customer::search(&mut transaction, text, digits.as_deref()).await?;
    let shown = found.iter().map(|customer| Some(customer.id));
    desk.saw(&mut transaction, shown).await?;
    transaction.commit().await?;
    desk.show(&CustomersPage {
        site: desk.site(),
        desk: desk.frame(Here::Customers),
        asked: text.to_owned(),
        found,
    })
}

/// Answers `GET /desk/{business}/customers/new`.
pub(crate) async fn new(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::KeepCustomers)?;
    desk.show(&NewCustomerPage {
        site: desk.site(),
        desk: desk.frame(Here::Customers),
        form: CustomerForm::default(),
        problems: Vec::new(),
    })
}

/// Answers `POST /desk/{business}/customers/new`.
pub(crate) async fn create(desk: Desk, form: CheckedForm<CustomerForm>) -> Result<Response, Fault> {
    desk.must(Right::KeepCustomers)?;
    let (form, _) = form.open();
    let problems = match form.check() {
        Ok(checked) => {
            let (now, id) = (desk.now(), desk.id());
            let mut transaction = desk.begin().await?;
            let business = desk.member.business.id;
            let details = checked.details();
            if store::customer::insert(&mut transaction, id, business, &details, now).await? {
                desk.audit(&mut transaction, "customer.added", id).await?;
                transaction.commit().await?;
                return Ok(desk.on_to(&customer_path(id), "saved"));
            }
            vec![taken()]
        }
        Err(problems) => problems,
    };
    let page = NewCustomerPage {
        site: desk.site(),
        desk: desk.frame(Here::Customers),
        form,
        problems: Problem::all_in_words(problems, desk.language()),
    };
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

pub(super) fn customer_path(id: Uuid) -> String {
    format!("/customers/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        for (text, expected) in [
            ("082 123 4567", Some("821234567")),
            ("+27 82 123 4567", Some("27821234567")),
            ("4567", Some("4567")),
            ("00", None),
            ("12", None),
            ("", None),
            ("Thandi 123", None),
        ] {
            assert_eq!(digits(text).as_deref(), expected, "{text}");
        }
    }
}

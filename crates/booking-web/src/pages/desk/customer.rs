//! One customer: who they are, what they booked, and a form to correct it.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::customers::customer_path;
use super::{Desk, Frame, Here, column, history, seen};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::message;
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store;
use crate::store::customer::{Customer, Details, Past};
use crate::store::privacy::Access;

/// A customer as they are shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct CustomerForm {
    #[serde(default)]
    pub(super) seen: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) phone: String,
    #[serde(default)]
    pub(super) note: String,
    /// A box that is not ticked is not sent.
    #[serde(default)]
    pub(super) restricted: String,
}

/// A customer after the form was checked.
pub(super) struct Checked {
    name: String,
    email: Option<String>,
    phone: Option<String>,
    note: Option<String>,
    is_restricted: bool,
}

impl Checked {
    pub(super) fn details(&self) -> Details<'_> {
        Details {
            name: &self.name,
            email: self.email.as_deref(),
            phone: self.phone.as_deref(),
            note: self.note.as_deref(),
            is_restricted: self.is_restricted,
        }
    }
}

impl CustomerForm {
    pub(super) fn of(customer: &Customer) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let form = Self {
            seen: String::new(),
            name: customer.name.clone(),
            email: text(customer.email.as_deref()),
            phone: text(customer.phone.as_deref()),
            note: text(customer.note.as_deref()),
            restricted: if customer.is_restricted { "yes" } else { "" }.to_owned(),
        };
        Self {
            seen: form.mark(),
            ..form
        }
    }

    fn mark(&self) -> String {
        let fields = [
            &self.name,
            &self.email,
            &self.phone,
            &self.note,
            &self.restricted,
        ];
        seen::mark(fields.map(String::as_str))
    }

    pub(super) fn is_restricted(&self) -> bool {
        !self.restricted.is_empty()
    }

    /// Checks all fields, or names every one that needs another value.
    pub(super) fn check(&self) -> Result<Checked, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail| problems.push(Problem { field, detail });
        let name = intake::line(&self.name, intake::NAME_CHARS_MAX).unwrap_or_else(|detail| {
            keep("name", detail);
            String::new()
        });
        let email = match self.email.trim() {
            "" => None,
            text => intake::email(text)
                .map_err(|detail| keep("email", detail))
                .ok(),
        };
        let phone = intake::phone(&self.phone).unwrap_or_else(|detail| {
            keep("phone", detail);
            None
        });
        let note = intake::desk_note(&self.note).unwrap_or_else(|detail| {
            keep("note", detail);
            None
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Checked {
            name,
            email,
            phone,
            note,
            is_restricted: self.is_restricted(),
        })
    }
}

/// That another customer has the address.
pub(super) fn taken() -> Problem {
    Problem {
        field: "email",
        detail: message("customer-email-taken"),
    }
}

/// A booking of theirs.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) when: String,
    pub(super) what: String,
    pub(super) state: String,
    pub(super) state_class: &'static str,
}

#[derive(Template)]
#[template(path = "desk/customer.html")]
pub(super) struct CustomerPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) form: CustomerForm,
    pub(super) problems: Vec<FieldProblem>,
    pub(super) bookings: Vec<Line>,
    pub(super) missed: usize,
    /// Whether what they ask about their data can be written down from here.
    pub(super) may_ask: bool,
    pub(super) history: Vec<history::Line>,
    /// What they were told and agreed to.
    pub(super) told: Vec<history::Line>,
}

impl CustomerPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Answers `GET /desk/{business}/customers/{customer}`. Whoever was merged into another
/// leads there.
pub(crate) async fn get(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    desk.must(Right::KeepCustomers)?;
    let mut transaction = desk.begin().await?;
    let customer = store::customer::by_id(&mut transaction, id).await?;
    let customer = customer.ok_or(Fault::NotFound)?;
    if let Some(into) = customer.merged_into {
        return Ok(Redirect::to(&desk.path(&customer_path(into))).into_response());
    }
    let form = CustomerForm::of(&customer);
    let page = page(&desk, &mut transaction, &customer, form, Vec::new()).await?;
    desk.looked(&mut transaction, id, Access::Saw).await?;
    transaction.commit().await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/customers/{customer}`.
pub(crate) async fn post(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<CustomerForm>,
) -> Result<Response, Fault> {
    desk.must(Right::KeepCustomers)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let customer = store::customer::lock(&mut transaction, id).await?;
    let customer = customer.filter(|customer| customer.merged_into.is_none());
    let customer = customer.ok_or(Fault::NotFound)?;
    let stands = CustomerForm::of(&customer).seen;
    let problems = match form.check() {
        Err(problems) => problems,
        Ok(_) if form.seen != stands => vec![Problem {
            field: "name",
            detail: message("desk-changed"),
        }],
        Ok(checked) => {
            if keep(&desk, &mut transaction, id, &checked).await? {
                transaction.commit().await?;
                return Ok(desk.on_to(&customer_path(id), "saved"));
            }
            vec![taken()]
        }
    };
    let problems = Problem::all_in_words(problems, desk.language());
    // Whoever sends it again has seen what stands there by now.
    let form = CustomerForm {
        seen: stands,
        ..form
    };
    let page = page(&desk, &mut transaction, &customer, form, problems).await?;
    transaction.rollback().await?;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `false` where another customer has the address.
async fn keep(
    desk: &Desk,
    connection: &mut PgConnection,
    id: Uuid,
    checked: &Checked,
) -> Result<bool, Fault> {
    if let Some(email) = &checked.email {
        let holder = store::customer::by_email(connection, email).await?;
        if holder.is_some_and(|holder| holder != id) {
            return Ok(false);
        }
    }
    store::customer::update(connection, id, &checked.details()).await?;
    desk.looked(connection, id, Access::Changed).await?;
    desk.audit(connection, "customer.changed", id).await?;
    Ok(true)
}

async fn page<'a>(
    desk: &'a Desk,
    connection: &mut PgConnection,
    customer: &Customer,
    form: CustomerForm,
    problems: Vec<FieldProblem>,
) -> Result<CustomerPage<'a>, Fault> {
    let bookings = store::customer::bookings(connection, customer.id).await?;
    let events = store::visit::history(connection, customer.id).await?;
    let told = store::visit::told(connection, customer.id).await?;
    let (language, zone) = (desk.language(), desk.zone());
    let line_of = |event| history::Line::of(language, event, zone);
    Ok(CustomerPage {
        site: desk.site(),
        desk: desk.frame(Here::Customers),
        id: customer.id,
        name: customer.name.clone(),
        form,
        problems,
        may_ask: desk.may(Right::SeeAudit),
        missed: (bookings.iter())
            .filter(|past| past.state == booking::State::NoShow)
            .count(),
        bookings: bookings.iter().map(|past| line(desk, past)).collect(),
        history: events.iter().rev().map(line_of).collect(),
        told: told.iter().map(line_of).collect(),
    })
}

fn line(desk: &Desk, past: &Past) -> Line {
    let (language, zone) = (desk.language(), desk.zone());
    Line {
        id: past.id,
        when: words::day_and_clock(language, &past.start.to_zoned_datetime(zone.clone())),
        what: format!("{}, {}", past.service, past.staff),
        state: column::state(language, past.state).to_string(),
        state_class: column::state_class(past.state),
    }
}

//! Who answers for privacy at a business, as its notice says, and how long it keeps what.

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;
use sqlx::PgConnection;

use super::{Desk, Frame, Here};
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::pages::Site;
use crate::privacy::register::register;
use crate::security::CheckedForm;
use crate::store;
use crate::store::responsible::{self, Profile};

const NAME_CHARS_MAX: usize = 200;
const ADDRESS_CHARS_MAX: usize = 400;
const RECIPIENTS_CHARS_MAX: usize = 1000;
/// Ten years, as the database has it.
const DAYS_MAX: i32 = 3660;

/// What is shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ResponsibleForm {
    pub(super) legal_name: String,
    pub(super) address: String,
    pub(super) officer: String,
    pub(super) officer_email: String,
    pub(super) officer_phone: String,
    pub(super) recipients: String,
    /// Empty: as long as the register says.
    pub(super) contact_days: String,
    pub(super) note_days: String,
}

#[derive(Template)]
#[template(path = "desk/responsible.html")]
pub(super) struct ResponsiblePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) form: ResponsibleForm,
    /// What the register says of contacts and of notes.
    pub(super) days: (u16, u16),
    pub(super) problems: Vec<FieldProblem>,
}

impl ResponsiblePage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// The profile, and the days for contacts and for notes.
type Checked = (Profile, Option<i32>, Option<i32>);

impl ResponsibleForm {
    /// Checks all fields, or names every one that needs another value.
    fn check(&self) -> Result<Checked, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail| problems.push(Problem { field, detail });
        let mut line = |field, text: &str, max| {
            intake::line(text, max).unwrap_or_else(|detail| {
                keep(field, detail);
                String::new()
            })
        };
        let legal_name = line("legal_name", &self.legal_name, NAME_CHARS_MAX);
        let address = line("address", &self.address, ADDRESS_CHARS_MAX);
        let officer = line("officer", &self.officer, NAME_CHARS_MAX);
        let officer_email = intake::email(&self.officer_email).unwrap_or_else(|detail| {
            keep("officer_email", detail);
            String::new()
        });
        let officer_phone = intake::phone(&self.officer_phone).unwrap_or_else(|detail| {
            keep("officer_phone", detail);
            None
        });
        let recipients = intake::text_of_at_most(RECIPIENTS_CHARS_MAX, &self.recipients);
        let recipients = recipients.unwrap_or_else(|detail| {
            keep("recipients", detail);
            None
        });
        let mut days = |field, text: &str| match text.trim() {
            "" => None,
            text => intake::number(text, 1..=DAYS_MAX)
                .map_err(|detail| keep(field, detail))
                .ok(),
        };
        let contact_days = days("contact_days", &self.contact_days);
        let note_days = days("note_days", &self.note_days);
        if !problems.is_empty() {
            return Err(problems);
        }
        let profile = Profile {
            legal_name,
            address,
            officer,
            officer_email,
            officer_phone,
            recipients,
        };
        Ok((profile, contact_days, note_days))
    }
}

/// Answers `GET /desk/{business}/settings/privacy`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let mut transaction = desk.begin().await?;
    let form = stands(&mut transaction).await?;
    transaction.rollback().await?;
    desk.show(&page(&desk, form, Vec::new()))
}

/// Answers `POST /desk/{business}/settings/privacy`.
pub(crate) async fn post(
    desk: Desk,
    form: CheckedForm<ResponsibleForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let (form, _) = form.open();
    let (profile, contact_days, note_days) = match form.check() {
        Ok(checked) => checked,
        Err(problems) => {
            let page = page(&desk, form, problems);
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let business = desk.member.business.id;
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    responsible::set_profile(connection, business, &profile).await?;
    for kept in [("contact", contact_days), ("note", note_days)] {
        responsible::keep(connection, business, kept).await?;
    }
    desk.audit(connection, "privacy.profile.changed", business)
        .await?;
    transaction.commit().await?;
    Ok(desk.on_to("/settings/privacy", "saved"))
}

/// The fields as they stand.
async fn stands(connection: &mut PgConnection) -> Result<ResponsibleForm, Fault> {
    let profile = responsible::profile(connection).await?.unwrap_or_default();
    let choices = store::retention::choices(connection).await?;
    let days = |class: &str| {
        let chosen = choices.iter().find(|(name, _)| name == class);
        chosen.map_or_else(String::new, |(_, days)| days.to_string())
    };
    Ok(ResponsibleForm {
        legal_name: profile.legal_name,
        address: profile.address,
        officer: profile.officer,
        officer_email: profile.officer_email,
        officer_phone: profile.officer_phone.unwrap_or_default(),
        recipients: profile.recipients.unwrap_or_default(),
        contact_days: days("contact"),
        note_days: days("note"),
    })
}

fn page(desk: &Desk, form: ResponsibleForm, problems: Vec<Problem>) -> ResponsiblePage<'_> {
    let registered = |class| register().class(class).map_or(0, |class| class.days);
    ResponsiblePage {
        site: desk.site(),
        desk: desk.frame(Here::Settings),
        form,
        days: (registered("contact"), registered("note")),
        problems: Problem::all_in_words(problems, desk.language()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_and_what_may_be_left_out_is() {
        let empty = ResponsibleForm {
            contact_days: "0".into(),
            note_days: "long".into(),
            ..ResponsibleForm::default()
        };
        let fields: Vec<_> = empty.check().unwrap_err();
        let fields: Vec<_> = fields.iter().map(|problem| problem.field).collect();
        assert_eq!(
            fields,
            [
                "legal_name",
                "address",
                "officer",
                "officer_email",
                "contact_days",
                "note_days"
            ]
        );
        let least = ResponsibleForm {
            legal_name: "Karoo Cuts (Pty) Ltd".into(),
            address: "Church Street 1".into(),
            officer: "Naledi Mokoena".into(),
            officer_email: "naledi@karoo.example".into(),
            note_days: "90".into(),
            ..ResponsibleForm::default()
        };
        let (profile, contact_days, note_days) = least.check().unwrap();
        assert_eq!((contact_days, note_days), (None, Some(90)));
        assert_eq!((profile.officer_phone, profile.recipients), (None, None));
    }
}

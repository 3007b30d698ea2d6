//! How a business wants its messages: who they are from, when customers are reminded and
//! when they are left in peace.

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use serde::Deserialize;

use super::{Desk, Frame, Here, clock};
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, message};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store::appointment::{self, Settings};

const SENDER_CHARS_MAX: usize = 120;
/// So many minutes before the start.
const LEADS: [i32; 6] = [60, 120, 240, 1440, 2880, 10_080];

/// The settings as they are shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReminderForm {
    pub(super) sender: String,
    pub(super) email: String,
    /// Minutes before the start; empty where none is sent.
    pub(super) by_email: String,
    pub(super) by_sms: String,
    pub(super) quiet_from: String,
    pub(super) quiet_until: String,
    pub(super) hides_service: String,
}

/// A lead to choose.
pub(super) struct Lead {
    pub(super) minutes: String,
    pub(super) words: String,
}

#[derive(Template)]
#[template(path = "desk/reminders.html")]
pub(super) struct RemindersPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) form: ReminderForm,
    pub(super) leads: Vec<Lead>,
    pub(super) problems: Vec<FieldProblem>,
}

impl RemindersPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

impl ReminderForm {
    fn of(settings: &Settings) -> Self {
        let minutes = |minutes: Option<i32>| minutes.map_or_else(String::new, |m| m.to_string());
        Self {
            sender: settings.sender.clone().unwrap_or_default(),
            email: settings.email.clone().unwrap_or_default(),
            by_email: minutes(settings.reminder_email_minutes),
            by_sms: minutes(settings.reminder_sms_minutes),
            quiet_from: clock::of(settings.quiet_from),
            quiet_until: clock::of(settings.quiet_until),
            hides_service: if settings.hides_service { "yes" } else { "" }.to_owned(),
        }
    }

    /// Checks all fields, or names every one that needs another value.
    fn check(&self, stands: &Settings) -> Result<Settings, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail| problems.push(Problem { field, detail });
        let sender = match self.sender.trim() {
            "" => None,
            sender => intake::line(sender, SENDER_CHARS_MAX)
                .map_err(|detail| keep("sender", detail))
                .ok(),
        };
        let email = match self.email.trim() {
            "" => None,
            email => intake::email(email)
                .map_err(|detail| keep("email", detail))
                .ok(),
        };
        let mut time = |field, text: &str| {
            clock::minutes(text.trim()).unwrap_or_else(|| {
                keep(field, message("reminders-time-wrong"));
                0
            })
        };
        let quiet_from = time("quiet_from", &self.quiet_from);
        let quiet_until = time("quiet_until", &self.quiet_until);
        if !problems.is_empty() {
            return Err(problems);
        }
        // A browser sends what can be chosen: nothing, or a lead that was shown.
        let lead = |text: &str, stands: Option<i32>| {
            let minutes = text.parse().ok()?;
            (LEADS.contains(&minutes) || stands == Some(minutes)).then_some(minutes)
        };
        Ok(Settings {
            reminder_email_minutes: lead(&self.by_email, stands.reminder_email_minutes),
            reminder_sms_minutes: lead(&self.by_sms, stands.reminder_sms_minutes),
            quiet_from,
            quiet_until,
            hides_service: self.hides_service == "yes",
            email,
            sender,
        })
    }
}

/// Answers `GET /desk/{business}/settings/messages`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let mut transaction = desk.begin().await?;
    let settings = appointment::settings(&mut transaction).await?;
    transaction.rollback().await?;
    let form = ReminderForm::of(&settings);
    desk.show(&page(&desk, &settings, form, Vec::new()))
}

/// Answers `POST /desk/{business}/settings/messages`.
pub(crate) async fn post(desk: Desk, form: CheckedForm<ReminderForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let connection = &mut *transaction;
    let stands = appointment::settings(connection).await?;
    match form.check(&stands) {
        Ok(settings) => {
            let business = desk.member.business.id;
            appointment::set_settings(connection, business, &settings).await?;
            desk.audit(connection, "messages.changed", business).await?;
            transaction.commit().await?;
            Ok(desk.on_to("/settings/messages", "saved"))
        }
        Err(problems) => {
            transaction.rollback().await?;
            let page = page(&desk, &stands, form, problems);
            desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// "2 hours before", "2 days before".
fn lead_words(language: Language, minutes: i32) -> String {
    let before = if minutes % 1440 == 0 {
        language
            .text("reminders-days")
            .with("days", minutes / 1440)
            .to_string()
    } else {
        words::duration(language, i64::from(minutes))
    };
    language
        .text("reminders-before")
        .with("time", before)
        .to_string()
}

/// What can be chosen, with what stands there.
fn leads(language: Language, stands: &Settings) -> Vec<Lead> {
    let stands = [stands.reminder_email_minutes, stands.reminder_sms_minutes];
    let mut minutes: Vec<i32> = LEADS
        .into_iter()
        .chain(stands.into_iter().flatten())
        .collect();
    minutes.sort_unstable();
    minutes.dedup();
    let lead = |minutes: i32| Lead {
        minutes: minutes.to_string(),
        words: lead_words(language, minutes),
    };
    minutes.into_iter().map(lead).collect()
}

fn page<'a>(
    desk: &'a Desk,
    stands: &Settings,
    form: ReminderForm,
    problems: Vec<Problem>,
) -> RemindersPage<'a> {
    RemindersPage {
        site: desk.site(),
        desk: desk.frame(Here::Settings),
        leads: leads(desk.language(), stands),
        form,
        problems: Problem::all_in_words(problems, desk.language()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_comes_back_as_it_was_and_every_wrong_field_is_named() {
        let stands = Settings {
            reminder_email_minutes: Some(90),
            reminder_sms_minutes: None,
            sender: Some("Karoo".into()),
            email: Some("desk@karoo.example".into()),
            ..Settings::default()
        };
        let form = ReminderForm::of(&stands);
        assert_eq!(form.check(&stands).unwrap(), stands);
        let wrong = ReminderForm {
            sender: "x".repeat(SENDER_CHARS_MAX + 1),
            email: "nobody".into(),
            quiet_from: "25:00".into(),
            quiet_until: String::new(),
            ..form
        };
        let fields: Vec<_> = wrong.check(&stands).unwrap_err();
        let fields: Vec<_> = fields.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["sender", "email", "quiet_from", "quiet_until"]);
    }

    #[test]
    fn a_lead_that_was_not_shown_is_none() {
        let stands = Settings::default();
        let form = ReminderForm {
            by_email: "7".into(),
            by_sms: "240".into(),
            ..ReminderForm::of(&stands)
        };
        let read = form.check(&stands).unwrap();
        let leads = (read.reminder_email_minutes, read.reminder_sms_minutes);
        assert_eq!(leads, (None, Some(240)));
    }
}

//! What could not be sent, why, and trying it again: one, or all.

use askama::Template;
use axum::response::Response;
use booking::Right;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::{Desk, Frame, Here};
use crate::error::Fault;
use crate::language::{Language, Text};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store;
use crate::store::letter::{Counts, Dead};

/// So far back what was sent is counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A message that was given up, in words.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) what: String,
    pub(super) channel: String,
    pub(super) recipient: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) at: String,
    pub(super) booking: Option<Uuid>,
    /// Whom the booking is for, and when.
    pub(super) name: Option<String>,
    pub(super) start: Option<String>,
    pub(super) is_late: bool,
}

#[derive(Template)]
#[template(path = "desk/messages.html")]
pub(super) struct MessagesPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) counts: Counts,
    pub(super) dead: Vec<Line>,
}

impl MessagesPage<'_> {
    /// Whether trying all again would try anything.
    fn can_try(&self) -> bool {
        self.dead.iter().any(|line| !line.is_late)
    }
}

/// What a message is about, by its kind.
fn what(language: Language, kind: &str) -> Text {
    match kind {
        "confirmed" => language.text("message-confirmed"),
        "cancelled" => language.text("message-cancelled"),
        "moved" => language.text("message-rescheduled"),
        "reminder" => language.text("message-reminder"),
        "alarm" => language.text("message-alarm"),
        _ => language.text("message-other"),
    }
}

fn channel(language: Language, channel: &str) -> Text {
    match channel {
        "email" => language.text("message-by-email"),
        "sms" => language.text("message-by-sms"),
        "webhook" => language.text("message-by-webhook"),
        _ => language.text("message-by-itself"),
    }
}

/// Answers `GET /desk/{business}/messages`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let (language, zone, now) = (desk.language(), desk.zone(), desk.now());
    let since = now.saturating_sub(COUNTED).unwrap_or(now);
    let mut transaction = desk.begin().await?;
    let counts = store::letter::counts(&mut transaction, since).await?;
    let dead = store::letter::dead(&mut transaction, now).await?;
    desk.saw(&mut transaction, dead.iter().map(|dead| dead.customer))
        .await?;
    transaction.commit().await?;
    let moment =
        |at: Timestamp| words::day_and_clock(language, &at.to_zoned_datetime(zone.clone()));
    let line = |dead: Dead| Line {
        id: dead.id,
        what: what(language, &dead.kind).to_string(),
        channel: channel(language, &dead.channel).to_string(),
        recipient: dead.recipient,
        reason: dead.reason,
        at: moment(dead.at),
        booking: dead.booking,
        name: dead.name,
        start: dead.start.map(moment),
        is_late: dead.is_late,
    };
    desk.show(&MessagesPage {
        site: desk.site(),
        desk: desk.frame(Here::Messages),
        counts,
        dead: dead.into_iter().map(line).collect(),
    })
}

/// Which one is to be tried again; all, where none is named.
#[derive(Debug, Deserialize)]
pub(crate) struct AgainForm {
    #[serde(default)]
    message: String,
}

/// Answers `POST /desk/{business}/messages/again`.
pub(crate) async fn again(desk: Desk, form: CheckedForm<AgainForm>) -> Result<Response, Fault> {
    desk.must(Right::ChangeSettings)?;
    let (form, _) = form.open();
    let one = match form.message.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Fault::NotFound)?),
    };
    let mut transaction = desk.begin().await?;
    // Nothing is left to do where somebody else was faster.
    if store::letter::try_again(&mut transaction, one, desk.now()).await? > 0 {
        let subject = one.unwrap_or(desk.member.business.id);
        desk.audit(&mut transaction, "message.again", subject)
            .await?;
    }
    transaction.commit().await?;
    Ok(desk.on_to("/messages", "again"))
}

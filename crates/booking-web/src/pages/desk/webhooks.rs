//! The webhooks of a business: added, tried, switched off and on, given another secret, with
//! what came of the latest calls.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{Desk, Frame, Here, Tick};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake::Problem;
use crate::language::{Language, Text, message};
use crate::messages::outbound::Unfit;
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store::webhook::{Listed, Try};
use crate::webhook::{Added, KINDS};

/// A webhook in words.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) url: String,
    pub(super) kinds: Vec<String>,
    pub(super) is_active: bool,
}

/// A call in words.
pub(super) struct CallLine {
    pub(super) id: Uuid,
    pub(super) what: String,
    pub(super) state: String,
    pub(super) at: String,
    pub(super) failures: i32,
    pub(super) reason: Option<String>,
    pub(super) can_again: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct WebhookForm {
    #[serde(default)]
    pub(super) url: String,
    /// What was ticked, by the kinds of events.
    #[serde(flatten)]
    pub(super) ticked: BTreeMap<String, String>,
}

/// What is done to one: `ping`, `rotate`, `on`, `off`, or `again` with the id of a call.
#[derive(Debug, Deserialize)]
pub(crate) struct ActForm {
    #[serde(default)]
    action: String,
    #[serde(default)]
    call: Option<Uuid>,
}

#[derive(Template)]
#[template(path = "desk/webhooks.html")]
pub(super) struct WebhooksPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) webhooks: Vec<Line>,
    pub(super) kinds: Vec<Tick>,
    pub(super) form: WebhookForm,
    /// The secret of the one that was added just now.
    pub(super) made: Option<String>,
    pub(super) problems: Vec<FieldProblem>,
}

#[derive(Template)]
#[template(path = "desk/webhook.html")]
pub(super) struct WebhookPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) webhook: Line,
    pub(super) calls: Vec<CallLine>,
    pub(super) made: Option<String>,
}

impl WebhooksPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

fn kind_words(language: Language, kind: &str) -> Option<Text> {
    Some(match kind {
        "confirmed" => language.text("hook-confirmed"),
        "moved" => language.text("hook-moved"),
        "cancelled" => language.text("hook-cancelled"),
        "arrived" => language.text("hook-arrived"),
        "arrival_undone" => language.text("hook-arrival-undone"),
        "completed" => language.text("hook-completed"),
        "no_show" => language.text("hook-no-show"),
        "no_show_undone" => language.text("hook-no-show-undone"),
        "ping" => language.text("hook-ping"),
        _ => return None,
    })
}

fn state_words(language: Language, state: &str) -> Text {
    match state {
        "sent" => language.text("call-sent"),
        "dropped" => language.text("call-dropped"),
        "dead" => language.text("call-dead"),
        _ => language.text("call-waiting"),
    }
}

/// Answers `GET /desk/{business}/webhooks`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    let page = page(&desk, WebhookForm::default(), (None, Vec::new())).await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/webhooks`.
pub(crate) async fn create(desk: Desk, form: CheckedForm<WebhookForm>) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    desk.member.must_be_fresh()?;
    let (form, _) = form.open();
    let ticked = KINDS.into_iter().filter(|k| form.ticked.contains_key(*k));
    let kinds: Vec<_> = ticked.map(str::to_owned).collect();
    let (business, by) = (desk.member.business.id, desk.member.account.id);
    let wish = (form.url.trim(), kinds.as_slice());
    let detail = match desk.app.add_webhook(business, wish, by).await? {
        Added::Now(_, secret) => {
            let page = page(&desk, WebhookForm::default(), (Some(secret), Vec::new())).await?;
            return desk.show_as(StatusCode::CREATED, &page);
        }
        Added::Unfit(Unfit::Shape) => message("hooks-address-wrong"),
        Added::Unfit(Unfit::Unknown) => message("hooks-address-unknown"),
        Added::Unfit(Unfit::Private) => message("hooks-address-private"),
        Added::TooMany => message("hooks-too-many"),
    };
    let problem = Problem {
        field: "url",
        detail,
    };
    let page = page(&desk, form, (None, vec![problem])).await?;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Answers `GET /desk/{business}/webhooks/{webhook}`.
pub(crate) async fn one(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    desk.show(&its_page(&desk, id, None).await?)
}

/// Answers `POST /desk/{business}/webhooks/{webhook}`.
pub(crate) async fn act(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<ActForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    let (form, _) = form.open();
    let (app, business, by) = (&desk.app, desk.member.business.id, desk.member.account.id);
    app.webhook(business, id).await?;
    let done = match (form.action.as_str(), form.call) {
        ("rotate", _) => {
            desk.member.must_be_fresh()?;
            let secret = app.rotate_webhook(business, id, by).await?;
            return desk.show(&its_page(&desk, id, Some(secret)).await?);
        }
        ("ping", _) => {
            app.ping_webhook(business, id).await?;
            "again"
        }
        ("again", Some(call)) => {
            app.call_again(business, (id, call)).await?;
            "again"
        }
        (action @ ("on" | "off"), _) => {
            app.switch_webhook(business, (id, action == "on"), by)
                .await?;
            "saved"
        }
        _ => return Err(Fault::Malformed("there is nothing to do".to_owned())),
    };
    Ok(desk.on_to(&format!("/webhooks/{id}"), done))
}

async fn page(
    desk: &Desk,
    form: WebhookForm,
    (made, problems): (Option<String>, Vec<Problem>),
) -> Result<WebhooksPage<'_>, Fault> {
    let language = desk.language();
    let webhooks = desk.app.webhooks(desk.member.business.id).await?;
    let kinds = KINDS.into_iter().filter_map(|kind| {
        Some(Tick {
            field: kind.to_owned(),
            words: kind_words(language, kind)?.to_string(),
            is_on: form.ticked.contains_key(kind),
        })
    });
    Ok(WebhooksPage {
        site: desk.site(),
        desk: desk.frame(Here::Programs),
        webhooks: webhooks.into_iter().map(|w| line(language, w)).collect(),
        kinds: kinds.collect(),
        form,
        made,
        problems: Problem::all_in_words(problems, language),
    })
}

async fn its_page(desk: &Desk, id: Uuid, made: Option<String>) -> Result<WebhookPage<'_>, Fault> {
    let business = desk.member.business.id;
    let webhook = desk.app.webhook(business, id).await?;
    let calls = desk.app.webhook_tries(business, id).await?;
    Ok(WebhookPage {
        site: desk.site(),
        desk: desk.frame(Here::Programs),
        webhook: line(desk.language(), webhook),
        calls: calls
            .into_iter()
            .map(|call| call_line(desk, call))
            .collect(),
        made,
    })
}

fn line(language: Language, webhook: Listed) -> Line {
    let kinds = webhook.kinds.iter();
    let kinds = kinds.filter_map(|kind| Some(kind_words(language, kind)?.to_string()));
    Line {
        id: webhook.id,
        url: webhook.url,
        kinds: kinds.collect(),
        is_active: webhook.is_active,
    }
}

fn call_line(desk: &Desk, call: Try) -> CallLine {
    let language = desk.language();
    let moment =
        |at: Timestamp| words::moment(language, &at.to_zoned_datetime(desk.zone().clone()));
    let is_over = ["sent", "dropped", "dead"].contains(&call.state.as_str());
    CallLine {
        id: call.id,
        what: kind_words(language, &call.kind)
            .map_or_else(|| call.kind.clone(), |words| words.to_string()),
        state: state_words(language, &call.state).to_string(),
        at: moment(call.at),
        failures: call.failures,
        reason: call.reason,
        can_again: is_over && call.is_whole,
    }
}

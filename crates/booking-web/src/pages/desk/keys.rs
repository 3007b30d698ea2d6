//! The keys of a business: made with what they allow, shown once, revoked.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use booking::Right;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{Desk, Frame, Here, Tick};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::key::{KeyWish, Scope};
use crate::language::{Language, Text, message};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store::api_key::ApiKey;
use crate::store::instant;

const NAME_CHARS_MAX: usize = 80;

/// A key in words.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) scopes: Vec<String>,
    pub(super) used: String,
    /// Until when it counts, where it ends by itself.
    pub(super) until: Option<String>,
    pub(super) is_good: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct KeyForm {
    #[serde(default)]
    pub(super) name: String,
    /// What was ticked, by the names of the scopes.
    #[serde(flatten)]
    pub(super) ticked: BTreeMap<String, String>,
}

#[derive(Template)]
#[template(path = "desk/keys.html")]
pub(super) struct KeysPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) keys: Vec<Line>,
    pub(super) scopes: Vec<Tick>,
    pub(super) form: KeyForm,
    /// The secret of the key that was made just now.
    pub(super) made: Option<String>,
    pub(super) problems: Vec<FieldProblem>,
}

impl KeysPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// What a scope allows, in words.
fn scope_words(language: Language, scope: Scope) -> Text {
    match scope {
        Scope::ReadBookings => language.text("scope-read-bookings"),
        Scope::WriteBookings => language.text("scope-write-bookings"),
        Scope::ReadCustomers => language.text("scope-read-customers"),
        Scope::ManageKeys => language.text("scope-manage-keys"),
        Scope::ManageFeeds => language.text("scope-manage-feeds"),
        Scope::ManageWebhooks => language.text("scope-manage-webhooks"),
    }
}

/// Answers `GET /desk/{business}/keys`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    let page = page(&desk, KeyForm::default(), (None, Vec::new())).await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/keys`.
pub(crate) async fn create(desk: Desk, form: CheckedForm<KeyForm>) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    desk.member.must_be_fresh()?;
    let (form, _) = form.open();
    let (name, scopes) = match check(&form) {
        Ok(wish) => wish,
        Err(problems) => {
            let page = page(&desk, form, (None, problems)).await?;
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let wish = KeyWish {
        name: &name,
        scopes: &scopes,
        expires_at: None,
    };
    let (business, by) = (desk.member.business.id, desk.member.account.id);
    let made = desk.app.make_key(business, &wish, by).await?;
    let page = page(&desk, KeyForm::default(), (Some(made.secret), Vec::new())).await?;
    desk.show_as(StatusCode::CREATED, &page)
}

/// Sending it is the decision.
#[derive(Debug, Deserialize)]
pub(crate) struct RevokeForm {}

/// Answers `POST /desk/{business}/keys/{key}/revoke`.
pub(crate) async fn revoke(
    desk: Desk,
    Path((_, key)): Path<(String, Uuid)>,
    _form: CheckedForm<RevokeForm>,
) -> Result<Response, Fault> {
    desk.must(Right::ManageKeys)?;
    let (business, by) = (desk.member.business.id, desk.member.account.id);
    desk.app.revoke_key(business, key, by).await?;
    Ok(desk.on_to("/keys", "saved").into_response())
}

fn check(form: &KeyForm) -> Result<(String, Vec<Scope>), Vec<Problem>> {
    let mut problems = Vec::new();
    let name = intake::line(&form.name, NAME_CHARS_MAX).unwrap_or_else(|detail| {
        problems.push(Problem {
            field: "name",
            detail,
        });
        String::new()
    });
    let is_ticked = |scope: &Scope| form.ticked.contains_key(scope.as_str());
    let scopes: Vec<_> = Scope::ALL.into_iter().filter(is_ticked).collect();
    if scopes.is_empty() {
        problems.push(Problem {
            field: "scopes",
            detail: message("keys-scopes-missing"),
        });
    }
    if problems.is_empty() {
        Ok((name, scopes))
    } else {
        Err(problems)
    }
}

async fn page(
    desk: &Desk,
    form: KeyForm,
    (made, problems): (Option<String>, Vec<Problem>),
) -> Result<KeysPage<'_>, Fault> {
    let language = desk.language();
    let keys = desk.app.keys(desk.member.business.id).await?;
    let scopes = Scope::ALL.into_iter().map(|scope| Tick {
        field: scope.as_str().to_owned(),
        words: scope_words(language, scope).to_string(),
        is_on: form.ticked.contains_key(scope.as_str()),
    });
    Ok(KeysPage {
        site: desk.site(),
        desk: desk.frame(Here::Programs),
        keys: keys.into_iter().map(|key| line(desk, key)).collect(),
        scopes: scopes.collect(),
        form,
        made,
        problems: Problem::all_in_words(problems, language),
    })
}

fn line(desk: &Desk, key: ApiKey) -> Line {
    let language = desk.language();
    let moment =
        |at: Timestamp| words::moment(language, &at.to_zoned_datetime(desk.zone().clone()));
    let used = key.last_used_at.map(instant).map(moment);
    let scopes = key.scopes.iter().filter_map(|name| Scope::parse(name));
    let end = key.expires_at.map(instant);
    Line {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        scopes: scopes
            .map(|scope| scope_words(language, scope).to_string())
            .collect(),
        used: match used {
            Some(when) => language
                .text("programs-used")
                .with("when", when)
                .to_string(),
            None => language.text("programs-unused").to_string(),
        },
        is_good: key.revoked_at.is_none() && end.is_none_or(|end| desk.now() < end),
        until: end.map(moment),
    }
}

//! The passkeys of an account: seen, added and removed by whoever has just given the
//! password. Browsers make them for scripts only; without one the page says so.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use jiff::tz::TimeZone;
use serde::Deserialize;
use uuid::Uuid;

use crate::account::member::SignedIn;
use crate::account::network::Network;
use crate::account::passkeys::Added;
use crate::account::session;
use crate::app::App;
use crate::error::Fault;
use crate::intake;
use crate::language::{Language, Wanted};
use crate::pages::account::ZONE;
use crate::pages::form::{self, Problems};
use crate::pages::{Site, words};
use crate::security::{CheckedForm, Visit};
use crate::store::passkey::Listed;

const NAME_CHARS_MAX: usize = 60;

/// A passkey in words.
pub(super) struct PasskeyWords {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) added: String,
    pub(super) used: Option<String>,
}

impl PasskeyWords {
    fn of(language: Language, listed: Listed) -> Self {
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        let moment =
            |at: jiff::Timestamp| words::moment(language, &at.to_zoned_datetime(zone.clone()));
        Self {
            id: listed.id.to_string(),
            name: listed.name,
            added: moment(listed.created_at),
            used: listed.used_at.map(moment),
        }
    }
}

/// The form as it was sent: one to remove, or the answer of the browser with a name for it.
#[derive(Deserialize)]
pub(crate) struct PasskeyForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    remove: String,
}

/// What is known before the device is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct BeginForm {
    #[serde(default)]
    name: String,
}

#[derive(Template)]
#[template(path = "passkeys.html")]
pub(super) struct PasskeysPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    /// The address at which they can be used.
    pub(super) origin: &'a str,
    pub(super) is_confirmed: bool,
    pub(super) passkeys: Vec<PasskeyWords>,
    pub(super) name: &'a str,
    /// What became of the last one that was to be added.
    pub(super) refused: Option<Added>,
    pub(super) problems: Problems,
}

/// Answers `GET /account/passkeys`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let origin = app.accounts.passkeys()?.origin();
    signed_in.must_be_fresh()?;
    let site = Site::of(&app, wanted);
    let page = PasskeysPage {
        csrf: visit.form_token(),
        origin,
        is_confirmed: signed_in.account.is_confirmed,
        passkeys: list(&app, &signed_in, site.language).await?,
        name: &session::agent(&headers),
        refused: None,
        problems: Problems::default(),
        site,
    };
    form::page(&visit, &page)
}

/// Answers `POST /account/passkeys/begin`: what the browser is asked to make. Where nothing
/// can be added the form is to be sent as it is, and its answer says why.
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    form: CheckedForm<BeginForm>,
) -> Result<Response, Fault> {
    signed_in.must_be_fresh()?;
    if !signed_in.account.is_confirmed {
        return Err(Fault::Forbidden);
    }
    let (form, visit) = form.open();
    let is_full = app.accounts.has_all_passkeys(signed_in.account.id).await?;
    if is_full || intake::line(&form.name, NAME_CHARS_MAX).is_err() {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    }
    let owner = Some(&signed_in.account);
    let asked = app.accounts.ask_for_passkey(owner, &visit.holder()).await?;
    Ok(([(CONTENT_TYPE, "application/json")], asked).into_response())
}

/// Answers `POST /account/passkeys`: adds one, or removes one.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<PasskeyForm>,
) -> Result<Response, Fault> {
    let origin = app.accounts.passkeys()?.origin();
    signed_in.must_be_fresh()?;
    let (form, visit) = form.open();
    let owner = &signed_in.account;
    let back = || Ok(Redirect::to("/account/passkeys").into_response());
    if !form.remove.is_empty() {
        let id = Uuid::parse_str(&form.remove).map_err(|_| Fault::NotFound)?;
        app.accounts.remove_passkey(owner, id, &network).await?;
        return back();
    }
    let site = Site::of(&app, wanted);
    let (refused, problems) = match intake::line(&form.name, NAME_CHARS_MAX) {
        Err(wrong) => (None, Problems::one("name", wrong, site.language)),
        Ok(name) => {
            let sent = (form.answer.as_str(), name.as_str());
            let holder = visit.holder();
            match app
                .accounts
                .add_passkey(owner, sent, &holder, &network)
                .await?
            {
                Added::Yes => return back(),
                refused => (Some(refused), Problems::default()),
            }
        }
    };
    form::again(&PasskeysPage {
        csrf: visit.form_token(),
        origin,
        is_confirmed: owner.is_confirmed,
        passkeys: list(&app, &signed_in, site.language).await?,
        name: &form.name,
        refused,
        problems,
        site,
    })
}

async fn list(
    app: &App,
    signed_in: &SignedIn,
    language: Language,
) -> Result<Vec<PasskeyWords>, Fault> {
    let listed = app.accounts.list_passkeys(signed_in.account.id).await?;
    let in_words = |listed| PasskeyWords::of(language, listed);
    Ok(listed.into_iter().map(in_words).collect())
}

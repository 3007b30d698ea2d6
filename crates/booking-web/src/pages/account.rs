//! What somebody sees and changes about their own account: sessions, the password, the
//! code app.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{CONTENT_TYPE, SET_COOKIE};
use jiff::tz::TimeZone;
use serde::Deserialize;
use uuid::Uuid;

use crate::account::codes::Which;
use crate::account::member::SignedIn;
use crate::account::network::Network;
use crate::account::reset::Reset;
use crate::account::session;
use crate::app::App;
use crate::error::Fault;
use crate::language::{Wanted, message};
use crate::limit::Limit;
use crate::pages::form::{self, Problems};
use crate::pages::{Site, picture, render, words};
use crate::security::{CheckedForm, Visit};

/// Where the people who use it are.
pub(super) const ZONE: &str = "Africa/Johannesburg";

const MAILS: Limit = Limit {
    name: "confirm-again",
    most: 3,
    seconds: 3600,
};

/// A browser in which somebody is signed in, in words.
pub(super) struct SessionWords {
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) seen: String,
    pub(super) is_this: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) is_confirmed: bool,
    pub(super) has_codes: bool,
    /// How many there are; none where there cannot be any.
    pub(super) passkeys: Option<usize>,
    pub(super) sessions: Vec<SessionWords>,
}

/// Which session ends: one, or with `all` every other one.
#[derive(Debug, Deserialize)]
pub(crate) struct EndForm {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
pub(crate) struct PasswordForm {
    #[serde(default)]
    password: String,
}

#[derive(Template)]
#[template(path = "new_password.html")]
pub(super) struct NewPasswordPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) path: String,
    pub(super) problems: Problems,
}

/// Sending it is the decision.
#[derive(Debug, Deserialize)]
pub(crate) struct AgainForm {}

/// Answers `GET /account`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let account = &signed_in.account;
    let secured = app.accounts.secured(account.id).await?;
    let site = Site::of(&app, wanted);
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    let in_words = |listed: crate::store::session::Listed| SessionWords {
        id: listed.id.to_string(),
        agent: listed.agent,
        seen: words::moment(
            site.language,
            &listed.seen_at.to_zoned_datetime(zone.clone()),
        ),
        is_this: listed.id == signed_in.session.id,
    };
    let sessions = secured.sessions.into_iter().map(in_words).collect();
    let page = AccountPage {
        csrf: visit.form_token(),
        name: &account.name,
        email: &account.email,
        is_confirmed: account.is_confirmed,
        has_codes: secured.has_codes,
        passkeys: app.accounts.passkeys().ok().map(|_| secured.passkeys),
        sessions,
        site,
    };
    form::page(&visit, &page)
}

/// Answers `POST /account/sessions`.
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    network: Network,
    form: CheckedForm<EndForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let ours = signed_in.session.id;
    let which = match form.id.as_str() {
        "all" => Which::AllBut(ours),
        id => Which::One(Uuid::parse_str(id).map_err(|_| Fault::NotFound)?),
    };
    let account = signed_in.account.id;
    app.accounts.end_sessions(account, which, &network).await?;
    let mut response = Redirect::to("/account").into_response();
    if matches!(which, Which::One(id) if id == ours) {
        let gone = session::gone(app.secure);
        response.headers_mut().append(SET_COOKIE, gone);
    }
    Ok(response)
}

/// Answers `GET /account/password`.
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    signed_in.must_be_fresh()?;
    let page = NewPasswordPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        path: "/account/password".to_owned(),
        problems: Problems::default(),
    };
    form::page(&visit, &page)
}

/// Answers `POST /account/password`.
pub(crate) async fn set_password(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<PasswordForm>,
) -> Result<Response, Fault> {
    signed_in.must_be_fresh()?;
    let (form, visit) = form.open();
    let who = (&signed_in.account, signed_in.session.id);
    match app
        .accounts
        .change_password(who, &form.password, &network)
        .await?
    {
        Reset::Done | Reset::Over => Ok(Redirect::to("/account").into_response()),
        Reset::Unfit(reason) => form::again(&NewPasswordPage {
            problems: Problems::one("password", reason, wanted.language()),
            site: Site::of(&app, wanted),
            csrf: visit.form_token(),
            path: "/account/password".to_owned(),
        }),
    }
}

/// Answers `POST /account/confirm-again`.
pub(crate) async fn confirm_again(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    _form: CheckedForm<AgainForm>,
) -> Result<Response, Fault> {
    if !signed_in.account.is_confirmed {
        app.within(MAILS, &signed_in.account.email).await?;
        app.accounts.send_again(&signed_in.account).await?;
    }
    Ok(Redirect::to("/account").into_response())
}

/// What to do about the code app, and its first code.
#[derive(Deserialize)]
pub(crate) struct CodesForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    remove: String,
}

#[derive(Template)]
#[template(path = "codes.html")]
pub(super) struct CodesPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    /// The secret in groups, while an app is being set up; none where one works.
    pub(super) secret: Option<String>,
    /// Shown once.
    pub(super) recovery: Vec<String>,
    pub(super) problems: Problems,
}

/// Answers `GET /account/codes`.
pub(crate) async fn codes(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    signed_in.must_be_fresh()?;
    let secret = app.accounts.secret_to_set_up(signed_in.account.id).await?;
    let page = CodesPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        secret: secret.map(|secret| secret.in_groups()),
        recovery: Vec::new(),
        problems: Problems::default(),
    };
    form::page(&visit, &page)
}

/// Answers `GET /account/codes/picture.svg`: what an app reads with its camera.
pub(crate) async fn codes_picture(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<Response, Fault> {
    signed_in.must_be_fresh()?;
    let account = &signed_in.account;
    let secret = app.accounts.secret_to_set_up(account.id).await?;
    let secret = secret.ok_or(Fault::NotFound)?;
    let svg = picture::squares(&secret.address(&account.email))?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

/// Answers `POST /account/codes`: takes the first code, or removes the app.
pub(crate) async fn set_codes(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<CodesForm>,
) -> Result<Response, Fault> {
    signed_in.must_be_fresh()?;
    let (form, visit) = form.open();
    let account = &signed_in.account;
    if !form.remove.is_empty() {
        app.accounts.remove_codes(account, &network).await?;
        return Ok(Redirect::to("/account").into_response());
    }
    let language = wanted.language();
    let page = |secret, recovery, problems| CodesPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        secret,
        recovery,
        problems,
    };
    let confirmed = app
        .accounts
        .confirm_codes(account, &form.code, &network)
        .await?;
    if let Some(recovery) = confirmed {
        return render(&page(None, recovery, Problems::default()));
    }
    let secret = app.accounts.secret_to_set_up(account.id).await?;
    let problems = Problems::one("code", message("field-code-wrong"), language);
    form::again(&page(
        secret.map(|secret| secret.in_groups()),
        Vec::new(),
        problems,
    ))
}

//! Signing in and out. Whoever is refused is not told whether the address or the password
//! was wrong, and keeps what they typed but the password.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::account::email::Email;
use crate::account::member::safe_next;
use crate::account::network::Network;
use crate::account::session;
use crate::account::sign_in::{SignedIn, Try};
use crate::account::webauthn::Passkeys;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::limit::Limit;
use crate::pages::form::{self, Problems, Reading};
use crate::pages::passkeys::BeginForm;
use crate::pages::{Site, second_step};
use crate::security::{CheckedForm, Visit};
use crate::store::membership::Place;

/// A whole office behind one address signs in with less.
const PER_NETWORK: Limit = Limit {
    name: "sign-in",
    most: 60,
    seconds: 600,
};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// The form as it was sent.
#[derive(Deserialize)]
pub(crate) struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// What the browser says who signs in with a passkey.
#[derive(Deserialize)]
pub(crate) struct PasskeyForm {
    #[serde(default)]
    answer: String,
    #[serde(default)]
    next: String,
}

/// Sending it is the decision.
#[derive(Debug, Deserialize)]
pub(crate) struct SignOutForm {}

/// Why the form is shown again.
pub(super) enum Again {
    /// It is shown for the first time, or a field needs another value.
    Not,
    Refused,
    PasskeyRefused,
    /// Nothing is looked at for so long, in words.
    Later(String),
}

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) email: &'a str,
    pub(super) next: &'a str,
    /// The address at which passkeys can be used, where there are any.
    pub(super) passkeys: Option<&'a str>,
    pub(super) again: Again,
    pub(super) problems: Problems,
}

/// The address at which passkeys can be used, where there are any.
fn passkeys(app: &App) -> Option<&str> {
    app.accounts.passkeys().ok().map(Passkeys::origin)
}

/// Answers `GET /sign-in`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    query: Result<Query<Next>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(Next { next }) = query?;
    let page = SignInPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        email: "",
        next: safe_next(&next).unwrap_or_default(),
        passkeys: passkeys(&app),
        again: Again::Not,
        problems: Problems::default(),
    };
    form::page(&visit, &page)
}

/// Answers `POST /sign-in`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    network: Network,
    headers: HeaderMap,
    wanted: Wanted,
    form: CheckedForm<SignInForm>,
) -> Result<Response, Fault> {
    app.within(PER_NETWORK, network.as_str()).await?;
    let (form, visit) = form.open();
    let language = wanted.language();
    let next = safe_next(&form.next);
    let page = |again, problems| SignInPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        email: &form.email,
        next: next.unwrap_or_default(),
        passkeys: passkeys(&app),
        again,
        problems,
    };
    let mut reading = Reading::default();
    let email = reading.take("email", Email::read(&form.email));
    let password = reading.take("password", form::password(&form.password));
    let Some((email, ())) = email.zip(password) else {
        let problems = Problems::in_words(reading.end(), language);
        return form::again(&page(Again::Not, problems));
    };
    let attempt = Try {
        email: &email,
        password: &form.password,
        network: &network,
        headers: &headers,
    };
    match app.accounts.sign_in(&attempt).await? {
        SignedIn::Yes { cookies, places } => Ok(on(next, &places, cookies)),
        SignedIn::OwesCode(cookie) => Ok(second_step::begin(next, cookie)),
        SignedIn::No => form::again(&page(Again::Refused, Problems::default())),
        SignedIn::NotYet(wait) => {
            let words = form::wait_in_words(language, wait);
            form::later(&page(Again::Later(words), Problems::default()), wait)
        }
    }
}

/// Answers `POST /sign-in/passkey/begin`: what the browser is asked to sign.
pub(crate) async fn begin_passkey(
    State(app): State<Arc<App>>,
    network: Network,
    form: CheckedForm<BeginForm>,
) -> Result<Response, Fault> {
    app.within(PER_NETWORK, network.as_str()).await?;
    let (_, visit) = form.open();
    let asked = app.accounts.ask_for_passkey(None, &visit.holder()).await?;
    Ok(([(CONTENT_TYPE, "application/json")], asked).into_response())
}

/// Answers `POST /sign-in/passkey`.
pub(crate) async fn passkey(
    State(app): State<Arc<App>>,
    network: Network,
    headers: HeaderMap,
    wanted: Wanted,
    form: CheckedForm<PasskeyForm>,
) -> Result<Response, Fault> {
    app.within(PER_NETWORK, network.as_str()).await?;
    let (form, visit) = form.open();
    let (language, next) = (wanted.language(), safe_next(&form.next));
    let page = |again| SignInPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        email: "",
        next: next.unwrap_or_default(),
        passkeys: passkeys(&app),
        again,
        problems: Problems::default(),
    };
    let holder = visit.holder();
    let tried = app
        .accounts
        .sign_in_with_passkey(&form.answer, &holder, &network, &headers)
        .await?;
    match tried {
        SignedIn::Yes { cookies, places } => Ok(on(next, &places, cookies)),
        SignedIn::OwesCode(cookie) => Ok(second_step::begin(next, cookie)),
        SignedIn::No => form::again(&page(Again::PasskeyRefused)),
        SignedIn::NotYet(wait) => {
            let words = form::wait_in_words(language, wait);
            form::later(&page(Again::Later(words)), wait)
        }
    }
}

/// Answers `POST /sign-out`.
pub(crate) async fn out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    _form: CheckedForm<SignOutForm>,
) -> Result<Response, Fault> {
    app.accounts.sign_out(&headers).await?;
    let response = Redirect::to("/sign-in").into_response();
    Ok(form::with_cookies(response, [session::gone(app.secure)]))
}

/// On to where somebody wanted to go, or to their desk, or to the list of their desks.
pub(super) fn on(
    next: Option<&str>,
    places: &[Place],
    cookies: impl IntoIterator<Item = http::HeaderValue>,
) -> Response {
    let address = match (next, places) {
        (Some(next), _) => next.to_owned(),
        (None, [place]) => format!("/desk/{}", place.slug),
        (None, _) => "/desk".to_owned(),
    };
    form::with_cookies(Redirect::to(&address).into_response(), cookies)
}

//! Signing in and out. Whoever is refused is not told whether the address or the password
//! was wrong, and keeps what they typed but the password.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;

use crate::account::email::Email;
use crate::account::member::safe_next;
use crate::account::network::Network;
use crate::account::session;
use crate::account::sign_in::{SignedIn, Try};
use crate::app::App;
use crate::error::{Fault, FieldProblem};
use crate::intake::Problem;
use crate::language::{Language, Wanted, message};
use crate::pages::{Site, render, words};
use crate::security::{CheckedForm, Visit};
use crate::store::membership::Place;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
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

/// Sending it is the decision.
#[derive(Debug, Deserialize)]
pub(crate) struct SignOutForm {}

/// Why the form is shown again.
pub(super) enum Again {
    /// It is shown for the first time.
    Not,
    Refused,
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
    pub(super) again: Again,
    pub(super) problems: Vec<FieldProblem>,
}

impl SignInPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        let mut problems = self.problems.iter();
        let found = problems.find(|problem| problem.field == field);
        found.map(|problem| problem.detail.as_str())
    }
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
        again: Again::Not,
        problems: Vec::new(),
    };
    let mut response = render(&page)?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /sign-in`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    network: Network,
    headers: HeaderMap,
    wanted: Wanted,
    form: CheckedForm<SignInForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let language = wanted.language();
    let page = |again, problems| SignInPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        email: &form.email,
        next: safe_next(&form.next).unwrap_or_default(),
        again,
        problems,
    };
    let email = match read(&form) {
        Ok(email) => email,
        Err(problems) => {
            let problems = Problem::all_in_words(problems, language);
            let page = render(&page(Again::Not, problems))?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let attempt = Try {
        email: &email,
        password: &form.password,
        network: &network,
        headers: &headers,
    };
    match app.accounts.sign_in(&attempt).await? {
        SignedIn::Yes { cookies, places } => {
            let next = safe_next(&form.next).map_or_else(|| first(&places), str::to_owned);
            let mut response = Redirect::to(&next).into_response();
            for cookie in cookies {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(response)
        }
        SignedIn::No => {
            let page = render(&page(Again::Refused, Vec::new()))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        SignedIn::NotYet(wait) => later(language, wait, |words| {
            page(Again::Later(words), Vec::new())
        }),
    }
}

/// Answers `POST /sign-out`.
pub(crate) async fn out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    _form: CheckedForm<SignOutForm>,
) -> Result<Response, Fault> {
    app.accounts.sign_out(&headers).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    let gone = session::gone(app.secure);
    response.headers_mut().append(SET_COOKIE, gone);
    Ok(response)
}

fn later<'a>(
    language: Language,
    wait: SignedDuration,
    page: impl FnOnce(String) -> SignInPage<'a>,
) -> Result<Response, Fault> {
    let seconds = wait.as_secs() + 1;
    let words = words::duration(language, (seconds + 59) / 60);
    let page = render(&page(words))?;
    let after = [(RETRY_AFTER, HeaderValue::from(seconds))];
    Ok((StatusCode::TOO_MANY_REQUESTS, after, page).into_response())
}

fn read(form: &SignInForm) -> Result<Email, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut keep = |field, detail| problems.push(Problem { field, detail });
    let email = Email::read(&form.email).map_err(|detail| keep("email", detail));
    if form.password.is_empty() {
        keep("password", message("field-password-missing"));
    }
    match email {
        Ok(email) if problems.is_empty() => Ok(email),
        _ => Err(problems),
    }
}

/// Where somebody goes who came from nowhere: to their desk, or to the list of their desks.
fn first(places: &[Place]) -> String {
    match places {
        [place] => format!("/desk/{}", place.slug),
        _ => "/desk".to_owned(),
    }
}

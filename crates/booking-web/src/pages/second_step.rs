//! The code after the password, and the password once more before something dear.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;

use crate::account::codes::Stepped;
use crate::account::member::{SignedIn, safe_next};
use crate::account::network::Network;
use crate::app::App;
use crate::error::Fault;
use crate::language::{Wanted, message};
use crate::pages::Site;
use crate::pages::form::{self, Problems};
use crate::pages::sign_in::{self, Next};
use crate::security::{CheckedForm, Visit};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Code,
    Password,
}

/// The form as it was sent.
#[derive(Deserialize)]
pub(crate) struct StepForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "second_step.html")]
pub(super) struct StepPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) step: Step,
    pub(super) next: &'a str,
    /// Nothing is looked at for so long, in words.
    pub(super) later: Option<String>,
    pub(super) problems: Problems,
}

/// On to the page that asks for the code.
pub(super) fn begin(next: Option<&str>, cookie: HeaderValue) -> Response {
    let mut address = "/sign-in/code".to_owned();
    if let Some(next) = next {
        address.push_str("?next=");
        address.push_str(&crate::error::encoded(next));
    }
    form::with_cookies(Redirect::to(&address).into_response(), [cookie])
}

fn ask(
    app: &App,
    wanted: Wanted,
    visit: &Visit,
    (step, next): (Step, &str),
) -> Result<Response, Fault> {
    let page = StepPage {
        site: Site::of(app, wanted),
        csrf: visit.form_token(),
        step,
        next: safe_next(next).unwrap_or_default(),
        later: None,
        problems: Problems::default(),
    };
    form::page(visit, &page)
}

/// Answers `GET /sign-in/code`.
pub(crate) async fn code(
    State(app): State<Arc<App>>,
    query: Result<Query<Next>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(Next { next }) = query?;
    ask(&app, wanted, &visit, (Step::Code, &next))
}

/// Answers `POST /sign-in/code`.
pub(crate) async fn give_code(
    State(app): State<Arc<App>>,
    network: Network,
    headers: HeaderMap,
    wanted: Wanted,
    form: CheckedForm<StepForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let stepped = app
        .accounts
        .give_code(&form.code, &network, &headers)
        .await?;
    answer(&app, wanted, &visit, (Step::Code, &form.next), stepped)
}

/// Answers `GET /account/password-again`.
pub(crate) async fn password(
    State(app): State<Arc<App>>,
    _signed_in: SignedIn,
    query: Result<Query<Next>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Query(Next { next }) = query?;
    ask(&app, wanted, &visit, (Step::Password, &next))
}

/// Answers `POST /account/password-again`.
pub(crate) async fn give_password(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    network: Network,
    headers: HeaderMap,
    wanted: Wanted,
    form: CheckedForm<StepForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let who = (&signed_in.account, &signed_in.session);
    let stepped = app
        .accounts
        .password_again(who, &form.password, &network, &headers)
        .await?;
    answer(&app, wanted, &visit, (Step::Password, &form.next), stepped)
}

fn answer(
    app: &App,
    wanted: Wanted,
    visit: &Visit,
    (step, next): (Step, &str),
    stepped: Stepped,
) -> Result<Response, Fault> {
    let language = wanted.language();
    let next = safe_next(next);
    let page = |later, problems| StepPage {
        site: Site::of(app, wanted),
        csrf: visit.form_token(),
        step,
        next: next.unwrap_or_default(),
        later,
        problems,
    };
    match stepped {
        Stepped::Yes { cookies, places } => Ok(sign_in::on(next, &places, cookies)),
        Stepped::Over => Ok(Redirect::to("/sign-in").into_response()),
        Stepped::No => {
            let problems = match step {
                Step::Code => Problems::one("code", message("field-code-wrong"), language),
                Step::Password => {
                    Problems::one("password", message("field-password-wrong"), language)
                }
            };
            form::again(&page(None, problems))
        }
        Stepped::NotYet(wait) => {
            let words = form::wait_in_words(language, wait);
            form::later(&page(Some(words), Problems::default()), wait)
        }
    }
}

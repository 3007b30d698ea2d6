//! Another password for whoever forgot it. Asking is answered the same whether there is an
//! account or not; following the link changes nothing by itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::account::email::Email;
use crate::account::mail::Purpose;
use crate::account::network::Network;
use crate::account::reset::Reset;
use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::limit::Limit;
use crate::pages::account::NewPasswordPage;
use crate::pages::form::{self, Problems};
use crate::pages::{Site, render};
use crate::security::{CheckedForm, Visit};

const PER_NETWORK: Limit = Limit {
    name: "forgot",
    most: 10,
    seconds: 3600,
};

/// More mails than that nobody reads.
const PER_ADDRESS: Limit = Limit {
    name: "forgot-address",
    most: 3,
    seconds: 3600,
};

#[derive(Deserialize)]
pub(crate) struct ForgotForm {
    #[serde(default)]
    email: String,
}

#[derive(Deserialize)]
pub(crate) struct ResetForm {
    #[serde(default)]
    password: String,
}

#[derive(Template)]
#[template(path = "forgot.html")]
pub(super) struct ForgotPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) email: &'a str,
    pub(super) is_sent: bool,
    pub(super) problems: Problems,
}

/// A link that does not count any more, and what to do instead.
#[derive(Template)]
#[template(path = "link_over.html")]
pub(super) struct OverPage<'a> {
    pub(super) site: Site<'a>,
}

/// Says that a link does not count any more.
pub(super) fn over(app: &App, wanted: Wanted) -> Result<Response, Fault> {
    let page = OverPage {
        site: Site::of(app, wanted),
    };
    Ok((StatusCode::GONE, render(&page)?).into_response())
}

/// Answers `GET /forgot`.
pub(crate) async fn forgot(
    State(app): State<Arc<App>>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let page = ForgotPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        email: "",
        is_sent: false,
        problems: Problems::default(),
    };
    form::page(&visit, &page)
}

/// Answers `POST /forgot`.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<ForgotForm>,
) -> Result<Response, Fault> {
    app.within(PER_NETWORK, network.as_str()).await?;
    let (form, visit) = form.open();
    let language = wanted.language();
    let page = |is_sent, problems| ForgotPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        email: &form.email,
        is_sent,
        problems,
    };
    match Email::read(&form.email) {
        Err(detail) => form::again(&page(false, Problems::one("email", detail, language))),
        Ok(email) => {
            app.within(PER_ADDRESS, email.as_str()).await?;
            app.accounts.ask_for_reset(&email, &network).await?;
            render(&page(true, Problems::default()))
        }
    }
}

/// Answers `GET /reset/{token}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    if !app.accounts.is_live(&token, Purpose::ResetPassword).await? {
        return over(&app, wanted);
    }
    let page = NewPasswordPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        path: format!("/reset/{token}"),
        problems: Problems::default(),
    };
    form::page(&visit, &page)
}

/// Answers `POST /reset/{token}`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<ResetForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    match app.accounts.reset(&token, &form.password, &network).await? {
        Reset::Done => Ok(Redirect::to("/sign-in").into_response()),
        Reset::Over => over(&app, wanted),
        Reset::Unfit(reason) => form::again(&NewPasswordPage {
            problems: Problems::one("password", reason, wanted.language()),
            site: Site::of(&app, wanted),
            csrf: visit.form_token(),
            path: format!("/reset/{token}"),
        }),
    }
}

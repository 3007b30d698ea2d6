//! Signing in by a link that the control socket gave, and out again. There is no password:
//! the kernel said who asked for the link.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::guard::{Browser, Sent, session_cookie};
use crate::console::pages::{Section, Site, render};
use crate::reading::actor_name;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    site: Site,
    token: String,
    door: Door,
}

/// How somebody stands before it.
enum Door {
    /// Signed in already.
    Inside(String),
    /// With a link that is good.
    Invited { name: String, code: String },
    /// With one that is not good any more.
    Stale,
    /// Without one.
    Closed,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Link {
    #[serde(default)]
    code: String,
}

/// Answers `GET /sign-in`. A link is not used up by looking at it.
pub(crate) async fn ask(
    State(desk): State<Arc<Desk>>,
    Query(link): Query<Link>,
    browser: Browser,
) -> Result<Response, Fault> {
    let invited = desk.ground.sessions.invited(&link.code);
    let door = match (invited, browser.person()) {
        (Some(actor), _) if browser.is_at_home() => Door::Invited {
            name: actor_name(&actor).to_owned(),
            code: link.code,
        },
        (_, Some(person)) => Door::Inside(actor_name(person).to_owned()),
        (_, None) if link.code.is_empty() => Door::Closed,
        (_, None) => Door::Stale,
    };
    let page = SignInPage {
        site: Site::of(&desk, Section::Elsewhere),
        token: browser.token().to_owned(),
        door,
    };
    let mut response = render(&page)?;
    browser.remember(&mut response);
    Ok(response)
}

/// Answers `POST /sign-in`.
pub(crate) async fn sign_in(State(desk): State<Arc<Desk>>, sent: Sent) -> Result<Response, Fault> {
    if !sent.browser.is_at_home() {
        return Err(Fault::Forged);
    }
    let sessions = &desk.ground.sessions;
    let Some(token) = sessions.begin(&sent.code) else {
        let page = SignInPage {
            site: Site::of(&desk, Section::Elsewhere),
            token: sent.browser.token().to_owned(),
            door: Door::Stale,
        };
        return Ok((StatusCode::FORBIDDEN, render(&page)?).into_response());
    };
    // One browser, one person: who was there before is there no more.
    if let Some(before) = &sent.session {
        sessions.end(before);
    }
    Ok(with_cookie(Redirect::to("/sign-in"), Some(&token)))
}

/// Answers `POST /sign-out`.
pub(crate) async fn sign_out(State(desk): State<Arc<Desk>>, sent: Sent) -> Response {
    if let Some(session) = &sent.session {
        desk.ground.sessions.end(session);
    }
    with_cookie(Redirect::to("/"), None)
}

fn with_cookie(to: Redirect, token: Option<&str>) -> Response {
    let mut response = to.into_response();
    if let Ok(value) = HeaderValue::try_from(session_cookie(token)) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

//! A business within other websites: the next free times in a frame that may stand
//! anywhere, what to paste there, and the first look after signing up. The frame opens our
//! full page; nothing is booked inside of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use booking::Right;
use http::HeaderMap;
use http::header::HOST;

use crate::account::member::Member;
use crate::address::Path;
use crate::app::App;
use crate::crew::Who;
use crate::desk::Offer;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::form;
use crate::pages::week::{self, TimeChoice};
use crate::pages::{BusinessWords, Site, render};
use crate::security::{self, Visit};

const SERVICES: usize = 3;
const TIMES: usize = 3;

/// A service with its next free times.
pub(super) struct Next {
    pub(super) path: String,
    pub(super) service: String,
    pub(super) times: Vec<TimeChoice>,
}

#[derive(Template)]
#[template(path = "embed.html")]
pub(super) struct EmbedPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: BusinessWords,
    pub(super) next: Vec<Next>,
}

/// Answers `GET /embed/{business}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let business = app.business(&slug).await?;
    let site = Site::of(&app, wanted.at(business.language));
    let mut next = Vec::new();
    for service in app.services(&business).await?.into_iter().take(SERVICES) {
        let offer = Offer::find(&app, &slug, &service.slug).await?;
        let now = app.clock.now();
        let nearest = app.nearest(&offer, Who::Anyone, now, None).await?;
        let free = nearest.free.iter();
        let times = week::choices(site.language, free.take(TIMES), &business.zone);
        next.push(Next {
            path: offer.path(),
            service: service.name,
            times,
        });
    }
    let page = EmbedPage {
        business: BusinessWords::of(site.language, &business),
        next,
        site,
    };
    Ok(security::framed_anywhere(render(&page)?))
}

/// The first look after signing up, and what to paste into a website.
#[derive(Template)]
#[template(path = "welcome.html")]
pub(super) struct WelcomePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    /// The site's own address, as the browser has it.
    pub(super) origin: String,
    pub(super) is_confirmed: bool,
    pub(super) may_change: bool,
    pub(super) may_invite: bool,
    pub(super) second: Second,
}

/// What is advised beside the password.
#[derive(Debug, Clone, Copy)]
pub(super) enum Second {
    /// Where they can be had.
    Passkey,
    CodeApp,
}

/// Answers `GET /desk/{business}/welcome`.
pub(crate) async fn welcome(
    State(app): State<Arc<App>>,
    member: Member,
    headers: HeaderMap,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let site = Site::of(&app, wanted.at(member.business.language));
    let page = WelcomePage {
        csrf: visit.form_token(),
        business: BusinessWords::of(site.language, &member.business),
        origin: origin(&headers, app.secure),
        is_confirmed: member.account.is_confirmed,
        may_change: member.may(Right::ChangeOffer),
        may_invite: member.may(Right::ManageMembers),
        second: if app.accounts.passkeys().is_ok() {
            Second::Passkey
        } else {
            Second::CodeApp
        },
        site,
    };
    form::page(&visit, &page)
}

/// Shown to the person who asked, and to nobody else; so the host is theirs to say.
pub(super) fn origin(headers: &HeaderMap, secure: bool) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| {
        host.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    });
    let scheme = if secure { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

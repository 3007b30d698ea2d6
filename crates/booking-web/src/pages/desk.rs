//! The first page of the desk: where the people of a business begin.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::account::member::Member;
use crate::app::App;
use crate::error::Fault;
use crate::language::{Text, Wanted};
use crate::pages::{BusinessWords, Site, render, words};
use crate::security::Visit;

#[derive(Template)]
#[template(path = "desk.html")]
pub(super) struct DeskPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) role: Text,
    pub(super) is_demonstration: bool,
    pub(super) may_invite: bool,
}

/// Answers `GET /desk/{business}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let site = Site::of(&app, wanted.at(member.business.language));
    let mut response = render(&DeskPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(site.language, &member.business),
        name: &member.account.name,
        email: &member.account.email,
        role: words::role(site.language, member.role),
        is_demonstration: member.account.is_demonstration,
        may_invite: member.may(booking::Right::ManageMembers),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

//! The people of a business, for its owners; and the invitation, for whoever got one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use booking::{Right, Role};
use serde::Deserialize;
use uuid::Uuid;

use crate::account::email::Email;
use crate::account::member::Member;
use crate::account::members::{Accepted, Changed, Invited, People};
use crate::account::network::Network;
use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::intake;
use crate::language::{Language, Text, Wanted, message};
use crate::limit::Limit;
use crate::pages::form::{self, Problems, Reading};
use crate::pages::{BusinessWords, Site, reset, words};
use crate::security::{CheckedForm, Visit};

const INVITATIONS: Limit = Limit {
    name: "invite",
    most: 30,
    seconds: 3600,
};

const ATTEMPTS: Limit = Limit {
    name: "invitation",
    most: 20,
    seconds: 3600,
};

/// What an owner does with somebody.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct MembersForm {
    /// `invite`, `withdraw`, `role` or `remove`.
    #[serde(default)]
    action: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    id: String,
}

/// A member or somebody who is invited, in words.
pub(super) struct PersonWords {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) role_words: Option<Text>,
    pub(super) is_oneself: bool,
}

/// One role to choose.
pub(super) struct RoleChoice {
    pub(super) id: &'static str,
    pub(super) words: Text,
}

#[derive(Template)]
#[template(path = "members.html")]
pub(super) struct MembersPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) members: Vec<PersonWords>,
    pub(super) invited: Vec<PersonWords>,
    pub(super) roles: Vec<RoleChoice>,
    pub(super) email: &'a str,
    pub(super) problems: Problems,
}

fn role_words(language: Language, role: &str) -> Option<Text> {
    Role::parse(role).map(|role| words::role(language, role))
}

/// Least first, so that nobody is made an owner by accident.
pub(super) fn choices(language: Language) -> Vec<RoleChoice> {
    [Role::Staff, Role::FrontDesk, Role::Manager, Role::Owner]
        .into_iter()
        .map(|role| RoleChoice {
            id: role.as_str(),
            words: words::role(language, role),
        })
        .collect()
}

fn page<'a>(
    site: Site<'a>,
    member: &Member,
    people: People,
    csrf: String,
    (email, problems): (&'a str, Problems),
) -> MembersPage<'a> {
    let language = site.language;
    let members = people.members.into_iter().map(|person| PersonWords {
        id: person.account.to_string(),
        is_oneself: person.account == member.account.id,
        name: person.name,
        email: person.email,
        role_words: role_words(language, &person.role),
        role: person.role,
    });
    let invited = people
        .invited
        .into_iter()
        .map(|(id, email, role)| PersonWords {
            id: id.to_string(),
            is_oneself: false,
            name: String::new(),
            email,
            role_words: role_words(language, &role),
            role,
        });
    MembersPage {
        csrf,
        business: BusinessWords::of(language, &member.business),
        members: members.collect(),
        invited: invited.collect(),
        roles: choices(language),
        email,
        problems,
        site,
    }
}

/// Answers `GET /desk/{business}/members`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    member.must_be_fresh()?;
    let people = app.accounts.people(member.business.id).await?;
    let site = Site::of(&app, wanted.at(member.business.language));
    let none = ("", Problems::default());
    form::page(
        &visit,
        &page(site, &member, people, visit.form_token(), none),
    )
}

/// Answers `POST /desk/{business}/members`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    form: CheckedForm<MembersForm>,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    member.must_be_fresh()?;
    let (form, visit) = form.open();
    let site = Site::of(&app, wanted.at(member.business.language));
    let problems = match form.action.as_str() {
        "invite" => invite(&app, &member, &form, site.language).await?,
        "withdraw" => {
            app.accounts.withdraw(&member, id(&form)?).await?;
            None
        }
        "role" => {
            let role = Role::parse(&form.role).ok_or(Fault::NotFound)?;
            change(&app, &member, &form, Some(role), site.language).await?
        }
        "remove" => change(&app, &member, &form, None, site.language).await?,
        _ => return Err(Fault::Malformed("the form cannot be read".to_owned())),
    };
    let Some(problems) = problems else {
        let members = format!("/desk/{}/members", member.business.slug);
        return Ok(Redirect::to(&members).into_response());
    };
    let people = app.accounts.people(member.business.id).await?;
    let again = (form.email.as_str(), problems);
    form::again(&page(site, &member, people, visit.form_token(), again))
}

async fn invite(
    app: &App,
    member: &Member,
    form: &MembersForm,
    language: Language,
) -> Result<Option<Problems>, Fault> {
    let role = Role::parse(&form.role).ok_or(Fault::NotFound)?;
    // Mail goes to strangers only for somebody whose own address is known to be theirs.
    if !member.account.is_confirmed {
        let reason = message("members-confirm-first");
        return Ok(Some(Problems::one("email", reason, language)));
    }
    match Email::read(&form.email) {
        Err(detail) => Ok(Some(Problems::one("email", detail, language))),
        Ok(email) => {
            app.within(INVITATIONS, &member.business.slug).await?;
            app.accounts.invite(member, &email, role).await?;
            Ok(None)
        }
    }
}

async fn change(
    app: &App,
    member: &Member,
    form: &MembersForm,
    role: Option<Role>,
    language: Language,
) -> Result<Option<Problems>, Fault> {
    match app.accounts.change_member(member, id(form)?, role).await? {
        Changed::Yes => Ok(None),
        Changed::Nobody => Err(Fault::NotFound),
        Changed::LastOwner => {
            let reason = message("members-last-owner");
            Ok(Some(Problems::one("members", reason, language)))
        }
    }
}

fn id(form: &MembersForm) -> Result<Uuid, Fault> {
    Uuid::parse_str(&form.id).map_err(|_| Fault::NotFound)
}

/// What somebody says who accepts.
#[derive(Deserialize)]
pub(crate) struct AcceptForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

#[derive(Template)]
#[template(path = "invitation.html")]
pub(super) struct InvitationPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) token: &'a str,
    pub(super) business: String,
    pub(super) role: Option<Text>,
    pub(super) email: String,
    pub(super) name: &'a str,
    pub(super) problems: Problems,
}

fn invitation<'a>(
    site: Site<'a>,
    csrf: String,
    token: &'a str,
    invited: Invited,
    (name, problems): (&'a str, Problems),
) -> InvitationPage<'a> {
    InvitationPage {
        role: role_words(site.language, &invited.invitation.role),
        business: invited.business.name,
        email: invited.invitation.email,
        site,
        csrf,
        token,
        name,
        problems,
    }
}

/// Answers `GET /invitation/{token}`.
pub(crate) async fn invited(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let Some(invited) = app.accounts.invited(&token).await? else {
        return reset::over(&app, wanted);
    };
    let site = Site::of(&app, wanted);
    let none = ("", Problems::default());
    let page = invitation(site, visit.form_token(), &token, invited, none);
    form::page(&visit, &page)
}

/// Answers `POST /invitation/{token}`.
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<AcceptForm>,
) -> Result<Response, Fault> {
    app.within(ATTEMPTS, network.as_str()).await?;
    let (form, visit) = form.open();
    let Some(invited) = app.accounts.invited(&token).await? else {
        return reset::over(&app, wanted);
    };
    let language = wanted.language();
    let mut reading = Reading::default();
    let name = reading.take("name", intake::name(&form.name));
    let problems = match name {
        None => Problems::in_words(reading.end(), language),
        Some(name) => {
            let given = (name.as_str(), form.password.as_str());
            match app.accounts.accept(&token, given, &network).await? {
                Accepted::Yes(slug) => {
                    let desk = format!("/sign-in?next=/desk/{slug}");
                    return Ok(Redirect::to(&desk).into_response());
                }
                Accepted::Over => return reset::over(&app, wanted),
                Accepted::Unfit(reason) => Problems::one("password", reason, language),
                Accepted::WrongPassword => {
                    Problems::one("password", message("field-password-of-account"), language)
                }
            }
        }
    };
    let site = Site::of(&app, wanted);
    let again = (form.name.as_str(), problems);
    form::again(&invitation(
        site,
        visit.form_token(),
        &token,
        invited,
        again,
    ))
}

//! A business begins by itself: one form, and its page can be booked.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::HeaderMap;
use serde::Deserialize;

use crate::account::email::Email;
use crate::account::mail::Purpose;
use crate::account::network::Network;
use crate::account::password;
use crate::account::sign_up::{Beginning, Begun, Confirmed};
use crate::account::template::{self, Kind};
use crate::address::Path;
use crate::app::App;
use crate::desk;
use crate::error::Fault;
use crate::intake::{self, Problem};
use crate::language::{Text, Wanted, message};
use crate::limit::Limit;
use crate::pages::desk::slug::numbered;
use crate::pages::form::{self, Problems, Reading};
use crate::pages::{Site, reset};
use crate::security::{CheckedForm, Visit};

/// Nobody begins more businesses in an hour.
const PER_NETWORK: Limit = Limit {
    name: "start",
    most: 10,
    seconds: 3600,
};

const BUSINESS_CHARS_MAX: usize = 120;
const ADDRESS_CHARS_MAX: usize = 200;

/// How many addresses are tried for a name that others have, too.
const SLUG_ATTEMPTS: u32 = 20;

/// The form as it was sent.
#[derive(Default, Deserialize)]
pub(crate) struct StartForm {
    #[serde(default)]
    business: String,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

/// One kind of business to choose.
pub(super) struct Choice {
    pub(super) id: &'static str,
    pub(super) words: Text,
    pub(super) is_chosen: bool,
}

#[derive(Template)]
#[template(path = "start.html")]
pub(super) struct StartPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) form: &'a StartForm,
    pub(super) kinds: Vec<Choice>,
    pub(super) problems: Problems,
}

impl<'a> StartPage<'a> {
    pub(super) fn of(
        site: Site<'a>,
        csrf: String,
        form: &'a StartForm,
        problems: Problems,
    ) -> Self {
        let language = site.language;
        let choice = |kind: Kind| Choice {
            id: kind.as_str(),
            words: kind.words(language),
            is_chosen: form.kind == kind.as_str(),
        };
        Self {
            kinds: Kind::ALL.map(choice).into(),
            site,
            csrf,
            form,
            problems,
        }
    }
}

/// The fields after they were checked, but for the address of the page.
struct Read {
    business: String,
    address: String,
    kind: Kind,
    name: String,
    email: Email,
}

/// Answers `GET /start`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    let form = StartForm::default();
    let site = Site::of(&app, wanted);
    let page = StartPage::of(site, visit.form_token(), &form, Problems::default());
    form::page(&visit, &page)
}

/// Answers `POST /start`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    network: Network,
    headers: HeaderMap,
    wanted: Wanted,
    form: CheckedForm<StartForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let language = wanted.language();
    let site = Site::of(&app, wanted);
    let refuse = |problems: Vec<Problem>| {
        let problems = Problems::in_words(problems, language);
        form::again(&StartPage::of(site, visit.form_token(), &form, problems))
    };
    let read = match read(&form) {
        Ok(read) => read,
        Err(problems) => return refuse(problems),
    };
    app.within(PER_NETWORK, network.as_str()).await?;
    let slug = match slug(&app, &form.slug, &read.business).await? {
        Ok(slug) => slug,
        Err(problem) => return refuse(vec![problem]),
    };
    let beginning = Beginning {
        business: &read.business,
        slug: &slug,
        address: &read.address,
        kind: read.kind,
        name: &read.name,
        email: &read.email,
        password: &form.password,
        language,
    };
    match app.accounts.sign_up(&beginning, &network, &headers).await? {
        Begun::SlugTaken => refuse(vec![taken(&slug)]),
        Begun::Yes(cookie) => {
            let welcome = Redirect::to(&format!("/desk/{slug}/welcome")).into_response();
            Ok(form::with_cookies(welcome, [cookie]))
        }
    }
}

fn read(form: &StartForm) -> Result<Read, Vec<Problem>> {
    let mut reading = Reading::default();
    let business = line(&form.business, BUSINESS_CHARS_MAX);
    let business = reading.take(
        "business",
        business.ok_or(message("field-business-missing")),
    );
    let address = line(&form.address, ADDRESS_CHARS_MAX);
    let address = reading.take("address", address.ok_or(message("field-address-missing")));
    let kind = Kind::parse(&form.kind).ok_or(message("field-kind-missing"));
    let kind = reading.take("kind", kind);
    let name = reading.take("name", intake::name(&form.name));
    let email = reading.take("email", Email::read(&form.email));
    let names = [form.business.as_str(), &form.name, &form.email];
    let password = reading.take("password", password::check(&form.password, &names));
    match (business, address, kind, name, email, password) {
        (Some(business), Some(address), Some(kind), Some(name), Some(email), Some(())) => {
            Ok(Read {
                business,
                address,
                kind,
                name,
                email,
            })
        }
        _ => Err(reading.end()),
    }
}

/// One line of text without needless spaces.
fn line(text: &str, chars_max: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=chars_max).contains(&line.chars().count());
    (fits && !line.chars().any(char::is_control)).then_some(line)
}

/// The address of the page: as it was typed, or made of the name and free.
async fn slug(app: &App, typed: &str, business: &str) -> Result<Result<String, Problem>, Fault> {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return free_slug(app, &template::slug_of(business)).await.map(Ok);
    }
    if !desk::is_slug(&typed) || typed.ends_with('-') || typed.contains("--") {
        return Ok(Err(Problem {
            field: "slug",
            detail: message("field-slug-shape"),
        }));
    }
    if template::is_reserved(&typed) || !app.accounts.is_free(&typed).await? {
        return Ok(Err(taken(&free_slug(app, &typed).await?)));
    }
    Ok(Ok(typed))
}

async fn free_slug(app: &App, wish: &str) -> Result<String, Fault> {
    let mut slug = wish.to_owned();
    for number in 2..SLUG_ATTEMPTS {
        if !template::is_reserved(&slug) && app.accounts.is_free(&slug).await? {
            break;
        }
        slug = numbered(wish, number);
    }
    Ok(slug)
}

fn taken(suggestion: &str) -> Problem {
    Problem {
        field: "slug",
        detail: message("field-slug-taken").with("suggestion", suggestion),
    }
}

#[derive(Deserialize)]
pub(crate) struct ConfirmForm {
    #[serde(default)]
    password: String,
}

#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct ConfirmPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) token: &'a str,
    pub(super) problems: Problems,
}

/// Answers `GET /confirm/{token}`.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    if !app.accounts.is_live(&token, Purpose::ConfirmEmail).await? {
        return reset::over(&app, wanted);
    }
    let page = ConfirmPage {
        site: Site::of(&app, wanted),
        csrf: visit.form_token(),
        token: &token,
        problems: Problems::default(),
    };
    form::page(&visit, &page)
}

/// Answers `POST /confirm/{token}`.
pub(crate) async fn confirmed(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    network: Network,
    wanted: Wanted,
    form: CheckedForm<ConfirmForm>,
) -> Result<Response, Fault> {
    let (form, visit) = form.open();
    let confirmed = app.accounts.confirm(&token, &form.password, &network);
    match confirmed.await? {
        Confirmed::Yes => Ok(Redirect::to("/desk").into_response()),
        Confirmed::Over => reset::over(&app, wanted),
        Confirmed::No => {
            let (wrong, language) = (message("field-password-wrong"), wanted.language());
            form::again(&ConfirmPage {
                site: Site::of(&app, wanted),
                csrf: visit.form_token(),
                token: &token,
                problems: Problems::one("password", wrong, language),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_lacks_is_named_at_once() {
        let problems = read(&StartForm::default()).err().unwrap();
        let fields: Vec<_> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(
            fields,
            ["business", "address", "kind", "name", "email", "password"]
        );
        assert_eq!(line(" Karoo \n Cuts ", 20).as_deref(), Some("Karoo Cuts"));
        assert_eq!(line("", 20), None);
        assert_eq!(line("too long", 3), None);
    }
}

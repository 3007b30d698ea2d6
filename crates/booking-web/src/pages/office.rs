//! The privacy desk: what customers asked for and by when it is due, a copy of what is kept,
//! erasure, holds, who of the staff saw whom, and incidents.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use booking::Right;
use jiff::tz::TimeZone;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::account::member::Member;
use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::intake;
use crate::language::{Language, Message, Text, Wanted, message};
use crate::pages::{BusinessWords, Site, ask, copy, render, words};
use crate::privacy::clock::{self, Urgency};
use crate::privacy::erasure::Erased;
use crate::privacy::office::Decision;
use crate::privacy::request::Kind;
use crate::security::{CheckedForm, Visit};
use crate::store;
use crate::store::request::Request;

/// The ways in which a request can come that staff writes down.
const CHANNELS: [&str; 4] = ["phone", "email", "in_person", "post"];
const WORDS_MAX: usize = 2000;

/// A request in words.
pub(super) struct RequestWords {
    pub(super) id: Uuid,
    pub(super) kind: Text,
    pub(super) email: String,
    pub(super) details: Option<String>,
    pub(super) received: String,
    pub(super) state: Text,
    pub(super) is_open: bool,
    pub(super) outcome: Option<String>,
    pub(super) evidence: Option<String>,
    pub(super) has_customer: bool,
}

impl RequestWords {
    fn of(language: Language, zone: &TimeZone, now: jiff::Timestamp, request: Request) -> Self {
        let is_open = request.state == "open";
        let due = store::instant(request.due_at);
        let state = match (request.state.as_str(), clock::urgency(due, now)) {
            ("open", Urgency::Days(days)) => language.text("office-days").with("days", days),
            ("open", Urgency::Soon(days)) => language.text("office-soon").with("days", days),
            ("open", Urgency::Late(days)) => language.text("office-late").with("days", days),
            ("done", _) => language.text("office-done"),
            _ => language.text("office-refused"),
        };
        Self {
            id: request.id,
            kind: kind(language, &request.kind),
            email: request.email.unwrap_or_default(),
            details: request.details,
            received: moment(language, zone, request.received_at),
            state,
            is_open,
            outcome: request.outcome,
            evidence: request.evidence,
            has_customer: request.customer.is_some(),
        }
    }
}

fn kind(language: Language, name: &str) -> Text {
    match Kind::parse(name) {
        Some(Kind::Access) | None => language.text("office-access"),
        Some(Kind::Correction) => language.text("office-correction"),
        Some(Kind::Erasure) => language.text("office-erasure"),
        Some(Kind::Objection) => language.text("office-objection"),
    }
}

fn moment(language: Language, zone: &TimeZone, at: OffsetDateTime) -> String {
    words::moment(
        language,
        &store::instant(at).to_zoned_datetime(zone.clone()),
    )
}

#[derive(Template)]
#[template(path = "office/requests.html")]
pub(super) struct RequestsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) requests: Vec<RequestWords>,
    pub(super) is_owner: bool,
}

#[derive(Template)]
#[template(path = "office/request.html")]
pub(super) struct RequestPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) request: RequestWords,
    pub(super) is_held: bool,
    pub(super) may_erase: bool,
    /// Why it was not done, if it was tried.
    pub(super) refused: Option<Text>,
}

/// Browsers say themselves what a field of the form of requests lacks.
const NO_PROBLEM: Option<&str> = None;

/// One line of the access log.
pub(super) struct SeenWords {
    pub(super) at: String,
    pub(super) by: String,
    pub(super) customer: Uuid,
    pub(super) action: Text,
}

#[derive(Template)]
#[template(path = "office/access.html")]
pub(super) struct AccessPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) business: BusinessWords,
    pub(super) lines: Vec<SeenWords>,
}

/// The form for a request that came another way.
#[derive(Debug, Deserialize)]
pub(crate) struct EnterForm {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    details: String,
}

/// What is done about a request.
#[derive(Debug, Deserialize)]
pub(crate) struct ActForm {
    #[serde(default)]
    act: String,
    #[serde(default)]
    words: String,
}

/// Answers `GET /desk/{business}/privacy`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let site = Site::of(&app, wanted.at(member.business.language));
    let (language, now) = (site.language, app.clock.now());
    let zone = &member.business.zone;
    let requests = app.requests(&member).await?;
    let words = |request| RequestWords::of(language, zone, now, request);
    let mut response = render(&RequestsPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(language, &member.business),
        requests: requests.into_iter().map(words).collect(),
        is_owner: member.may(Right::ManageMembers),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /desk/{business}/privacy`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    member: Member,
    form: CheckedForm<EnterForm>,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let (form, _) = form.open();
    let channel = CHANNELS
        .into_iter()
        .find(|channel| *channel == form.channel);
    let (Some(kind), Some(channel), Ok(email)) =
        (Kind::parse(&form.kind), channel, intake::email(&form.email))
    else {
        return Err(Fault::Malformed(
            "kind, way and e-mail address are needed".to_owned(),
        ));
    };
    let details = tidy(&form.details);
    let about = (email.as_str(), details.as_deref());
    let id = app.enter_request(&member, (kind, channel), about).await?;
    Ok(to(&member, &format!("requests/{id}")))
}

/// Answers `GET /desk/{business}/privacy/requests/{request}`.
pub(crate) async fn request(
    State(app): State<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, Uuid)>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    shown(&app, &member, id, wanted, &visit, None).await
}

async fn shown(
    app: &App,
    member: &Member,
    id: Uuid,
    wanted: Wanted,
    visit: &Visit,
    refused: Option<Message>,
) -> Result<Response, Fault> {
    let site = Site::of(app, wanted.at(member.business.language));
    let (request, is_held) = app.request(member, id).await?;
    let (language, now) = (site.language, app.clock.now());
    let mut response = render(&RequestPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(language, &member.business),
        request: RequestWords::of(language, &member.business.zone, now, request),
        is_held,
        may_erase: member.may(Right::EraseCustomers),
        refused: refused.map(|refused| refused.text(language)),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /desk/{business}/privacy/requests/{request}`.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, Uuid)>,
    wanted: Wanted,
    form: CheckedForm<ActForm>,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let (form, visit) = form.open();
    let words = tidy(&form.words);
    let refused = match (form.act.as_str(), words.as_deref()) {
        ("lift", _) => {
            app.hold_by_law(&member, id, None).await?;
            None
        }
        (_, None) => Some(message("office-words-missing")),
        ("done", Some(words)) => {
            app.decide(&member, id, (Decision::Done, words)).await?;
            None
        }
        ("refuse", Some(words)) => {
            app.decide(&member, id, (Decision::Refused, words)).await?;
            None
        }
        ("hold", Some(words)) => {
            app.hold_by_law(&member, id, Some(words)).await?;
            None
        }
        ("erase", Some(words)) => {
            member.must(Right::EraseCustomers)?;
            member.must_be_fresh()?;
            match app.erase(&member, id, words).await? {
                Erased::Now | Erased::Before => None,
                Erased::HasBookings => Some(message("office-has-bookings")),
                Erased::Held => Some(message("office-is-held")),
                Erased::Unknown => return Err(Fault::NotFound),
            }
        }
        _ => return Err(Fault::Malformed("the form cannot be read".to_owned())),
    };
    match refused {
        None => Ok(to(&member, &format!("requests/{id}"))),
        Some(refused) => {
            let page = shown(&app, &member, id, wanted, &visit, Some(refused)).await?;
            Ok((http::StatusCode::CONFLICT, page).into_response())
        }
    }
}

/// Answers `GET /desk/{business}/privacy/requests/{request}/copy`.
pub(crate) async fn copy_page(
    State(app): State<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, Uuid)>,
    wanted: Wanted,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let rows = app.copy_for_staff(&member, id).await?;
    let site = Site::of(&app, wanted.at(member.business.language));
    copy::page(site, &member.business, &rows, app.clock.now())
}

/// Answers `GET /desk/{business}/privacy/requests/{request}/copy.json`.
pub(crate) async fn copy_file(
    State(app): State<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let rows = app.copy_for_staff(&member, id).await?;
    Ok(ask::file(&copy::json(&rows, app.clock.now())))
}

/// Answers `GET /desk/{business}/privacy/access`.
pub(crate) async fn access(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    let site = Site::of(&app, wanted.at(member.business.language));
    let (language, zone) = (site.language, &member.business.zone);
    let log = app.access_log(&member).await?;
    let lines = log.into_iter().map(|seen| SeenWords {
        at: moment(language, zone, seen.at),
        by: seen.by.unwrap_or_default(),
        customer: seen.customer,
        action: match seen.action.as_str() {
            "saw" => language.text("office-saw"),
            "exported" => language.text("office-exported"),
            "erased" => language.text("office-erased"),
            _ => language.text("office-changed"),
        },
    });
    render(&AccessPage {
        lines: lines.collect(),
        business: BusinessWords::of(language, &member.business),
        site,
    })
}

/// What was typed, or nothing where that is nothing.
pub(super) fn tidy(text: &str) -> Option<String> {
    let text: String = text
        .trim()
        .replace("\r\n", "\n")
        .chars()
        .take(WORDS_MAX)
        .collect();
    (!text.is_empty()).then_some(text)
}

pub(super) fn to(member: &Member, place: &str) -> Response {
    let address = format!("/desk/{}/privacy/{place}", member.business.slug);
    Redirect::to(&address).into_response()
}

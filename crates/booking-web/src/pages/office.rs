//! The privacy desk: what customers asked for and by when it is due, a copy of what is kept,
//! erasure, holds, who of the staff saw whom, and incidents.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use booking::Right;
use http::StatusCode;
use jiff::tz::TimeZone;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::account::member::Member;
use crate::address::Path;
use crate::app::App;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, Message, Text, Wanted, message};
use crate::pages::{BusinessWords, Site, ask, copy, render, words};
use crate::privacy::clock::{self, Urgency};
use crate::privacy::erasure::Erased;
use crate::privacy::office::{Decision, Entered, Holding, Whom};
use crate::privacy::request::Kind;
use crate::security::{CheckedForm, Visit};
use crate::store;
use crate::store::request::Request;

/// The ways in which a request can come that staff writes down.
const CHANNELS: [&str; 4] = ["phone", "email", "in_person", "post"];
const WORDS_MAX: usize = 2000;
/// What is kept with a hold is shorter than an answer.
const REASON_MAX: usize = 500;

/// A request in words.
pub(super) struct RequestWords {
    pub(super) id: Uuid,
    pub(super) kind: Text,
    /// The address of whoever asked, or else their name.
    pub(super) who: String,
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
            who: request.email.or(request.name).unwrap_or_default(),
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
    pub(super) form: EnterForm,
    /// What the customer of whose page it began is called.
    pub(super) about: Option<String>,
    pub(super) problems: Vec<FieldProblem>,
}

impl RequestsPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
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
    /// What was typed, where it was not taken.
    pub(super) words: String,
    pub(super) problems: Vec<FieldProblem>,
}

impl RequestPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

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
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct EnterForm {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) channel: String,
    #[serde(default)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) details: String,
    /// The customer of whose page it began, who may have no address.
    #[serde(default)]
    pub(super) customer: String,
}

impl EnterForm {
    /// Checks all fields, or names every one that needs another value.
    fn check(&self) -> Result<Entered, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail| problems.push(Problem { field, detail });
        let kind = Kind::parse(&self.kind);
        if kind.is_none() {
            keep("kind", message("field-request-kind-missing"));
        }
        let channel = CHANNELS.into_iter().find(|name| *name == self.channel);
        if channel.is_none() {
            keep("channel", message("office-channel-missing"));
        }
        let by = match self.customer.parse() {
            Ok(customer) => Some(Whom::Customer(customer)),
            Err(_) => intake::email(&self.email)
                .map_err(|detail| keep("email", detail))
                .ok()
                .map(Whom::Email),
        };
        let details = intake::text_of_at_most(WORDS_MAX, &self.details);
        let details = details.unwrap_or_else(|detail| {
            keep("details", detail);
            None
        });
        match (kind, channel, by) {
            (Some(kind), Some(channel), Some(by)) if problems.is_empty() => Ok(Entered {
                kind,
                channel,
                by,
                details,
            }),
            _ => Err(problems),
        }
    }
}

/// About whom a request is to be written down.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    customer: String,
}

/// What is done about a request.
#[derive(Debug, Deserialize)]
pub(crate) struct ActForm {
    #[serde(default)]
    act: String,
    #[serde(default)]
    words: String,
}

/// Answers `GET /desk/{business}/privacy?customer=…`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    member: Member,
    query: Result<Query<About>, QueryRejection>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let Query(about) = query?;
    let form = EnterForm {
        kind: Kind::Access.as_str().to_owned(),
        channel: CHANNELS[0].to_owned(),
        customer: about.customer,
        ..EnterForm::default()
    };
    list(&app, &member, wanted, &visit, form, Vec::new()).await
}

async fn list(
    app: &App,
    member: &Member,
    wanted: Wanted,
    visit: &Visit,
    form: EnterForm,
    problems: Vec<Problem>,
) -> Result<Response, Fault> {
    let site = Site::of(app, wanted.at(member.business.language));
    let (language, now) = (site.language, app.clock.now());
    let zone = &member.business.zone;
    let about = match form.customer.as_str() {
        "" => None,
        id => {
            let id = id.parse().map_err(|_| Fault::NotFound)?;
            Some(app.asker(member, id).await?)
        }
    };
    let requests = app.requests(member).await?;
    let words = |request| RequestWords::of(language, zone, now, request);
    let mut response = render(&RequestsPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(language, &member.business),
        requests: requests.into_iter().map(words).collect(),
        is_owner: member.may(Right::ManageMembers),
        form,
        about,
        problems: Problem::all_in_words(problems, language),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /desk/{business}/privacy`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    form: CheckedForm<EnterForm>,
) -> Result<Response, Fault> {
    member.must(Right::SeeAudit)?;
    let (form, visit) = form.open();
    match form.check() {
        Ok(entered) => {
            let id = app.enter_request(&member, &entered).await?;
            Ok(to(&member, &format!("requests/{id}")))
        }
        Err(problems) => {
            let page = list(&app, &member, wanted, &visit, form, problems).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
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
    shown(&app, &member, id, wanted, &visit, Tried::default()).await
}

/// What came of a form that was sent and did nothing.
#[derive(Default)]
struct Tried {
    words: String,
    refused: Option<Message>,
    problem: Option<Message>,
}

async fn shown(
    app: &App,
    member: &Member,
    id: Uuid,
    wanted: Wanted,
    visit: &Visit,
    tried: Tried,
) -> Result<Response, Fault> {
    let site = Site::of(app, wanted.at(member.business.language));
    let (request, is_held) = app.request(member, id).await?;
    let (language, now) = (site.language, app.clock.now());
    let problem = tried.problem.map(|detail| Problem {
        field: "words",
        detail,
    });
    let mut response = render(&RequestPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(language, &member.business),
        request: RequestWords::of(language, &member.business.zone, now, request),
        is_held,
        may_erase: member.may(Right::EraseCustomers),
        refused: tried.refused.map(|refused| refused.text(language)),
        words: tried.words,
        problems: Problem::all_in_words(problem.into_iter().collect(), language),
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
    let max = match form.act.as_str() {
        "hold" | "lift" => REASON_MAX,
        _ => WORDS_MAX,
    };
    let (status, tried) = match intake::text_of_at_most(max, &form.words) {
        Ok(Some(words)) => {
            let Some(refused) = done(&app, &member, id, (&form.act, &words)).await? else {
                return Ok(to(&member, &format!("requests/{id}")));
            };
            let refused = Tried {
                refused: Some(refused),
                ..Tried::default()
            };
            (StatusCode::CONFLICT, refused)
        }
        wrong => {
            let missing = || message("office-words-missing");
            let problem = Tried {
                problem: Some(wrong.err().unwrap_or_else(missing)),
                ..Tried::default()
            };
            (StatusCode::UNPROCESSABLE_ENTITY, problem)
        }
    };
    let tried = Tried {
        words: form.words,
        ..tried
    };
    let page = shown(&app, &member, id, wanted, &visit, tried).await?;
    Ok((status, page).into_response())
}

/// Does what was decided; why not, where it cannot be done.
async fn done(
    app: &App,
    member: &Member,
    id: Uuid,
    (act, words): (&str, &str),
) -> Result<Option<Message>, Fault> {
    match act {
        "done" => app.decide(member, id, (Decision::Done, words)).await?,
        "refuse" => app.decide(member, id, (Decision::Refused, words)).await?,
        "hold" => app.hold_by_law(member, id, (Holding::Place, words)).await?,
        "lift" => {
            member.must_be_fresh()?;
            app.hold_by_law(member, id, (Holding::Lift, words)).await?;
        }
        "erase" => {
            member.must(Right::EraseCustomers)?;
            member.must_be_fresh()?;
            return match app.erase(member, id, words).await? {
                Erased::Now | Erased::Before => Ok(None),
                Erased::HasBookings => Ok(Some(message("office-has-bookings"))),
                Erased::Held => Ok(Some(message("office-is-held"))),
                Erased::TooSoon | Erased::Unknown => Err(Fault::NotFound),
            };
        }
        _ => return Err(Fault::Malformed("the form cannot be read".to_owned())),
    }
    Ok(None)
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
        by: (seen.by).unwrap_or_else(|| language.text("office-by-calendar").to_string()),
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

pub(super) fn to(member: &Member, place: &str) -> Response {
    let address = format!("/desk/{}/privacy/{place}", member.business.slug);
    Redirect::to(&address).into_response()
}

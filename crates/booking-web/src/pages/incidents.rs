//! Incidents: what happened to data about people, whom it is about, and the letters that the
//! law asks for.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use booking::Right;
use http::StatusCode;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::office::to;
use crate::account::member::Member;
use crate::address::Path;
use crate::app::App;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Wanted, message};
use crate::pages::{BusinessWords, Site, render, words};
use crate::privacy::breach::{Drafts, Letterhead, drafts};
use crate::security::{CheckedForm, Visit};
use crate::store;
use crate::store::incident::{Affected, Incident, Told};

const WORDS_MAX: usize = 2000;
const INTRUDER_MAX: usize = 500;
const DELAY_MAX: usize = 1000;
const REFERENCE_MAX: usize = 100;

/// An incident in the list.
pub(super) struct Line {
    pub(super) id: Uuid,
    pub(super) what: String,
    pub(super) noticed: String,
}

#[derive(Template)]
#[template(path = "office/incidents.html")]
pub(super) struct IncidentsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) incidents: Vec<Line>,
    pub(super) form: IncidentForm,
    pub(super) problems: Vec<FieldProblem>,
}

impl IncidentsPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

#[derive(Template)]
#[template(path = "office/incident.html")]
pub(super) struct IncidentPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) csrf: String,
    pub(super) business: BusinessWords,
    pub(super) incident: Incident,
    pub(super) affected: Vec<Affected>,
    pub(super) drafts: Drafts,
    pub(super) told: ToldForm,
    pub(super) problems: Vec<FieldProblem>,
}

impl IncidentPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// An incident as it is written down. Times are on the wall of the business.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct IncidentForm {
    #[serde(default)]
    pub(super) what: String,
    #[serde(default)]
    pub(super) began: String,
    #[serde(default)]
    pub(super) ended: String,
    #[serde(default)]
    pub(super) account: String,
    #[serde(default)]
    pub(super) consequences: String,
    #[serde(default)]
    pub(super) measures: String,
    #[serde(default)]
    pub(super) advice: String,
    #[serde(default)]
    pub(super) intruder: String,
}

/// What was told to whom.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ToldForm {
    #[serde(default)]
    pub(super) reference: String,
    #[serde(default)]
    pub(super) delay: String,
    #[serde(default)]
    pub(super) reported: String,
    #[serde(default)]
    pub(super) people: String,
}

impl ToldForm {
    /// The form of an incident as it stands.
    fn of(incident: &Incident) -> Self {
        let tick = |is_on: bool| if is_on { "yes" } else { "" }.to_owned();
        Self {
            reference: incident.portal_reference.clone().unwrap_or_default(),
            delay: incident.delay_reason.clone().unwrap_or_default(),
            reported: tick(incident.reported_at.is_some()),
            people: tick(incident.people_told_at.is_some()),
        }
    }
}

/// Answers `GET /desk/{business}/privacy/incidents`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    all(
        &app,
        &member,
        wanted,
        &visit,
        IncidentForm::default(),
        Vec::new(),
    )
    .await
}

async fn all(
    app: &App,
    member: &Member,
    wanted: Wanted,
    visit: &Visit,
    form: IncidentForm,
    problems: Vec<Problem>,
) -> Result<Response, Fault> {
    let site = Site::of(app, wanted.at(member.business.language));
    let (language, zone) = (site.language, &member.business.zone);
    let incidents = app.incidents(member).await?;
    let line = |incident: Incident| Line {
        id: incident.id,
        noticed: words::moment(
            language,
            &store::instant(incident.noticed_at).to_zoned_datetime(zone.clone()),
        ),
        what: incident.what,
    };
    let mut response = render(&IncidentsPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(language, &member.business),
        incidents: incidents.into_iter().map(line).collect(),
        form,
        problems: Problem::all_in_words(problems, language),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /desk/{business}/privacy/incidents`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    form: CheckedForm<IncidentForm>,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    let (form, visit) = form.open();
    let now = app.clock.now();
    let id = app.random.uuid(now);
    match check(&form, id, &member.business.zone, store::stored(now)) {
        Ok(new) => {
            app.enter_incident(&member, &new).await?;
            Ok(to(&member, &format!("incidents/{id}")))
        }
        Err(problems) => {
            let page = all(&app, &member, wanted, &visit, form, problems).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Checks all fields, or names every one that needs another value.
fn check(
    form: &IncidentForm,
    id: Uuid,
    zone: &TimeZone,
    now: OffsetDateTime,
) -> Result<Incident, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut keep = |field, detail| problems.push(Problem { field, detail });
    let mut words = |field, text| {
        intake::needed(WORDS_MAX, text).unwrap_or_else(|detail| {
            keep(field, detail);
            String::new()
        })
    };
    let what = words("what", &form.what);
    let consequences = words("consequences", &form.consequences);
    let measures = words("measures", &form.measures);
    let advice = words("advice", &form.advice);
    let (began, ended) = (at(&form.began, zone), at(&form.ended, zone));
    if began.is_none() {
        keep("began", message("incident-time-wrong"));
    }
    if ended.is_none() || began.is_some_and(|began| ended.is_some_and(|ended| ended < began)) {
        keep("ended", message("incident-time-wrong"));
    }
    let account = match form.account.trim() {
        "" => None,
        id => id.parse().map_or_else(
            |_| {
                keep("account", message("incident-account-wrong"));
                None
            },
            Some,
        ),
    };
    let intruder = intake::text_of_at_most(INTRUDER_MAX, &form.intruder);
    let intruder = intruder.unwrap_or_else(|detail| {
        keep("intruder", detail);
        None
    });
    match (began, ended) {
        (Some(began_at), Some(ended_at)) if problems.is_empty() => Ok(Incident {
            id,
            what,
            noticed_at: now,
            began_at,
            ended_at,
            account,
            consequences,
            measures,
            advice,
            intruder,
            delay_reason: None,
            portal_reference: None,
            reported_at: None,
            people_told_at: None,
        }),
        _ => Err(problems),
    }
}

/// An instant as it is on the wall.
fn at(text: &str, zone: &TimeZone) -> Option<OffsetDateTime> {
    let wall: DateTime = text.trim().parse().ok()?;
    let at = zone.to_timestamp(wall).ok()?;
    intake::is_storable(at).then(|| store::stored(at))
}

/// Answers `GET /desk/{business}/privacy/incidents/{incident}`.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, Uuid)>,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    one(&app, &member, id, wanted, &visit, None).await
}

/// An incident with the form as it stands, or as it was sent and not taken.
async fn one(
    app: &App,
    member: &Member,
    id: Uuid,
    wanted: Wanted,
    visit: &Visit,
    sent: Option<(ToldForm, Vec<Problem>)>,
) -> Result<Response, Fault> {
    let site = Site::of(app, wanted.at(member.business.language));
    let (incident, affected) = app.incident(member, id).await?;
    let business = &member.business;
    let drafts = drafts(
        &incident,
        &Letterhead {
            language: site.language,
            responsible: &business.name,
            officer: &member.account.name,
            zone: &business.zone,
            affected: affected.len(),
        },
    );
    let (told, problems) = sent.unwrap_or_else(|| (ToldForm::of(&incident), Vec::new()));
    let mut response = render(&IncidentPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(site.language, business),
        incident,
        affected,
        drafts,
        told,
        problems: Problem::all_in_words(problems, site.language),
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /desk/{business}/privacy/incidents/{incident}`.
pub(crate) async fn told(
    State(app): State<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, Uuid)>,
    wanted: Wanted,
    form: CheckedForm<ToldForm>,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    let (form, visit) = form.open();
    let mut problems = Vec::new();
    let mut short = |field, max, text| {
        intake::text_of_at_most(max, text).unwrap_or_else(|detail| {
            problems.push(Problem { field, detail });
            None
        })
    };
    let reference = short("reference", REFERENCE_MAX, &form.reference);
    let delay = short("delay", DELAY_MAX, &form.delay);
    if !problems.is_empty() {
        let sent = Some((form, problems));
        let page = one(&app, &member, id, wanted, &visit, sent).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let told = Told {
        portal_reference: reference.as_deref(),
        delay_reason: delay.as_deref(),
        is_reported: !form.reported.is_empty(),
        are_people_told: !form.people.is_empty(),
    };
    app.tell_of_incident(&member, id, told).await?;
    Ok(to(&member, &format!("incidents/{id}")))
}

//! Incidents: what happened to data about people, whom it is about, and the letters that the
//! law asks for.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use booking::Right;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::office::{tidy, to};
use crate::account::member::Member;
use crate::address::Path;
use crate::app::App;
use crate::error::Fault;
use crate::language::Wanted;
use crate::pages::{BusinessWords, Site, render, words};
use crate::privacy::breach::{Drafts, Letterhead, drafts};
use crate::security::{CheckedForm, Visit};
use crate::store;
use crate::store::incident::{Affected, Incident, Told};

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
}

/// An incident as it is written down. Times are on the wall of the business.
#[derive(Debug, Deserialize)]
pub(crate) struct IncidentForm {
    #[serde(default)]
    what: String,
    #[serde(default)]
    began: String,
    #[serde(default)]
    ended: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    consequences: String,
    #[serde(default)]
    measures: String,
    #[serde(default)]
    advice: String,
    #[serde(default)]
    intruder: String,
}

/// What was told to whom.
#[derive(Debug, Deserialize)]
pub(crate) struct ToldForm {
    #[serde(default)]
    reference: String,
    #[serde(default)]
    delay: String,
    #[serde(default)]
    reported: String,
    #[serde(default)]
    people: String,
}

/// Answers `GET /desk/{business}/privacy/incidents`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    member: Member,
    wanted: Wanted,
    visit: Visit,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    let site = Site::of(&app, wanted.at(member.business.language));
    let (language, zone) = (site.language, &member.business.zone);
    let incidents = app.incidents(&member).await?;
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
        site,
    })?;
    visit.remember(&mut response);
    Ok(response)
}

/// Answers `POST /desk/{business}/privacy/incidents`.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    member: Member,
    form: CheckedForm<IncidentForm>,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    let (form, _) = form.open();
    let now = app.clock.now();
    let id = app.random.uuid(now);
    let new = read(&form, id, &member.business.zone, store::stored(now));
    let Some(new) = new else {
        return Err(Fault::Malformed(
            "what happened, its times, consequences, measures and advice are needed".to_owned(),
        ));
    };
    app.enter_incident(&member, &new).await?;
    Ok(to(&member, &format!("incidents/{id}")))
}

fn read(form: &IncidentForm, id: Uuid, zone: &TimeZone, now: OffsetDateTime) -> Option<Incident> {
    let at = |text: &str| {
        let wall: DateTime = text.trim().parse().ok()?;
        let at = zone.to_timestamp(wall).ok()?;
        Some(store::stored(at))
    };
    let account = match form.account.trim() {
        "" => None,
        id => Some(id.parse().ok()?),
    };
    let (began_at, ended_at) = (at(&form.began)?, at(&form.ended)?);
    (began_at <= ended_at).then_some(())?;
    Some(Incident {
        id,
        what: tidy(&form.what)?,
        noticed_at: now,
        began_at,
        ended_at,
        account,
        consequences: tidy(&form.consequences)?,
        measures: tidy(&form.measures)?,
        advice: tidy(&form.advice)?,
        intruder: tidy(&form.intruder),
        delay_reason: None,
        portal_reference: None,
        reported_at: None,
        people_told_at: None,
    })
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
    let site = Site::of(&app, wanted.at(member.business.language));
    let (incident, affected) = app.incident(&member, id).await?;
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
    let mut response = render(&IncidentPage {
        csrf: visit.form_token(),
        business: BusinessWords::of(site.language, business),
        incident,
        affected,
        drafts,
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
    form: CheckedForm<ToldForm>,
) -> Result<Response, Fault> {
    member.must(Right::ManageMembers)?;
    let (form, _) = form.open();
    let (reference, delay) = (tidy(&form.reference), tidy(&form.delay));
    let told = Told {
        portal_reference: reference.as_deref(),
        delay_reason: delay.as_deref(),
        is_reported: !form.reported.is_empty(),
        are_people_told: !form.people.is_empty(),
    };
    app.tell_of_incident(&member, id, told).await?;
    Ok(to(&member, &format!("incidents/{id}")))
}

//! Time off: what is entered already, and entering more. First every booking that it would
//! hit is shown, each to stay, to be moved or to be called off; then all of it is done at
//! once, or what came in between is shown, too.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use booking::Span;
use http::StatusCode;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use uuid::Uuid;

use super::slots::Person;
use super::{Desk, Frame, Here, calendar, column};
use crate::appointments::{Absence, Decision, Fate, Leaving};
use crate::error::{Fault, FieldProblem};
use crate::intake::Problem;
use crate::language::{Language, Message, Text, message};
use crate::pages::Site;
use crate::pages::words::{self, When};
use crate::security::CheckedForm;
use crate::store;
use crate::store::block::{Ahead, Hit};

/// Why somebody of the staff may be away, as it is stored.
const REASONS: [&str; 4] = ["leave", "sick", "training", "other"];
/// Before the id of a booking, in the name of what becomes of it.
const FATE: &str = "fate-";
/// Before the id of a booking, in the name of its version as it was seen.
const SEEN: &str = "seen-";
/// Time off lasts so long at most.
const DAYS_MAX: i64 = 366;

/// Who is away when, as it is shown and sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct AwayForm {
    #[serde(default)]
    pub(super) staff: String,
    /// The first day.
    #[serde(default)]
    pub(super) from: String,
    /// The last day; the first where it is left out.
    #[serde(default)]
    pub(super) until: String,
    /// From when on the first day; from its beginning where it is left out.
    #[serde(default)]
    pub(super) opens: String,
    /// Until when on the last day; until its end where it is left out.
    #[serde(default)]
    pub(super) closes: String,
    #[serde(default)]
    pub(super) reason: String,
}

/// The same with what becomes of each booking.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct DecidedForm {
    #[serde(flatten)]
    away: AwayForm,
    #[serde(flatten)]
    decided: BTreeMap<String, String>,
}

/// Why somebody may be away, to choose.
pub(super) struct Reason {
    pub(super) name: &'static str,
    pub(super) words: String,
    pub(super) is_chosen: bool,
}

/// Time off that is not over, in words.
pub(super) struct AheadWords {
    pub(super) id: Uuid,
    pub(super) staff: String,
    pub(super) reason: String,
    pub(super) from: String,
    pub(super) until: String,
}

/// What can become of a booking.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// A booking that it would hit, in words.
pub(super) struct HitWords {
    pub(super) id: Uuid,
    pub(super) version: i32,
    pub(super) when: When,
    pub(super) name: String,
    pub(super) service: String,
    pub(super) phone: Option<String>,
    pub(super) choices: Vec<Choice>,
    /// What is wrong about it.
    pub(super) problem: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/time_off.html")]
pub(super) struct TimeOffPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) people: Vec<Person>,
    pub(super) reasons: Vec<Reason>,
    pub(super) form: AwayForm,
    pub(super) ahead: Vec<AheadWords>,
    pub(super) problems: Vec<FieldProblem>,
}

impl TimeOffPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

#[derive(Template)]
#[template(path = "desk/time_off_hits.html")]
pub(super) struct HitsPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) form: AwayForm,
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) hits: Vec<HitWords>,
    /// What came in between, or cannot be done.
    pub(super) notice: Option<String>,
}

/// Answers `GET /desk/{business}/time-off`.
pub(crate) async fn get(desk: Desk) -> Result<Response, Fault> {
    let form = AwayForm {
        reason: "leave".to_owned(),
        ..AwayForm::default()
    };
    let page = page(&desk, form, Vec::new()).await?;
    desk.show(&page)
}

/// Answers `GET /desk/{business}/time-off/new?staff=…&from=…`: what it would hit.
pub(crate) async fn look(
    desk: Desk,
    query: Result<Query<AwayForm>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(form) = query?;
    match form.check(&desk) {
        Ok(absence) => {
            let page = hits(&desk, form.clone(), absence, &BTreeMap::new(), None).await?;
            desk.show(&page)
        }
        Err(problems) => {
            let page = page(&desk, form.clone(), problems).await?;
            desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Answers `POST /desk/{business}/time-off/new`: does it, where everything is decided.
pub(crate) async fn post(desk: Desk, form: CheckedForm<DecidedForm>) -> Result<Response, Fault> {
    let (DecidedForm { away, decided }, _) = form.open();
    let absence = match away.check(&desk) {
        Ok(absence) => absence,
        Err(problems) => {
            let page = page(&desk, away.clone(), problems).await?;
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (business, keeper, now) = (desk.member.business.row(), desk.keeper()?, desk.now());
    let decisions = decisions(&decided);
    let leaving = desk
        .app
        .appointments
        .leave(business, absence, &decisions, keeper, now);
    let notice = match leaving.await? {
        Leaving::Away => return Ok(desk.on_to("/time-off", "away")),
        Leaving::Unknown => return Err(Fault::NotFound),
        Leaving::Undecided(hits) => Notice::Undecided(hits.iter().map(|h| h.booking).collect()),
        Leaving::Gone(booking) => Notice::Gone(booking),
        Leaving::Again => Notice::Again,
    };
    let page = hits(&desk, away.clone(), absence, &decided, Some(notice)).await?;
    desk.show_as(StatusCode::CONFLICT, &page)
}

/// Which time off is ended.
#[derive(Debug, Deserialize)]
pub(crate) struct EndForm {
    block: Uuid,
}

/// Answers `POST /desk/{business}/time-off/end`.
pub(crate) async fn end(desk: Desk, form: CheckedForm<EndForm>) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let (business, keeper) = (desk.member.business.id, desk.keeper()?);
    let appointments = &desk.app.appointments;
    let ended = appointments.unblock(business, form.block, keeper, desk.now());
    if ended.await? {
        Ok(desk.on_to("/time-off", "back"))
    } else {
        Err(Fault::NotFound)
    }
}

/// Why it was not done.
#[derive(Debug, Clone)]
enum Notice {
    /// These came or changed meanwhile.
    Undecided(Vec<Uuid>),
    Gone(Uuid),
    Again,
}

impl Notice {
    /// What is wrong about one booking.
    fn about(&self, language: Language, booking: Uuid) -> Option<Text> {
        match self {
            Self::Undecided(all) if all.contains(&booking) => {
                Some(language.text("time-off-meanwhile"))
            }
            Self::Gone(gone) if *gone == booking => Some(language.text("time-off-gone-one")),
            _ => None,
        }
    }

    fn words(&self, language: Language) -> Text {
        match self {
            Self::Undecided(_) => language.text("time-off-undecided"),
            Self::Gone(_) => language.text("time-off-gone"),
            Self::Again => language.text("time-off-again"),
        }
    }
}

impl AwayForm {
    /// Checks all fields, or names every one that needs another value.
    fn check(&self, desk: &Desk) -> Result<Absence<'static>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |field, detail: Message| problems.push(Problem { field, detail });
        let staff = match (desk.only(), self.staff.parse()) {
            (Ok(Some(only)), _) => only,
            (_, Ok(staff)) => staff,
            _ => {
                keep("staff", message("time-off-staff-missing"));
                Uuid::nil()
            }
        };
        let during = self.during(desk).unwrap_or_else(|field| {
            keep(field, message("time-off-days"));
            None
        });
        let known = REASONS.into_iter().find(|reason| *reason == self.reason);
        match (during, problems.is_empty()) {
            (Some(during), true) => Ok(Absence {
                staff,
                during,
                reason: known.unwrap_or("other"),
            }),
            _ => Err(problems),
        }
    }

    /// From when until when, on the wall of the business.
    fn during(&self, desk: &Desk) -> Result<Option<Span>, &'static str> {
        let day = |text: &str| text.parse::<Date>().ok();
        let first = day(&self.from).ok_or("from")?;
        let last = if self.until.trim().is_empty() {
            first
        } else {
            day(&self.until).ok_or("until")?
        };
        let clock = |text: &str| text.trim().parse::<Time>().ok();
        let start = match self.opens.trim() {
            "" => first.at(0, 0, 0, 0),
            text => DateTime::from_parts(first, clock(text).ok_or("opens")?),
        };
        let end = match self.closes.trim() {
            "" => last.saturating_add(1.day()).at(0, 0, 0, 0),
            text => DateTime::from_parts(last, clock(text).ok_or("closes")?),
        };
        let instant = |at: DateTime| desk.zone().to_timestamp(at).ok();
        let span = instant(start).zip(instant(end));
        let span = span.and_then(|(start, end)| Span::new(start, end));
        let latest = desk.today().saturating_add(DAYS_MAX.days());
        span.filter(|span| last <= latest && span.end() > desk.now())
            .map(Some)
            .ok_or("until")
    }
}

/// What was decided, out of the fields of the form.
fn decisions(decided: &BTreeMap<String, String>) -> Vec<Decision> {
    let decision = |(name, value): (&String, &String)| {
        let id = name.strip_prefix(FATE)?;
        let seen = decided.get(&format!("{SEEN}{id}"))?;
        Some(Decision {
            booking: id.parse().ok()?,
            version: seen.parse().ok()?,
            fate: match value.as_str() {
                "stays" => Fate::Stays,
                "off" => Fate::Off,
                start => Fate::Moved(start.parse().ok()?),
            },
        })
    };
    decided.iter().filter_map(decision).collect()
}

async fn page(
    desk: &Desk,
    form: AwayForm,
    problems: Vec<Problem>,
) -> Result<TimeOffPage<'_>, Fault> {
    let (only, language) = (desk.only()?, desk.language());
    let mut transaction = desk.begin().await?;
    let people = calendar::people(&mut transaction, only).await?;
    let ahead = store::block::ahead(&mut transaction, only, desk.now()).await?;
    transaction.rollback().await?;
    let people = people.into_iter().filter(|person| person.is_active);
    let people = people.map(|person| Person {
        is_chosen: form.staff.parse() == Ok(person.staff),
        id: person.staff,
        name: person.name,
    });
    let reason = |name: &'static str| Reason {
        name,
        words: column::reason(language, name).to_string(),
        is_chosen: form.reason == name,
    };
    Ok(TimeOffPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        people: people.collect(),
        reasons: REASONS.into_iter().map(reason).collect(),
        form,
        ahead: ahead.iter().map(|ahead| ahead_words(desk, ahead)).collect(),
        problems: Problem::all_in_words(problems, language),
    })
}

fn moment(desk: &Desk, at: Timestamp) -> String {
    words::day_and_clock(desk.language(), &at.to_zoned_datetime(desk.zone().clone()))
}

fn ahead_words(desk: &Desk, ahead: &Ahead) -> AheadWords {
    AheadWords {
        id: ahead.id,
        staff: ahead.staff.clone(),
        reason: column::reason(desk.language(), &ahead.reason).to_string(),
        from: moment(desk, ahead.start),
        until: moment(desk, ahead.end),
    }
}

async fn hits<'a>(
    desk: &'a Desk,
    form: AwayForm,
    absence: Absence<'_>,
    decided: &BTreeMap<String, String>,
    notice: Option<Notice>,
) -> Result<HitsPage<'a>, Fault> {
    let (business, keeper, now) = (desk.member.business.row(), desk.keeper()?, desk.now());
    let mut transaction = desk.begin().await?;
    let people = calendar::people(&mut transaction, desk.only()?).await?;
    transaction.rollback().await?;
    let person = people
        .into_iter()
        .find(|person| person.staff == absence.staff);
    let name = person.ok_or(Fault::NotFound)?.name;
    let would = desk
        .app
        .appointments
        .would_hit(business, absence, keeper, now)
        .await?;
    let mut transaction = desk.begin().await?;
    desk.saw(&mut transaction, would.iter().map(|(hit, _)| hit.customer))
        .await?;
    transaction.commit().await?;
    let language = desk.language();
    let words = |(hit, times): (Hit, Vec<Timestamp>)| {
        let chosen = decided.get(&format!("{FATE}{}", hit.booking));
        let wrong = notice.as_ref().and_then(|n| n.about(language, hit.booking));
        HitWords {
            problem: wrong.map(|wrong| wrong.to_string()),
            ..hit_words(desk, &hit, &times, chosen.map(String::as_str))
        }
    };
    Ok(HitsPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        name,
        reason: column::reason(language, absence.reason).to_string(),
        from: moment(desk, absence.during.start()),
        until: moment(desk, absence.during.end()),
        hits: would.into_iter().map(words).collect(),
        notice: notice
            .as_ref()
            .map(|notice| notice.words(language).to_string()),
        form,
    })
}

fn hit_words(desk: &Desk, hit: &Hit, times: &[Timestamp], chosen: Option<&str>) -> HitWords {
    let (language, zone) = (desk.language(), desk.zone());
    let choice = |value: String, name: String| Choice {
        is_chosen: chosen.unwrap_or("stays") == value,
        value,
        name,
    };
    let mut choices = vec![choice(
        "stays".to_owned(),
        language.text("time-off-stays").to_string(),
    )];
    if !hit.is_held {
        for start in times {
            let at = words::day_and_clock(language, &start.to_zoned_datetime(zone.clone()));
            let name = language.text("time-off-move").with("time", at).to_string();
            choices.push(choice(start.to_string(), name));
        }
        choices.push(choice(
            "off".to_owned(),
            language.text("time-off-cancel").to_string(),
        ));
    }
    // A time that was chosen and is no choice any more leaves it where it is.
    if choices.iter().all(|choice| !choice.is_chosen)
        && let Some(stays) = choices.first_mut()
    {
        stays.is_chosen = true;
    }
    HitWords {
        id: hit.booking,
        version: hit.version,
        when: When::of(language, hit.start, hit.end, zone),
        name: column::name(language, hit.name.as_deref()),
        service: hit.service.clone(),
        phone: hit.phone.clone(),
        choices,
        problem: None,
    }
}

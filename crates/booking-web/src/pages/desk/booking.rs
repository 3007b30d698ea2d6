//! A booking as staff sees it: what was agreed with whom, what happened to it, and what
//! staff has to say about it.

use askama::Template;
use axum::response::Response;
use booking::Right;
use http::StatusCode;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::Changes;
use super::{Desk, Frame, Here, column, history, seen};
use crate::address::Path;
use crate::error::{Fault, FieldProblem};
use crate::intake;
use crate::intake::Problem;
use crate::language::{Language, Text};
use crate::pages::words::When;
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store;
use crate::store::privacy::Access;
use crate::store::visit::{Event, Visit};

/// A booking in the words of the desk.
pub(super) struct BookingWords {
    pub(super) id: Uuid,
    pub(super) state: String,
    pub(super) state_class: &'static str,
    pub(super) when: When,
    pub(super) zone_name: String,
    pub(super) service: String,
    pub(super) staff: String,
    pub(super) place: String,
    pub(super) price: String,
    /// What calling it off cost, where it was called off.
    pub(super) fee: Option<String>,
    pub(super) note: Option<String>,
    pub(super) name: String,
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
    /// Their record, where one may look at it.
    pub(super) customer: Option<Uuid>,
    pub(super) day: String,
    /// "Wednesday 24 March 2027, 09:30"
    pub(super) time: String,
    pub(super) version: i32,
    /// "Booked by phone"
    pub(super) source: String,
    pub(super) cancel_reason: Option<String>,
}

impl BookingWords {
    pub(super) fn of(desk: &Desk, visit: &Visit, zone: &TimeZone) -> Self {
        let language = desk.language();
        let price = |cents| words::price(language, cents, &visit.currency);
        Self {
            id: visit.id,
            state: column::state(language, visit.state).to_string(),
            state_class: column::state_class(visit.state),
            when: When::of(language, visit.start, visit.end, zone),
            zone_name: words::zone_name(language, &visit.zone),
            service: visit.service.clone(),
            staff: visit.staff.clone(),
            place: visit.place.clone(),
            price: price(visit.price_cents),
            fee: visit.fee_cents.map(price),
            note: visit.note.clone(),
            name: column::name(language, visit.name.as_deref()),
            phone: visit.phone.clone(),
            email: visit.email.clone(),
            customer: visit.customer.filter(|_| desk.may(Right::KeepCustomers)),
            day: zone.to_datetime(visit.start).date().to_string(),
            time: words::day_and_clock(language, &visit.start.to_zoned_datetime(zone.clone())),
            version: visit.version,
            source: source(language, &visit.source).to_string(),
            cancel_reason: visit.cancel_reason.clone(),
        }
    }
}

/// How it came about, in words.
fn source(language: Language, source: &str) -> Text {
    match source {
        "phone" => language.text("source-phone"),
        "walk_in" => language.text("source-walk-in"),
        _ => language.text("source-online"),
    }
}

/// What staff writes, as it is shown and sent.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NoteForm {
    #[serde(default)]
    pub(super) note: String,
    /// The mark of what stood there when the form was opened.
    #[serde(default)]
    pub(super) seen: String,
}

impl NoteForm {
    fn of(visit: &Visit) -> Self {
        let note = visit.desk_note.clone().unwrap_or_default();
        Self {
            seen: seen::mark([note.as_str()]),
            note,
        }
    }
}

#[derive(Template)]
#[template(path = "desk/booking.html")]
pub(super) struct BookingPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) booking: BookingWords,
    pub(super) changes: Changes,
    pub(super) note: NoteForm,
    pub(super) problems: Vec<FieldProblem>,
    pub(super) history: Vec<history::Line>,
}

impl BookingPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// A booking of this business that the member may see.
pub(super) async fn find(
    desk: &Desk,
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Visit, Fault> {
    let only = desk.only()?;
    let visit = store::visit::by_id(connection, id).await?;
    let visit = visit.filter(|visit| only.is_none_or(|only| visit.staff_id == only));
    // Whose calendar it is not in, does not learn that it exists.
    visit.ok_or(Fault::NotFound)
}

/// The same in a transaction of its own, which writes down who was shown.
pub(super) async fn visit(desk: &Desk, id: Uuid) -> Result<Visit, Fault> {
    let mut transaction = desk.begin().await?;
    let visit = find(desk, &mut transaction, id).await?;
    desk.saw(&mut transaction, [visit.customer]).await?;
    transaction.commit().await?;
    Ok(visit)
}

/// The page of a booking to which something cannot be done.
pub(super) async fn refused(
    desk: &Desk,
    id: Uuid,
    problems: Vec<FieldProblem>,
) -> Result<Response, Fault> {
    let mut transaction = desk.begin().await?;
    let visit = find(desk, &mut transaction, id).await?;
    let events = store::visit::history(&mut transaction, id).await?;
    desk.saw(&mut transaction, [visit.customer]).await?;
    transaction.commit().await?;
    let note = NoteForm::of(&visit);
    let page = page(desk, &visit, &events, note, problems)?;
    desk.show_as(StatusCode::CONFLICT, &page)
}

/// Answers `GET /desk/{business}/bookings/{booking}`.
pub(crate) async fn get(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    let mut transaction = desk.begin().await?;
    let visit = find(&desk, &mut transaction, id).await?;
    let events = store::visit::history(&mut transaction, id).await?;
    if let Some(customer) = visit.customer {
        desk.looked(&mut transaction, customer, Access::Saw).await?;
    }
    transaction.commit().await?;
    let note = NoteForm::of(&visit);
    desk.show(&page(&desk, &visit, &events, note, Vec::new())?)
}

/// Answers `POST /desk/{business}/bookings/{booking}/note`.
pub(crate) async fn note(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<NoteForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let mut transaction = desk.begin().await?;
    let visit = find(&desk, &mut transaction, id).await?;
    let before = visit.desk_note.as_deref();
    let problem = match intake::desk_note(&form.note) {
        Err(detail) => Some(detail),
        Ok(_) if seen::mark([before.unwrap_or_default()]) != form.seen => {
            Some(crate::language::message("desk-changed"))
        }
        Ok(note) => {
            if store::visit::note(&mut transaction, id, before, note.as_deref()).await? {
                desk.audit(&mut transaction, "booking.noted", id).await?;
                transaction.commit().await?;
                return Ok(desk.on_to(&format!("/bookings/{id}"), "saved"));
            }
            Some(crate::language::message("desk-changed"))
        }
    };
    let events = store::visit::history(&mut transaction, id).await?;
    transaction.rollback().await?;
    let problems = problem.map(|detail| Problem {
        field: "note",
        detail,
    });
    let problems = Problem::all_in_words(problems.into_iter().collect(), desk.language());
    // Whoever sends it again has seen what stands there by now.
    let form = NoteForm {
        seen: seen::mark([before.unwrap_or_default()]),
        ..form
    };
    let page = page(&desk, &visit, &events, form, problems)?;
    desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn page<'a>(
    desk: &'a Desk,
    visit: &Visit,
    events: &[Event],
    note: NoteForm,
    problems: Vec<FieldProblem>,
) -> Result<BookingPage<'a>, Fault> {
    let zone = TimeZone::get(&visit.zone)
        .map_err(|error| Fault::Broken(anyhow::Error::new(error).context("reading a time zone")))?;
    Ok(BookingPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        booking: BookingWords::of(desk, visit, &zone),
        changes: Changes::of(desk, visit),
        note,
        problems,
        history: events
            .iter()
            .map(|event| history::Line::of(desk.language(), event, &zone))
            .collect(),
    })
}

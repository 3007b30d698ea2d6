//! Somebody walked in: who could see to them next, and who they are. They are there at once.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::book::{ServiceChoice, is_ours, services};
use super::guest::{GuestForm, Guests};
use super::slots::DeskOffer;
use super::{Desk, Frame, Here};
use crate::appointments::{DeskAnswer, DeskWish};
use crate::crew::Who;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::message;
use crate::pages::{Site, words};
use crate::security::CheckedForm;

/// A page that was opened longer ago than this says what may not be true any more.
const STALE_AFTER: SignedDuration = SignedDuration::from_mins(15);

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// The slug of the service.
    #[serde(default)]
    service: String,
}

/// Somebody who could see to them today.
pub(super) struct Next {
    pub(super) staff: Uuid,
    pub(super) name: String,
    /// As it is sent: the start, and with whom.
    pub(super) value: String,
    /// "now", or "10:40".
    pub(super) when: String,
    pub(super) is_chosen: bool,
}

/// The form as it is sent.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct WalkInForm {
    /// Made with the page; the same form sent twice is one booking.
    #[serde(default)]
    request: String,
    #[serde(default)]
    service: String,
    /// The start, and with whom.
    #[serde(default)]
    next: String,
    #[serde(default)]
    find: String,
    #[serde(flatten)]
    guest: GuestForm,
}

/// The second part of the page, once the service is known.
pub(super) struct Seeing {
    pub(super) request: String,
    pub(super) service: String,
    pub(super) next: Vec<Next>,
    pub(super) guests: Guests,
}

#[derive(Template)]
#[template(path = "desk/walk_in.html")]
pub(super) struct WalkInPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) services: Vec<ServiceChoice>,
    pub(super) seeing: Option<Seeing>,
    pub(super) guest: GuestForm,
    /// Whether who was free is not any more.
    pub(super) is_gone: bool,
    pub(super) problems: Vec<FieldProblem>,
}

impl WalkInPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Answers `GET /desk/{business}/walk-in?service=…`.
pub(crate) async fn get(
    desk: Desk,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    desk.keeper()?;
    let form = WalkInForm {
        request: desk.app.random.token(),
        service: asked.service,
        ..WalkInForm::default()
    };
    let page = page(&desk, form, (false, Vec::new())).await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/walk-in`. Sent twice, it books once.
pub(crate) async fn post(desk: Desk, form: CheckedForm<WalkInForm>) -> Result<Response, Fault> {
    let (mut form, _) = form.open();
    let keeper = desk.keeper()?;
    if !is_ours(&form.request) {
        return Err(Fault::Malformed("the form cannot be read".to_owned()));
    }
    if !form.find.is_empty() {
        return desk.show(&page(&desk, form, (false, Vec::new())).await?);
    }
    let of = DeskOffer::find(&desk, &form.service).await?;
    let (chosen, guest) = (chosen(&form.next), form.guest.check(&desk));
    let (Some((start, staff)), Ok(guest)) = (chosen, &guest) else {
        let missing = chosen.is_none().then(|| Problem {
            field: "next",
            detail: message("walk-in-next-missing"),
        });
        let problems = missing.into_iter().chain(guest.err().unwrap_or_default());
        let problems = problems.collect();
        let page = page(&desk, form, (false, problems)).await?;
        return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let now = desk.now();
    let is_stale = now.duration_since(start) > STALE_AFTER;
    let wish = DeskWish {
        start,
        who: Who::Only(staff),
        guest: guest.guest(),
        note: guest.note.as_deref(),
        walked_in: true,
        told: guest.told,
        keeper,
        key: &form.request,
    };
    let answer = if is_stale {
        DeskAnswer::Gone
    } else {
        let appointments = &desk.app.appointments;
        appointments
            .book_at_desk(of.offer.offered(), wish, now)
            .await?
    };
    match answer {
        DeskAnswer::Made { booking } => {
            desk.app.metrics.bookings.inc();
            Ok(desk.on_to(&format!("/bookings/{booking}"), "booked"))
        }
        DeskAnswer::KeyReused => Err(Fault::KeyReused),
        DeskAnswer::Gone | DeskAnswer::UnknownGuest => {
            form.request = desk.app.random.token();
            form.next.clear();
            let page = page(&desk, form, (true, Vec::new())).await?;
            desk.show_as(StatusCode::CONFLICT, &page)
        }
    }
}

/// The start and with whom, as they were sent.
fn chosen(next: &str) -> Option<(Timestamp, Uuid)> {
    let (start, staff) = next.split_once(' ')?;
    Some((intake::start(start).ok()?, staff.parse().ok()?))
}

async fn page(
    desk: &Desk,
    form: WalkInForm,
    (is_gone, problems): (bool, Vec<Problem>),
) -> Result<WalkInPage<'_>, Fault> {
    let services = services(desk, &form.service).await?;
    let seeing = if form.service.is_empty() {
        None
    } else {
        let of = DeskOffer::find(desk, &form.service).await?;
        Some(Seeing {
            next: next(desk, &of, &form.next).await?,
            guests: Guests::read(desk, &form.guest).await?,
            request: form.request,
            service: form.service,
        })
    };
    Ok(WalkInPage {
        site: desk.site(),
        desk: desk.frame(Here::Today),
        services,
        seeing,
        guest: form.guest,
        is_gone,
        problems: Problem::all_in_words(problems, desk.language()),
    })
}

/// When each person could see to them today, the first one first and chosen.
async fn next(desk: &Desk, of: &DeskOffer, chosen: &str) -> Result<Vec<Next>, Fault> {
    let (appointments, now) = (&desk.app.appointments, desk.now());
    let soonest = appointments.soonest_today(of.offer.offered(), now).await?;
    let this_minute = now.as_second() / 60;
    let mut next = Vec::new();
    for (staff, start) in soonest {
        let Some((_, name)) = of.people.iter().find(|(id, _)| *id == staff) else {
            continue;
        };
        let value = format!("{start} {staff}");
        next.push(Next {
            staff,
            name: name.clone(),
            when: if start.as_second() / 60 <= this_minute {
                desk.language().text("walk-in-now").to_string()
            } else {
                words::clock(&start.to_zoned_datetime(desk.zone().clone()))
            },
            is_chosen: value == chosen || (chosen.is_empty() && next.is_empty()),
            value,
        });
    }
    Ok(next)
}

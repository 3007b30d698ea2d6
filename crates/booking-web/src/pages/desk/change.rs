//! What staff does to one booking: saying what became of the visit, moving it, and calling it
//! off. Each answers with the page of the booking.

use ::booking::{State, Waiver};
use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::booking::{self, BookingWords};
use super::calendar::Asked;
use super::slots::{DeskOffer, Slots};
use super::{Desk, Frame, Here};
use crate::address::Path;
use crate::appointments::{DeskChange, Ending, OnBehalfOf, Seen};
use crate::crew::Who;
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::{Language, Text, message};
use crate::pages::{Site, words};
use crate::security::CheckedForm;
use crate::store::visit::Visit;

/// What may be said of a visit, in the order of its buttons.
const TOLD: [State; 4] = [
    State::Arrived,
    State::Completed,
    State::NoShow,
    State::Confirmed,
];

/// The longest reason for calling off.
const REASON_CHARS_MAX: usize = 500;

/// A button that says what became of a visit.
pub(super) struct Button {
    pub(super) to: &'static str,
    pub(super) name: String,
}

/// What can be done to a booking now.
pub(super) struct Changes {
    pub(super) told: Vec<Button>,
    /// Whether it can be moved and called off.
    pub(super) is_to_come: bool,
    pub(super) can_repeat: bool,
}

impl Changes {
    pub(super) fn of(desk: &Desk, visit: &Visit) -> Self {
        let (language, now) = (desk.language(), desk.now());
        let may = |to: &State| {
            let (from, start, since) = (visit.state, visit.start, visit.since);
            crate::appointments::may_be_told(from, start, since, *to, now)
        };
        let button = |to: State| Button {
            to: to.as_str(),
            name: name(language, visit.state, to).to_string(),
        };
        Self {
            told: TOLD.into_iter().filter(may).map(button).collect(),
            is_to_come: visit.state == State::Confirmed,
            can_repeat: matches!(
                visit.state,
                State::Confirmed | State::Arrived | State::Completed
            ),
        }
    }

    pub(super) fn are_any(&self) -> bool {
        !self.told.is_empty() || self.is_to_come || self.can_repeat
    }
}

/// What a button says that moves a visit on, or takes back what was said.
fn name(language: Language, from: State, to: State) -> Text {
    match (from, to) {
        (State::Arrived, State::Confirmed) => language.text("change-not-arrived"),
        (State::NoShow, State::Arrived) => language.text("change-came"),
        (State::NoShow, _) => language.text("change-no-show-undo"),
        (_, State::Arrived) => language.text("change-arrived"),
        (_, State::Completed) => language.text("change-completed"),
        _ => language.text("change-no-show"),
    }
}

/// What became of a visit.
#[derive(Debug, Deserialize)]
pub(crate) struct ToldForm {
    #[serde(default)]
    to: String,
    #[serde(default)]
    version: i32,
}

/// Answers `POST /desk/{business}/bookings/{booking}/state`.
pub(crate) async fn tell(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<ToldForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    // Whose calendar it is not in, learns nothing, whatever they send.
    booking::visit(&desk, id).await?;
    let to = State::parse(&form.to)
        .ok_or_else(|| Fault::Malformed("the form cannot be read".to_owned()))?;
    let (seen, keeper, now) = (desk.as_seen(id, form.version), desk.keeper()?, desk.now());
    let told = desk.app.appointments.tell(seen, to, keeper, now).await?;
    answer(&desk, id, told, "told").await
}

/// The page of the booking after a change, or with why there was none.
async fn answer(desk: &Desk, id: Uuid, change: DeskChange, done: &str) -> Result<Response, Fault> {
    let detail = match change {
        DeskChange::Done => return Ok(desk.on_to(&format!("/bookings/{id}"), done)),
        DeskChange::Unknown => return Err(Fault::NotFound),
        DeskChange::NotAllowed | DeskChange::Gone => message("change-not-now"),
        DeskChange::Changed => message("change-meanwhile"),
    };
    let problem = Problem {
        field: "change",
        detail,
    };
    booking::refused(desk, id, vec![problem.in_words(desk.language())]).await
}

#[derive(Template)]
#[template(path = "desk/move.html")]
pub(super) struct MovePage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) booking: BookingWords,
    pub(super) slots: Slots,
    /// The time that was chosen and is gone.
    pub(super) gone: Option<String>,
    pub(super) problems: Vec<FieldProblem>,
}

impl MovePage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Another time, as it is sent.
#[derive(Debug, Deserialize)]
pub(crate) struct MoveForm {
    #[serde(default)]
    start: String,
    #[serde(default)]
    staff: String,
    #[serde(default)]
    version: i32,
}

/// Answers `GET /desk/{business}/bookings/{booking}/move?day=…&staff=…`.
pub(crate) async fn move_page(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    let visit = booking::visit(&desk, id).await?;
    if visit.state != State::Confirmed {
        return Ok(desk.back_to(&format!("/bookings/{id}")));
    }
    let page = times(
        &desk,
        &visit,
        (&asked.day, &asked.staff),
        (None, Vec::new()),
    )
    .await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/bookings/{booking}/move`. Sent twice, it moves once.
pub(crate) async fn moved(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<MoveForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let visit = booking::visit(&desk, id).await?;
    let start = match intake::start(&form.start) {
        Ok(start) => start,
        Err(problem) => {
            let problems = vec![problem.in_words(desk.language())];
            let page = times(&desk, &visit, ("", &form.staff), (None, problems)).await?;
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let who = Who::parse(&form.staff).unwrap_or(Who::Anyone);
    let (seen, keeper, now) = (desk.as_seen(id, form.version), desk.keeper()?, desk.now());
    let appointments = &desk.app.appointments;
    let change = appointments.move_at_desk(seen, (start, who), keeper, now);
    match change.await? {
        DeskChange::Gone => {
            let at = start.to_zoned_datetime(desk.zone().clone());
            let gone = words::day_and_clock(desk.language(), &at);
            let day = at.date().to_string();
            let page = times(&desk, &visit, (&day, &form.staff), (Some(gone), Vec::new())).await?;
            desk.show_as(StatusCode::CONFLICT, &page)
        }
        change => answer(&desk, id, change, "moved").await,
    }
}

async fn times<'a>(
    desk: &'a Desk,
    visit: &Visit,
    (day, staff): (&str, &str),
    (gone, problems): (Option<String>, Vec<FieldProblem>),
) -> Result<MovePage<'a>, Fault> {
    let offer = DeskOffer::of_booking(desk, visit.id).await?;
    let own = desk.zone().to_datetime(visit.start).date();
    let address = desk.path(&format!("/bookings/{}/move", visit.id));
    let day = day.parse().ok().or(Some(own));
    Ok(MovePage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        booking: BookingWords::of(desk, visit, desk.zone()),
        slots: Slots::read(desk, &offer, (staff, day), &format!("{address}?")).await?,
        gone,
        problems,
    })
}

#[derive(Template)]
#[template(path = "desk/cancel.html")]
pub(super) struct CancelPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) booking: BookingWords,
    /// What it costs the customer who rings now; none where it costs nothing.
    pub(super) fee: Option<String>,
    pub(super) form: CancelForm,
    /// How many of its series come after it.
    pub(super) rest: usize,
    pub(super) problems: Vec<FieldProblem>,
}

impl CancelPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }
}

/// Calling off, as it is sent.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct CancelForm {
    #[serde(default)]
    pub(super) version: i32,
    /// `customer` or `business`.
    #[serde(default)]
    pub(super) whose: String,
    #[serde(default)]
    pub(super) waiver: String,
    #[serde(default)]
    pub(super) reason: String,
    /// Whether those of its series that come after it go, too.
    #[serde(default)]
    pub(super) rest: String,
}

/// Answers `GET /desk/{business}/bookings/{booking}/cancel`.
pub(crate) async fn cancel_page(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response, Fault> {
    let visit = booking::visit(&desk, id).await?;
    if visit.state != State::Confirmed {
        return Ok(desk.back_to(&format!("/bookings/{id}")));
    }
    desk.show(&cancel_words(&desk, &visit, CancelForm::default(), Vec::new()).await?)
}

async fn cancel_words<'a>(
    desk: &'a Desk,
    visit: &Visit,
    form: CancelForm,
    problems: Vec<Problem>,
) -> Result<CancelPage<'a>, Fault> {
    let appointments = &desk.app.appointments;
    let business = desk.member.business.id;
    let fee = appointments.fee_now(business, visit.id, desk.now()).await?;
    let price = |cents| words::price(desk.language(), cents, &visit.currency);
    Ok(CancelPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        booking: BookingWords::of(desk, visit, desk.zone()),
        fee: fee.filter(|cents| *cents > 0).map(price),
        rest: later(desk, visit).await?.len(),
        form,
        problems: Problem::all_in_words(problems, desk.language()),
    })
}

/// The bookings of its series that come after it.
async fn later(desk: &Desk, visit: &Visit) -> Result<Vec<Seen>, Fault> {
    let Some(series) = visit.series else {
        return Ok(Vec::new());
    };
    let business = desk.member.business.id;
    let rest = desk
        .app
        .appointments
        .rest_of_series(business, series, visit.start);
    let rest = rest
        .await?
        .into_iter()
        .filter(|seen| seen.booking != visit.id);
    Ok(rest.collect())
}

/// Answers `POST /desk/{business}/bookings/{booking}/cancel`. Sent twice, it cancels once.
pub(crate) async fn cancel(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<CancelForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    let visit = booking::visit(&desk, id).await?;
    let waiver = (!form.waiver.is_empty()).then_some(Waiver::HospitalOrBereavement);
    let whose = match form.whose.as_str() {
        "customer" => Ok(OnBehalfOf::Customer(waiver)),
        "business" => Ok(OnBehalfOf::Business),
        _ => Err(Problem {
            field: "whose",
            detail: message("desk-cancel-whose-missing"),
        }),
    };
    let reason =
        intake::text_of_at_most(REASON_CHARS_MAX, &form.reason).map_err(|detail| Problem {
            field: "reason",
            detail,
        });
    let (whose, reason) = match (whose, reason) {
        (Ok(whose), Ok(reason)) => (whose, reason),
        (whose, reason) => {
            let problems = whose.err().into_iter().chain(reason.err()).collect();
            let page = cancel_words(&desk, &visit, form, problems).await?;
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (keeper, now) = (desk.keeper()?, desk.now());
    let (seen, why) = (desk.as_seen(id, form.version), (whose, reason.as_deref()));
    let appointments = &desk.app.appointments;
    let (change, count) = if form.rest == "yes" && visit.series.is_some() {
        match appointments
            .end_series_at_desk(seen, why, keeper, now)
            .await?
        {
            Ending::Done(count) => (DeskChange::Done, count),
            Ending::TooLate => (DeskChange::NotAllowed, 0),
            Ending::Changed => (DeskChange::Changed, 0),
            Ending::Unknown => (DeskChange::Unknown, 0),
        }
    } else {
        let change = appointments.cancel_at_desk(seen, why, keeper, now).await?;
        (change, u64::from(change == DeskChange::Done))
    };
    desk.app.metrics.cancellations.inc_by(count);
    answer(&desk, id, change, "cancelled").await
}

//! Repeating a booking at the desk, for the customer who has it.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use uuid::Uuid;

use super::booking::BookingWords;
use super::slots::DeskOffer;
use super::{Desk, Frame, Here, booking};
use crate::address::Path;
use crate::error::Fault;
use crate::pages::Site;
use crate::pages::repeat::{ChosenForm, RepeatForm, Repeating, Steps};
use crate::security::CheckedForm;

#[derive(Template)]
#[template(path = "desk/repeat.html")]
pub(super) struct RepeatPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) booking: BookingWords,
    pub(super) steps: Steps,
}

/// Answers `GET /desk/{business}/bookings/{booking}/repeat?every=…&count=…`.
pub(crate) async fn get(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    query: Result<Query<RepeatForm>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(form) = query?;
    answer(&desk, id, async |repeating| repeating.look(form).await).await
}

/// Answers `POST /desk/{business}/bookings/{booking}/repeat`. Sent twice, it books once.
pub(crate) async fn post(
    desk: Desk,
    Path((_, id)): Path<(String, Uuid)>,
    form: CheckedForm<ChosenForm>,
) -> Result<Response, Fault> {
    let (form, _) = form.open();
    answer(&desk, id, async |repeating| repeating.book(form).await).await
}

async fn answer(
    desk: &Desk,
    id: Uuid,
    act: impl AsyncFnOnce(&Repeating<'_>) -> Result<(StatusCode, Steps), Fault>,
) -> Result<Response, Fault> {
    let visit = booking::visit(desk, id).await?;
    let appointments = &desk.app.appointments;
    let source = appointments.source(desk.member.business.id, id).await?;
    let own = format!("/bookings/{id}");
    let Some(source) = source else {
        return Ok(desk.back_to(&own));
    };
    let of = DeskOffer::of_booking(desk, id).await?;
    let repeating = Repeating {
        app: &desk.app,
        language: desk.language(),
        offer: &of.offer,
        source: &source,
        by: desk.keeper()?.by(),
        csrf: desk.visit.form_token(),
        action: desk.path(&format!("{own}/repeat")),
        back: desk.path(&own),
        address: &|booking| desk.path(&format!("/bookings/{booking}")),
    };
    let (status, steps) = act(&repeating).await?;
    let page = RepeatPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        booking: BookingWords::of(desk, &visit, desk.zone()),
        steps,
    };
    desk.show_as(status, &page)
}

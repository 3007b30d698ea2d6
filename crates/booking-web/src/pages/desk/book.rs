//! Booking for somebody who rang: the service and with whom, then a time and who comes. One
//! form, which works without scripts; looking a customer up keeps what was chosen.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use jiff::civil::Date;
use serde::Deserialize;

use super::guest::{GuestForm, Guests};
use super::slots::{DeskOffer, Slots};
use super::{Desk, Frame, Here};
use crate::appointments::{DeskAnswer, DeskWish};
use crate::error::{Fault, FieldProblem};
use crate::intake::{self, Problem};
use crate::language::message;
use crate::pages::{Site, words};
use crate::security::CheckedForm;

/// A key that a page made is as long as this at most.
pub(super) const REQUEST_CHARS_MAX: usize = 64;

/// What is to be booked, as far as it is known.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// The slug of the service.
    #[serde(default)]
    service: String,
    #[serde(default)]
    staff: String,
    #[serde(default)]
    day: String,
}

/// Something to choose.
pub(super) struct ServiceChoice {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// The form as it is sent.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct BookForm {
    /// Made with the page; the same form sent twice is one booking.
    #[serde(default)]
    pub(super) request: String,
    #[serde(default)]
    pub(super) service: String,
    #[serde(default)]
    pub(super) staff: String,
    #[serde(default)]
    pub(super) day: String,
    #[serde(default)]
    pub(super) start: String,
    /// Whether customers are looked for; nothing is booked then.
    #[serde(default)]
    pub(super) find: String,
    #[serde(flatten)]
    pub(super) guest: GuestForm,
}

/// The second part of the page, once the service is known.
pub(super) struct Booking {
    pub(super) request: String,
    pub(super) service: String,
    pub(super) start: String,
    pub(super) slots: Slots,
    pub(super) guests: Guests,
}

#[derive(Template)]
#[template(path = "desk/book.html")]
pub(super) struct BookPage<'a> {
    pub(super) site: Site<'a>,
    pub(super) desk: Frame,
    pub(super) services: Vec<ServiceChoice>,
    pub(super) booking: Option<Booking>,
    pub(super) guest: GuestForm,
    /// The time that was chosen and is gone.
    pub(super) gone: Option<String>,
    pub(super) problems: Vec<FieldProblem>,
}

impl BookPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        FieldProblem::of(&self.problems, field)
    }

    fn day_is_full(&self) -> bool {
        let booking = self.booking.as_ref();
        booking.is_some_and(|booking| booking.slots.day_is_full)
    }
}

/// Answers `GET /desk/{business}/book?service=…&staff=…&day=…`.
pub(crate) async fn get(
    desk: Desk,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Fault> {
    let Query(asked) = query?;
    desk.keeper()?;
    let form = BookForm {
        request: desk.app.random.token(),
        service: asked.service,
        staff: asked.staff,
        day: asked.day,
        ..BookForm::default()
    };
    let page = page(&desk, form, (None, Vec::new())).await?;
    desk.show(&page)
}

/// Answers `POST /desk/{business}/book`. Sent twice, it books once.
pub(crate) async fn post(desk: Desk, form: CheckedForm<BookForm>) -> Result<Response, Fault> {
    let (mut form, _) = form.open();
    let keeper = desk.keeper()?;
    if !is_ours(&form.request) {
        return Err(Fault::Malformed("the form cannot be read".to_owned()));
    }
    if !form.find.is_empty() {
        return desk.show(&page(&desk, form, (None, Vec::new())).await?);
    }
    let of = DeskOffer::find(&desk, &form.service).await?;
    let (start, guest) = (intake::start(&form.start), form.guest.check(&desk));
    let (start, guest) = match (start, guest) {
        (Ok(start), Ok(guest)) => (start, guest),
        (start, guest) => {
            let problems = start.err().into_iter();
            let problems = problems.chain(guest.err().unwrap_or_default()).collect();
            let page = page(&desk, form, (None, problems)).await?;
            return desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let wish = DeskWish {
        start,
        who: of.who(&desk, &form.staff)?,
        guest: guest.guest(),
        note: guest.note.as_deref(),
        walked_in: false,
        told: guest.told,
        keeper,
        key: &form.request,
    };
    let offered = of.offer.offered();
    match desk
        .app
        .appointments
        .book_at_desk(offered, wish, desk.now())
        .await?
    {
        DeskAnswer::Made { booking } => {
            desk.app.metrics.bookings.inc();
            Ok(desk.on_to(&format!("/bookings/{booking}"), "booked"))
        }
        DeskAnswer::Gone => {
            desk.app.metrics.conflicts.inc();
            let at = start.to_zoned_datetime(desk.zone().clone());
            let gone = words::day_and_clock(desk.language(), &at);
            // Another time is another request, so it gets another key.
            form.request = desk.app.random.token();
            form.day = at.date().to_string();
            let page = page(&desk, form, (Some(gone), Vec::new())).await?;
            desk.show_as(StatusCode::CONFLICT, &page)
        }
        DeskAnswer::UnknownGuest => {
            let problem = Problem {
                field: "q",
                detail: message("book-guest-unknown"),
            };
            form.guest.guest.clear();
            form.request = desk.app.random.token();
            let page = page(&desk, form, (None, vec![problem])).await?;
            desk.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        DeskAnswer::KeyReused => Err(Fault::KeyReused),
    }
}

/// Whether a key is one that a page made.
pub(super) fn is_ours(key: &str) -> bool {
    (1..=REQUEST_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The services that may be chosen.
pub(super) async fn services(desk: &Desk, chosen: &str) -> Result<Vec<ServiceChoice>, Fault> {
    let services = desk.app.services(&desk.member.business).await?;
    let services = services.into_iter().map(|service| ServiceChoice {
        is_chosen: service.slug == chosen,
        slug: service.slug,
        name: service.name,
    });
    Ok(services.collect())
}

async fn page(
    desk: &Desk,
    form: BookForm,
    (gone, problems): (Option<String>, Vec<Problem>),
) -> Result<BookPage<'_>, Fault> {
    let services = services(desk, &form.service).await?;
    let booking = if form.service.is_empty() {
        None
    } else {
        let of = DeskOffer::find(desk, &form.service).await?;
        let day: Option<Date> = form.day.parse().ok();
        let address = desk.path(&format!("/book?service={}&", form.service));
        Some(Booking {
            request: form.request,
            slots: Slots::read(desk, &of, (&form.staff, day), &address).await?,
            guests: Guests::read(desk, &form.guest).await?,
            service: form.service,
            start: form.start,
        })
    };
    Ok(BookPage {
        site: desk.site(),
        desk: desk.frame(Here::Calendar),
        services,
        booking,
        guest: form.guest,
        gone,
        problems: Problem::all_in_words(problems, desk.language()),
    })
}

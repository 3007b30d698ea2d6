//! The desk: what the people of a business use every day. Every page begins with a [`Desk`],
//! which only members of the business get, and asks it what they may do there.

pub(crate) mod book;
pub(crate) mod booking;
pub(crate) mod calendar;
pub(crate) mod change;
#[cfg(test)]
#[path = "tests/changes.rs"]
mod changes_gallery;
mod clock;
mod column;
pub(crate) mod customer;
pub(crate) mod customers;
pub(crate) mod feeds;
mod frame;
#[cfg(test)]
#[path = "tests/desk.rs"]
mod gallery;
mod guest;
mod history;
pub(crate) mod holidays;
pub(crate) mod hours;
pub(crate) mod keys;
mod limits;
pub(crate) mod merge;
pub(crate) mod messages;
#[cfg(test)]
#[path = "tests/offer.rs"]
mod offer_gallery;
#[cfg(test)]
#[path = "tests/programs.rs"]
mod programs_gallery;
pub(crate) mod reminders;
pub(crate) mod repeat;
pub(crate) mod responsible;
pub(crate) mod rooms;
mod seen;
pub(crate) mod services;
pub(crate) mod settings;
mod slots;
pub(super) mod slug;
pub(crate) mod staff;
#[cfg(test)]
#[path = "tests/terms.rs"]
mod terms_gallery;
pub(crate) mod time_off;
pub(crate) mod today;
pub(crate) mod walk_in;
pub(crate) mod webhooks;
pub(crate) mod week;

pub(super) use frame::{Frame, Here};

use std::sync::Arc;

use ::booking::{Actor, Right};
use askama::Template;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::PgConnection;
use sqlx::postgres::PgTransaction;
use uuid::Uuid;

use crate::account::member::Member;
use crate::app::App;
use crate::appointments::{Keeper, Seen};
use crate::error::Fault;
use crate::language::{Language, Wanted};
use crate::pages::embed::origin;
use crate::pages::{Site, render};
use crate::security::Visit;
use crate::store;
use crate::store::privacy::Access;
use crate::store::record::Audit;

/// A box to tick.
pub(super) struct Tick {
    pub(super) field: String,
    pub(super) words: String,
    pub(super) is_on: bool,
}

/// Somebody of a business, at its desk.
pub(crate) struct Desk {
    app: Arc<App>,
    member: Member,
    wanted: Wanted,
    visit: Visit,
    /// Where the member reaches this site.
    origin: String,
    /// What was done just before, by its name in the address.
    done: Option<String>,
}

impl Desk {
    fn language(&self) -> Language {
        self.wanted.language()
    }

    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    fn zone(&self) -> &TimeZone {
        &self.member.business.zone
    }

    /// The day at the business.
    fn today(&self) -> Date {
        self.zone().to_datetime(self.now()).date()
    }

    /// A transaction for this business.
    async fn begin(&self) -> Result<PgTransaction<'static>, Fault> {
        Ok(store::begin(&self.app.appointments.pool, self.member.business.id).await?)
    }

    fn may(&self, right: Right) -> bool {
        self.member.may(right)
    }

    fn must(&self, right: Right) -> Result<(), Fault> {
        self.member.must(right)
    }

    /// Whose calendar they are bound to; none where they keep everybody's.
    fn only(&self) -> Result<Option<Uuid>, Fault> {
        if self.may(Right::KeepAllCalendars) {
            return Ok(None);
        }
        self.must(Right::KeepOwnCalendar)?;
        // A member of staff without a calendar sees an empty one.
        Ok(Some(self.member.staff.unwrap_or_default()))
    }

    /// Who changes bookings here.
    fn keeper(&self) -> Result<Keeper, Fault> {
        Ok(Keeper {
            account: self.member.account.id,
            only: self.only()?,
        })
    }

    /// A booking of this business as it was seen.
    fn as_seen(&self, booking: Uuid, version: i32) -> Seen {
        Seen {
            business: self.member.business.id,
            booking,
            version,
        }
    }

    /// A new id.
    fn id(&self) -> Uuid {
        self.app.random.uuid(self.now())
    }

    /// Writes that the member did something to `subject`.
    async fn audit(
        &self,
        connection: &mut PgConnection,
        action: &str,
        subject: Uuid,
    ) -> Result<(), Fault> {
        let audit = Audit {
            id: self.id(),
            business: self.member.business.id,
            actor: Actor::Business.as_str(),
            actor_id: Some(self.member.account.id),
            action,
            subject,
            before: None,
            after: None,
            now: self.now(),
        };
        Ok(store::record::audit_change(connection, &audit).await?)
    }

    /// Writes that the member saw or changed the details of a customer.
    async fn looked(
        &self,
        connection: &mut PgConnection,
        customer: Uuid,
        access: Access,
    ) -> Result<(), Fault> {
        let (id, now) = (self.id(), self.now());
        let (business, account) = (self.member.business.id, self.member.account.id);
        let whom = (account, customer);
        Ok(store::privacy::log(connection, id, business, whom, access, now).await?)
    }

    /// Writes that the member was shown these customers in a list.
    async fn saw(
        &self,
        connection: &mut PgConnection,
        customers: impl IntoIterator<Item = Option<Uuid>>,
    ) -> Result<(), Fault> {
        let customers: Vec<_> = customers.into_iter().flatten().collect();
        self.app.saw(connection, &self.member, &customers).await
    }

    /// An address at this desk.
    fn path(&self, rest: &str) -> String {
        format!("/desk/{}{rest}", self.member.business.slug)
    }

    fn site(&self) -> Site<'_> {
        Site::of(&self.app, self.wanted.clone())
    }

    fn frame(&self, here: Here) -> Frame {
        Frame::of(self, here)
    }

    /// The answer that shows `page`.
    fn show(&self, page: &impl Template) -> Result<Response, Fault> {
        let mut response = render(page)?;
        self.visit.remember(&mut response);
        Ok(response)
    }

    /// The same for a form that was not accepted.
    fn show_as(&self, status: StatusCode, page: &impl Template) -> Result<Response, Fault> {
        Ok((status, self.show(page)?).into_response())
    }

    /// On to another page of this desk.
    fn back_to(&self, rest: &str) -> Response {
        Redirect::to(&self.path(rest)).into_response()
    }

    /// After a form: on to a page, which says what was done.
    fn on_to(&self, rest: &str, done: &str) -> Response {
        let mark = if rest.contains('?') { '&' } else { '?' };
        let address = self.path(&format!("{rest}{mark}done={done}"));
        Redirect::to(&address).into_response()
    }
}

impl<S> FromRequestParts<S> for Desk
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let member = Member::from_request_parts(parts, state).await?;
        let wanted = Wanted::of(&parts.uri, &parts.headers).at(member.business.language);
        let Ok(visit) = Visit::from_request_parts(parts, state).await;
        let mut pairs = parts.uri.query().unwrap_or_default().split('&');
        let done = pairs.find_map(|pair| pair.strip_prefix("done="));
        let app = Arc::<App>::from_ref(state);
        Ok(Self {
            origin: origin(&parts.headers, app.secure),
            app,
            member,
            wanted,
            visit,
            done: done.map(str::to_owned),
        })
    }
}

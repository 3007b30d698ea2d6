//! Writing a visit once its time is claimed: the booking and its secret address, and beside
//! them customer, consent, audit and message. Every way to a booking ends here.

use booking::State;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::moves::{By, Change, Picture};
use super::take::Visit;
use super::{Appointments, Offered, terms, token_hash};
use crate::availability;
use crate::crew::Who;
use crate::language::Language;
use crate::store;
use crate::store::booking::{Booking, NewBooking, NewCustomer};
use crate::store::business::Business;
use crate::store::hold::Holder;

/// The wording that customers are shown before they book.
const NOTICE: &str = "booking-notice-2026-11";

/// Beyond every horizon that a service may have.
const HORIZON_MAX: SignedDuration = SignedDuration::from_hours(24 * 740);

/// Who comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person<'a> {
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) phone: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    /// In which they want to be addressed, where that is known.
    pub(crate) language: Option<Language>,
    /// In which they said that they are.
    pub(crate) time_zone: Option<&'a str>,
}

/// That somebody was told what their details are used for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) customer: Uuid,
    pub(super) booking: Uuid,
    /// That of the business where none is known.
    pub(super) language: Option<Language>,
    /// `page`, `api`, `phone` or `walk_in`.
    pub(super) channel: &'static str,
    pub(super) by: By,
}

/// How a customer books by themselves: pages know the language that they speak, and programs
/// do not say one.
pub(super) fn online(language: Option<Language>) -> &'static str {
    if language.is_some() { "page" } else { "api" }
}

/// In what way a visit comes about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// Somebody chose a time and has not said yet who they are.
    Held { until: Timestamp, holder: Holder },
    /// The customer booked it.
    Booked(Person<'a>),
    /// For a customer of the business, who may be there already.
    Known {
        customer: Uuid,
        booked_as: (&'a str, Option<&'a str>),
        note: Option<&'a str>,
        language: Option<Language>,
        state: State,
        by: By,
        time_zone: Option<&'a str>,
        /// Whether they were told what their details are used for.
        told: bool,
    },
}

/// A visit that was made.
#[derive(Debug)]
pub(super) struct Written {
    /// The lanes that are to be bumped at the end of the transaction.
    pub(super) lanes: Vec<Uuid>,
    pub(super) booking: Booking,
}

/// A visit that is to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) offered: Offered<'a>,
    pub(super) id: Uuid,
    pub(super) who: Who,
    pub(super) start: Timestamp,
    pub(super) series: Option<Uuid>,
    pub(super) way: Way<'a>,
}

impl Making<'_> {
    pub(super) fn visit(&self) -> Visit<'_> {
        Visit {
            business: self.offered.business.id,
            zone: self.offered.zone,
            service: self.offered.service,
            who: self.who,
            booking: self.id,
            start: self.start,
            held_until: match self.way {
                Way::Held { until, .. } => Some(until),
                Way::Booked(_) | Way::Known { .. } => None,
            },
            moved: None,
        }
    }

    fn state(&self) -> State {
        match self.way {
            Way::Held { .. } => State::Held,
            Way::Booked(_) => State::Confirmed,
            Way::Known { state, .. } => state,
        }
    }

    fn by(&self) -> By {
        match self.way {
            Way::Held { .. } | Way::Booked(_) => By::Customer,
            Way::Known { by, .. } => by,
        }
    }

    /// The language that it is made in, where that is known.
    fn language(&self) -> Option<Language> {
        match self.way {
            Way::Booked(person) => person.language,
            Way::Known { language, .. } => language,
            Way::Held { .. } => None,
        }
    }

    /// How the customer was told what their details are used for.
    fn channel(&self) -> &'static str {
        match self.source() {
            "online" => online(self.language()),
            source => source,
        }
    }

    /// How it came about, by its name in the database.
    fn source(&self) -> &'static str {
        match (self.by(), self.state()) {
            (By::Staff(_), State::Arrived) => "walk_in",
            (By::Staff(_), _) => "phone",
            _ => "online",
        }
    }
}

impl Appointments {
    /// Claims the time and writes the visit. None where the time cannot be had, and then nothing
    /// must be kept.
    pub(super) async fn make(
        &self,
        connection: &mut PgConnection,
        making: &Making<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Written>> {
        // Beyond these there is nothing to book, and no need to bother the calendar.
        let latest = now.checked_add(HORIZON_MAX).unwrap_or(now);
        if !(now..=latest).contains(&making.start) {
            return Ok(None);
        }
        let Some(taken) = self.take(connection, making.visit(), now).await? else {
            return Ok(None);
        };
        let booking = self.write(connection, making, taken.staff, now).await?;
        let beyond = self.one_too_many(connection, &taken.limited, now).await?;
        let lanes = taken.lanes;
        Ok(beyond.is_none().then_some(Written { lanes, booking }))
    }

    /// Writes a visit whose time is claimed.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        making: &Making<'_>,
        staff: Uuid,
        now: Timestamp,
    ) -> sqlx::Result<Booking> {
        let (business, id, by) = (making.offered.business, making.id, making.by());
        let customer = match making.way {
            Way::Held { .. } => None,
            Way::Booked(person) => Some(self.customer(connection, business.id, person, now).await?),
            Way::Known { customer, .. } => Some(customer),
        };
        let booking = self
            .insert(connection, making, (staff, customer), now)
            .await?;
        match (making.way, customer) {
            (Way::Held { holder, .. }, _) => {
                store::hold::begin(connection, id, &holder).await?;
            }
            // By phone as on a page: how it was said, by whom and in which wording.
            (Way::Booked(_) | Way::Known { told: true, .. }, Some(customer)) => {
                let told = Told {
                    customer,
                    booking: id,
                    language: making.language(),
                    channel: making.channel(),
                    by,
                };
                self.consent(connection, business, told, now).await?;
            }
            _ => {}
        }
        let after = Picture {
            state: making.state(),
            start: making.start,
            staff,
        };
        let change = Change {
            business: business.id,
            booking: id,
            version: 1,
            event: making.state().as_str(),
            before: None,
            after,
        };
        self.record(connection, &change, by, now).await?;
        Ok(booking)
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        making: &Making<'_>,
        (staff, customer): (Uuid, Option<Uuid>),
        now: Timestamp,
    ) -> sqlx::Result<Booking> {
        let Offered {
            business,
            zone,
            service,
        } = making.offered;
        let local_start = zone.to_datetime(making.start).to_string();
        let link_hash = token_hash(&self.token(making.id));
        let plain_terms = terms::plain(business.cancel_limit_minutes);
        let (note, booked_as, hold_until) = match making.way {
            Way::Held { until, .. } => (None, None, Some(until)),
            Way::Booked(person) => (person.note, Some((person.name, person.phone)), None),
            Way::Known {
                note, booked_as, ..
            } => (note, Some(booked_as), None),
        };
        let new = NewBooking {
            id: making.id,
            business: business.id,
            service: service.id,
            staff,
            customer,
            customer_zone: match making.way {
                Way::Booked(person) => person.time_zone,
                Way::Known { time_zone, .. } => time_zone,
                Way::Held { .. } => None,
            },
            state: making.state(),
            start: making.start,
            end: making
                .start
                .saturating_add(availability::rules(service).duration)
                .unwrap_or(Timestamp::MAX),
            zone: &business.zone,
            local_start: &local_start,
            price_cents: service.price_cents,
            currency: &business.currency,
            plain_terms: Some(&plain_terms),
            series: making.series,
            note,
            booked_as,
            locale: making.language().map(Language::tag),
            hold_until,
            wanted_staff: making.who.staff(),
            source: making.source(),
            actor: making.by().actor(),
            link_hash: Some(&link_hash),
            now,
        };
        store::booking::insert(connection, &new).await
    }

    /// The customer of that address, as they are known, or else as they say.
    pub(super) async fn customer(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        person: Person<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Uuid> {
        let id = self.random.uuid(now);
        let new = NewCustomer {
            name: person.name,
            email: person.email,
            phone: person.phone,
            locale: person.language.map(Language::tag),
        };
        store::booking::customer(connection, id, business, &new, now).await
    }

    /// Writes that the customer was told what their details are used for, in the language of
    /// the booking or else in that of the business.
    pub(super) async fn consent(
        &self,
        connection: &mut PgConnection,
        business: &Business,
        told: Told,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let own = Language::of_tag(&business.locale).unwrap_or_default();
        let told = store::record::Told {
            id: self.random.uuid(now),
            business: business.id,
            customer: told.customer,
            booking: told.booking,
            version: NOTICE,
            language: told.language.unwrap_or(own),
            channel: told.channel,
            by: told.by.id(),
        };
        store::record::consent(connection, &told, now).await
    }
}

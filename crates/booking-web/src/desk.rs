//! What pages and API ask for, in the words of the domain. Between the handlers, which
//! know HTTP, and the store, which knows SQL. An address that leads nowhere and a
//! database that does not answer become faults here.

pub(crate) mod changes;
pub(crate) mod holds;

use booking::{Actor, Policy, State};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::postgres::PgTransaction;
use uuid::Uuid;

use crate::app::App;
use crate::appointments::{Answer, Found, Offered, Wish, terms};
use crate::crew::Who;
use crate::error::Fault;
use crate::intake::Checked;
use crate::language::Language;
use crate::openings::Nearest;
use crate::pages::week::Free;
use crate::quota::Moved;
use crate::store;

/// A business that can be booked.
pub(crate) struct Business {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) zone: TimeZone,
    pub(crate) zone_id: String,
    /// What it speaks where nobody wants another language.
    pub(crate) language: Language,
    /// Whether it stands in lists, here and elsewhere.
    pub(crate) is_listed: bool,
    row: store::business::Business,
}

/// Where a business is found.
pub(crate) struct Location {
    pub(crate) name: String,
    pub(crate) address: String,
}

/// What can be booked at a business.
pub(crate) struct Service {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) duration_minutes: i64,
    pub(crate) price_cents: i64,
    pub(crate) currency: String,
    pub(crate) row: store::service::Service,
}

/// A service with the business that gives it.
pub(crate) struct Offer {
    pub(crate) business: Business,
    pub(crate) service: Service,
}

/// A booking, for whoever holds its secret address.
pub(crate) struct Booking {
    pub(crate) id: Uuid,
    pub(crate) state: State,
    pub(crate) business: String,
    pub(crate) business_slug: String,
    pub(crate) service: String,
    pub(crate) service_slug: String,
    pub(crate) staff: Option<String>,
    pub(crate) place: Option<String>,
    pub(crate) price_cents: i64,
    pub(crate) currency: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// The terms under which it was booked.
    pub(crate) policy: Policy,
    pub(crate) zone: TimeZone,
    pub(crate) zone_id: String,
    pub(crate) created_at: Timestamp,
    /// The language that the customer chose.
    pub(crate) customer_language: Option<Language>,
    /// What the business speaks.
    pub(crate) business_language: Language,
    /// Grows with every change.
    pub(crate) version: i32,
    /// What calling it off has cost.
    pub(crate) fee_cents: Option<i64>,
    pub(crate) hold_until: Option<Timestamp>,
    pub(crate) hold_extended: bool,
    /// Who was asked for.
    pub(crate) who: Who,
    pub(crate) series: Option<Uuid>,
    staff_id: Uuid,
    business_id: Uuid,
}

impl Booking {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.state.is_cancelled()
    }

    /// The last instant at which the customer may cancel.
    pub(crate) fn cancel_until(&self) -> Timestamp {
        self.policy.cancel_until(self.start)
    }

    /// As one that is to be moved.
    pub(crate) fn moved(&self) -> Moved {
        Moved {
            start: self.start,
            staff: self.staff_id,
        }
    }

    /// Whether the customer may still cancel.
    pub(crate) fn can_cancel(&self, now: Timestamp) -> bool {
        let to = State::CancelledByCustomer;
        self.state.may_become(to, Actor::Customer) && now <= self.cancel_until()
    }
}

/// A booking that was made, with its secret address.
pub(crate) struct Made {
    pub(crate) token: String,
    pub(crate) booking: Booking,
}

/// What becomes of a wish.
pub(crate) enum Booked {
    Made(Box<Made>),
    /// The nearest free times instead.
    Gone(Nearest),
    KeyReused,
}

impl Business {
    /// As it is stored.
    pub(crate) fn row(&self) -> &store::business::Business {
        &self.row
    }

    /// In which it is paid.
    pub(crate) fn currency(&self) -> &str {
        &self.row.currency
    }
}

impl Offer {
    pub(crate) async fn find(app: &App, business: &str, service: &str) -> Result<Self, Fault> {
        // What was only read ends on its way back to the pool, where nobody waits for it.
        let (offer, _transaction) = Self::begin(app, business, service).await?;
        Ok(offer)
    }

    /// The same with the transaction in which it was read, and in which it can be booked.
    pub(crate) async fn begin(
        app: &App,
        business: &str,
        service: &str,
    ) -> Result<(Self, PgTransaction<'static>), Fault> {
        // What cannot be an address of ours never reaches the database.
        if !is_slug(service) {
            return Err(Fault::NotFound);
        }
        let business = app.business(business).await?;
        let mut transaction = store::begin_planned(&app.appointments.pool, business.id).await?;
        let row = store::service::by_slug(&mut transaction, service).await?;
        let service = Service::of(row.ok_or(Fault::NotFound)?, &business);
        Ok((Self { business, service }, transaction))
    }

    /// What a booking is a booking of, also where that is offered no longer.
    pub(crate) async fn of(app: &App, booking: &Booking) -> Result<Self, Fault> {
        let business = app.business(&booking.business_slug).await?;
        let mut transaction = store::begin_planned(&app.appointments.pool, business.id).await?;
        let row = store::service::ever_named(&mut transaction, &booking.service_slug).await?;
        transaction.rollback().await?;
        let service = Service::of(row.ok_or(Fault::NotFound)?, &business);
        Ok(Self { business, service })
    }

    /// A service of a business by its id, also one that is offered no longer.
    pub(crate) async fn by_id(app: &App, business: &str, service: Uuid) -> Result<Self, Fault> {
        let business = app.business(business).await?;
        let mut transaction = store::begin(&app.appointments.pool, business.id).await?;
        let row = store::service::by_id(&mut transaction, service).await?;
        transaction.rollback().await?;
        let service = Service::of(row.ok_or(Fault::NotFound)?, &business);
        Ok(Self { business, service })
    }

    pub(crate) fn offered(&self) -> Offered<'_> {
        Offered {
            business: &self.business.row,
            zone: &self.business.zone,
            service: &self.service.row,
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("/{}/{}", self.business.slug, self.service.slug)
    }

    /// When a visit that begins at `start` is over.
    pub(crate) fn end(&self, start: Timestamp) -> Timestamp {
        start
            .checked_add(SignedDuration::from_mins(self.service.duration_minutes))
            .unwrap_or(Timestamp::MAX)
    }

    /// The day at the business.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.business.zone.clone()).date()
    }

    pub(crate) fn free(&self, slot: booking::Slot) -> Free {
        Free {
            start: slot.start,
            end: self.end(slot.start),
            seats: (self.service.row.capacity > 1).then_some(slot.seats),
        }
    }
}

impl App {
    pub(crate) async fn businesses(&self) -> Result<Vec<Business>, Fault> {
        let mut connection = self.appointments.pool.acquire().await?;
        let rows = store::business::all(&mut connection).await?;
        rows.into_iter().map(Business::of).collect()
    }

    pub(crate) async fn business(&self, slug: &str) -> Result<Business, Fault> {
        if !is_slug(slug) {
            return Err(Fault::NotFound);
        }
        let mut connection = self.appointments.pool.acquire().await?;
        let row = store::business::by_slug(&mut connection, slug).await?;
        Business::of(row.ok_or(Fault::NotFound)?)
    }

    pub(crate) async fn services(&self, business: &Business) -> Result<Vec<Service>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let rows = store::service::all(&mut transaction).await?;
        transaction.rollback().await?;
        let service = |row| Service::of(row, business);
        Ok(rows.into_iter().map(service).collect())
    }

    pub(crate) async fn locations(&self, business: &Business) -> Result<Vec<Location>, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business.id).await?;
        let rows = store::business::locations(&mut transaction).await?;
        transaction.rollback().await?;
        let location = |row: store::business::Location| Location {
            name: row.name,
            address: row.address,
        };
        Ok(rows.into_iter().map(location).collect())
    }

    /// A transaction in which what is offered can be booked.
    pub(crate) async fn begin(&self, offer: &Offer) -> Result<PgTransaction<'static>, Fault> {
        Ok(store::begin_planned(&self.appointments.pool, offer.business.id).await?)
    }

    /// Books what is offered, and commits the transaction.
    pub(crate) async fn book(
        &self,
        (offer, transaction): (&Offer, PgTransaction<'static>),
        checked: &Checked,
        (language, visit): (Option<Language>, Option<[u8; 32]>),
        key: &str,
    ) -> Result<Booked, Fault> {
        let wish = Wish {
            start: checked.start,
            person: checked.person(language),
            visit,
            who: checked.who,
            key,
        };
        let now = self.clock.now();
        let offered = offer.offered();
        let answer = self.appointments.book(transaction, offered, &wish, now);
        Ok(match answer.await? {
            Answer::Made { token, booking } => self.made(token, *booking)?,
            Answer::MadeBefore { token } => self.made_before(token).await?,
            Answer::Gone => {
                self.metrics.conflicts.inc();
                Booked::Gone(
                    self.nearest(offer, checked.who, checked.start, None)
                        .await?,
                )
            }
            Answer::KeyReused => Booked::KeyReused,
        })
    }

    /// Counts a booking that was made just now.
    fn made(&self, token: String, (business, booking): Found) -> Result<Booked, Fault> {
        self.metrics.bookings.inc();
        let booking = Booking::of(business, booking)?;
        Ok(Booked::Made(Box::new(Made { token, booking })))
    }

    async fn made_before(&self, token: String) -> Result<Booked, Fault> {
        let booking = self.booking(&token).await?;
        Ok(Booked::Made(Box::new(Made { token, booking })))
    }

    pub(crate) async fn booking(&self, token: &str) -> Result<Booking, Fault> {
        let found = self.appointments.find(token).await?;
        let (business, booking) = found.ok_or(Fault::NotFound)?;
        Booking::of(business, booking)
    }

    /// A number that grows whenever the free times of a business may have changed.
    pub(crate) async fn availability_version(&self, business: Uuid) -> Result<i64, Fault> {
        let mut transaction = store::begin(&self.appointments.pool, business).await?;
        let version = store::lane::version(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(version)
    }
}

impl Business {
    pub(crate) fn of(row: store::business::Business) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            slug: row.slug.clone(),
            name: row.name.clone(),
            about: row.about.clone(),
            zone: zone(&row.zone)?,
            zone_id: row.zone.clone(),
            language: Language::of_tag(&row.locale).unwrap_or_default(),
            is_listed: row.is_listed,
            row,
        })
    }
}

impl Service {
    fn of(row: store::service::Service, business: &Business) -> Self {
        Self {
            slug: row.slug.clone(),
            name: row.name.clone(),
            about: row.about.clone(),
            duration_minutes: i64::from(row.duration_minutes),
            price_cents: row.price_cents,
            currency: business.row.currency.clone(),
            row,
        }
    }
}

impl Booking {
    fn of(
        business: store::business::Business,
        row: store::booking::Booking,
    ) -> Result<Self, Fault> {
        let state = State::parse(&row.state)
            .ok_or_else(|| Fault::Broken(anyhow::anyhow!("a booking in an unknown state")))?;
        let policy = terms::read(row.policy.as_deref(), business.cancel_limit_minutes);
        Ok(Self {
            id: row.id,
            state,
            business: business.name,
            business_slug: business.slug,
            service: row.service,
            service_slug: row.service_slug,
            staff: Some(row.staff),
            place: Some(row.place),
            price_cents: row.price_cents,
            currency: row.currency,
            start: row.start,
            end: row.end,
            policy,
            zone: zone(&row.zone)?,
            zone_id: row.zone,
            created_at: row.created_at,
            customer_language: row.locale.as_deref().and_then(Language::of_tag),
            business_language: Language::of_tag(&business.locale).unwrap_or_default(),
            version: row.version,
            fee_cents: row.fee_cents,
            hold_until: row.hold_until,
            hold_extended: row.hold_extended,
            who: Who::of(row.wanted_staff),
            series: row.series,
            staff_id: row.staff_id,
            business_id: business.id,
        })
    }
}

fn zone(name: &str) -> Result<TimeZone, Fault> {
    TimeZone::get(name).map_err(|error| {
        Fault::Broken(anyhow::Error::new(error).context("reading a business's time zone"))
    })
}

/// Whether the text has the shape that the schema demands of slugs.
pub(crate) fn is_slug(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(is_inner)
}

impl From<sqlx::Error> for Fault {
    /// A database that is away is another thing than a statement that fails.
    fn from(error: sqlx::Error) -> Self {
        if store::is_away(&error) {
            Self::Unavailable(anyhow::Error::new(error).context("asking the database"))
        } else {
            Self::Broken(anyhow::Error::new(error).context("asking the database"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_slug_reaches_the_database() {
        for slug in [
            "karoo-cuts",
            "b2",
            "a-very-long-name-that-still-fits-in-40-b",
        ] {
            assert!(is_slug(slug), "{slug}");
        }
        for other in [
            "",
            "a",
            "2b",
            "-a",
            "Karoo",
            "karoo\0cuts",
            "über",
            "a/b",
            "favicon.ico",
        ] {
            assert!(!is_slug(other), "{other}");
        }
    }
}

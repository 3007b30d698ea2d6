//! Making a booking from a wish: claim, booking, consent, audit and message at once.

use booking::{Actor, State};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::moves::{By, Change, Picture};
use super::take::Visit;
use super::{Appointments, terms, token_hash};
use crate::availability;
use crate::crew::Who;
use crate::language::Language;
use crate::store;
use crate::store::booking::{NewBooking, NewCustomer};
use crate::store::business::Business;
use crate::store::service::Service;

/// The wording that customers are shown before they book.
const NOTICE: &str = "booking-notice-2026-11";

/// Beyond every horizon that a service may have.
const HORIZON_MAX: SignedDuration = SignedDuration::from_hours(24 * 740);

/// What somebody wants to book.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    pub(crate) start: Timestamp,
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) phone: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    /// In which the customer wants to be addressed, where that is known.
    pub(crate) language: Option<Language>,
    /// Sent again with the same wish, it gets the same answer.
    pub(crate) key: &'a str,
}

/// What becomes of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is booked.
    Made {
        /// The secret address of the booking.
        token: String,
    },
    /// The same request booked it before.
    MadeBefore {
        /// The secret address of the booking.
        token: String,
    },
    /// The time cannot be had.
    Gone,
    /// The key was used for another wish.
    KeyReused,
}

impl Appointments {
    /// Books `wish`, or says that it cannot be had.
    pub(crate) async fn book(
        &self,
        business: &Business,
        zone: &TimeZone,
        service: &Service,
        wish: &Wish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Answer> {
        match self.attempt(business, zone, service, wish, now).await {
            Ok(answer) => Ok(answer.unwrap_or(Answer::Gone)),
            Err(error) if store::is_conflict(&error) => Ok(Answer::Gone),
            Err(error) => Err(error),
        }
    }

    /// One transaction; nothing where the time cannot be had, and then nothing is kept.
    async fn attempt(
        &self,
        business: &Business,
        zone: &TimeZone,
        service: &Service,
        wish: &Wish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Answer>> {
        let mut transaction = store::begin(&self.pool, business.id).await?;
        let connection = &mut *transaction;
        let id = self.random.uuid(now);
        let hash = request_hash(service.id, wish);
        if !store::link::reserve(connection, business.id, wish.key, &hash, id, now).await? {
            let earlier = store::link::earlier(connection, wish.key).await?;
            return Ok(earlier.map(|earlier| {
                if earlier.request_hash == hash {
                    Answer::MadeBefore {
                        token: self.token(earlier.booking),
                    }
                } else {
                    Answer::KeyReused
                }
            }));
        }
        // Beyond these there is nothing to book, and no need to bother the calendar.
        let latest = now.checked_add(HORIZON_MAX).unwrap_or(now);
        if !(now..=latest).contains(&wish.start) {
            return Ok(None);
        }
        let visit = Visit {
            business: business.id,
            zone,
            service,
            who: Who::Anyone,
            booking: id,
            start: wish.start,
        };
        let Some(taken) = self.take(connection, visit, now).await? else {
            return Ok(None);
        };
        self.write(
            connection,
            business,
            zone,
            service,
            wish,
            (id, taken.staff),
            now,
        )
        .await?;
        transaction.commit().await?;
        Ok(Some(Answer::Made {
            token: self.token(id),
        }))
    }

    /// Writes the booking, and beside it customer, consent, audit and message.
    #[expect(clippy::too_many_arguments, reason = "the parts of one transaction")]
    async fn write(
        &self,
        connection: &mut PgConnection,
        business: &Business,
        zone: &TimeZone,
        service: &Service,
        wish: &Wish<'_>,
        (id, staff): (Uuid, Uuid),
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let new_id = || self.random.uuid(now);
        let customer = NewCustomer {
            name: wish.name,
            email: wish.email,
            phone: wish.phone,
            locale: wish.language.map(Language::tag),
        };
        let customer =
            store::booking::customer(connection, new_id(), business.id, &customer, now).await?;
        let duration = availability::rules(service).duration;
        let local_start = zone.to_datetime(wish.start).to_string();
        let terms = store::policy::terms(connection, service.id).await?;
        let terms = terms.unwrap_or_else(|| terms::plain(business.cancel_limit_minutes));
        let new = NewBooking {
            id,
            business: business.id,
            service: service.id,
            staff,
            customer: Some(customer),
            state: State::Confirmed,
            start: wish.start,
            end: wish
                .start
                .saturating_add(duration)
                .unwrap_or(Timestamp::MAX),
            zone: &business.zone,
            local_start: &local_start,
            price_cents: service.price_cents,
            currency: &business.currency,
            policy: Some(&terms),
            series: None,
            note: wish.note,
            booked_as: Some((wish.name, wish.phone)),
            locale: wish.language.map(Language::tag),
            now,
        };
        store::booking::says(connection, Actor::Customer).await?;
        store::booking::insert(connection, &new).await?;
        let hash = token_hash(&self.token(id));
        store::link::insert(connection, &hash, business.id, id).await?;
        store::record::consent(connection, new_id(), business.id, customer, id, NOTICE, now)
            .await?;
        let change = Change {
            business: business.id,
            booking: id,
            version: 1,
            event: "confirmed",
            before: None,
            after: Picture {
                state: State::Confirmed,
                start: wish.start,
                staff,
            },
        };
        self.record(connection, &change, By::Customer, now).await
    }
}

/// What makes two requests the same one: every field, each with its length before it.
fn request_hash(service: Uuid, wish: &Wish<'_>) -> Vec<u8> {
    let start = wish.start.as_microsecond().to_be_bytes();
    let (phone, note) = (
        wish.phone.unwrap_or_default(),
        wish.note.unwrap_or_default(),
    );
    let fields: [&[u8]; 6] = [
        service.as_bytes(),
        &start,
        wish.name.as_bytes(),
        wish.email.as_bytes(),
        phone.as_bytes(),
        note.as_bytes(),
    ];
    let mut hasher = blake3::Hasher::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use booking::Window;
    use chassis::{Clock, Random};
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
    use crate::crew::Crew;
    use crate::{database, seed};

    #[tokio::test]
    async fn an_answer_that_was_lost_is_given_again_also_when_the_time_has_come() {
        let world = Database::empty(&services::shared().unwrap().postgres)
            .await
            .unwrap();
        let url = world.url().into();
        database::migrate(&url).await.unwrap();
        let now = Clock::system().now();
        let mut connection = database::connect(&url).await.unwrap();
        seed::plant(&mut connection, now).await.unwrap();
        let business = store::business::by_slug(&mut connection, "karoo-cuts")
            .await
            .unwrap();
        let (business, zone) = (
            business.unwrap(),
            TimeZone::get("Africa/Johannesburg").unwrap(),
        );
        let appointments = Appointments {
            pool: database::pool(&url, 1).unwrap(),
            random: Random::system(),
            link_key: [7; 32],
        };
        let mut transaction = store::begin(&appointments.pool, business.id).await.unwrap();
        let service = store::service::by_slug(&mut transaction, "haircut")
            .await
            .unwrap()
            .unwrap();
        let day = zone
            .to_datetime(now)
            .date()
            .saturating_add(jiff::Span::new().days(7));
        let window = Window {
            from: day,
            to: day.saturating_add(jiff::Span::new().days(3)),
        };
        let crew = Crew::read(&mut transaction, service.id, Who::Anyone);
        let crew = crew.await.unwrap();
        let known = availability::known(&mut transaction, &zone, &service, crew, window);
        let known = known.await.unwrap();
        transaction.rollback().await.unwrap();
        let rules = availability::rules(&service);
        let free = booking::free_times(&known.supply, &rules, window, now);
        let wish = Wish {
            start: free[0].start,
            name: "Thandi",
            email: "thandi@example.co.za",
            phone: None,
            note: None,
            language: None,
            key: "key",
        };
        let book = async |now| {
            appointments
                .book(&business, &zone, &service, &wish, now)
                .await
        };
        let Answer::Made { token } = book(now).await.unwrap() else {
            panic!("a free time cannot be had");
        };
        let later = wish
            .start
            .saturating_add(SignedDuration::from_mins(1))
            .unwrap();
        assert_eq!(book(later).await.unwrap(), Answer::MadeBefore { token });
    }
}

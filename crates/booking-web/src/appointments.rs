//! Making and cancelling an appointment: one transaction each, no network call inside.
//! The database decides who gets a time; losing is an answer, not an error.

use booking::{Actor, State, Window};
use chassis::Random;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::availability::{self, Candidate};
use crate::store;
use crate::store::booking::NewBooking;
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

/// What becomes of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancellation {
    /// Cancelled now.
    Now,
    /// Was cancelled before; nothing changed.
    Before,
    /// The business does not allow it any more.
    TooLate,
    /// There is no such booking.
    Unknown,
}

/// What a process needs to make appointments.
#[derive(Debug, Clone)]
pub(crate) struct Appointments {
    pub(crate) pool: PgPool,
    pub(crate) random: Random,
    /// Turns the id of a booking into its secret address.
    pub(crate) link_key: [u8; 32],
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
        let date = zone.to_datetime(wish.start).date();
        let window = Window {
            from: date,
            to: date,
        };
        let candidates = availability::candidates(connection, zone, service.id, window).await?;
        let able = able(candidates, service, wish.start, now);
        let able = self.fairly(connection, able, wish.start).await?;
        let Some(staff) = self
            .claim(connection, business.id, id, service, wish, able, now)
            .await?
        else {
            return Ok(None);
        };
        self.write(connection, business, zone, service, wish, (id, staff), now)
            .await?;
        transaction.commit().await?;
        Ok(Some(Answer::Made {
            token: self.token(id),
        }))
    }

    /// Those with the least to do around that time first.
    async fn fairly(
        &self,
        connection: &mut PgConnection,
        mut able: Vec<Candidate>,
        start: Timestamp,
    ) -> sqlx::Result<Vec<Candidate>> {
        if able.len() < 2 {
            return Ok(able);
        }
        let lanes: Vec<Uuid> = able.iter().map(|c| c.giver.lane_id).collect();
        let day = SignedDuration::from_hours(12);
        let (from, to) = (start.saturating_sub(day), start.saturating_add(day));
        let (Ok(from), Ok(to)) = (from, to) else {
            return Ok(able);
        };
        let load = store::claim::load(connection, &lanes, from, to).await?;
        able.sort_by_key(|c| {
            load.iter()
                .find(|(lane, _)| *lane == c.giver.lane_id)
                .map_or(0, |(_, claims)| *claims)
        });
        Ok(able)
    }

    /// Claims the time with the first candidate who can still have it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one insert")]
    async fn claim(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        booking: Uuid,
        service: &Service,
        wish: &Wish<'_>,
        able: Vec<Candidate>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Uuid>> {
        let Some(during) = availability::rules(service).claim(wish.start) else {
            return Ok(None);
        };
        for candidate in able {
            let (id, lane) = (self.random.uuid(now), candidate.giver.lane_id);
            if store::claim::take(connection, id, business, lane, booking, during).await? {
                store::lane::bump(connection, lane).await?;
                return Ok(Some(candidate.giver.staff_id));
            }
        }
        Ok(None)
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
        let Wish {
            name, email, phone, ..
        } = *wish;
        let customer =
            store::booking::customer(connection, new_id(), business.id, name, email, phone, now)
                .await?;
        let duration = availability::rules(service).duration;
        let local_start = zone.to_datetime(wish.start).to_string();
        let new = NewBooking {
            id,
            business: business.id,
            service: service.id,
            staff,
            customer,
            start: wish.start,
            end: wish
                .start
                .saturating_add(duration)
                .unwrap_or(Timestamp::MAX),
            zone: &business.zone,
            local_start: &local_start,
            price_cents: service.price_cents,
            currency: &business.currency,
            note: wish.note,
            now,
        };
        store::booking::insert(connection, &new).await?;
        let hash = token_hash(&self.token(id));
        store::link::insert(connection, &hash, business.id, id).await?;
        store::record::consent(connection, new_id(), business.id, customer, id, NOTICE, now)
            .await?;
        let audit = ("customer", "booking.confirmed");
        store::record::audit(connection, new_id(), business.id, audit.0, audit.1, id, now).await?;
        store::record::outbox(connection, new_id(), business.id, "confirmed", id, now).await
    }

    /// The booking that a secret address leads to, with its business.
    pub(crate) async fn find(
        &self,
        token: &str,
    ) -> sqlx::Result<Option<(Business, store::booking::Booking)>> {
        let mut transaction = self.pool.begin().await?;
        let found = store::link::find(&mut transaction, &token_hash(token)).await?;
        let Some((business, booking)) = found else {
            return Ok(None);
        };
        store::scope(&mut transaction, business).await?;
        let business = store::business::by_id(&mut transaction, business).await?;
        let booking = store::booking::by_id(&mut transaction, booking).await?;
        transaction.rollback().await?;
        Ok(business.zip(booking))
    }

    /// Cancels for the customer who knows the secret address.
    pub(crate) async fn cancel(&self, token: &str, now: Timestamp) -> sqlx::Result<Cancellation> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        let found = store::link::find(connection, &token_hash(token)).await?;
        let Some((business, id)) = found else {
            return Ok(Cancellation::Unknown);
        };
        store::scope(connection, business).await?;
        let standing = store::booking::lock(connection, id).await?;
        let business = store::business::by_id(connection, business).await?;
        let Some((business, standing)) = business.zip(standing) else {
            return Ok(Cancellation::Unknown);
        };
        let state = State::parse(&standing.state).unwrap_or(State::CancelledByBusiness);
        if !state.is_active() {
            return Ok(Cancellation::Before);
        }
        let limit = SignedDuration::from_mins(i64::from(business.cancel_limit_minutes));
        let Some(next) = state.cancel(Actor::Customer, standing.start, limit, now) else {
            return Ok(Cancellation::TooLate);
        };
        if !store::booking::change(connection, id, standing.version, next.as_str()).await? {
            return Ok(Cancellation::Before);
        }
        for lane in store::claim::release(connection, id).await? {
            store::lane::bump(connection, lane).await?;
        }
        let audit = ("customer", "booking.cancelled");
        let audit_id = self.random.uuid(now);
        store::record::audit(connection, audit_id, business.id, audit.0, audit.1, id, now).await?;
        let message = self.random.uuid(now);
        store::record::outbox(connection, message, business.id, "cancelled", id, now).await?;
        transaction.commit().await?;
        Ok(Cancellation::Now)
    }

    /// The secret address of a booking: 128 bits that only the key can tell.
    fn token(&self, booking: Uuid) -> String {
        let hash = blake3::keyed_hash(&self.link_key, booking.as_bytes());
        let (secret, _) = hash.as_bytes().split_at(16);
        data_encoding::BASE32_NOPAD
            .encode(secret)
            .to_ascii_lowercase()
    }
}

fn able(
    candidates: Vec<Candidate>,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Vec<Candidate> {
    let rules = availability::rules(service);
    candidates
        .into_iter()
        .filter(|c| booking::why_not(&c.lane, &rules, start, now).is_none())
        .collect()
}

fn token_hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
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
    use chassis::Clock;
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
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
        let candidates = availability::candidates(&mut transaction, &zone, service.id, window);
        let candidates = candidates.await.unwrap();
        transaction.rollback().await.unwrap();
        let free = availability::free(&candidates, &availability::rules(&service), window, now);
        let wish = Wish {
            start: free[0],
            name: "Thandi",
            email: "thandi@example.co.za",
            phone: None,
            note: None,
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

//! Turning a hold into the booking: the same claims, the same secret address. A hold that
//! has run out is taken again where nobody was faster.

use booking::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::PgConnection;

use super::hold::has_run_out;
use super::make::{Person, Told, online};
use super::moves::By;
use super::take::{Taken, Visit};
use super::{Answer, Appointments, request};
use crate::store;
use crate::store::booking::Standing;
use crate::store::business::Business;

/// What becomes of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// As with a booking that nobody held.
    Answer(Answer),
    /// It was called off before.
    Ended,
    /// There is no such hold.
    Unknown,
}

impl Appointments {
    /// Confirms for whoever holds the secret address. Confirmed twice, it is one booking and
    /// the same answer.
    pub(crate) async fn confirm(
        &self,
        token: &str,
        person: Person<'_>,
        key: Option<&str>,
        now: Timestamp,
    ) -> sqlx::Result<Confirmation> {
        match self.try_confirm(token, person, key, now).await {
            Err(error) if store::is_conflict(&error) => Ok(Confirmation::Answer(Answer::Gone)),
            other => other,
        }
    }

    async fn try_confirm(
        &self,
        token: &str,
        person: Person<'_>,
        key: Option<&str>,
        now: Timestamp,
    ) -> sqlx::Result<Confirmation> {
        let Some((mut transaction, business, standing)) = self.lock(token).await? else {
            return Ok(Confirmation::Unknown);
        };
        let connection = &mut *transaction;
        let id = standing.id;
        if let Some(key) = key {
            let hash = request_hash(token, person);
            if !store::link::reserve(connection, business.id, key, &hash, id, now).await? {
                let earlier = store::link::earlier(connection, key).await?;
                if earlier.is_none_or(|earlier| earlier.request_hash != hash) {
                    return Ok(Confirmation::Answer(Answer::KeyReused));
                }
            }
        }
        let token = token.to_owned();
        let taken = match standing.state {
            State::Held => {
                let mut taken = self.revived(connection, &business, &standing).await?;
                // Since it ran out, free times were counted as if it were gone.
                if !has_run_out(&standing, now) {
                    taken.lanes.clear();
                }
                Some(taken)
            }
            State::Expired => self.again(connection, &business, &standing, now).await?,
            state if state.is_cancelled() => return Ok(Confirmation::Ended),
            _ => return Ok(Confirmation::Answer(Answer::MadeBefore { token })),
        };
        let Some(taken) = taken else {
            return Ok(Confirmation::Answer(Answer::Gone));
        };
        self.settle(connection, &business, &standing, person, now)
            .await?;
        let moved = self
            .shift(connection, &standing, State::Confirmed, By::Customer, now)
            .await?;
        let beyond = self.one_too_many(connection, &taken.limited, now).await?;
        if moved.is_none() || beyond.is_some() {
            return Ok(Confirmation::Answer(Answer::Gone));
        }
        let booking = store::booking::by_id(connection, id).await?;
        let booking = booking.ok_or(sqlx::Error::RowNotFound)?;
        store::lane::bump(connection, &taken.lanes).await?;
        transaction.commit().await?;
        let booking = Box::new((business, booking));
        Ok(Confirmation::Answer(Answer::Made { token, booking }))
    }

    /// Claims the time of an expired hold again. None where it is gone.
    async fn again(
        &self,
        connection: &mut PgConnection,
        business: &Business,
        standing: &Standing,
        now: Timestamp,
    ) -> sqlx::Result<Option<Taken>> {
        let service = store::service::by_id(connection, standing.service).await?;
        let zone = TimeZone::get(&business.zone).ok();
        let Some((service, zone)) = service.zip(zone) else {
            return Ok(None);
        };
        let visit = Visit {
            business: business.id,
            zone: &zone,
            service: &service,
            who: self.asked_for(connection, standing).await?,
            booking: standing.id,
            start: standing.start,
            held_until: None,
            moved: None,
        };
        let Some(taken) = self.take(connection, visit, now).await? else {
            return Ok(None);
        };
        store::booking::give_to(connection, standing.id, taken.staff).await?;
        Ok(Some(taken))
    }

    async fn settle(
        &self,
        connection: &mut PgConnection,
        business: &Business,
        standing: &Standing,
        person: Person<'_>,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        let customer = self.customer(connection, business.id, person, now).await?;
        store::hold::settle(connection, standing.id, customer, person).await?;
        let told = Told {
            customer,
            booking: standing.id,
            language: person.language,
            channel: online(person.language),
            by: By::Customer,
        };
        self.consent(connection, business, told, now).await
    }
}

fn request_hash(token: &str, person: Person<'_>) -> Vec<u8> {
    let mut fields: Vec<&[u8]> = vec![
        b"confirm",
        token.as_bytes(),
        person.name.as_bytes(),
        person.email.as_bytes(),
        person.phone.unwrap_or_default().as_bytes(),
        person.note.unwrap_or_default().as_bytes(),
    ];
    // A release before this one knows no zone of a customer.
    fields.extend(person.time_zone.map(str::as_bytes));
    request::hash(&fields)
}

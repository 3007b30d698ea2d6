//! Booking a time at once, without having held it.

use jiff::Timestamp;
use sqlx::postgres::PgTransaction;
use uuid::Uuid;

use super::find::Found;
use super::make::{Making, Person, Way};
use super::{Appointments, Offered, request};
use crate::crew::Who;
use crate::store;

/// What somebody wants to book.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    pub(crate) start: Timestamp,
    pub(crate) person: Person<'a>,
    /// The visitor, whose own hold of this service is let go for the booking.
    pub(crate) visit: Option<[u8; 32]>,
    pub(crate) who: Who,
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
        /// What was booked.
        booking: Box<Found>,
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
    /// Books `wish`, or says that it cannot be had. Commits `transaction`, which acts for the
    /// business and may have read what is offered.
    pub(crate) async fn book(
        &self,
        transaction: PgTransaction<'static>,
        offered: Offered<'_>,
        wish: &Wish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Answer> {
        match self.attempt(transaction, offered, wish, now).await {
            Ok(answer) => Ok(answer.unwrap_or(Answer::Gone)),
            Err(error) if store::is_conflict(&error) => Ok(Answer::Gone),
            Err(error) => Err(error),
        }
    }

    /// One transaction; nothing where the time cannot be had, and then nothing is kept.
    async fn attempt(
        &self,
        mut transaction: PgTransaction<'static>,
        offered: Offered<'_>,
        wish: &Wish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<Answer>> {
        let (business, service) = (offered.business.id, offered.service.id);
        let connection = &mut *transaction;
        let id = self.random.uuid(now);
        let hash = request_hash(service, wish);
        if !store::link::reserve(connection, business, wish.key, &hash, id, now).await? {
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
        let own = match &wish.visit {
            Some(visit) => store::hold::of_visit(connection, visit).await?,
            None => Vec::new(),
        };
        let own: Vec<Uuid> = own
            .iter()
            .filter(|held| held.service == service)
            .map(|held| held.booking)
            .collect();
        let mut lanes = self
            .let_go(connection, business, &own, wish.start, now)
            .await?;
        let making = Making {
            offered,
            id,
            who: wish.who,
            start: wish.start,
            series: None,
            way: Way::Booked(wish.person),
        };
        let Some(written) = self.make(connection, &making, now).await? else {
            return Ok(None);
        };
        lanes.extend(written.lanes);
        store::lane::bump(connection, &lanes).await?;
        transaction.commit().await?;
        Ok(Some(Answer::Made {
            token: self.token(id),
            booking: Box::new((offered.business.clone(), written.booking)),
        }))
    }
}

fn request_hash(service: Uuid, wish: &Wish<'_>) -> Vec<u8> {
    let start = wish.start.as_microsecond().to_be_bytes();
    let person = wish.person;
    let mut fields: Vec<&[u8]> = vec![
        service.as_bytes(),
        &start,
        person.name.as_bytes(),
        person.email.as_bytes(),
        person.phone.unwrap_or_default().as_bytes(),
        person.note.unwrap_or_default().as_bytes(),
    ];
    // A release before this one knows no other wish than anyone.
    if let Who::Only(staff) = &wish.who {
        fields.push(staff.as_bytes());
    }
    if let Some(zone) = person.time_zone {
        fields.push(zone.as_bytes());
    }
    request::hash(&fields)
}

#[cfg(test)]
mod tests {
    use booking::Window;
    use chassis::{Clock, Random};
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;
    use testkit::postgres::Database;
    use testkit::services;

    use super::*;
    use crate::crew::Crew;
    use crate::{availability, database, seed};

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
        let known = availability::known(&mut transaction, &zone, &service, crew, window, now);
        let known = known.await.unwrap();
        transaction.rollback().await.unwrap();
        let rules = availability::rules(&service);
        let free = booking::free_times(&known.supply, &rules, window, now);
        let wish = Wish {
            start: free[0].start,
            person: Person {
                name: "Thandi",
                email: "thandi@example.co.za",
                phone: None,
                note: None,
                language: None,
                time_zone: None,
            },
            visit: None,
            who: Who::Anyone,
            key: "key",
        };
        let book = async |now| {
            let offered = Offered {
                business: &business,
                zone: &zone,
                service: &service,
            };
            let transaction = store::begin_planned(&appointments.pool, business.id);
            let transaction = transaction.await.unwrap();
            appointments.book(transaction, offered, &wish, now).await
        };
        let Answer::Made { token, .. } = book(now).await.unwrap() else {
            panic!("a free time cannot be had");
        };
        let later = wish
            .start
            .saturating_add(SignedDuration::from_mins(1))
            .unwrap();
        assert_eq!(book(later).await.unwrap(), Answer::MadeBefore { token });
    }
}

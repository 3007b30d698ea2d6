//! Booking for somebody who rang, or who walked in just now. Notice and the times that are
//! offered do not bind who stands at the desk; hours and what is taken do.

use booking::{State, Supply, Window};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::keeper::Keeper;
use super::make::{Making, Person, Way};
use super::reschedule::for_the_desk;
use super::{Appointments, Offered, request};
use crate::availability::{self, Known};
use crate::crew::{Crew, Who};
use crate::store;
use crate::store::customer::Details;

/// For whom somebody at the desk books.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guest<'a> {
    /// A customer of the business.
    Known(Uuid),
    /// Somebody new, who may have no address; one whose address is known is that customer,
    /// and stays as they are.
    New {
        name: &'a str,
        email: Option<&'a str>,
        phone: Option<&'a str>,
    },
}

/// What somebody at the desk books.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeskWish<'a> {
    pub(crate) start: Timestamp,
    pub(crate) who: Who,
    pub(crate) guest: Guest<'a>,
    pub(crate) note: Option<&'a str>,
    /// They are there already.
    pub(crate) walked_in: bool,
    /// They were told what their details are used for.
    pub(crate) told: bool,
    pub(crate) keeper: Keeper,
    /// Sent again with the same wish, it gets the same answer.
    pub(crate) key: &'a str,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeskAnswer {
    /// It is booked; also where the same request booked it before.
    Made { booking: Uuid },
    /// The time cannot be had.
    Gone,
    /// There is no such customer.
    UnknownGuest,
    /// The key was used for another wish.
    KeyReused,
}

impl Appointments {
    /// Books for somebody who rang, or who walked in just now.
    pub(crate) async fn book_at_desk(
        &self,
        offered: Offered<'_>,
        wish: DeskWish<'_>,
        now: Timestamp,
    ) -> sqlx::Result<DeskAnswer> {
        let Some(who) = wish.keeper.narrows(wish.who) else {
            return Ok(DeskAnswer::Gone);
        };
        match self.try_book_at_desk(offered, wish, who, now).await {
            Err(error) if store::is_conflict(&error) => Ok(DeskAnswer::Gone),
            other => other,
        }
    }

    async fn try_book_at_desk(
        &self,
        offered: Offered<'_>,
        wish: DeskWish<'_>,
        who: Who,
        now: Timestamp,
    ) -> sqlx::Result<DeskAnswer> {
        let business = offered.business.id;
        let mut transaction = store::begin(&self.pool, business).await?;
        let connection = &mut *transaction;
        let id = self.random.uuid(now);
        let hash = request_hash(offered.service.id, &wish);
        if !store::link::reserve(connection, business, wish.key, &hash, id, now).await? {
            let earlier = store::link::earlier(connection, wish.key).await?;
            let same = earlier.filter(|earlier| earlier.request_hash == hash);
            return Ok(
                same.map_or(DeskAnswer::KeyReused, |earlier| DeskAnswer::Made {
                    booking: earlier.booking,
                }),
            );
        }
        let guest = self.guest(connection, business, wish.guest, now).await?;
        let Some((customer, name, phone)) = guest else {
            return Ok(DeskAnswer::UnknownGuest);
        };
        let mut service = offered.service.clone();
        for_the_desk(&mut service);
        let making = Making {
            offered: Offered {
                service: &service,
                ..offered
            },
            id,
            who,
            start: wish.start,
            series: None,
            way: Way::Known {
                customer,
                booked_as: (&name, phone.as_deref()),
                note: wish.note,
                language: None,
                state: if wish.walked_in {
                    State::Arrived
                } else {
                    State::Confirmed
                },
                by: wish.keeper.by(),
                time_zone: None,
                told: wish.told,
            },
        };
        // Whoever walked in began a moment ago.
        let from = if wish.walked_in {
            now.min(wish.start)
        } else {
            now
        };
        let Some(written) = self.make(connection, &making, from).await? else {
            return Ok(DeskAnswer::Gone);
        };
        store::lane::bump(connection, &written.lanes).await?;
        transaction.commit().await?;
        Ok(DeskAnswer::Made { booking: id })
    }

    /// When each of those who give a service could begin it today for somebody who is there
    /// now, the first one first.
    pub(crate) async fn soonest_today(
        &self,
        offered: Offered<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Vec<(Uuid, Timestamp)>> {
        let mut service = offered.service.clone();
        for_the_desk(&mut service);
        // Whoever is there came within this minute.
        let minute = now.as_second().div_euclid(60) * 60;
        let now = Timestamp::from_second(minute).unwrap_or(now);
        let today = offered.zone.to_datetime(now).date();
        let window = Window {
            from: today,
            to: today,
        };
        let mut transaction = store::begin(&self.pool, offered.business.id).await?;
        let connection = &mut *transaction;
        let crew = Crew::read(connection, service.id, Who::Anyone).await?;
        let known = availability::known(connection, offered.zone, &service, crew, window, now);
        let Known { crew, supply, .. } = known.await?;
        transaction.rollback().await?;
        let rules = availability::rules(&service);
        let mut soonest = Vec::new();
        for (person, lane) in crew.people.iter().zip(&supply.people) {
            let alone = Supply {
                people: vec![lane.clone()],
                ..supply.clone()
            };
            let free = booking::free_times(&alone, &rules, window, now);
            soonest.extend(free.first().map(|slot| (person.staff_id, slot.start)));
        }
        soonest.sort_by_key(|(_, start)| *start);
        Ok(soonest)
    }

    /// Who comes: their id, and the name and number under which it is booked.
    async fn guest(
        &self,
        connection: &mut PgConnection,
        business: Uuid,
        guest: Guest<'_>,
        now: Timestamp,
    ) -> sqlx::Result<Option<(Uuid, String, Option<String>)>> {
        let (name, email, phone) = match guest {
            Guest::Known(id) => {
                let known = store::customer::by_id(connection, id).await?;
                let known = known.filter(|known| known.merged_into.is_none());
                return Ok(known.map(|known| (id, known.name, known.phone)));
            }
            Guest::New { name, email, phone } => (name, email, phone),
        };
        let id = if let Some(email) = email {
            let person = Person {
                name,
                email,
                phone,
                note: None,
                language: None,
                time_zone: None,
            };
            self.customer(connection, business, person, now).await?
        } else {
            let id = self.random.uuid(now);
            let details = Details {
                name,
                email: None,
                phone,
                note: None,
                is_restricted: false,
            };
            store::customer::insert(connection, id, business, &details, now).await?;
            id
        };
        Ok(Some((id, name.to_owned(), phone.map(str::to_owned))))
    }
}

fn request_hash(service: Uuid, wish: &DeskWish<'_>) -> Vec<u8> {
    let start = wish.start.as_microsecond().to_be_bytes();
    let staff = match wish.who {
        Who::Anyone => Uuid::nil(),
        Who::Only(staff) => staff,
    };
    let (known, name, email, phone) = match wish.guest {
        Guest::Known(id) => (id, "", None, None),
        Guest::New { name, email, phone } => (Uuid::nil(), name, email, phone),
    };
    request::hash(&[
        b"desk",
        service.as_bytes(),
        &start,
        staff.as_bytes(),
        known.as_bytes(),
        name.as_bytes(),
        email.unwrap_or_default().as_bytes(),
        phone.unwrap_or_default().as_bytes(),
        wish.note.unwrap_or_default().as_bytes(),
    ])
}

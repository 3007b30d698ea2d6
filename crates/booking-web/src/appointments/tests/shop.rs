//! The demonstration, with a clock that stands where a test wants it.

use booking::{State, Window};
use chassis::{Clock, Random};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use sqlx::{Connection as _, PgPool};
use testkit::postgres::Database;
use testkit::services;
use uuid::Uuid;

use crate::appointments::staffed::Seen;
use crate::appointments::{Answer, Appointments, Keeper, Offered, Person, Wish};
use crate::crew::{Crew, Who};
use crate::store::business::Business;
use crate::store::service::Service;
use crate::{availability, database, seed, store};

/// Somebody at the desk who keeps everybody's calendar.
pub(super) const KEEPER: Keeper = Keeper {
    account: Uuid::from_u128(7),
    only: None,
};

/// What must not be found, whatever happens at once.
const BROKEN: [(&str, &str); 3] = [
    (
        "two claims of a lane overlap",
        "select count(*) from claim a join claim b on a.lane_id = b.lane_id and a.id < b.id
         and a.during && b.during where a.active and b.active",
    ),
    (
        "a booking that stands has not one claim over its visit, or one that is over has any",
        "select count(*) from booking
         join staff on staff.id = booking.staff_id
         left join seat on seat.booking_id = booking.id and seat.is_active
         left join lateral (
             select count(*) filter (where claim.lane_id = staff.lane_id) as own,
                    bool_and(claim.during @> tstzrange(starts_at, ends_at))
                        filter (where claim.lane_id = staff.lane_id) as covers,
                    count(*) as all_lanes
             from claim where claim.active
               and (claim.booking_id = booking.id or claim.class_id = seat.class_id)
         ) as held on true
         where case when state not like 'cancelled%' and state <> 'expired'
             then held.own <> 1 or held.covers is not true
             else held.all_lanes > 0 or seat.id is not null end",
    ),
    (
        "something is written in half",
        "select count(*) from booking where created_at > now() - interval '1 hour'
         and state not in ('held', 'expired')
         and (customer_id is null
           or not exists (select from booking_link l where l.booking_id = booking.id)
           or not exists (select from audit a where a.subject = booking.id)
           or not exists (select from outbox o where o.booking_id = booking.id))",
    ),
];

pub(super) struct Shop {
    database: Database,
    /// Sees everything, as no role of the application does.
    all: PgPool,
    pub(super) appointments: Appointments,
    pub(super) business: Business,
    pub(super) zone: TimeZone,
    pub(super) service: Service,
    pub(super) now: Timestamp,
}

/// Books as the API does, in a transaction that it begins.
pub(super) async fn book(
    appointments: &Appointments,
    offered: Offered<'_>,
    wish: &Wish<'_>,
    now: Timestamp,
) -> sqlx::Result<Answer> {
    let transaction = store::begin_planned(&appointments.pool, offered.business.id).await?;
    appointments.book(transaction, offered, wish, now).await
}

impl Shop {
    /// The one service that one person alone gives, with so many connections.
    pub(super) async fn open(connections: u32) -> Self {
        let shared = services::shared().unwrap();
        let prepare = async |url: &str| {
            let url = url.to_owned().into();
            database::migrate(&url).await?;
            let mut connection = database::connect(&url).await?;
            seed::plant(&mut connection, Clock::system().now()).await?;
            connection.close().await?;
            Ok(())
        };
        let database = Database::cloned(&shared.postgres, "booking_shop", prepare)
            .await
            .unwrap();
        let appointments = Appointments {
            pool: database::pool(&database.url().into(), connections).unwrap(),
            random: Random::system(),
            link_key: [7; 32],
        };
        let mut connection = appointments.pool.acquire().await.unwrap();
        let business = store::business::by_slug(&mut connection, "the-quiet-room").await;
        let business = business.unwrap().unwrap();
        drop(connection);
        let mut transaction = store::begin(&appointments.pool, business.id).await.unwrap();
        let service = store::service::by_slug(&mut transaction, "private-yoga").await;
        let service = service.unwrap().unwrap();
        transaction.rollback().await.unwrap();
        Self {
            all: PgPool::connect(&database.admin_url()).await.unwrap(),
            database,
            appointments,
            zone: TimeZone::get(&business.zone).unwrap(),
            business,
            service,
            now: Clock::system().now(),
        }
    }

    /// Changes the whole database, and reads the service again.
    pub(super) async fn set(&mut self, change: &'static str) {
        sqlx::query(change).execute(&self.all).await.unwrap();
        let business = self.business.id;
        let begun = store::begin(&self.appointments.pool, business).await;
        let mut transaction = begun.unwrap();
        let service = store::service::by_id(&mut transaction, self.service.id).await;
        self.service = service.unwrap().unwrap();
        transaction.rollback().await.unwrap();
    }

    pub(super) fn offered(&self) -> Offered<'_> {
        Offered {
            business: &self.business,
            zone: &self.zone,
            service: &self.service,
        }
    }

    pub(super) async fn book(&self, wish: &Wish<'_>, now: Timestamp) -> sqlx::Result<Answer> {
        book(&self.appointments, self.offered(), wish, now).await
    }

    /// The same shop for a process of its own, which ends when this is dropped.
    pub(super) fn process(&self) -> Appointments {
        Appointments {
            pool: database::pool(&self.database.url().into(), 1).unwrap(),
            ..self.appointments.clone()
        }
    }

    /// The free times of the days to come.
    pub(super) async fn free(&self, now: Timestamp) -> Vec<Timestamp> {
        let today = self.zone.to_datetime(now).date();
        let window = Window {
            from: today.saturating_add(1.days()),
            to: today.saturating_add(14.days()),
        };
        let mut transaction = store::begin(&self.appointments.pool, self.business.id)
            .await
            .unwrap();
        let crew = Crew::read(&mut transaction, self.service.id, Who::Anyone).await;
        let known = availability::known(
            &mut transaction,
            &self.zone,
            &self.service,
            crew.unwrap(),
            window,
            now,
        );
        let supply = known.await.unwrap().supply;
        transaction.rollback().await.unwrap();
        let rules = availability::rules(&self.service);
        let free = booking::free_times(&supply, &rules, window, now);
        free.into_iter().map(|slot| slot.start).collect()
    }

    /// The person who gives the service.
    pub(super) async fn giver(&self) -> Uuid {
        let mut transaction = store::begin(&self.appointments.pool, self.business.id)
            .await
            .unwrap();
        let givers = store::service::givers(&mut transaction, self.service.id).await;
        givers.unwrap()[0].staff_id
    }

    /// A booking as somebody at the desk sees it now.
    pub(super) async fn seen(&self, booking: Uuid) -> Seen {
        let business = self.business.id;
        let mut transaction = store::begin(&self.appointments.pool, business)
            .await
            .unwrap();
        let found = store::booking::by_id(&mut transaction, booking).await;
        Seen {
            business,
            booking,
            // One that is not there has no version either.
            version: found.unwrap().map_or(0, |found| found.version),
        }
    }

    /// The id of the booking behind a secret address, and its state.
    pub(super) async fn booking(&self, token: &str) -> (Uuid, State) {
        let (_, booking) = self.appointments.find(token).await.unwrap().unwrap();
        (booking.id, State::parse(&booking.state).unwrap())
    }

    /// One id out of the whole database.
    pub(super) async fn id(&self, query: &'static str) -> Uuid {
        sqlx::query_scalar(query)
            .fetch_one(&self.all)
            .await
            .unwrap()
    }

    /// One number out of the whole database.
    pub(super) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&self.all)
            .await
            .unwrap()
    }

    /// Everything that must not be, and is.
    pub(super) async fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (what, query) in BROKEN {
            let count = self.count(query).await;
            if count != 0 {
                broken.push(format!("{what}: {count}"));
            }
        }
        broken
    }
}

/// A wish of somebody of that address.
pub(super) fn wish<'a>(start: Timestamp, key: &'a str, email: &'a str) -> Wish<'a> {
    Wish {
        start,
        person: person(email),
        visit: None,
        who: Who::Anyone,
        key,
    }
}

/// Somebody who books.
pub(super) fn person(email: &str) -> Person<'_> {
    Person {
        name: "Thandi Nkosi",
        email,
        phone: None,
        note: None,
        language: None,
        time_zone: None,
    }
}

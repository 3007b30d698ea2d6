//! Clocks that jump while a time is held: forwards, as when a machine wakes up, and
//! backwards, as when it was ahead. Whatever they say, a time belongs to one at most, and
//! who was told that they have it has it.

use booking::{HOLD_FOR, Window};
use chassis::{Clock, ManualClock, Random};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;
use testkit::postgres::Database;
use testkit::services;

use super::{Answer, Appointments, Choice, Confirmation, Holding, Offered, Person, Wish};
use crate::crew::{Crew, Who};
use crate::store::business::Business;
use crate::store::hold::Holder;
use crate::store::service::Service;
use crate::{availability, database, seed, store};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The demonstration, a service that one person gives, and a clock to be set.
struct Desk {
    database: Database,
    appointments: Appointments,
    business: Business,
    zone: TimeZone,
    service: Service,
    start: Timestamp,
    clock: Clock,
    hands: ManualClock,
}

impl Desk {
    async fn open() -> Self {
        let shared = services::shared().unwrap();
        let database = Database::empty(&shared.postgres).await.unwrap();
        let url = database.url().into();
        database::migrate(&url).await.unwrap();
        let now = Clock::system().now();
        let (clock, hands) = Clock::manual(now);
        let mut connection = database::connect(&url).await.unwrap();
        seed::plant(&mut connection, now).await.unwrap();
        let business = store::business::by_slug(&mut connection, "the-quiet-room");
        let business = business.await.unwrap().unwrap();
        connection.close().await.unwrap();
        let appointments = Appointments {
            pool: database::pool(&url, 2).unwrap(),
            random: Random::system(),
            link_key: [7; 32],
        };
        let zone = TimeZone::get("Africa/Johannesburg").unwrap();
        let mut transaction = store::begin(&appointments.pool, business.id).await.unwrap();
        let service = store::service::by_slug(&mut transaction, "private-yoga");
        let service = service.await.unwrap().unwrap();
        let day = |days| {
            zone.to_datetime(now)
                .date()
                .saturating_add(jiff::Span::new().days(days))
        };
        let window = Window {
            from: day(7),
            to: day(14),
        };
        let crew = Crew::read(&mut transaction, service.id, Who::Anyone)
            .await
            .unwrap();
        let known = availability::known(&mut transaction, &zone, &service, crew, window, now);
        let known = known.await.unwrap();
        transaction.rollback().await.unwrap();
        let rules = availability::rules(&service);
        let start = booking::free_times(&known.supply, &rules, window, now)[0].start;
        Self {
            database,
            appointments,
            business,
            zone,
            service,
            start,
            clock,
            hands,
        }
    }

    fn offered(&self) -> Offered<'_> {
        Offered {
            business: &self.business,
            zone: &self.zone,
            service: &self.service,
        }
    }

    /// The secret address of what `visit` holds then, or nothing.
    async fn hold(&self, visit: u8) -> Option<String> {
        let choice = Choice {
            start: self.start,
            who: Who::Anyone,
            holder: Holder {
                visit: Some([visit; 32]),
                origin: None,
            },
            instead_of: None,
            key: None,
        };
        let now = self.clock.now();
        match self.appointments.hold(self.offered(), choice, now).await {
            Ok(Holding::Kept { token }) => Some(token),
            Ok(Holding::Gone) => None,
            other => panic!("{other:?}"),
        }
    }

    async fn confirm(&self, token: &str) -> Answer {
        let (appointments, now) = (&self.appointments, self.clock.now());
        match appointments.confirm(token, person("held"), None, now).await {
            Ok(Confirmation::Answer(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    async fn book(&self, key: &str) -> Answer {
        let wish = Wish {
            start: self.start,
            person: person(key),
            visit: None,
            who: Who::Anyone,
            key,
        };
        let now = self.clock.now();
        let transaction = store::begin_planned(&self.appointments.pool, self.business.id);
        let transaction = transaction.await.unwrap();
        let booked = self
            .appointments
            .book(transaction, self.offered(), &wish, now);
        booked.await.unwrap()
    }

    async fn sweep(&self) -> u64 {
        self.appointments
            .sweep_holds(self.clock.now())
            .await
            .unwrap()
    }

    /// One booking at most has the time.
    async fn is_whole(&self) {
        let mut all = database::connect(&self.database.admin_url().into())
            .await
            .unwrap();
        let standing = "select count(*) from claim a join claim b
            on a.lane_id = b.lane_id and a.id < b.id and a.during && b.during
            where a.active and b.active";
        let over: i64 = sqlx::query_scalar(standing)
            .fetch_one(&mut all)
            .await
            .unwrap();
        assert_eq!(over, 0);
        let strays = "select count(*) from claim join booking on booking.id = claim.booking_id
            where claim.active and booking.state not in ('held', 'confirmed', 'completed')";
        let strays: i64 = sqlx::query_scalar(strays)
            .fetch_one(&mut all)
            .await
            .unwrap();
        assert_eq!(strays, 0);
        all.close().await.unwrap();
    }
}

fn person(name: &str) -> Person<'_> {
    Person {
        name,
        email: "thandi@example.co.za",
        phone: None,
        note: None,
        language: None,
        time_zone: None,
    }
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_ends_a_hold_for_whoever_comes_first() {
    let desk = Desk::open().await;
    let held = desk.hold(1).await.unwrap();
    assert_eq!(desk.hold(2).await, None);
    desk.hands.advance(HOUR.unsigned_abs());
    // Its own visitor has it while nobody else wants it, swept or not.
    assert_eq!(desk.sweep().await, 1);
    assert!(matches!(desk.confirm(&held).await, Answer::Made { .. }));
    assert_eq!(desk.book("other").await, Answer::Gone);
    desk.is_whole().await;
}

#[tokio::test]
async fn who_was_faster_after_a_jump_keeps_it_when_the_clock_is_set_back() {
    let desk = Desk::open().await;
    let held = desk.hold(1).await.unwrap();
    let began = desk.clock.now();
    desk.hands.advance(HOUR.unsigned_abs());
    assert!(matches!(desk.book("other").await, Answer::Made { .. }));
    // By this clock the hold would still stand.
    desk.hands.set(began);
    assert_eq!(desk.confirm(&held).await, Answer::Gone);
    assert_eq!(desk.sweep().await, 0);
    desk.is_whole().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_ends_no_hold_and_extends_none_for_ever() {
    let desk = Desk::open().await;
    let held = desk.hold(1).await.unwrap();
    let began = desk.clock.now();
    desk.hands.set(began.saturating_sub(HOUR).unwrap());
    assert_eq!(desk.sweep().await, 0);
    assert_eq!(desk.hold(2).await, None);
    assert_eq!(desk.book("other").await, Answer::Gone);
    // Once it is right again, it ends when it was said to.
    let end = began.saturating_add(HOLD_FOR).unwrap();
    desk.hands.set(end);
    assert_eq!(desk.sweep().await, 1);
    let other = desk.hold(2).await.unwrap();
    assert_eq!(desk.confirm(&held).await, Answer::Gone);
    assert!(matches!(desk.confirm(&other).await, Answer::Made { .. }));
    desk.is_whole().await;
}

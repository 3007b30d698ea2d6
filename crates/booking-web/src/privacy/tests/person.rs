//! Holds export, erasure and retention against scans of the whole database: whatever names
//! the person is found by them, and nothing is left that should not be.

use std::collections::BTreeMap;

use chassis::{Clock, Random};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, PgPool};
use testkit::postgres::Database;
use testkit::services;
use uuid::Uuid;

use super::erasure::{self, Because, Entry, Erased};
use super::register::register;
use super::{retention, warning};
use crate::store::privacy;
use crate::{database, seed, store};

const NAME: &str = "Zandile Quetzal";
const EMAIL: &str = "Zandile.Quetzal@example.co.za";
const PHONE: &str = "+27825550199";

/// The demonstration with one person more, of whom something is in every table that knows
/// customers.
pub(super) struct World {
    pub(super) database: Database,
    pub(super) pool: PgPool,
    pub(super) random: Random,
    pub(super) business: Uuid,
    pub(super) customer: Uuid,
    pub(super) booking: Uuid,
    pub(super) now: Timestamp,
}

impl World {
    pub(super) async fn new() -> Self {
        let shared = services::shared().unwrap();
        let prepare = async |url: &str| {
            let url = url.into();
            database::migrate(&url).await?;
            let mut connection = database::connect(&url).await?;
            seed::plant(&mut connection, Clock::system().now()).await?;
            connection.close().await?;
            Ok(())
        };
        let database = Database::cloned(&shared.postgres, "booking_privacy", prepare)
            .await
            .unwrap();
        let (random, now) = (Random::system(), Clock::system().now());
        let pool = database::pool(&database.url().into(), 2).unwrap();
        let mut world = Self {
            pool,
            customer: random.uuid(now),
            booking: random.uuid(now),
            business: Uuid::nil(),
            database,
            random,
            now,
        };
        world.person().await;
        world
    }

    pub(super) async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.database.admin_url())
            .await
            .unwrap()
    }

    /// Runs statements in which `:business`, `:customer` and the like stand for the ids.
    pub(super) async fn run(&self, statements: &[&str]) {
        let mut admin = self.admin().await;
        for statement in statements {
            let statement = statement
                .replace(":business", &format!("'{}'::uuid", self.business))
                .replace(":customer", &format!("'{}'::uuid", self.customer))
                .replace(":booking", &format!("'{}'::uuid", self.booking))
                .replace(":name", &format!("'{NAME}'"))
                .replace(":email", &format!("'{EMAIL}'"))
                .replace(":phone", &format!("'{PHONE}'"));
            sqlx::query(AssertSqlSafe(statement.clone()))
                .execute(&mut admin)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        admin.close().await.unwrap();
    }

    /// Somebody who visited last week, wrote a note and asked about their data.
    async fn person(&mut self) {
        let mut admin = self.admin().await;
        self.business = sqlx::query_scalar("select id from business where slug = 'karoo-cuts'")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        admin.close().await.unwrap();
        self.run(&[
            "insert into customer (id, business_id, name, email, phone, created_at)
             values (:customer, :business, :name, :email, :phone, now() - interval '9 days')",
            "insert into booking (id, business_id, service_id, staff_id, customer_id, state,
                 starts_at, ends_at, zone, local_start, price_cents, currency, note, created_at,
                 booked_name, booked_phone, hold_owner, state_since)
             select :booking, :business, service_id, staff_id, :customer, 'confirmed',
                 now() - interval '7 days', now() - interval '167 hours', 'Africa/Johannesburg',
                 '2026-01-01T10:00', 35000, 'ZAR', 'Please ask for ' || :name,
                 now() - interval '9 days', :name, :phone, convert_to(:phone, 'utf8'),
                 now() - interval '9 days'
             from service_staff where business_id = :business limit 1",
            "insert into idempotency_key values
                 (:business, :email, sha256('a'), :booking, now() - interval '9 days')",
            "insert into booking_link values (sha256('b'), :business, :booking)",
            "insert into consent (id, business_id, customer_id, booking_id, purpose, notice, given_at)
             values (gen_random_uuid(), :business, :customer, :booking, 'marketing', 'n', now())",
            "insert into audit (id, business_id, at, actor, action, subject)
             values (gen_random_uuid(), :business, now(), 'customer', 'booking.confirmed', :booking)",
            "insert into outbox (id, business_id, dedupe_key, kind, booking_id, send_after)
             values (gen_random_uuid(), :business, :email, 'reminder', :booking, now())",
            "insert into privacy_request (id, business_id, kind, channel, state, email, details,
                 language, received_at, due_at)
             values (gen_random_uuid(), :business, 'erasure', 'page', 'open', lower(:email),
                 'I am ' || :name, 'en', now(), now() + interval '30 days')",
            "insert into legal_hold (id, business_id, customer_id, reason, placed_at, lifted_at)
             values (gen_random_uuid(), :business, :customer, 'A dispute with ' || :name,
                 now() - interval '2 days', now() - interval '1 day')",
            "insert into access_log (id, business_id, at, account_id, customer_id, action)
             values (gen_random_uuid(), :business, now(), gen_random_uuid(), :customer, 'saw')",
        ])
        .await;
    }

    /// Every row of every table in which a value of the person stands, in whatever writing.
    pub(super) async fn scan(&self) -> Vec<(String, Value)> {
        let mut admin = self.admin().await;
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class
             where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace",
        )
        .fetch_all(&mut admin)
        .await
        .unwrap();
        let mut wanted = Vec::new();
        for value in [NAME, EMAIL, PHONE, "5550199", "Quetzal"] {
            wanted.push(format!("%{value}%"));
            let hex = data_encoding::HEXLOWER.encode(value.as_bytes());
            wanted.push(format!("%{hex}%"));
        }
        let mut found = Vec::new();
        for table in tables {
            let query = format!(
                "select to_jsonb(kept)::text from \"{table}\" as kept where kept::text ilike any($1)"
            );
            let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query))
                .bind(&wanted)
                .fetch_all(&mut admin)
                .await
                .unwrap();
            let rows = rows.iter().map(|row| serde_json::from_str(row).unwrap());
            found.extend(rows.map(|row| (table.clone(), row)));
        }
        admin.close().await.unwrap();
        found
    }

    async fn export(&self) -> BTreeMap<&'static str, Vec<Value>> {
        self.export_of(self.customer).await
    }

    pub(super) async fn export_of(&self, customer: Uuid) -> BTreeMap<&'static str, Vec<Value>> {
        let mut transaction = store::begin(&self.pool, self.business).await.unwrap();
        let rows = erasure::export(&mut transaction, customer).await.unwrap();
        transaction.rollback().await.unwrap();
        rows.unwrap()
            .into_iter()
            .map(|rows| (rows.table, serde_json::from_str(&rows.json).unwrap()))
            .collect()
    }

    async fn erase(&self) -> Erased {
        self.erase_of(self.customer).await
    }

    pub(super) async fn erase_of(&self, customer: Uuid) -> Erased {
        let mut transaction = store::begin(&self.pool, self.business).await.unwrap();
        let who = (self.business, customer);
        let because = Because::Asked {
            request: None,
            by: Uuid::max(),
        };
        let done = erasure::erase(&mut transaction, &self.random, who, because, self.now)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        done
    }

    pub(super) async fn one(&self, query: &'static str) -> i64 {
        let mut admin = self.admin().await;
        let one = sqlx::query_scalar(query)
            .bind(self.customer)
            .fetch_one(&mut admin)
            .await;
        admin.close().await.unwrap();
        one.unwrap()
    }
}

#[tokio::test]
async fn an_export_holds_every_row_that_a_scan_of_the_whole_database_finds() {
    let world = World::new().await;
    let found = world.scan().await;
    let tables: Vec<_> = found.iter().map(|(table, _)| table.as_str()).collect();
    for table in [
        "customer",
        "booking",
        "outbox",
        "privacy_request",
        "legal_hold",
    ] {
        assert!(
            tables.contains(&table),
            "{table} was not filled: {tables:?}"
        );
    }
    let export = world.export().await;
    for (table, row) in &found {
        let given = export.get(table.as_str());
        // But for what the register withholds, with its reason.
        let (_, entry) = register().tables().find(|(name, _)| name == table).unwrap();
        let mut row = row.clone();
        for column in entry.withheld.keys() {
            row.as_object_mut().unwrap().remove(column);
        }
        assert!(
            given.is_some_and(|rows| rows.contains(&row)),
            "{table} is not in the export: {row}"
        );
    }
    // Also what is about the person without naming them.
    for table in ["consent", "audit", "booking_link", "access_log"] {
        assert!(export.contains_key(table), "{table}");
    }
    for (table, column) in [
        ("legal_hold", "reason"),
        ("legal_hold", "placed_by"),
        ("access_log", "account_id"),
        ("audit", "actor_id"),
        ("booking_link", "token_hash"),
        ("privacy_request", "token_hash"),
        ("privacy_request", "closed_by"),
    ] {
        let given = export[table].iter().any(|row| row.get(column).is_some());
        assert!(!given, "{table}.{column} is given out");
    }
    // And nobody else's.
    let customers = &export["customer"];
    assert_eq!(customers.len(), 1, "{customers:?}");
}

#[tokio::test]
async fn after_an_erasure_nothing_of_the_person_is_anywhere_and_the_books_stay() {
    let world = World::new().await;
    let (bookings, money) = (
        "select count(*) from booking where $1 is not null",
        "select sum(price_cents)::bigint from booking where $1 is not null",
    );
    let before = (world.one(bookings).await, world.one(money).await);
    assert_eq!(world.erase().await, Erased::Now);
    let left = world.scan().await;
    assert!(left.is_empty(), "{left:?}");
    let after = (world.one(bookings).await, world.one(money).await);
    assert_eq!(before, after);
    for (kept, query) in [
        (
            1,
            "select count(*) from booking where customer_id = $1 and price_cents = 35000",
        ),
        (1, "select count(*) from consent where customer_id = $1"),
        (
            1,
            "select count(*) from audit where subject = $1 and action = 'customer.erased'",
        ),
        (1, "select count(*) from erasure where $1 is not null"),
        (
            1,
            "select count(*) from access_log where customer_id = $1 and action = 'erased'",
        ),
        (
            0,
            "select count(*) from outbox join booking on booking.id = booking_id where customer_id = $1",
        ),
    ] {
        assert_eq!(world.one(query).await, kept, "{query}");
    }
    assert_eq!(world.erase().await, Erased::Before);
    // The address is free for somebody new.
    world
        .run(&[
            "insert into customer (id, business_id, name, email, created_at)
             values (gen_random_uuid(), :business, 'Somebody new', :email, now())",
        ])
        .await;
}

#[tokio::test]
async fn whoever_is_held_or_still_to_come_is_not_erased() {
    let world = World::new().await;
    world
        .run(&[
            "insert into legal_hold (id, business_id, customer_id, reason, placed_at)
             values (gen_random_uuid(), :business, :customer, 'A claim for damages', now())",
        ])
        .await;
    let before = world.scan().await;
    assert_eq!(world.erase().await, Erased::Held);
    let far = world
        .now
        .saturating_add(SignedDuration::from_hours(24 * 4000))
        .unwrap();
    retention::retain(&world.pool, &world.random, far)
        .await
        .unwrap();
    assert_eq!(
        world.scan().await.len() + 1,
        before.len(),
        "all but a lifted hold"
    );
    let mut transaction = store::begin(&world.pool, world.business).await.unwrap();
    privacy::lift(
        &mut transaction,
        &[world.customer],
        "It ended",
        None,
        world.now,
    )
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    world
        .run(&[
            "update booking set ends_at = now() + interval '1 hour', version = version + 1
             where id = :booking",
        ])
        .await;
    assert_eq!(world.erase().await, Erased::HasBookings);
    assert!(!world.scan().await.is_empty());
}

#[tokio::test]
async fn what_is_over_goes_by_itself_and_not_a_day_before() {
    let world = World::new().await;
    world
        .run(&["update privacy_request set state = 'refused', outcome = 'No', closed_at = now()"])
        .await;
    let at = |days: i64| {
        world
            .now
            .saturating_add(SignedDuration::from_hours(days * 24))
            .unwrap()
    };
    let retain = async |days| {
        retention::retain(&world.pool, &world.random, at(days))
            .await
            .unwrap()
    };
    let note = "select count(*) from booking where customer_id = $1 and note is not null";
    let named = "select count(*) from customer where id = $1 and erased_at is null";
    let request = "select count(*) from privacy_request where email is not null and $1 is not null";
    // The visit was a week ago; the register says 365 days for notes and 1095 for names.
    retain(357).await;
    assert_eq!((world.one(note).await, world.one(request).await), (1, 1));
    retain(359).await;
    assert_eq!(world.one(note).await, 0);
    retain(366).await;
    assert_eq!(world.one(request).await, 0);
    let gone = retain(1087).await;
    assert_eq!(world.one(named).await, 1, "{gone:?}");
    let gone = retain(1089).await;
    assert_eq!(world.one(named).await, 0, "{gone:?}");
    assert_eq!(gone.0["access"], 0);
    assert!(world.scan().await.is_empty(), "{:?}", world.scan().await);
    // A business may keep less.
    let world = World::new().await;
    world
        .run(&["insert into retention_policy values (:business, 'contact', 3)"])
        .await;
    let gone = retention::retain(&world.pool, &world.random, world.now)
        .await
        .unwrap();
    assert!(gone.0["contact"] >= 1, "{gone:?}");
    assert!(world.scan().await.is_empty());
}

#[tokio::test]
async fn an_older_backup_that_brings_somebody_back_is_erased_again() {
    let world = World::new().await;
    let mut admin = world.admin().await;
    for table in ["customer", "booking"] {
        let copy = format!("create table old_{table} as select * from {table}");
        sqlx::query(AssertSqlSafe(copy))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    assert_eq!(world.erase().await, Erased::Now);
    let list = erasure::list(&world.pool).await.unwrap();
    let lines: Vec<_> = list.iter().map(Entry::line).collect();
    assert!(!lines.join("\n").contains(&world.customer.to_string()));
    // The backup knows nothing of the erasure.
    for statement in [
        "alter table erasure disable trigger user",
        "delete from erasure",
        "update customer set name = old.name, email = old.email, phone = old.phone,
             erased_at = null
         from old_customer as old where old.id = customer.id",
        "update booking set note = old.note, booked_name = old.booked_name,
             booked_phone = old.booked_phone
         from old_booking as old where old.id = booking.id",
        "drop table old_customer",
        "drop table old_booking",
    ] {
        sqlx::query(statement).execute(&mut admin).await.unwrap();
    }
    assert!(!world.scan().await.is_empty());
    let list: Vec<_> = lines
        .iter()
        .map(|line| Entry::parse(line).unwrap())
        .collect();
    let again = async || {
        erasure::again(&world.pool, &world.random, &list, world.now)
            .await
            .unwrap()
    };
    assert_eq!(again().await, 1);
    assert!(world.scan().await.is_empty());
    assert_eq!(again().await, 0);
}

#[tokio::test]
async fn a_request_that_waits_is_warned_of_on_day_20_25_and_30_and_once_each() {
    let world = World::new().await;
    world
        .run(&[
            "update privacy_request set confirmed_at = received_at",
            "insert into privacy_profile values (:business, 'Karoo Cuts (Pty) Ltd', 'Street 1',
                 'Sipho', 'privacy@karoo-cuts.example', null, null)",
        ])
        .await;
    let warn = async |days: i64| {
        let now = world
            .now
            .saturating_add(SignedDuration::from_hours(days * 24 + 1))
            .unwrap();
        warning::warn(&world.pool, &world.random, now)
            .await
            .unwrap()
    };
    let mut warned = Vec::new();
    for day in [19, 20, 21, 24, 25, 25, 30, 31] {
        warned.push(warn(day).await);
    }
    assert_eq!(warned, [0, 1, 0, 0, 1, 0, 1, 0]);
    let mails = "select count(*) from outbox where kind like 'privacy.warning.%'
                 and recipient = 'privacy@karoo-cuts.example' and $1 is not null";
    assert_eq!(world.one(mails).await, 3);
    // Without anything that says where it reads its mail, its owner is told.
    let world = World::new().await;
    world
        .run(&["update privacy_request set confirmed_at = received_at"])
        .await;
    let later = SignedDuration::from_hours(21 * 24);
    let later = world.now.saturating_add(later).unwrap();
    let warned = warning::warn(&world.pool, &world.random, later);
    assert_eq!(warned.await.unwrap(), 1);
    let mails = "select count(*) from outbox where kind = 'privacy.warning.20'
                 and recipient = 'owner@karoo-cuts.example' and $1 is not null";
    assert_eq!(world.one(mails).await, 1);
}

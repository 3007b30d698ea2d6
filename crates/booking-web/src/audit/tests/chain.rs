//! Breaks the chain in every way that somebody with the database in hand has.

use chassis::{Clock, Random};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use testkit::postgres::Database;
use testkit::services;

use super::*;
use crate::{database, store};

struct World {
    database: Database,
    pool: PgPool,
    random: Random,
    business: Uuid,
    now: Timestamp,
}

impl World {
    /// A business with nine entries in its audit, all sealed.
    async fn sealed() -> Self {
        let shared = services::shared().unwrap();
        let prepare = async |url: &str| database::migrate(&url.into()).await.map(|_| ());
        let database = Database::cloned(&shared.postgres, "booking_chain", prepare)
            .await
            .unwrap();
        let (random, now) = (Random::system(), Clock::system().now());
        let world = Self {
            pool: database::pool(&database.url().into(), 4).unwrap(),
            business: random.uuid(now),
            database,
            random,
            now,
        };
        let business = world.business;
        world
            .run(&format!(
                "insert into business (id, slug, name, zone, currency, created_at)
                 values ('{business}', 'chained', 'Chained', 'Africa/Johannesburg', 'ZAR', now())"
            ))
            .await;
        for batch in 0..3 {
            world.write(3, batch).await;
            assert_eq!(seal(&world.pool).await.unwrap(), 3);
        }
        world
    }

    async fn write(&self, entries: i64, hours: i64) {
        let mut transaction = store::begin(&self.pool, self.business).await.unwrap();
        for _ in 0..entries {
            let at = self.now - SignedDuration::from_hours(hours);
            let audit = store::record::Audit {
                id: self.random.uuid(at),
                business: self.business,
                actor: "customer",
                actor_id: None,
                action: "booking.confirmed",
                subject: self.random.uuid(at),
                before: None,
                after: Some(r#"{"state": "confirmed"}"#),
                now: at,
            };
            store::record::audit_change(&mut transaction, &audit)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// As somebody does who has the database in hand.
    async fn run(&self, statement: &str) {
        let mut admin = PgConnection::connect(&self.database.admin_url())
            .await
            .unwrap();
        sqlx::query("set session_replication_role = replica")
            .execute(&mut admin)
            .await
            .unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut admin)
            .await
            .unwrap();
        admin.close().await.unwrap();
    }

    async fn verify(&self) -> Chain {
        verify(&self.pool, self.business).await.unwrap()
    }

    /// The place and the reason of the first break.
    async fn broken(&self) -> Option<(i64, Break)> {
        match self.verify().await {
            Chain::Broken { seq, why, .. } => Some((seq, why)),
            Chain::Whole { .. } => None,
        }
    }
}

#[tokio::test]
async fn a_chain_that_nobody_touched_is_whole_and_says_where_it_ends() {
    let world = World::sealed().await;
    let Chain::Whole { entries: 9, head } = world.verify().await else {
        panic!("{:?}", world.verify().await);
    };
    // What is not sealed yet breaks nothing, and moves the end when it is.
    world.write(1, 0).await;
    assert!(world.broken().await.is_none());
    assert_eq!(seal(&world.pool).await.unwrap(), 1);
    let Chain::Whole {
        entries: 10,
        head: later,
    } = world.verify().await
    else {
        panic!("{:?}", world.verify().await);
    };
    assert_ne!(head, later);
    assert!(verify_all(&world.pool).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_first_entry_that_was_changed_removed_or_slipped_in_is_named() {
    let of = |seq: i64| format!("(select audit_id from audit_link where seq = {seq})");
    for (statement, expected) in [
        (
            format!("update audit set actor = 'business' where id = {}", of(4)),
            (4, Break::Changed),
        ),
        (
            format!("update audit set after = '{{}}' where id = {}", of(7)),
            (7, Break::Changed),
        ),
        (
            format!(
                "update audit set at = at + interval '1 us' where id = {}",
                of(9)
            ),
            (9, Break::Changed),
        ),
        (
            format!("delete from audit where id = {}", of(2)),
            (2, Break::Removed),
        ),
        (
            "delete from audit_link where seq = 5".to_owned(),
            (6, Break::Gap),
        ),
        (
            "delete from audit_link where seq = 1".to_owned(),
            (2, Break::Gap),
        ),
        (
            "update audit_link set hash = sha256('x') where seq = 3".to_owned(),
            (3, Break::Changed),
        ),
        (
            "insert into audit (id, business_id, at, actor, action, subject)
             select gen_random_uuid(), business_id, at - interval '2 days', actor, action, subject
             from audit limit 1"
                .to_owned(),
            (10, Break::SlippedIn),
        ),
    ] {
        let world = World::sealed().await;
        world.run(&statement).await;
        assert_eq!(world.broken().await, Some(expected), "{statement}");
        let words = verify_all(&world.pool).await.unwrap();
        let place = format!("link {}", expected.0);
        assert!(words.len() == 1 && words[0].contains(&place), "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_seal_at_once_and_every_entry_has_one_place() {
    let world = World::sealed().await;
    world.write(200, 0).await;
    let sealing = (0..4).map(|_| seal(&world.pool));
    let done = futures_util::future::join_all(sealing).await;
    let sealed: u64 = done.into_iter().map(Result::unwrap).sum();
    assert_eq!(sealed, 200);
    let Chain::Whole { entries: 209, .. } = world.verify().await else {
        panic!("{:?}", world.verify().await);
    };
}

//! What the database itself refuses about accounts: a neighbour's rows, and a business
//! without an owner.

use crate::site::{World, until};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, PgPool};
use uuid::Uuid;

/// The tables that belong to accounts, with the column that says whose.
const OF_ACCOUNTS: &[(&str, &str)] = &[
    ("account", "id"),
    ("account_password", "account_id"),
    ("account_totp", "account_id"),
    ("recovery_code", "account_id"),
    ("account_passkey", "account_id"),
    ("account_link", "account_id"),
    ("session", "account_id"),
    ("account_event", "account_id"),
];

async fn account(pool: &PgPool, email: &str) -> Uuid {
    sqlx::query_scalar("select id from account where email = $1")
        .bind(email)
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn business(pool: &PgPool, slug: &str) -> Uuid {
    sqlx::query_scalar("select id from business where slug = $1")
        .bind(slug)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Something of everything for every account.
async fn fill(pool: &PgPool) {
    for statement in [
        "insert into account_totp select id, '\\x00', 0, now() from account",
        "insert into recovery_code select id, sha256(id::text::bytea), null from account",
        "insert into account_passkey select id, id, sha256(id::text::bytea), '\\x00', '\\x00', -7, 0, 'Phone', now(), null from account",
        "insert into passkey_challenge select sha256(id::text::bytea), sha256('a'), id, now() from account",
        "insert into account_link select sha256(id::text::bytea), id, 'reset_password', now(), now(), null from account",
        "insert into session select id, sha256(id::text::bytea), id, 'signed_in', now(), now(), now(), now(), '' from account",
        "insert into account_event select id, id, now(), 'sign-in', 'local' from account",
        "insert into account_event values (gen_random_uuid(), null, now(), 'sign-in.failed', 'local')",
        "insert into sign_in_failure values (sha256('a'), 1, now(), now())",
        "insert into request_count values (sha256('a'), 1, now())",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

async fn set(connection: &mut PgConnection, name: &str, value: &str) {
    sqlx::query("select set_config($1, $2, true)")
        .bind(name)
        .bind(value)
        .execute(connection)
        .await
        .unwrap();
}

async fn count(connection: &mut PgConnection, table: &str, condition: &str) -> i64 {
    let query = format!("select count(*) from {table} where {condition}");
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_account_sees_and_changes_itself_and_nobody_else() {
    let world = World::seeded().await;
    let all = world.all().await;
    fill(&all).await;
    let ours = account(&all, "owner@karoo-cuts.example").await;
    let theirs = account(&all, "owner@bluff-physio.example").await;
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    let tables = OF_ACCOUNTS.iter().map(|(table, _)| *table);
    for table in tables.chain([
        "membership",
        "invitation",
        "passkey_challenge",
        "sign_in_failure",
        "request_count",
    ]) {
        let seen = count(&mut connection, table, "true").await;
        assert_eq!(seen, 0, "{table} without a scope");
    }
    let mut transaction = connection.begin().await.unwrap();
    set(&mut transaction, "booking.account", &ours.to_string()).await;
    for (table, whose) in OF_ACCOUNTS {
        let own = count(&mut transaction, table, &format!("{whose} = '{ours}'")).await;
        assert_eq!(own, 1, "{table} of oneself");
        let foreign = format!("{whose} is distinct from '{ours}'");
        let foreign = count(&mut transaction, table, &foreign).await;
        assert_eq!(foreign, 0, "{table} of somebody else");
    }
    for statement in [
        format!("update account set email = 'x@y.z' where id = '{theirs}'"),
        format!("update account_password set hash = '$argon2id$' where account_id = '{theirs}'"),
        format!("delete from session where account_id = '{theirs}'"),
        format!("delete from account_totp where account_id = '{theirs}'"),
        format!("update account_passkey set sign_count = 0 where account_id = '{theirs}'"),
        format!("delete from account_passkey where account_id = '{theirs}'"),
        format!("update account_link set used_at = null where account_id = '{theirs}'"),
        // One's own membership can be seen, and changed only by the business.
        format!("update membership set role = 'owner' where account_id = '{ours}'"),
    ] {
        let changed = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&mut *transaction)
            .await;
        assert_eq!(changed.unwrap().rows_affected(), 0, "{statement}");
    }
}

#[tokio::test]
async fn nothing_is_written_for_somebody_else() {
    let world = World::seeded().await;
    let all = world.all().await;
    let ours = account(&all, "owner@karoo-cuts.example").await;
    let theirs = account(&all, "owner@bluff-physio.example").await;
    let (our_place, their_place) = (
        business(&all, "karoo-cuts").await,
        business(&all, "bluff-physio").await,
    );
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    for statement in [
        format!(
            "insert into session select '{ours}', sha256('a'), '{theirs}', 'signed_in', now(), now(), now(), now(), ''"
        ),
        format!(
            "insert into account_link select sha256('a'), '{theirs}', 'reset_password', now(), now()"
        ),
        format!(
            "insert into account_passkey select '{ours}', '{theirs}', sha256('a'), 'a', 'a', -7, 0, 'a', now(), null"
        ),
        format!("insert into passkey_challenge select sha256('a'), sha256('a'), '{ours}', now()"),
        format!(
            "insert into account_event values ('{ours}', '{theirs}', now(), 'sign-in', 'local')"
        ),
        format!("insert into membership values ('{their_place}', '{ours}', 'owner', null, now())"),
        format!(
            "insert into invitation values ('{ours}', '{their_place}', sha256('a'), 'a@b.c', 'owner', null, '{ours}', now(), now())"
        ),
        "insert into sign_in_failure values (sha256('a'), 0, now(), now())".to_owned(),
    ] {
        let mut transaction = connection.begin().await.unwrap();
        set(&mut transaction, "booking.account", &ours.to_string()).await;
        set(&mut transaction, "booking.business", &our_place.to_string()).await;
        let refused = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&mut *transaction)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("row-level security"),
            "{statement}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_business_sees_who_its_people_are_and_nothing_that_lets_them_in() {
    let world = World::seeded().await;
    let all = world.all().await;
    fill(&all).await;
    let ours = business(&all, "karoo-cuts").await;
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    set(&mut transaction, "booking.business", &ours.to_string()).await;
    let people = count(&mut transaction, "account", "true").await;
    assert_eq!(
        people, 6,
        "an owner, a manager, a front desk and three in the calendar"
    );
    let foreign = count(
        &mut transaction,
        "account",
        "email not like '%@karoo-cuts.example'",
    )
    .await;
    assert_eq!(foreign, 0);
    for table in [
        "account_password",
        "account_totp",
        "session",
        "recovery_code",
        "account_passkey",
        "passkey_challenge",
        "account_link",
    ] {
        assert_eq!(count(&mut transaction, table, "true").await, 0, "{table}");
    }
    let changed = sqlx::query("update account set email = 'x@y.z'")
        .execute(&mut *transaction)
        .await;
    assert_eq!(changed.unwrap().rows_affected(), 0);
}

#[tokio::test]
async fn the_last_owner_of_a_business_stays() {
    let world = World::seeded().await;
    let all = world.all().await;
    let ours = business(&all, "karoo-cuts").await;
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    for statement in [
        "delete from membership where role = 'owner'",
        "update membership set role = 'manager' where role = 'owner'",
        "delete from membership",
    ] {
        let mut transaction = connection.begin().await.unwrap();
        set(&mut transaction, "booking.business", &ours.to_string()).await;
        let refused = sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .unwrap_err();
        let constraint = refused.as_database_error().and_then(|e| e.constraint());
        assert_eq!(
            constraint,
            Some("membership_last_owner"),
            "{statement}: {refused}"
        );
    }
}

#[tokio::test]
async fn of_two_owners_who_remove_each_other_at_once_one_stays() {
    let world = World::seeded().await;
    let all = world.all().await;
    let ours = business(&all, "karoo-cuts").await;
    let (one, two) = (
        account(&all, "owner@karoo-cuts.example").await,
        account(&all, "manager@karoo-cuts.example").await,
    );
    sqlx::query("update membership set role = 'owner' where account_id = $1")
        .bind(two)
        .execute(&all)
        .await
        .unwrap();
    let url = world.database.url();
    let remove = async |connection: &mut PgConnection, whom: Uuid| {
        set(connection, "booking.business", &ours.to_string()).await;
        sqlx::query("delete from membership where account_id = $1")
            .bind(whom)
            .execute(connection)
            .await
    };
    let mut first = PgConnection::connect(&url).await.unwrap();
    let mut first = first.begin().await.unwrap();
    remove(&mut first, one).await.unwrap();
    let mut second = PgConnection::connect(&url).await.unwrap();
    let second = async {
        let mut transaction = second.begin().await.unwrap();
        remove(&mut transaction, two).await
    };
    let end_first = async {
        let waits = "select count(*) from pg_locks where not granted";
        until("the second one waits", async || {
            (world.count(waits).await > 0).then_some(())
        })
        .await;
        first.commit().await
    };
    let (second, first) = tokio::join!(second, end_first);
    assert!(first.is_ok() && second.is_err(), "{first:?} {second:?}");
    let owners = "select count(*) from membership join business on id = business_id
                  where slug = 'karoo-cuts' and role = 'owner'";
    assert_eq!(world.count(owners).await, 1);
}

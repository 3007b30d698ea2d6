//! All SQL of Booking, one file per noun. Functions take a connection, so that the
//! caller owns the transaction. Nothing is visible before `scope` has said for which
//! business the transaction acts.

pub(crate) mod account;
pub(crate) mod api_key;
pub(crate) mod appointment;
pub(crate) mod attempt;
pub(crate) mod block;
pub(crate) mod booking;
pub(crate) mod business;
pub(crate) mod calendar;
pub(crate) mod chain;
pub(crate) mod claim;
pub(crate) mod class;
pub(crate) mod code;
pub(crate) mod customer;
pub(crate) mod diary;
pub(crate) mod feed;
pub(crate) mod hold;
pub(crate) mod holiday;
pub(crate) mod hours;
pub(crate) mod incident;
pub(crate) mod invitation;
pub(crate) mod lane;
pub(crate) mod letter;
pub(crate) mod limit;
pub(crate) mod link;
pub(crate) mod mail;
pub(crate) mod membership;
pub(crate) mod notice;
pub(crate) mod offer;
pub(crate) mod outbox;
pub(crate) mod passkey;
pub(crate) mod person;
pub(crate) mod policy;
pub(crate) mod pool;
pub(crate) mod privacy;
pub(crate) mod probe;
pub(crate) mod record;
pub(crate) mod request;
pub(crate) mod request_count;
pub(crate) mod responsible;
pub(crate) mod retention;
pub(crate) mod rezone;
pub(crate) mod seed;
pub(crate) mod series;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod staff;
pub(crate) mod timer;
pub(crate) mod unconfirmed;
pub(crate) mod visit;
pub(crate) mod webhook;

use jiff::Timestamp;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgTransaction;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, SqlSafeStr};
use time::OffsetDateTime;
use uuid::Uuid;

/// Begins a transaction by `statement`, the only way there is. Whoever goes away meanwhile would
/// leave it open, and the driver would not know: the next one would act within it, for another
/// business. So it is begun by a task of its own, and what nobody takes is rolled back.
async fn open(pool: &PgPool, statement: impl SqlSafeStr) -> sqlx::Result<PgTransaction<'static>> {
    let statement = statement.into_sql_str();
    let connection = pool.acquire().await?;
    // The pool's own way waits for a connection, too, for somebody who is not there any more. This
    // one is public and not in the driver's documentation: look at it when the driver is raised.
    let begun = tokio::spawn(PgTransaction::begin(connection, Some(statement)));
    begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// Begins a transaction that sees no business.
pub(crate) async fn begin_unscoped(pool: &PgPool) -> sqlx::Result<PgTransaction<'static>> {
    open(pool, "begin").await
}

/// Begins a transaction that sees and changes the rows of `business`, and of no other.
/// One message to the database instead of two: an id is only digits, letters, hyphens.
pub(crate) async fn begin(pool: &PgPool, business: Uuid) -> sqlx::Result<PgTransaction<'static>> {
    let statement = format!("begin; select set_config('booking.business', '{business}', true)");
    open(pool, AssertSqlSafe(statement)).await
}

/// The same for what many do at once. Each connection plans a statement once, and not anew for
/// other parameters, which costs more than most of them. Only for statements that one plan
/// serves, whatever the parameters are. A plan for tables that were nearly empty stays until the
/// database has looked at them again, about a minute after they grew.
pub(crate) async fn begin_planned(
    pool: &PgPool,
    business: Uuid,
) -> sqlx::Result<PgTransaction<'static>> {
    let statement = format!(
        "begin; select set_config('booking.business', '{business}', true),
             set_config('plan_cache_mode', 'force_generic_plan', true)"
    );
    open(pool, AssertSqlSafe(statement)).await
}

/// Lets the rest of the transaction see and change the rows of `business`, and of no other.
pub(crate) async fn scope(connection: &mut PgConnection, business: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "select set_config('booking.business', $1, true)",
        business.to_string()
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// An instant as the database's driver has it. Microseconds, as PostgreSQL stores.
pub(crate) fn stored(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.as_microsecond()) * 1000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// An instant as the rest of the program has it.
pub(crate) fn instant(at: OffsetDateTime) -> Timestamp {
    Timestamp::from_nanosecond(at.unix_timestamp_nanos()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether the database said that somebody else was faster: the exclusion constraint,
/// a deadlock, or a serialization failure. Never an error for the person who asked.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("23P01" | "40P01" | "40001"))
}

/// Whether the database does not answer, or not now; the statement is not to blame.
pub(crate) fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection lost, out of resources, stopped by an operator, being a standby.
            ["08", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "25006"
        }),
        _ => false,
    }
}

/// Whether the statement names a table that is not there.
pub(crate) fn is_missing_table(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.as_deref() == Some("42P01")
}

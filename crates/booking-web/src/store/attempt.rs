//! How often somebody failed to sign in. A row is seen by whoever can compute its key.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::{account, instant, stored};

/// Failed attempts so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failures {
    pub(crate) count: i32,
    pub(crate) last_at: Timestamp,
    /// From when on another attempt is looked at.
    pub(crate) free_at: Timestamp,
}

/// Holds the row until the transaction ends, so that attempts at the same time are
/// counted one after the other, the first ones too.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    key_hash: &[u8],
    now: Timestamp,
) -> sqlx::Result<Failures> {
    account::hold(connection, key_hash).await?;
    sqlx::query!(
        "insert into sign_in_failure (key_hash, failures, last_at, free_at)
         values ($1, 0, $2, $2)
         on conflict on constraint sign_in_failure_pkey do nothing",
        key_hash,
        stored(now)
    )
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query!(
        "select failures, last_at, free_at from sign_in_failure where key_hash = $1 for update",
        key_hash
    )
    .fetch_one(connection)
    .await?;
    Ok(Failures {
        count: row.failures,
        last_at: instant(row.last_at),
        free_at: instant(row.free_at),
    })
}

pub(crate) async fn set(
    connection: &mut PgConnection,
    key_hash: &[u8],
    failures: Failures,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update sign_in_failure set failures = $2, last_at = $3, free_at = $4
         where key_hash = $1",
        key_hash,
        failures.count,
        stored(failures.last_at),
        stored(failures.free_at)
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn forget(connection: &mut PgConnection, key_hash: &[u8]) -> sqlx::Result<()> {
    account::hold(connection, key_hash).await?;
    sqlx::query!("delete from sign_in_failure where key_hash = $1", key_hash)
        .execute(connection)
        .await?;
    Ok(())
}

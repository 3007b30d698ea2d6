//! Work that comes round again, and what it removes. A timer is a row, so that of all
//! workers one does the work, and the next one takes over where it is killed.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::stored;

/// Makes sure that there is a timer of that name; a new one is due at once.
pub(crate) async fn ensure(
    connection: &mut PgConnection,
    name: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into timer (name, due_at) values ($1, $2)
         on conflict on constraint timer_pkey do nothing",
        name,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Leases a timer that is due and nobody's. `false` where there is nothing to do.
pub(crate) async fn lease(
    connection: &mut PgConnection,
    name: &str,
    now: Timestamp,
    until: Timestamp,
) -> sqlx::Result<bool> {
    let leased = sqlx::query!(
        "update timer set lease_until = $3
         where name = $1 and due_at <= $2 and (lease_until is null or lease_until <= $2)",
        name,
        stored(now),
        stored(until)
    )
    .execute(connection)
    .await?;
    Ok(leased.rows_affected() == 1)
}

/// Gives a timer back; it is due again at `next`.
pub(crate) async fn wind(
    connection: &mut PgConnection,
    name: &str,
    next: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update timer set due_at = $2, lease_until = null where name = $1",
        name,
        stored(next)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes keys of requests that nobody repeats any more.
pub(crate) async fn remove_keys(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        "delete from idempotency_key where created_at < $1",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected())
}

/// Removes messages of no business that were done with or given up long ago. Those of a
/// business go with all that its people are kept with.
pub(crate) async fn remove_messages(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<u64> {
    let removed = sqlx::query!(
        "delete from outbox where business_id is null
           and state in ('sent', 'dropped', 'dead') and coalesce(sent_at, send_after) < $1",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected())
}

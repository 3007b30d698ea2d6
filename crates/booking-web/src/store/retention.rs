//! What goes when its time is over. Each function does one kind of it for the business in
//! scope, and leaves out whom a hold stands over.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// How long the business in scope keeps classes of data, where that is its own choice.
pub(crate) async fn choices(connection: &mut PgConnection) -> sqlx::Result<Vec<(String, i32)>> {
    let rows = sqlx::query!("select class, days from retention_policy")
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.class, row.days)).collect())
}

/// Up to a hundred customers whose last visit was before `before`, over whom no hold stands
/// and who asked for nothing that is still to be answered.
pub(crate) async fn customers(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from customer
         where erased_at is null and created_at < $1
           and not exists (select from booking
               where customer_id = customer.id and ends_at >= $1)
           and not exists (select from legal_hold
               where customer_id = customer.id and lifted_at is null)
           and not exists (select from privacy_request
               where customer_id = customer.id and state in ('asked', 'open'))
         order by id limit 100",
        stored(before)
    )
    .fetch_all(connection)
    .await
}

/// Forgets what customers and staff wrote about visits that ended before `before`.
pub(crate) async fn notes(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update booking set note = null, desk_note = null
         where (note is not null or desk_note is not null) and ends_at < $1
           and not exists (select from legal_hold
               where customer_id = booking.customer_id and lifted_at is null)",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets which browser and network held times that are not held any more.
pub(crate) async fn holders(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update booking set hold_owner = null, hold_origin = null
         where (hold_owner is not null or hold_origin is not null)
           and state <> 'held' and coalesce(state_since, created_at) < $1",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Requests that nobody confirmed in time have lapsed.
pub(crate) async fn lapse(connection: &mut PgConnection, now: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update privacy_request set state = 'lapsed', closed_at = $1
         where state = 'asked' and link_until < $1",
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets who asked and what was said, of requests that were closed before `before`, or
/// before `lapsed_before` where nobody confirmed them.
pub(crate) async fn requests(
    connection: &mut PgConnection,
    before: Timestamp,
    lapsed_before: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update privacy_request set email = null, details = null, evidence = null,
             token_hash = null, outcome = case when outcome is null then null else 'erased' end
         where email is not null
           and closed_at < case state when 'lapsed' then $2::timestamptz else $1::timestamptz end",
        stored(before),
        stored(lapsed_before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets why holds stood that were lifted before `before`.
pub(crate) async fn lifted(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update legal_hold set reason = 'erased' where lifted_at < $1 and reason <> 'erased'",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Says that what follows in this transaction removes what must stay until its time is over.
pub(crate) async fn says(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select set_config('booking.retention', 'on', true)")
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// Removes who of the staff saw whom before `before`.
pub(crate) async fn access(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from access_log where at < $1", stored(before))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Removes the proofs about customers who were erased, of before `before`.
pub(crate) async fn proofs(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from consent where given_at < $1
           and exists (select from customer
               where id = consent.customer_id and erased_at is not null)",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Removes incidents that were noticed before `before`.
pub(crate) async fn incidents(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from incident where noticed_at < $1", stored(before))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Removes what secures accounts and has ended before `before`: links, sign-ins, failures
/// and counts, and what happened to accounts before then. Of no business.
pub(crate) async fn security(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<u64> {
    let before = stored(before);
    let removed = sqlx::query_scalar!(
        r#"with links as (delete from account_link where expires_at < $1 returning 1),
             sessions as (delete from session where expires_at < $1 returning 1),
             failures as (delete from sign_in_failure where last_at < $1 returning 1),
             counts as (delete from request_count where expires_at < $1 returning 1),
             events as (delete from account_event where at < $1 returning 1)
         select (select count(*) from links) + (select count(*) from sessions)
             + (select count(*) from failures) + (select count(*) from counts)
             + (select count(*) from events) as "removed!""#,
        before
    )
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(removed).unwrap_or_default())
}

/// Removes invitations that ended before `before`.
pub(crate) async fn invitations(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from invitation where expires_at < $1",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

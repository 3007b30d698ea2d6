//! What goes when its time is over. Each function does up to a thousand rows of one kind for
//! the business in scope, and leaves out whom a hold stands over.

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

/// Up to a hundred customers behind the id `behind` whose last visit was before `before`, over
/// whom no hold stands and who asked for nothing that is still to be answered.
pub(crate) async fn customers(
    connection: &mut PgConnection,
    before: Timestamp,
    behind: Uuid,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from customer
         where erased_at is null and created_at < $1 and id > $2
           and not exists (select from booking
               where customer_id = customer.id and ends_at >= $1)
           and not exists (select from legal_hold
               where customer_id = customer.id and lifted_at is null)
           and not exists (select from privacy_request
               where customer_id = customer.id and state in ('asked', 'open'))
         order by id limit 100",
        stored(before),
        behind
    )
    .fetch_all(connection)
    .await
}

/// Forgets what customers and staff wrote about visits that ended before `before`.
pub(crate) async fn notes(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update booking set note = null, desk_note = null, cancel_reason = null
         where id in (select id from booking
             where (note is not null or desk_note is not null or cancel_reason is not null)
               and ends_at < $1
               and not exists (select from legal_hold
                   where customer_id = booking.customer_id and lifted_at is null)
             limit 1000)",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Removes messages that were done with or given up before `before`.
pub(crate) async fn messages(
    connection: &mut PgConnection,
    before: Timestamp,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from outbox
         where id in (select id from outbox
             where business_id = current_business() and state in ('sent', 'dropped', 'dead')
               and coalesce(sent_at, send_after) < $1
               and not exists (select from booking
                   join legal_hold on legal_hold.customer_id = booking.customer_id
                   where booking.id = outbox.booking_id and legal_hold.lifted_at is null)
             limit 1000)",
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
         where id in (select id from booking
             where (hold_owner is not null or hold_origin is not null)
               and state <> 'held' and coalesce(state_since, created_at) < $1
             limit 1000)",
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
         where id in (select id from privacy_request
             where state = 'asked' and link_until < $1 limit 1000)",
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
         where id in (select id from privacy_request
             where (email is not null or details is not null or evidence is not null
                 or token_hash is not null or outcome <> 'erased')
               and closed_at < case state when 'lapsed' then $2::timestamptz
                   else $1::timestamptz end
             limit 1000)",
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
        "update legal_hold set reason = 'erased',
             lifted_reason = case when lifted_reason is null then null else 'erased' end
         where id in (select id from legal_hold
             where lifted_at < $1 and (reason <> 'erased' or lifted_reason <> 'erased')
             limit 1000)",
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
    let done = sqlx::query!(
        "delete from access_log
         where id in (select id from access_log where at < $1 limit 1000)",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Removes the proofs about customers who were erased, of before `before`.
pub(crate) async fn proofs(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from consent
         where id in (select id from consent as given
             where given_at < $1
               and exists (select from customer
                   where id = given.customer_id and erased_at is not null)
             limit 1000)",
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
    let done = sqlx::query!(
        "delete from incident
         where id in (select id from incident where noticed_at < $1 limit 1000)",
        stored(before)
    )
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
        r#"with failures as (delete from sign_in_failure where key_hash in (
                 select key_hash from sign_in_failure where last_at < $1 limit 1000)
                 returning 1),
             events as (delete from account_event where id in (
                 select id from account_event where at < $1 limit 1000) returning 1)
         select (select count(*) from failures) + (select count(*) from events) as "removed!""#,
        before
    )
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(removed).unwrap_or_default())
}

/// Removes up to a thousand each of sign-ins, links, challenges and counts that were over before
/// `before`. A link with which nobody confirmed an address stays longer: when it ended says
/// when the account is forgotten.
pub(crate) async fn ended(connection: &mut PgConnection, before: Timestamp) -> sqlx::Result<u64> {
    let removed = sqlx::query_scalar!(
        r#"with links as (delete from account_link where token_hash in (
                 select token_hash from account_link
                 where expires_at < $1::timestamptz - case when purpose = 'confirm_email' and used_at is null
                     then interval '60 days' else interval '0' end
                 limit 1000)
                 returning 1),
             sessions as (delete from session where id in (
                 select id from session where expires_at < $1 limit 1000) returning 1),
             challenges as (delete from passkey_challenge where token_hash in (
                 select token_hash from passkey_challenge where expires_at < $1 limit 1000)
                 returning 1),
             counts as (delete from request_count where key_hash in (
                 select key_hash from request_count where expires_at < $1 limit 1000)
                 returning 1)
         select (select count(*) from links) + (select count(*) from sessions)
             + (select count(*) from challenges) + (select count(*) from counts) as "removed!""#,
        stored(before)
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
        "delete from invitation
         where id in (select id from invitation where expires_at < $1 limit 1000)",
        stored(before)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

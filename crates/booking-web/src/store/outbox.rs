//! The outbox: everything that is to be sent, and how far it is. A row belongs to whoever
//! has its lease; without the lease nothing about it is changed.

use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::{PgPool, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{instant, open, stored};

/// A row that a worker has leased.
#[derive(Debug, Clone)]
pub(crate) struct Leased {
    pub(crate) id: Uuid,
    pub(crate) business: Option<Uuid>,
    pub(crate) dedupe_key: String,
    pub(crate) channel: String,
    pub(crate) kind: String,
    pub(crate) booking: Option<Uuid>,
    pub(crate) booking_version: Option<i32>,
    pub(crate) starts_at: Option<OffsetDateTime>,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) recipient: Option<String>,
    pub(crate) content: String,
    pub(crate) attempts: i32,
    /// `waiting`, or `unknown` where a send was begun and nobody knows its end.
    pub(crate) state: String,
}

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Option<Uuid>,
    /// What makes it the same message; planned twice, it is sent once.
    pub(crate) dedupe_key: &'a str,
    /// `email`, `sms` or `webhook`.
    pub(crate) channel: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) booking: Option<Uuid>,
    pub(crate) booking_version: Option<i32>,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) recipient: Option<&'a str>,
    /// What the message says beyond what its booking does, as JSON; forgotten when it is sent.
    pub(crate) content: &'a str,
    pub(crate) send_after: Timestamp,
    /// Later than this it is dropped, not sent.
    pub(crate) expires_at: Option<Timestamp>,
}

/// What becomes of a row that was tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled<'a> {
    pub(crate) state: &'a str,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) send_after: Option<Timestamp>,
    pub(crate) failures: i32,
    pub(crate) provider_id: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
}

/// Begins a transaction that sees the outbox of every business.
pub(crate) async fn begin(pool: &PgPool) -> sqlx::Result<PgTransaction<'static>> {
    let statement = "begin; select set_config('booking.worker', 'on', true)";
    open(pool, statement).await
}

/// Plans a message of a business; `false` where that key was planned before.
pub(crate) async fn plan(
    connection: &mut PgConnection,
    new: &NewMessage<'_>,
) -> sqlx::Result<bool> {
    let planned = sqlx::query!(
        "insert into outbox (id, business_id, dedupe_key, channel, kind, booking_id,
             booking_version, starts_at, recipient, content, send_after, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict on constraint outbox_dedupe_unique do nothing",
        new.id,
        new.business,
        new.dedupe_key,
        new.channel,
        new.kind,
        new.booking,
        new.booking_version,
        new.starts_at.map(stored),
        new.recipient,
        new.content,
        stored(new.send_after),
        new.expires_at.map(stored)
    )
    .execute(connection)
    .await?;
    Ok(planned.rows_affected() == 1)
}

/// Leases up to `limit` rows that are due and nobody's.
pub(crate) async fn lease_due(
    connection: &mut PgConnection,
    owner: Uuid,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> sqlx::Result<Vec<Leased>> {
    sqlx::query_as!(
        Leased,
        r#"update outbox set lease_owner = $1, lease_until = $3,
             state = case state when 'sending' then 'unknown' else state end
         where id in (
             select id from outbox
             where state in ('waiting', 'sending', 'unknown') and send_after <= $2
               and (lease_until is null or lease_until <= $2)
             order by send_after limit $4 for update skip locked)
         returning id, business_id as business, dedupe_key, channel, kind, booking_id as booking,
             booking_version, starts_at, expires_at, recipient, content, attempts, state"#,
        owner,
        stored(now),
        stored(until),
        limit
    )
    .fetch_all(connection)
    .await
}

/// Leases those of `ids` that are due and nobody's.
pub(crate) async fn lease_these(
    connection: &mut PgConnection,
    owner: Uuid,
    now: Timestamp,
    until: Timestamp,
    ids: &[Uuid],
) -> sqlx::Result<Vec<Leased>> {
    sqlx::query_as!(
        Leased,
        r#"update outbox set lease_owner = $1, lease_until = $3,
             state = case state when 'sending' then 'unknown' else state end
         where id in (
             select id from outbox
             where id = any($4) and state in ('waiting', 'sending', 'unknown')
               and send_after <= $2 and (lease_until is null or lease_until <= $2)
             for update skip locked)
         returning id, business_id as business, dedupe_key, channel, kind, booking_id as booking,
             booking_version, starts_at, expires_at, recipient, content, attempts, state"#,
        owner,
        stored(now),
        stored(until),
        ids
    )
    .fetch_all(connection)
    .await
}

/// Says that the send begins. `false` where the lease is another's by now.
pub(crate) async fn mark_sending(
    connection: &mut PgConnection,
    id: Uuid,
    owner: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let marked = sqlx::query!(
        "update outbox set state = 'sending'
         where id = $1 and lease_owner = $2 and lease_until > $3",
        id,
        owner,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Writes down what became of a row and gives its lease back. `false` where the lease is
/// another's by now. What the message said is forgotten where it is not needed any more; a
/// call says nothing about a person and may be made again.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    id: Uuid,
    owner: Uuid,
    settled: Settled<'_>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update outbox set state = $3, sent_at = $4, send_after = coalesce($5, send_after),
             attempts = attempts + $6, provider_id = coalesce($7, provider_id), reason = $8,
             content = case when $3 in ('sent', 'dropped') and channel <> 'webhook'
                 then '' else content end,
             recipient = case when kind like 'privacy.%' and $3 in ('sent', 'dropped')
                 then null else recipient end,
             lease_owner = null, lease_until = null, queued_at = null
         where id = $1 and lease_owner = $2",
        id,
        owner,
        settled.state,
        settled.sent_at.map(stored),
        settled.send_after.map(stored),
        settled.failures,
        settled.provider_id,
        settled.reason
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The ids of up to `limit` rows that are due and that were not queued since `before`.
pub(crate) async fn queue(
    connection: &mut PgConnection,
    now: Timestamp,
    before: Timestamp,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "update outbox set queued_at = $1
         where id in (
             select id from outbox
             where state in ('waiting', 'sending', 'unknown') and send_after <= $1
               and (lease_until is null or lease_until <= $1)
               and (queued_at is null or queued_at <= $2)
             order by send_after limit $3 for update skip locked)
         returning id",
        stored(now),
        stored(before),
        limit
    )
    .fetch_all(connection)
    .await
}

/// Takes the note back that rows are queued.
pub(crate) async fn not_queued(connection: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("update outbox set queued_at = null where id = any($1)", ids)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the messages about a booking that are not begun and that speak of an older
/// version than `version`.
pub(crate) async fn forget_older(
    connection: &mut PgConnection,
    booking: Uuid,
    version: i32,
) -> sqlx::Result<u64> {
    let forgotten = sqlx::query!(
        "delete from outbox where booking_id = $1 and booking_version < $2
           and channel in ('email', 'sms') and state = 'waiting' and lease_owner is null",
        booking,
        version
    )
    .execute(connection)
    .await?;
    Ok(forgotten.rows_affected())
}

/// Whether something happened to a booking after its version `version`.
pub(crate) async fn has_later_event(
    connection: &mut PgConnection,
    booking: Uuid,
    version: i32,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from outbox
             where booking_id = $1 and channel = 'event' and booking_version > $2) as "is!""#,
        booking,
        version
    )
    .fetch_one(connection)
    .await
}

/// How many rows of a kind are in a state, and since when the oldest is due.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) channel: String,
    pub(crate) kind: String,
    pub(crate) is_dead: bool,
    pub(crate) rows: i64,
    pub(crate) oldest: OffsetDateTime,
}

/// What is due and not done, and what is dead, by kind.
pub(crate) async fn tally(
    connection: &mut PgConnection,
    now: Timestamp,
) -> sqlx::Result<Vec<Tally>> {
    sqlx::query_as!(
        Tally,
        r#"select channel, kind, state = 'dead' as "is_dead!", count(*) as "rows!",
             min(send_after) as "oldest!"
         from outbox
         where (state in ('waiting', 'sending', 'unknown') and send_after <= $1)
            or state = 'dead'
         group by 1, 2, 3"#,
        stored(now)
    )
    .fetch_all(connection)
    .await
}

/// Seconds for which a row has been due.
pub(crate) fn age(oldest: OffsetDateTime, now: Timestamp) -> i64 {
    now.as_second().saturating_sub(instant(oldest).as_second())
}

//! Messages of the business in scope as its desk sees them: what waits, what was sent, and
//! what was given up, to be tried again.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A message that was given up.
#[derive(Debug, Clone)]
pub(crate) struct Dead {
    pub(crate) id: Uuid,
    pub(crate) channel: String,
    pub(crate) kind: String,
    pub(crate) recipient: Option<String>,
    pub(crate) reason: Option<String>,
    /// When it was to be sent last.
    pub(crate) at: Timestamp,
    pub(crate) booking: Option<Uuid>,
    pub(crate) customer: Option<Uuid>,
    /// Whom the booking is for, and when.
    pub(crate) name: Option<String>,
    pub(crate) start: Option<Timestamp>,
    /// Its time is over: sent now, it would speak of the past.
    pub(crate) is_late: bool,
}

/// How many messages are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) waiting: i64,
    pub(crate) sent: i64,
    pub(crate) dead: i64,
}

/// The messages that were given up, the latest first.
pub(crate) async fn dead(connection: &mut PgConnection, now: Timestamp) -> sqlx::Result<Vec<Dead>> {
    let rows = sqlx::query!(
        r#"select outbox.id, outbox.channel, outbox.kind, outbox.recipient, outbox.reason,
                outbox.send_after, outbox.booking_id, booking.starts_at as "starts_at?",
                booking.customer_id as "customer?",
                coalesce(booking.booked_name, customer.name) as name,
                coalesce(outbox.expires_at <= $1, false) as "is_late!"
         from outbox
         left join booking on booking.id = outbox.booking_id
         left join customer on customer.id = booking.customer_id
         where outbox.business_id = current_business() and outbox.state = 'dead'
         order by outbox.send_after desc, outbox.id limit 200"#,
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    let dead = rows.into_iter().map(|row| Dead {
        id: row.id,
        channel: row.channel,
        kind: row.kind,
        recipient: row.recipient,
        reason: row.reason,
        at: instant(row.send_after),
        booking: row.booking_id,
        customer: row.customer,
        name: row.name,
        start: row.starts_at.map(instant),
        is_late: row.is_late,
    });
    Ok(dead.collect())
}

/// What waits, what was sent since `since`, and what was given up. Events, which nobody
/// reads, are left out.
pub(crate) async fn counts(
    connection: &mut PgConnection,
    since: Timestamp,
) -> sqlx::Result<Counts> {
    sqlx::query_as!(
        Counts,
        r#"select (select count(*) from outbox where business_id = current_business()
                 and state in ('waiting', 'sending', 'unknown') and channel <> 'event')
                 as "waiting!",
             (select count(*) from outbox where business_id = current_business()
                 and state = 'sent' and sent_at >= $1 and channel <> 'event') as "sent!",
             (select count(*) from outbox where business_id = current_business()
                 and state = 'dead') as "dead!""#,
        stored(since)
    )
    .fetch_one(connection)
    .await
}

/// How many messages were given up.
pub(crate) async fn count_dead(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from outbox
         where business_id = current_business() and state = 'dead'"#
    )
    .fetch_one(connection)
    .await
}

/// Lets what was given up be tried again: one, or all whose time is not over. Whoever carries
/// text messages is asked first whether it was sent. Gives how many.
pub(crate) async fn try_again(
    connection: &mut PgConnection,
    one: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let again = sqlx::query!(
        "update outbox set attempts = 0,
             state = case channel when 'sms' then 'unknown' else 'waiting' end, reason = null, queued_at = null,
             send_after = $2
         where business_id = current_business() and state = 'dead'
           and ($1::uuid is null or id = $1) and (expires_at is null or expires_at > $2)",
        one,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(again.rows_affected())
}

//! Calendars at secret addresses, and what stands in them. Only the hash of an address is
//! kept.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// A calendar as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub(crate) id: Uuid,
    pub(crate) business_id: Uuid,
    /// Whose it is; the whole business's where it is nobody's.
    pub(crate) staff_id: Option<Uuid>,
    pub(crate) names: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) revoked_at: Option<OffsetDateTime>,
}

/// A visit in a calendar.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) id: Uuid,
    pub(crate) version: i32,
    pub(crate) starts_at: OffsetDateTime,
    pub(crate) ends_at: OffsetDateTime,
    pub(crate) changed_at: OffsetDateTime,
    pub(crate) service: String,
    pub(crate) staff: String,
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) customer: Option<String>,
    pub(crate) place: String,
}

/// The calendar of that hash, which the transaction must know already.
pub(crate) async fn find(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<Feed>> {
    sqlx::query_as!(
        Feed,
        "select id, business_id, staff_id, names, created_at, revoked_at
         from calendar_feed where token_hash = $1 and revoked_at is null",
        token_hash
    )
    .fetch_optional(connection)
    .await
}

/// The calendars of the business in scope, newest first.
pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Feed>> {
    sqlx::query_as!(
        Feed,
        "select id, business_id, staff_id, names, created_at, revoked_at
         from calendar_feed order by created_at desc, id desc limit 200"
    )
    .fetch_all(connection)
    .await
}

/// `false` where the business in scope has nobody of that id.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    feed: &Feed,
    token_hash: &[u8],
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into calendar_feed (id, business_id, staff_id, token_hash, names, created_at)
         select $1, $2, $3::uuid, $4, $5, $6
         where $3::uuid is null or exists (select from staff where id = $3)",
        feed.id,
        feed.business_id,
        feed.staff_id,
        token_hash,
        feed.names,
        feed.created_at
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// `false` where the business in scope has no such calendar, or has revoked it before.
pub(crate) async fn revoke(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        "update calendar_feed set revoked_at = $2 where id = $1 and revoked_at is null",
        id,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(revoked.rows_affected() == 1)
}

/// The visits that stand between two instants, of one person or of all.
pub(crate) async fn visits(
    connection: &mut PgConnection,
    staff: Option<Uuid>,
    (from, until): (Timestamp, Timestamp),
) -> sqlx::Result<Vec<Visit>> {
    sqlx::query_as!(
        Visit,
        r#"select booking.id, booking.version, booking.starts_at, booking.ends_at,
             coalesce(booking.state_since, booking.created_at) as "changed_at!",
             service.name as service, staff.name as staff, booking.customer_id,
             coalesce(booking.booked_name, customer.name) as customer,
             location.name || ', ' || location.address as "place!"
         from booking
         join service on service.id = booking.service_id
         left join customer on customer.id = booking.customer_id
         join staff on staff.id = booking.staff_id
         join location on location.id = staff.location_id
         where booking.state in ('confirmed', 'arrived', 'completed')
           and booking.starts_at >= $1 and booking.starts_at < $2
           and ($3::uuid is null or booking.staff_id = $3)
         order by booking.starts_at, booking.id limit 5000"#,
        stored(from),
        stored(until),
        staff
    )
    .fetch_all(connection)
    .await
}

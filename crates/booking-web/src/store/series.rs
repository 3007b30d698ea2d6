//! Series: visits that were booked together, each a booking of its own.

use booking::State;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::booking::Standing;
use super::{instant, stored};
use crate::appointments::Source;
use crate::language::Language;

pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    (business, zone): (Uuid, &str),
    (rule, local_start): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into series (id, business_id, rule, zone, local_start, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        rule,
        zone,
        local_start,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes a booking that was on its own the first of a series.
pub(crate) async fn join(
    connection: &mut PgConnection,
    series: Uuid,
    booking: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update booking set series_id = $1 where id = $2 and series_id is null",
        series,
        booking
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A booking that may be repeated; none where nobody has said whose it is.
pub(crate) async fn source(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Option<Source>> {
    let row = sqlx::query!(
        r#"select booking.id, booking.service_id, booking.staff_id, booking.state,
                booking.starts_at, booking.series_id, customer.id as customer_id,
                coalesce(booking.booked_name, customer.name) as "name!",
                coalesce(booking.booked_phone, customer.phone) as phone, booking.note,
                coalesce(booking.locale, customer.locale) as locale, booking.customer_zone
         from booking
         join customer on customer.id = booking.customer_id
         where booking.id = $1 and customer.erased_at is null"#,
        booking
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(Source {
            booking: row.id,
            service: row.service_id,
            staff: row.staff_id,
            state: State::parse(&row.state)?,
            start: instant(row.starts_at),
            series: row.series_id,
            customer: row.customer_id,
            name: row.name,
            phone: row.phone,
            note: row.note,
            language: row.locale.as_deref().and_then(Language::of_tag),
            time_zone: row.customer_zone,
        })
    }))
}

/// The visits of a series that are to come from `start` on, the nearest first, as
/// (booking, version).
pub(crate) async fn rest(
    connection: &mut PgConnection,
    series: Uuid,
    start: Timestamp,
) -> sqlx::Result<Vec<(Uuid, i32)>> {
    let rows = sqlx::query!(
        "select id, version from booking
         where series_id = $1 and starts_at >= $2 and state = 'confirmed'
         order by starts_at, id limit 200",
        series,
        stored(start)
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.version)).collect())
}

/// A series as it was made.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) id: Uuid,
    /// As in RFC 5545.
    pub(crate) rule: String,
    pub(crate) zone: String,
    /// The wall time of the first visit.
    pub(crate) local_start: String,
}

pub(crate) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Series>> {
    sqlx::query_as!(
        Series,
        "select id, rule, zone, local_start from series where id = $1",
        id
    )
    .fetch_optional(connection)
    .await
}

/// The series of a booking, and the start of the booking.
pub(crate) async fn of(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Option<(Uuid, Timestamp)>> {
    let row = sqlx::query!(
        "select series_id, starts_at from booking where id = $1",
        booking
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| Some((row.series_id?, instant(row.starts_at)))))
}

/// Locks the visits of a series that are to come from `start` on; gives them by their start.
pub(crate) async fn lock_rest(
    connection: &mut PgConnection,
    series: Uuid,
    start: Timestamp,
) -> sqlx::Result<Vec<Standing>> {
    // In the order of their ids, as everybody who locks several.
    let ids = sqlx::query_scalar!(
        "select id from booking
         where series_id = $1 and starts_at >= $2 and state = 'confirmed'
         order by id for update",
        series,
        stored(start)
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut rest = Vec::new();
    for id in ids {
        rest.extend(super::booking::lock(connection, id).await?);
    }
    rest.retain(|standing| standing.state == State::Confirmed);
    rest.sort_by_key(|standing| (standing.start, standing.id));
    Ok(rest)
}

/// Remembers that these were called off together, to be told of with the first of them.
pub(crate) async fn called_off_with(
    connection: &mut PgConnection,
    bookings: &[Uuid],
    first: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update booking set called_off_with = $2 where id = any($1)",
        bookings,
        first
    )
    .execute(connection)
    .await?;
    Ok(())
}

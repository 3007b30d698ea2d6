//! Bookings and their customers.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A booking as it is written.
#[derive(Debug)]
pub(crate) struct NewBooking<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) customer: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) zone: &'a str,
    pub(crate) local_start: &'a str,
    pub(crate) price_cents: i64,
    pub(crate) currency: &'a str,
    pub(crate) note: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// A booking as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Booking {
    pub(crate) id: Uuid,
    pub(crate) state: String,
    pub(crate) service_slug: String,
    pub(crate) service: String,
    pub(crate) staff: String,
    pub(crate) place: String,
    pub(crate) price_cents: i64,
    pub(crate) currency: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) zone: String,
    pub(crate) created_at: Timestamp,
}

/// What is needed to decide about a cancellation, with the row locked.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) state: String,
    pub(crate) version: i32,
    pub(crate) start: Timestamp,
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewBooking<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into booking (id, business_id, service_id, staff_id, customer_id, state,
             starts_at, ends_at, zone, local_start, price_cents, currency, note, created_at)
         values ($1, $2, $3, $4, $5, 'confirmed', $6, $7, $8, $9, $10, $11, $12, $13)",
        new.id,
        new.business,
        new.service,
        new.staff,
        new.customer,
        stored(new.start),
        stored(new.end),
        new.zone,
        new.local_start,
        new.price_cents,
        new.currency,
        new.note,
        stored(new.now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The customer of that address, with the name and number that were given last.
pub(crate) async fn customer(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    name: &str,
    email: &str,
    phone: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<Uuid> {
    sqlx::query_scalar!(
        "insert into customer (id, business_id, name, email, phone, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint customer_email_unique
         do update set name = excluded.name, phone = coalesce(excluded.phone, customer.phone)
         returning id",
        id,
        business,
        name,
        email,
        phone,
        stored(now)
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Booking>> {
    let row = sqlx::query!(
        r#"select booking.id, booking.state, booking.price_cents, booking.currency,
                booking.starts_at, booking.ends_at, booking.zone, booking.created_at,
                service.slug as service_slug, service.name as service,
                staff.name as staff, location.name || ', ' || location.address as "place!"
         from booking
         join service on service.id = booking.service_id
         join staff on staff.id = booking.staff_id
         join location on location.id = staff.location_id
         where booking.id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Booking {
        id: row.id,
        state: row.state,
        service_slug: row.service_slug,
        service: row.service,
        staff: row.staff,
        place: row.place,
        price_cents: row.price_cents,
        currency: row.currency,
        start: instant(row.starts_at),
        end: instant(row.ends_at),
        zone: row.zone,
        created_at: instant(row.created_at),
    }))
}

/// Locks a booking until the transaction ends.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Standing>> {
    let row = sqlx::query!(
        "select state, version, starts_at from booking where id = $1 for update",
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Standing {
        state: row.state,
        version: row.version,
        start: instant(row.starts_at),
    }))
}

/// Moves a booking to another state, where it is still in that version.
pub(crate) async fn change(
    connection: &mut PgConnection,
    id: Uuid,
    version: i32,
    state: &str,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update booking set state = $3, version = version + 1 where id = $1 and version = $2",
        id,
        version,
        state
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

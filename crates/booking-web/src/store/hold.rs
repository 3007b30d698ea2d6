//! Holds: bookings of which nobody has said yet whose they are, with an owner and an end.
//! Only hashes of who holds and from where are kept.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{begin_unscoped, instant, stored};
use crate::appointments::Person;
use crate::language::Language;

/// Who holds, as hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The browser, or the page that it was given where it keeps no cookies.
    pub(crate) visit: Option<[u8; 32]>,
    /// The address in the network.
    pub(crate) origin: Option<[u8; 32]>,
}

/// A time that somebody holds.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) booking: Uuid,
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) until: Timestamp,
}

/// Lets one transaction at a time count what a holder has.
pub(crate) async fn count_alone(
    connection: &mut PgConnection,
    business: Uuid,
    holder: &Holder,
) -> sqlx::Result<()> {
    // The visitor before the address, always, so that nobody waits in a circle.
    for hash in [holder.visit, holder.origin].into_iter().flatten() {
        sqlx::query!(
            "select pg_advisory_xact_lock(
                 hashtextextended($1::uuid::text || encode($2::bytea, 'hex'), 0))",
            business,
            hash.as_slice()
        )
        .fetch_one(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Lets one transaction at a time give one time of a business back and take another: two
/// that want each other's would wait for each other.
pub(crate) async fn move_alone(connection: &mut PgConnection, business: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('move' || $1::uuid::text, 0))",
        business
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Makes a hold of a booking that was just written.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    booking: Uuid,
    holder: &Holder,
) -> sqlx::Result<()> {
    let (visit, origin) = (holder.visit.as_ref(), holder.origin.as_ref());
    sqlx::query!(
        "update booking set hold_owner = $2, hold_origin = $3 where id = $1",
        booking,
        visit.map(<[u8; 32]>::as_slice),
        origin.map(<[u8; 32]>::as_slice)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives the claims of a booking another end, or none.
pub(crate) async fn set_end(
    connection: &mut PgConnection,
    booking: Uuid,
    until: Option<Timestamp>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update claim set hold_until = $2 where booking_id = $1 and active",
        booking,
        until.map(stored)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Extends a hold that was not extended before.
pub(crate) async fn extend(
    connection: &mut PgConnection,
    booking: Uuid,
    version: i32,
    until: Timestamp,
) -> sqlx::Result<bool> {
    let extended = sqlx::query!(
        "update booking set hold_until = $3, hold_extended = true, version = version + 1
         where id = $1 and version = $2 and state = 'held' and not hold_extended",
        booking,
        version,
        stored(until)
    )
    .execute(&mut *connection)
    .await?;
    if extended.rows_affected() == 0 {
        return Ok(false);
    }
    set_end(connection, booking, Some(until)).await?;
    Ok(true)
}

/// Writes whose a held booking is.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    booking: Uuid,
    customer: Uuid,
    person: Person<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update booking set customer_id = $2, booked_name = $3, booked_phone = $4, note = $5,
             locale = coalesce($6, locale), customer_zone = $7, hold_owner = null, hold_origin = null
         where id = $1",
        booking,
        customer,
        person.name,
        person.phone,
        person.note,
        person.language.map(Language::tag),
        person.time_zone
    )
    .execute(&mut *connection)
    .await?;
    set_end(connection, booking, None).await
}

/// What a visitor holds at the business in scope, whether it has run out or not.
pub(crate) async fn of_visit(
    connection: &mut PgConnection,
    visit: &[u8; 32],
) -> sqlx::Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"select id, service_id, staff_id, starts_at, hold_until as "hold_until!" from booking
         where state = 'held' and hold_owner = $1 order by id"#,
        visit.as_slice()
    )
    .fetch_all(connection)
    .await?;
    let held = rows.into_iter().map(|row| Held {
        booking: row.id,
        service: row.service_id,
        staff: row.staff_id,
        start: instant(row.starts_at),
        until: instant(row.hold_until),
    });
    Ok(held.collect())
}

/// A hold of the business in scope.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Option<Held>> {
    let row = sqlx::query!(
        r#"select id, service_id, staff_id, starts_at, hold_until as "hold_until!" from booking
         where state = 'held' and id = $1"#,
        booking
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Held {
        booking: row.id,
        service: row.service_id,
        staff: row.staff_id,
        start: instant(row.starts_at),
        until: instant(row.hold_until),
    }))
}

/// The lanes that are taken for a booking, or for the class in which it has a seat.
pub(crate) async fn lanes(connection: &mut PgConnection, booking: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"select lane_id as "lane!" from claim where booking_id = $1 and active
         union
         select claim.lane_id from seat
         join claim on claim.class_id = seat.class_id and claim.active
         where seat.booking_id = $1 and seat.is_active"#,
        booking
    )
    .fetch_all(connection)
    .await
}

/// How many times are held from an address at the business in scope.
pub(crate) async fn count_of_origin(
    connection: &mut PgConnection,
    origin: &[u8; 32],
    now: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from booking
         where state = 'held' and hold_until > $2 and hold_origin = $1"#,
        origin.as_slice(),
        stored(now)
    )
    .fetch_one(connection)
    .await
}

/// The bookings whose hold has run out, of visits between two instants.
pub(crate) async fn run_out_within(
    connection: &mut PgConnection,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from booking
         where state = 'held' and hold_until <= $3 and starts_at < $2 and ends_at > $1
         order by id",
        stored(from),
        stored(to),
        stored(now)
    )
    .fetch_all(connection)
    .await
}

/// The businesses in which a hold has run out.
pub(crate) async fn businesses_to_sweep(pool: &PgPool, now: Timestamp) -> sqlx::Result<Vec<Uuid>> {
    let mut transaction = begin_unscoped(pool).await?;
    sqlx::query!("select set_config('booking.sweeper', 'on', true)")
        .fetch_one(&mut *transaction)
        .await?;
    let businesses = sqlx::query_scalar!(
        "select distinct business_id from booking where state = 'held' and hold_until <= $1",
        stored(now)
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.rollback().await?;
    Ok(businesses)
}

/// Locks some holds of the business in scope that have run out, and that nobody else is
/// about to change.
pub(crate) async fn to_sweep(
    connection: &mut PgConnection,
    now: Timestamp,
    count: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from booking where state = 'held' and hold_until <= $1
         order by id limit $2 for update skip locked",
        stored(now),
        count
    )
    .fetch_all(connection)
    .await
}

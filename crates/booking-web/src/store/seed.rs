//! What the demonstration writes: businesses, their hours and people, and bookings.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// Held by whoever plants the demonstration, so that two do not at once.
const PLANTING: i64 = 4_120_551;

/// Lets one transaction at a time go on.
pub(crate) async fn lock(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", PLANTING)
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// A business with its place.
#[derive(Debug)]
pub(crate) struct NewBusiness<'a> {
    pub(crate) id: Uuid,
    pub(crate) location: Uuid,
    pub(crate) slug: &'a str,
    pub(crate) name: &'a str,
    pub(crate) about: Option<&'a str>,
    pub(crate) zone: &'a str,
    pub(crate) cancel_limit_minutes: i32,
    pub(crate) place: &'a str,
    pub(crate) address: &'a str,
    pub(crate) now: Timestamp,
}

/// The business must be in scope already.
pub(crate) async fn business(
    connection: &mut PgConnection,
    new: &NewBusiness<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into business
             (id, slug, name, about, zone, currency, cancel_limit_minutes, created_at)
         values ($1, $2, $3, $4, $5, 'ZAR', $6, $7)",
        new.id,
        new.slug,
        new.name,
        new.about,
        new.zone,
        new.cancel_limit_minutes,
        stored(new.now)
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into location (id, business_id, name, address) values ($1, $2, $3, $4)",
        new.location,
        new.id,
        new.place,
        new.address
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody with a lane.
pub(crate) async fn staff(
    connection: &mut PgConnection,
    business: Uuid,
    location: Uuid,
    (staff, lane): (Uuid, Uuid),
    name: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into lane (id, business_id, kind) values ($1, $2, 'person')",
        lane,
        business
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into staff (id, business_id, location_id, lane_id, name)
         values ($1, $2, $3, $4, $5)",
        staff,
        business,
        location,
        lane,
        name
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Hours of a lane on one weekday, in minutes since midnight.
pub(crate) async fn opening(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    lane: Uuid,
    weekday: i16,
    (opens, closes): (i16, i16),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into opening (id, business_id, lane_id, weekday, opens, closes)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        lane,
        weekday,
        opens,
        closes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What can be booked.
#[derive(Debug)]
pub(crate) struct NewService<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) slug: &'a str,
    pub(crate) name: &'a str,
    pub(crate) about: Option<&'a str>,
    pub(crate) duration_minutes: i32,
    pub(crate) after_minutes: i32,
    pub(crate) step_minutes: i32,
    pub(crate) notice_minutes: i32,
    pub(crate) horizon_days: i32,
    pub(crate) price_cents: i64,
    pub(crate) capacity: i32,
    pub(crate) only_planned: bool,
}

pub(crate) async fn service(
    connection: &mut PgConnection,
    new: &NewService<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into service (id, business_id, slug, name, about, duration_minutes,
             after_minutes, step_minutes, notice_minutes, horizon_days, price_cents, capacity,
             only_planned)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        new.id,
        new.business,
        new.slug,
        new.name,
        new.about,
        new.duration_minutes,
        new.after_minutes,
        new.step_minutes,
        new.notice_minutes,
        new.horizon_days,
        new.price_cents,
        new.capacity,
        new.only_planned
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that somebody gives a service.
pub(crate) async fn gives(
    connection: &mut PgConnection,
    business: Uuid,
    service: Uuid,
    staff: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into service_staff (business_id, service_id, staff_id) values ($1, $2, $3)",
        business,
        service,
        staff
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Rooms or devices, by their ids and names.
pub(crate) async fn pool(
    connection: &mut PgConnection,
    business: Uuid,
    location: Uuid,
    (id, name, kind): (Uuid, &str, &str),
    units: &[(Uuid, &str)],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into pool (id, business_id, location_id, name) values ($1, $2, $3, $4)",
        id,
        business,
        location,
        name
    )
    .execute(&mut *connection)
    .await?;
    for (lane, name) in units {
        sqlx::query!(
            "insert into lane (id, business_id, kind, pool_id, name) values ($1, $2, $3, $4, $5)",
            lane,
            business,
            kind,
            id,
            name
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Says that a service needs one of a pool, all the time or for these minutes.
pub(crate) async fn needs(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    (service, pool): (Uuid, Uuid),
    part: Option<(i32, i32)>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into service_need
             (id, business_id, service_id, pool_id, from_minutes, to_minutes)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        service,
        pool,
        part.map(|(from, _)| from),
        part.map(|(_, to)| to)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A date on which a lane has other hours.
pub(crate) async fn lane_exception(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    lane: Uuid,
    date: time::Date,
    (opens, closes): (i16, i16),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into opening_exception (id, business_id, lane_id, date, opens, closes)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        lane,
        date,
        opens,
        closes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A date on which a whole location has other hours.
pub(crate) async fn location_exception(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    location: Uuid,
    date: time::Date,
    (opens, closes): (i16, i16),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into location_exception (id, business_id, location_id, date, opens, closes)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        location,
        date,
        opens,
        closes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that a business is open on a public holiday.
pub(crate) async fn open_on_holiday(
    connection: &mut PgConnection,
    business: Uuid,
    date: time::Date,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into holiday_choice (business_id, date, is_closed) values ($1, $2, false)",
        business,
        date
    )
    .execute(connection)
    .await?;
    Ok(())
}

//! What the business in scope offers, as the desk changes it: services with those who give
//! them, and staff. What is given up stays, since bookings speak of it.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::stored;

/// A service as the desk sees it.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) duration_minutes: i32,
    pub(crate) before_minutes: i32,
    pub(crate) after_minutes: i32,
    pub(crate) step_minutes: i32,
    pub(crate) notice_minutes: i32,
    pub(crate) horizon_days: i32,
    pub(crate) price_cents: i64,
    pub(crate) capacity: i32,
    pub(crate) day_max: Option<i16>,
    pub(crate) week_max: Option<i16>,
    pub(crate) is_active: bool,
    /// Bookings that are still to come.
    pub(crate) ahead: i64,
}

/// What is to be kept of a service.
#[derive(Debug, Clone)]
pub(crate) struct Details<'a> {
    pub(crate) name: &'a str,
    pub(crate) about: Option<&'a str>,
    pub(crate) duration_minutes: i32,
    pub(crate) before_minutes: i32,
    pub(crate) after_minutes: i32,
    pub(crate) step_minutes: i32,
    pub(crate) notice_minutes: i32,
    pub(crate) horizon_days: i32,
    pub(crate) price_cents: i64,
    pub(crate) capacity: i32,
    /// How many may book it in a day and in a week.
    pub(crate) limits: (Option<i16>, Option<i16>),
}

/// Every service, those that are given up last.
pub(crate) async fn services(
    connection: &mut PgConnection,
    now: Timestamp,
) -> sqlx::Result<Vec<Service>> {
    sqlx::query_as!(
        Service,
        r#"select id, slug, name, about, duration_minutes, before_minutes, after_minutes,
                step_minutes, notice_minutes, horizon_days, price_cents, capacity, is_active,
                day_max, week_max,
                coalesce(ahead.bookings, 0) as "ahead!"
         from service left join (select service_id, count(*) as bookings from booking
             where starts_at > $1 and state in ('confirmed', 'arrived')
             group by service_id) as ahead on ahead.service_id = service.id
         order by is_active desc, name, id limit 500"#,
        stored(now)
    )
    .fetch_all(connection)
    .await
}

/// Keeps others from changing a service until the transaction ends; bookings of it go on.
pub(crate) async fn lock_service(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("select from service where id = $1 for no key update", id)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// One service.
pub(crate) async fn service(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<Service>> {
    sqlx::query_as!(
        Service,
        r#"select id, slug, name, about, duration_minutes, before_minutes, after_minutes,
                step_minutes, notice_minutes, horizon_days, price_cents, capacity, is_active,
                day_max, week_max,
                (select count(*) from booking where booking.service_id = service.id
                   and booking.starts_at > $2
                   and booking.state in ('confirmed', 'arrived')) as "ahead!"
         from service where id = $1"#,
        id,
        stored(now)
    )
    .fetch_optional(connection)
    .await
}

/// Whether an address is free for a service; the one of the page about privacy never is.
pub(crate) async fn is_slug_free(connection: &mut PgConnection, slug: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select $1 <> 'privacy'
             and not exists (select from service where slug = $1) as "is!""#,
        slug
    )
    .fetch_one(connection)
    .await
}

/// `false` where somebody else has taken the address.
pub(crate) async fn insert_service(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    slug: &str,
    details: &Details<'_>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into service (id, business_id, slug, name, about, duration_minutes,
             before_minutes, after_minutes, step_minutes, notice_minutes, horizon_days,
             price_cents, capacity, day_max, week_max)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict on constraint service_slug_unique do nothing",
        id,
        business,
        slug,
        details.name,
        details.about,
        details.duration_minutes,
        details.before_minutes,
        details.after_minutes,
        details.step_minutes,
        details.notice_minutes,
        details.horizon_days,
        details.price_cents,
        details.capacity,
        details.limits.0,
        details.limits.1
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Changes a service for what is booked from now on; what is booked stays as it was.
pub(crate) async fn update_service(
    connection: &mut PgConnection,
    id: Uuid,
    details: &Details<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update service set name = $2, about = $3, duration_minutes = $4, before_minutes = $5,
             after_minutes = $6, step_minutes = $7, notice_minutes = $8, horizon_days = $9,
             price_cents = $10, capacity = $11, day_max = $12, week_max = $13
         where id = $1",
        id,
        details.name,
        details.about,
        details.duration_minutes,
        details.before_minutes,
        details.after_minutes,
        details.step_minutes,
        details.notice_minutes,
        details.horizon_days,
        details.price_cents,
        details.capacity,
        details.limits.0,
        details.limits.1
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a service up, or offers it again.
pub(crate) async fn offer_service(
    connection: &mut PgConnection,
    id: Uuid,
    is_active: bool,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update service set is_active = $2 where id = $1",
        id,
        is_active
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Who gives what, as (service, staff).
pub(crate) async fn given(connection: &mut PgConnection) -> sqlx::Result<Vec<(Uuid, Uuid)>> {
    let rows = sqlx::query!("select service_id, staff_id from service_staff")
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.service_id, row.staff_id))
        .collect())
}

/// Says anew who gives a service. The lanes of all who are concerned have changed.
pub(crate) async fn set_givers(
    connection: &mut PgConnection,
    business: Uuid,
    service: Uuid,
    staff: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from service_staff where service_id = $1 and staff_id <> all($2)",
        service,
        staff
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into service_staff (business_id, service_id, staff_id)
         select $1, $2, id from staff where id = any($3)
         on conflict on constraint service_staff_pkey do nothing",
        business,
        service,
        staff
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says anew which services somebody gives.
pub(crate) async fn set_given(
    connection: &mut PgConnection,
    business: Uuid,
    staff: Uuid,
    services: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from service_staff where staff_id = $1 and service_id <> all($2)",
        staff,
        services
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into service_staff (business_id, service_id, staff_id)
         select $1, id, $2 from service where id = any($3)
         on conflict on constraint service_staff_pkey do nothing",
        business,
        staff,
        services
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody with a calendar, as the desk sees them.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    pub(crate) id: Uuid,
    pub(crate) lane: Uuid,
    pub(crate) location: Uuid,
    pub(crate) name: String,
    /// How many may be booked with them in a day and in a week.
    pub(crate) day_max: Option<i16>,
    pub(crate) week_max: Option<i16>,
    pub(crate) is_active: bool,
    /// Bookings that are still to come.
    pub(crate) ahead: i64,
}

/// Everybody, those who have left last.
pub(crate) async fn staff(
    connection: &mut PgConnection,
    now: Timestamp,
) -> sqlx::Result<Vec<Staff>> {
    sqlx::query_as!(
        Staff,
        r#"select id, lane_id as lane, location_id as location, name, is_active,
                day_max, week_max,
                coalesce(ahead.bookings, 0) as "ahead!"
         from staff left join (select staff_id, count(*) as bookings from booking
             where starts_at > $1 and state in ('confirmed', 'arrived')
             group by staff_id) as ahead on ahead.staff_id = staff.id
         order by is_active desc, name, id limit 500"#,
        stored(now)
    )
    .fetch_all(connection)
    .await
}

/// Keeps others from changing somebody until the transaction ends; bookings go on.
pub(crate) async fn lock_staff(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("select from staff where id = $1 for no key update", id)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// Somebody of the staff.
pub(crate) async fn person(
    connection: &mut PgConnection,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<Staff>> {
    sqlx::query_as!(
        Staff,
        r#"select id, lane_id as lane, location_id as location, name, is_active,
                day_max, week_max,
                (select count(*) from booking where booking.staff_id = staff.id
                   and booking.starts_at > $2
                   and booking.state in ('confirmed', 'arrived')) as "ahead!"
         from staff where id = $1"#,
        id,
        stored(now)
    )
    .fetch_optional(connection)
    .await
}

pub(crate) async fn rename_staff(
    connection: &mut PgConnection,
    id: Uuid,
    name: &str,
    location: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update staff set name = $2, location_id = $3 where id = $1",
        id,
        name,
        location
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says how many may be booked with somebody in a day and in a week.
pub(crate) async fn limit_staff(
    connection: &mut PgConnection,
    id: Uuid,
    (day, week): (Option<i16>, Option<i16>),
) -> sqlx::Result<()> {
    sqlx::query!(
        "update staff set day_max = $2, week_max = $3
         where id = $1 and (day_max, week_max) is distinct from ($2, $3)",
        id,
        day,
        week
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that somebody has left, or is back. Their bookings stay.
pub(crate) async fn employ(
    connection: &mut PgConnection,
    id: Uuid,
    is_active: bool,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "update staff set is_active = $2 where id = $1",
        id,
        is_active
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// The places of the business, by their ids.
pub(crate) async fn locations(connection: &mut PgConnection) -> sqlx::Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!("select id, name from location order by name, id limit 100")
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

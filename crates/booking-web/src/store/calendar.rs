//! What is in the calendars of the business in scope: who has one, their visits, and when
//! they are away. Only reads.

use booking::State;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// Somebody with a calendar.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) staff: Uuid,
    pub(crate) lane: Uuid,
    pub(crate) location: Uuid,
    pub(crate) name: String,
    pub(crate) is_active: bool,
}

/// A booking as a calendar shows it.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) id: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) state: State,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) service: String,
    pub(crate) customer: Option<Uuid>,
    /// Whoever comes; none while a time is only held.
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
}

/// When somebody, or a room, cannot be had.
#[derive(Debug, Clone)]
pub(crate) struct Away {
    pub(crate) lane: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) reason: String,
}

/// Everybody who has a calendar, also whoever has left.
pub(crate) async fn people(connection: &mut PgConnection) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as!(
        Person,
        "select id as staff, lane_id as lane, location_id as location, name, is_active
         from staff order by name, id limit 500"
    )
    .fetch_all(connection)
    .await
}

/// What takes place, or took place, between two instants: all of it, or that of one person.
pub(crate) async fn visits(
    connection: &mut PgConnection,
    staff: Option<Uuid>,
    from: Timestamp,
    to: Timestamp,
) -> sqlx::Result<Vec<Visit>> {
    let rows = sqlx::query!(
        r#"select booking.id, booking.staff_id, booking.state, booking.starts_at,
                booking.ends_at, service.name as service, booking.customer_id,
                coalesce(booking.booked_name, customer.name) as name,
                coalesce(booking.booked_phone, customer.phone) as phone
         from booking
         join service on service.id = booking.service_id
         left join customer on customer.id = booking.customer_id
         where booking.starts_at < $3 and booking.starts_at > $2::timestamptz - interval '1 day'
           and booking.ends_at > $2
           and booking.state in ('held', 'confirmed', 'arrived', 'completed', 'no_show')
           and ($1::uuid is null or booking.staff_id = $1)
         order by booking.starts_at, name, booking.id limit 5000"#,
        staff,
        stored(from),
        stored(to)
    )
    .fetch_all(connection)
    .await?;
    let visit = rows.into_iter().filter_map(|row| {
        Some(Visit {
            id: row.id,
            staff: row.staff_id,
            state: State::parse(&row.state)?,
            start: instant(row.starts_at),
            end: instant(row.ends_at),
            service: row.service,
            customer: row.customer_id,
            name: row.name,
            phone: row.phone,
        })
    });
    Ok(visit.collect())
}

/// Who or what is away between two instants.
pub(crate) async fn away(
    connection: &mut PgConnection,
    from: Timestamp,
    to: Timestamp,
) -> sqlx::Result<Vec<Away>> {
    let rows = sqlx::query!(
        "select lane_id, starts_at, ends_at, reason from block
         where is_active and starts_at < $2 and ends_at > $1
         order by starts_at, id limit 5000",
        stored(from),
        stored(to)
    )
    .fetch_all(connection)
    .await?;
    let away = rows.into_iter().map(|row| Away {
        lane: row.lane_id,
        start: instant(row.starts_at),
        end: instant(row.ends_at),
        reason: row.reason,
    });
    Ok(away.collect())
}

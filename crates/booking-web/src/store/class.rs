//! Classes and who sits in them. The count of seats never leaves what the class holds: a
//! constraint says so.

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A class that takes place.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) id: Uuid,
    pub(crate) staff_id: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) seats_left: i32,
}

/// A class as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewClass {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) capacity: i32,
    /// Whether it takes place also while nobody sits in it.
    pub(crate) is_planned: bool,
}

/// A class that lost a seat.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) class: Uuid,
    pub(crate) lane: Uuid,
    /// Nobody sits in it any more, and nobody planned it.
    pub(crate) is_over: bool,
}

/// The classes of a service that begin between two instants, the fuller ones first.
pub(crate) async fn between(
    connection: &mut PgConnection,
    service: Uuid,
    from: Timestamp,
    to: Timestamp,
) -> sqlx::Result<Vec<Class>> {
    let rows = sqlx::query!(
        r#"select id, staff_id, starts_at, capacity - taken as "seats_left!" from class
         where service_id = $1 and is_active and starts_at >= $2 and starts_at < $3
         order by starts_at, capacity - taken, id"#,
        service,
        stored(from),
        stored(to)
    )
    .fetch_all(connection)
    .await?;
    let class = |row| {
        let (id, staff_id, start, seats_left) = row;
        Class {
            id,
            staff_id,
            start: instant(start),
            seats_left,
        }
    };
    let rows = rows.into_iter();
    let rows = rows.map(|r| (r.id, r.staff_id, r.starts_at, r.seats_left));
    Ok(rows.map(class).collect())
}

pub(crate) async fn insert(connection: &mut PgConnection, new: NewClass) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into class
             (id, business_id, service_id, staff_id, starts_at, capacity, is_planned)
         values ($1, $2, $3, $4, $5, $6, $7)",
        new.id,
        new.business,
        new.service,
        new.staff,
        stored(new.start),
        new.capacity,
        new.is_planned
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a seat for a booking. `false` where none is left, or the class is over.
pub(crate) async fn take_seat(
    connection: &mut PgConnection,
    id: Uuid,
    class: Uuid,
    booking: Uuid,
) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        "with counted as (
             update class set taken = taken + 1
             where id = $2 and is_active and taken < capacity
             returning business_id)
         insert into seat (id, business_id, class_id, booking_id)
         select $1, business_id, $2, $3 from counted",
        id,
        class,
        booking
    )
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives the seat of a booking back. A class that nobody planned ends with its last seat.
pub(crate) async fn leave(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Option<Left>> {
    let left = sqlx::query!(
        r#"with freed as (
             update seat set is_active = false where booking_id = $1 and is_active
             returning class_id)
         update class
         set taken = taken - 1, is_active = is_planned or taken > 1
         from freed, staff
         where class.id = freed.class_id and staff.id = class.staff_id
         returning class.id, staff.lane_id, not class.is_active as "is_over!""#,
        booking
    )
    .fetch_optional(connection)
    .await?;
    Ok(left.map(|left| Left {
        class: left.id,
        lane: left.lane_id,
        is_over: left.is_over,
    }))
}

//! Visits whose time on the wall is no longer at the instant that is stored, as the rules of a
//! zone have changed, and moving what was claimed for them.

use booking::Span;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A visit that is to come, with the time on the wall that was promised.
#[derive(Debug, Clone)]
pub(crate) struct Promised {
    pub(crate) booking: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) zone: String,
    pub(crate) local_start: String,
    /// The class in which it has a seat.
    pub(crate) class: Option<Uuid>,
}

/// What is claimed for a booking or for a class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed {
    pub(crate) id: Uuid,
    pub(crate) lane: Uuid,
    pub(crate) of: Uuid,
    pub(crate) during: Span,
}

/// The visits of the business in scope that are to come.
pub(crate) async fn promised(
    connection: &mut PgConnection,
    now: Timestamp,
) -> sqlx::Result<Vec<Promised>> {
    let rows = sqlx::query!(
        r#"select booking.id, booking.starts_at, booking.zone, booking.local_start,
                seat.class_id as "class?"
         from booking
         left join seat on seat.booking_id = booking.id and seat.is_active
         where booking.business_id = current_business() and booking.starts_at > $1
           and booking.state in ('held', 'confirmed')
         order by booking.id for update of booking"#,
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    let promised = rows.into_iter().map(|row| Promised {
        booking: row.id,
        start: instant(row.starts_at),
        zone: row.zone,
        local_start: row.local_start,
        class: row.class,
    });
    Ok(promised.collect())
}

/// Gives back what is claimed for bookings and classes, and says what it was.
pub(crate) async fn give_back(
    connection: &mut PgConnection,
    of: &[Uuid],
) -> sqlx::Result<Vec<Claimed>> {
    let rows = sqlx::query!(
        r#"update claim set active = false
         where active and (booking_id = any($1) or class_id = any($1))
         returning id, lane_id, coalesce(booking_id, class_id) as "of!",
             lower(during) as "start!", upper(during) as "end!""#,
        of
    )
    .fetch_all(connection)
    .await?;
    let claimed = rows.into_iter().filter_map(|row| {
        Some(Claimed {
            id: row.id,
            lane: row.lane_id,
            of: row.of,
            during: Span::new(instant(row.start), instant(row.end))?,
        })
    });
    Ok(claimed.collect())
}

/// Claims again what was given back, so much later. An error of the exclusion constraint where
/// somebody else has the time.
pub(crate) async fn claim_later(
    connection: &mut PgConnection,
    claimed: &Claimed,
    by: SignedDuration,
) -> sqlx::Result<()> {
    let later = |at: Timestamp| stored(at.saturating_add(by).unwrap_or(at));
    sqlx::query!(
        "update claim set active = true, during = tstzrange($2, $3, '[)') where id = $1",
        claimed.id,
        later(claimed.during.start()),
        later(claimed.during.end())
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves a class to another instant.
pub(crate) async fn move_class(
    connection: &mut PgConnection,
    class: Uuid,
    start: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update class set starts_at = $2 where id = $1",
        class,
        stored(start)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every business, by its id and its address.
pub(crate) async fn businesses(connection: &mut PgConnection) -> sqlx::Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!("select id, slug from business order by slug")
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.slug)).collect())
}

//! What counts towards the limits of a day and a week. A time that is held counts until it
//! has run out.

use booking::Span;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A visit that stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) start: Timestamp,
}

/// The visits that stand and begin within a span, of a service or with one of the staff.
pub(crate) async fn standing(
    connection: &mut PgConnection,
    service: Option<Uuid>,
    staff: &[Uuid],
    within: Span,
    now: Timestamp,
) -> sqlx::Result<Vec<Standing>> {
    let rows = sqlx::query!(
        "select service_id, staff_id, starts_at from booking
         where business_id = current_business() and starts_at >= $3 and starts_at < $4
           and (service_id = $1 or staff_id = any($2))
           and state not in ('expired', 'cancelled_by_customer', 'cancelled_by_business')
           and (state <> 'held' or hold_until > $5)",
        service,
        staff,
        stored(within.start()),
        stored(within.end()),
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    let standing = rows.into_iter().map(|row| Standing {
        service: row.service_id,
        staff: row.staff_id,
        start: instant(row.starts_at),
    });
    Ok(standing.collect())
}

/// Lets one transaction at a time count towards the limits of a service or of somebody in
/// the week that begins on `monday`.
pub(crate) async fn count_alone(
    connection: &mut PgConnection,
    of: Uuid,
    monday: Date,
) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(
             hashtextextended('limit' || current_business()::text || $1::uuid::text || $2, 0))",
        of,
        monday.to_string()
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// How many visits other than `booking` stand within a day and within its week, of a service
/// or with somebody.
pub(crate) async fn others(
    connection: &mut PgConnection,
    of: Uuid,
    booking: Uuid,
    (day, week): (Span, Span),
    now: Timestamp,
) -> sqlx::Result<(i64, i64)> {
    let counted = sqlx::query!(
        r#"select count(*) filter (where starts_at >= $3 and starts_at < $4) as "day!",
                count(*) as "week!"
         from booking
         where business_id = current_business() and starts_at >= $5 and starts_at < $6
           and (service_id = $1 or staff_id = $1) and id <> $2
           and state not in ('expired', 'cancelled_by_customer', 'cancelled_by_business')
           and (state <> 'held' or hold_until > $7)"#,
        of,
        booking,
        stored(day.start()),
        stored(day.end()),
        stored(week.start()),
        stored(week.end()),
        stored(now)
    )
    .fetch_one(connection)
    .await?;
    Ok((counted.day, counted.week))
}

/// The limits of somebody, by day and by week.
pub(crate) async fn of_staff(
    connection: &mut PgConnection,
    staff: Uuid,
) -> sqlx::Result<(Option<i16>, Option<i16>)> {
    let row = sqlx::query!("select day_max, week_max from staff where id = $1", staff)
        .fetch_optional(connection)
        .await?;
    Ok(row.map_or((None, None), |row| (row.day_max, row.week_max)))
}

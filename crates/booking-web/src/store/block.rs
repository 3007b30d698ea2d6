//! Time off: when somebody is away, or a room is closed. Its claims cover what no booking
//! has; a booking that stays keeps its own.

use booking::Span;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A piece of time off as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewBlock<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) lane: Uuid,
    pub(crate) during: Span,
    /// leave, sick, training, closed or other.
    pub(crate) reason: &'a str,
    pub(crate) now: Timestamp,
}

/// A booking that time off would hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) booking: Uuid,
    pub(crate) version: i32,
    /// Whether somebody has only chosen the time and not said yet who they are.
    pub(crate) is_held: bool,
    /// None while it is only held.
    pub(crate) customer: Option<Uuid>,
    pub(crate) service_id: Uuid,
    pub(crate) service: String,
    /// The name that it was booked in; none while it is only held.
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// Time off that is not over.
#[derive(Debug, Clone)]
pub(crate) struct Ahead {
    pub(crate) id: Uuid,
    pub(crate) staff: String,
    pub(crate) reason: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

pub(crate) async fn insert(connection: &mut PgConnection, new: &NewBlock<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into block (id, business_id, lane_id, starts_at, ends_at, reason, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        new.id,
        new.business,
        new.lane,
        stored(new.during.start()),
        stored(new.during.end()),
        new.reason,
        stored(new.now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What of `during` on `lane` nobody has claimed.
pub(crate) async fn gaps(
    connection: &mut PgConnection,
    lane: Uuid,
    during: Span,
) -> sqlx::Result<Vec<Span>> {
    let rows = sqlx::query!(
        r#"select lower(gap) as "start!", upper(gap) as "end!"
         from unnest(tstzmultirange(tstzrange($2, $3, '[)')) - coalesce(
             (select range_agg(during) from claim
              where active and lane_id = $1 and ends_at > $2 and starts_at < $3),
             '{}'::tstzmultirange)) as gap"#,
        lane,
        stored(during.start()),
        stored(during.end())
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Span::new(instant(row.start), instant(row.end)))
        .collect())
}

/// Takes a piece of `lane` for a block. `false` where somebody has it.
pub(crate) async fn take(
    connection: &mut PgConnection,
    id: Uuid,
    (business, block, lane): (Uuid, Uuid, Uuid),
    during: Span,
) -> sqlx::Result<bool> {
    let taken = sqlx::query_scalar!(
        "insert into claim (id, business_id, lane_id, block_id, during)
         values ($1, $2, $3, $4, tstzrange($5, $6, '[)'))
         on conflict do nothing
         returning id",
        id,
        business,
        lane,
        block,
        stored(during.start()),
        stored(during.end())
    )
    .fetch_optional(connection)
    .await?;
    Ok(taken.is_some())
}

/// The blocks of `lane` that reach into `during`, as (id, the part within).
pub(crate) async fn within(
    connection: &mut PgConnection,
    lane: Uuid,
    during: Span,
) -> sqlx::Result<Vec<(Uuid, Span)>> {
    let rows = sqlx::query!(
        r#"select id, greatest(starts_at, $2) as "start!", least(ends_at, $3) as "end!"
         from block where is_active and lane_id = $1 and starts_at < $3 and ends_at > $2
         order by starts_at, id"#,
        lane,
        stored(during.start()),
        stored(during.end())
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|r| Some((r.id, Span::new(instant(r.start), instant(r.end))?)))
        .collect())
}

/// The bookings that are to come, and for which `lane` is taken within `during`. The classes
/// among them are locked: nobody sits down until the transaction ends.
pub(crate) async fn hits(
    connection: &mut PgConnection,
    lane: Uuid,
    during: Span,
    now: Timestamp,
) -> sqlx::Result<Vec<Hit>> {
    sqlx::query!(
        "select id from class where id in (
             select class_id from claim
             where active and lane_id = $1 and ends_at > $2 and starts_at < $3)
         order by id for update",
        lane,
        stored(during.start()),
        stored(during.end())
    )
    .fetch_all(&mut *connection)
    .await?;
    let rows = sqlx::query!(
        r#"select booking.id, booking.version, booking.state = 'held' as "is_held!",
                booking.customer_id, booking.service_id, service.name as service,
                coalesce(booking.booked_name, customer.name) as name,
                coalesce(booking.booked_phone, customer.phone) as phone,
                booking.starts_at, booking.ends_at
         from claim
         left join seat on seat.class_id = claim.class_id and seat.is_active
         join booking on booking.id = coalesce(claim.booking_id, seat.booking_id)
         join service on service.id = booking.service_id
         left join customer on customer.id = booking.customer_id
         where claim.active and claim.lane_id = $1
           and claim.ends_at > $2 and claim.starts_at < $3
           and (claim.hold_until is null or claim.hold_until > $4)
           and booking.state in ('held', 'confirmed')
         order by booking.starts_at, booking.id"#,
        lane,
        stored(during.start()),
        stored(during.end()),
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    let hits = rows.into_iter().map(|row| Hit {
        booking: row.id,
        version: row.version,
        is_held: row.is_held,
        customer: row.customer_id,
        service_id: row.service_id,
        service: row.service,
        name: row.name,
        phone: row.phone,
        start: instant(row.starts_at),
        end: instant(row.ends_at),
    });
    Ok(hits.collect())
}

/// The time off that is not over at `now`, of everybody or of one person.
pub(crate) async fn ahead(
    connection: &mut PgConnection,
    staff: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<Vec<Ahead>> {
    let rows = sqlx::query!(
        "select block.id, staff.name as staff, block.reason, block.starts_at, block.ends_at
         from block join staff on staff.lane_id = block.lane_id
         where block.is_active and block.ends_at > $2 and ($1::uuid is null or staff.id = $1)
         order by block.starts_at, block.id limit 200",
        staff,
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    let ahead = rows.into_iter().map(|row| Ahead {
        id: row.id,
        staff: row.staff,
        reason: row.reason,
        start: instant(row.starts_at),
        end: instant(row.ends_at),
    });
    Ok(ahead.collect())
}

/// Ends a block of one of the staff and frees what it had claimed. Gives whose it was, as
/// (staff, lane); none where it had ended.
pub(crate) async fn end(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<(Uuid, Uuid)>> {
    let ended = sqlx::query!(
        "update block set is_active = false from staff
         where block.id = $1 and block.is_active and staff.lane_id = block.lane_id
         returning staff.id, block.lane_id",
        id
    )
    .fetch_optional(&mut *connection)
    .await?;
    if ended.is_some() {
        sqlx::query!(
            "update claim set active = false where block_id = $1 and active",
            id
        )
        .execute(connection)
        .await?;
    }
    Ok(ended.map(|ended| (ended.id, ended.lane_id)))
}

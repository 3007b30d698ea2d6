//! Claims: the only proof that a time is taken. The exclusion constraint decides.

use booking::Span;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// For whom a lane is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder {
    /// One booking.
    Booking(Uuid),
    /// A class, for all who sit in it.
    Class(Uuid),
}

/// A lane and when it is to be taken, buffers included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) id: Uuid,
    pub(crate) lane: Uuid,
    pub(crate) during: Span,
}

impl Holder {
    fn ids(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Booking(id) => (Some(id), None),
            Self::Class(id) => (None, Some(id)),
        }
    }
}

/// Takes what is wanted, for good or until then, and names the lanes that it got. Where some are
/// missing, somebody has them, and what was taken is only half of a visit: it must not be kept.
pub(crate) async fn take(
    connection: &mut PgConnection,
    business: Uuid,
    (holder, until): (Holder, Option<Timestamp>),
    wanted: &[Wanted],
) -> sqlx::Result<Vec<Uuid>> {
    let (booking, class) = holder.ids();
    let ids: Vec<Uuid> = wanted.iter().map(|w| w.id).collect();
    let lanes: Vec<Uuid> = wanted.iter().map(|w| w.lane).collect();
    let starts: Vec<_> = wanted.iter().map(|w| stored(w.during.start())).collect();
    let ends: Vec<_> = wanted.iter().map(|w| stored(w.during.end())).collect();
    // `do nothing` looks before it waits: it cannot deadlock with its like, and a loser
    // waits only until the winner commits. In the order of the lanes, as everybody does.
    sqlx::query_scalar!(
        "insert into claim (id, business_id, lane_id, booking_id, class_id, during,
             hold_until)
         select wanted.id, $1, wanted.lane, $2, $3,
                tstzrange(wanted.starts_at, wanted.ends_at, '[)'), $8
         from unnest($4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[])
             as wanted (id, lane, starts_at, ends_at)
         order by wanted.lane
         on conflict do nothing
         returning lane_id",
        business,
        booking,
        class,
        &ids,
        &lanes,
        &starts,
        &ends,
        until.map(stored)
    )
    .fetch_all(connection)
    .await
}

/// Frees the claims of a booking or a class, and says what they were, as (lane, span).
pub(crate) async fn release(
    connection: &mut PgConnection,
    holder: Holder,
) -> sqlx::Result<Vec<(Uuid, Span)>> {
    let (booking, class) = holder.ids();
    let rows = sqlx::query!(
        r#"update claim set active = false
         where (booking_id = $1 or class_id = $2) and active
         returning lane_id, lower(during) as "start!", upper(during) as "end!""#,
        booking,
        class
    )
    .fetch_all(connection)
    .await?;
    let span = |start, end| Span::new(instant(start), instant(end));
    Ok(rows
        .into_iter()
        .filter_map(|r| Some((r.lane_id, span(r.start, r.end)?)))
        .collect())
}

/// When a lane is not free.
#[derive(Debug, Clone)]
pub(crate) struct Busy {
    pub(crate) lane: Uuid,
    /// Whether nobody is there, rather than somebody being served.
    pub(crate) is_away: bool,
    /// In no order.
    pub(crate) during: Vec<Span>,
}

/// When `lanes` are not free between two instants, lane by lane. What is held by somebody who has
/// let the time run out is free.
pub(crate) async fn busy(
    connection: &mut PgConnection,
    lanes: &[Uuid],
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> sqlx::Result<Vec<Busy>> {
    // A row for each lane, since there are thousands of claims in a month of a large business.
    let rows = sqlx::query!(
        r#"select lane_id, block_id is not null as "is_away!", array_agg(starts_at) as "starts!",
                array_agg(ends_at) as "ends!"
         from claim
         where active and lane_id = any($1) and ends_at > $2 and starts_at < $3
           and (hold_until is null or hold_until > $4)
         group by 1, 2"#,
        lanes,
        stored(from),
        stored(to),
        stored(now)
    )
    .fetch_all(connection)
    .await?;
    let busy = rows.into_iter().map(|row| {
        let spans = row.starts.into_iter().zip(row.ends);
        Busy {
            lane: row.lane_id,
            is_away: row.is_away,
            during: spans
                .filter_map(|(start, end)| Span::new(instant(start), instant(end)))
                .collect(),
        }
    });
    Ok(busy.collect())
}

/// What is seen of a time before anything is taken.
#[derive(Debug)]
pub(crate) struct Glance {
    /// Whether somebody who gives the service has nothing else then: one of all, or that one.
    pub(crate) is_anybody_free: bool,
    /// The holds around it that have run out, in the order of their ids.
    pub(crate) run_out: Vec<Uuid>,
}

/// Looks at the time `during`, and at what has run out within `around`. The cheapest question
/// there is about a time that many want.
pub(crate) async fn glance(
    connection: &mut PgConnection,
    service: Uuid,
    staff: Option<Uuid>,
    (during, around): (Span, (Timestamp, Timestamp)),
    now: Timestamp,
) -> sqlx::Result<Glance> {
    sqlx::query_as!(
        Glance,
        r#"select exists (
             select from service_staff
             join staff on staff.id = service_staff.staff_id and staff.is_active
             where service_staff.service_id = $1 and ($2::uuid is null or staff.id = $2)
               and not exists (
                 select from claim
                 where claim.active and claim.lane_id = staff.lane_id
                   and claim.ends_at > $3 and claim.starts_at < $4
                   and (claim.hold_until is null or claim.hold_until > $5)))
             as "is_anybody_free!",
             array(select id from booking
                 where state = 'held' and hold_until <= $5 and starts_at < $7 and ends_at > $6
                 order by id) as "run_out!""#,
        service,
        staff,
        stored(during.start()),
        stored(during.end()),
        stored(now),
        stored(around.0),
        stored(around.1)
    )
    .fetch_one(connection)
    .await
}

//! Claims: the only proof that a time is taken. The exclusion constraint decides.

use booking::Span;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// Takes `during` on `lane`, buffers included. `false` where somebody has it.
pub(crate) async fn take(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    lane: Uuid,
    booking: Uuid,
    during: Span,
) -> sqlx::Result<bool> {
    // `do nothing` looks before it waits: it cannot deadlock with its like, and a
    // loser waits only until the winner commits.
    let taken = sqlx::query_scalar!(
        "insert into claim (id, business_id, lane_id, booking_id, during)
         values ($1, $2, $3, $4, tstzrange($5, $6, '[)'))
         on conflict do nothing
         returning id",
        id,
        business,
        lane,
        booking,
        stored(during.start()),
        stored(during.end())
    )
    .fetch_optional(connection)
    .await?;
    Ok(taken.is_some())
}

/// Frees the claims of a booking and names the lanes that they were on.
pub(crate) async fn release(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "update claim set active = false where booking_id = $1 and active returning lane_id",
        booking
    )
    .fetch_all(connection)
    .await
}

/// When `lanes` are taken between two instants, as (lane, span).
pub(crate) async fn busy(
    connection: &mut PgConnection,
    lanes: &[Uuid],
    from: Timestamp,
    to: Timestamp,
) -> sqlx::Result<Vec<(Uuid, Span)>> {
    let rows = sqlx::query!(
        r#"select lane_id, lower(during) as "start!", upper(during) as "end!" from claim
         where active and lane_id = any($1) and during && tstzrange($2, $3, '[)')"#,
        lanes,
        stored(from),
        stored(to)
    )
    .fetch_all(connection)
    .await?;
    let span = |start, end| Span::new(instant(start), instant(end));
    Ok(rows
        .into_iter()
        .filter_map(|r| Some((r.lane_id, span(r.start, r.end)?)))
        .collect())
}

/// How many claims each lane has in a span, to share work fairly.
pub(crate) async fn load(
    connection: &mut PgConnection,
    lanes: &[Uuid],
    from: Timestamp,
    to: Timestamp,
) -> sqlx::Result<Vec<(Uuid, i64)>> {
    let rows = sqlx::query!(
        r#"select lane_id, count(*) as "claims!" from claim
         where active and lane_id = any($1) and during && tstzrange($2, $3, '[)')
         group by lane_id"#,
        lanes,
        stored(from),
        stored(to)
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|r| (r.lane_id, r.claims)).collect())
}

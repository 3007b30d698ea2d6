//! Opening hours of lanes of the business in scope, as the desk changes them.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

/// A date on which a lane differs; without minutes it is closed.
#[derive(Debug, Clone)]
pub(crate) struct Differs {
    pub(crate) date: Date,
    pub(crate) opens: Option<i16>,
    pub(crate) closes: Option<i16>,
}

/// Keeps others from changing the hours of a lane until the transaction ends; bookings go on.
pub(crate) async fn lock(connection: &mut PgConnection, lane: Uuid) -> sqlx::Result<()> {
    sqlx::query!("select from lane where id = $1 for no key update", lane)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// Whose hours they are.
pub(crate) async fn name(
    connection: &mut PgConnection,
    lane: Uuid,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"select coalesce(staff.name, lane.name, '') as "name!"
         from lane left join staff on staff.lane_id = lane.id
         where lane.id = $1"#,
        lane
    )
    .fetch_optional(connection)
    .await
}

/// Sets the hours of a week anew, as (weekday, opens, closes).
pub(crate) async fn set(
    connection: &mut PgConnection,
    business: Uuid,
    lane: Uuid,
    openings: &[(Uuid, i16, i16, i16)],
) -> sqlx::Result<()> {
    sqlx::query!("delete from opening where lane_id = $1", lane)
        .execute(&mut *connection)
        .await?;
    let ids: Vec<Uuid> = openings.iter().map(|o| o.0).collect();
    let weekdays: Vec<i16> = openings.iter().map(|o| o.1).collect();
    let opens: Vec<i16> = openings.iter().map(|o| o.2).collect();
    let closes: Vec<i16> = openings.iter().map(|o| o.3).collect();
    sqlx::query!(
        "insert into opening (id, business_id, lane_id, weekday, opens, closes)
         select entered.id, $1, $2, entered.weekday, entered.opens, entered.closes
         from unnest($3::uuid[], $4::smallint[], $5::smallint[], $6::smallint[])
             as entered(id, weekday, opens, closes)",
        business,
        lane,
        &ids,
        &weekdays,
        &opens,
        &closes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The days from `from` on, on which a lane differs.
pub(crate) async fn differs(
    connection: &mut PgConnection,
    lane: Uuid,
    from: Date,
) -> sqlx::Result<Vec<Differs>> {
    sqlx::query_as!(
        Differs,
        "select date, opens, closes from opening_exception
         where lane_id = $1 and date >= $2 order by date, opens limit 400",
        lane,
        from
    )
    .fetch_all(connection)
    .await
}

/// Whether a lane is closed on a date by a rule of its own, which wins over hours.
pub(crate) async fn is_closed(
    connection: &mut PgConnection,
    lane: Uuid,
    date: Date,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from opening_exception
             where lane_id = $1 and date = $2 and opens is null) as "is!""#,
        lane,
        date
    )
    .fetch_one(connection)
    .await
}

/// Adds a day that differs, or more hours of one.
pub(crate) async fn add(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    lane: Uuid,
    differs: &Differs,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into opening_exception (id, business_id, lane_id, date, opens, closes)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        lane,
        differs.date,
        differs.opens,
        differs.closes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes a day like every other of its weekday again.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    lane: Uuid,
    date: Date,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from opening_exception where lane_id = $1 and date = $2",
        lane,
        date
    )
    .execute(connection)
    .await?;
    Ok(())
}

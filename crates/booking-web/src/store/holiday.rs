//! On which days the business in scope is closed beside its weekly hours.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

/// A day that it decided about.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) date: Date,
    pub(crate) is_closed: bool,
    pub(crate) name: Option<String>,
}

/// Whether it keeps public holidays, and the days that it decided about.
pub(crate) async fn choices(
    connection: &mut PgConnection,
    from: Date,
    to: Date,
) -> sqlx::Result<(bool, Vec<Choice>)> {
    let keeps =
        sqlx::query_scalar!("select keeps_holidays from business where id = current_business()")
            .fetch_one(&mut *connection)
            .await?;
    let choices = sqlx::query_as!(
        Choice,
        "select date, is_closed, name from holiday_choice
         where business_id = current_business() and date between $1 and $2 order by date",
        from,
        to
    )
    .fetch_all(connection)
    .await?;
    Ok((keeps, choices))
}

pub(crate) async fn keep(connection: &mut PgConnection, keeps: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "update business set keeps_holidays = $1 where id = current_business()",
        keeps
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Decides about a day, or decides anew; a name that it has stays.
pub(crate) async fn decide(
    connection: &mut PgConnection,
    business: Uuid,
    (date, is_closed, name): (Date, bool, Option<&str>),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into holiday_choice (business_id, date, is_closed, name) values ($1, $2, $3, $4)
         on conflict on constraint holiday_choice_pkey do update
         set is_closed = excluded.is_closed, name = coalesce(excluded.name, holiday_choice.name)",
        business,
        date,
        is_closed,
        name
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes back what was decided about a day.
pub(crate) async fn forget(connection: &mut PgConnection, date: Date) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from holiday_choice where business_id = current_business() and date = $1",
        date
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every lane of it.
pub(crate) async fn lanes(connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select id from lane where business_id = current_business() order by id")
        .fetch_all(connection)
        .await
}

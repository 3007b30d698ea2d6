//! Hours of lanes, their exceptions and their versions.

use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

/// Weekly hours of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) lane_id: Uuid,
    pub(crate) weekday: i16,
    pub(crate) opens: i16,
    pub(crate) closes: i16,
}

/// A date that is different; without minutes it is closed.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    /// The lane or the location that it is for.
    pub(crate) of: Uuid,
    pub(crate) date: Date,
    pub(crate) opens: Option<i16>,
    pub(crate) closes: Option<i16>,
}

pub(crate) async fn openings(
    connection: &mut PgConnection,
    lanes: &[Uuid],
) -> sqlx::Result<Vec<Opening>> {
    sqlx::query_as!(
        Opening,
        "select lane_id, weekday, opens, closes from opening where lane_id = any($1)",
        lanes
    )
    .fetch_all(connection)
    .await
}

/// What hours follow from.
#[derive(Debug)]
pub(crate) struct Hours {
    pub(crate) openings: Vec<Opening>,
    pub(crate) exceptions: Vec<Exception>,
    /// Whether the business in scope keeps public holidays.
    pub(crate) keeps_holidays: bool,
    /// The single days that it decided about, and whether it is closed then.
    pub(crate) holidays: Vec<(Date, bool)>,
}

/// The weekly hours of `lanes`, the dates on which one of them or of `locations` is different,
/// and what the business in scope decided about holidays.
pub(crate) async fn hours(
    connection: &mut PgConnection,
    lanes: &[Uuid],
    locations: &[Uuid],
    from: Date,
    to: Date,
) -> sqlx::Result<Hours> {
    // One message to the database instead of three; each kind of row has columns that no other
    // kind has.
    let rows = sqlx::query!(
        r#"select lane_id as "of!", weekday, null::date as date, opens, closes,
                null::bool as keeps_holidays, null::bool as is_closed
         from opening where lane_id = any($1)
         union all
         select lane_id, null, date, opens, closes, null, null from opening_exception
         where lane_id = any($1) and date between $3 and $4
         union all
         select location_id, null, date, opens, closes, null, null from location_exception
         where location_id = any($2) and date between $3 and $4
         union all
         select business.id, null, choice.date, null, null, business.keeps_holidays,
                choice.is_closed
         from business
         left join holiday_choice as choice
             on choice.business_id = business.id and choice.date between $3 and $4
         where business.id = current_business()"#,
        lanes,
        locations,
        from,
        to
    )
    .fetch_all(connection)
    .await?;
    let openings = rows.iter().filter_map(|row| {
        Some(Opening {
            lane_id: row.of,
            weekday: row.weekday?,
            opens: row.opens?,
            closes: row.closes?,
        })
    });
    let of_days = rows.iter().filter(|row| row.keeps_holidays.is_none());
    let exceptions = of_days.filter_map(|row| {
        Some(Exception {
            of: row.of,
            date: row.date?,
            opens: row.opens,
            closes: row.closes,
        })
    });
    let holidays = rows.iter().filter_map(|row| row.date.zip(row.is_closed));
    Ok(Hours {
        openings: openings.collect(),
        exceptions: exceptions.collect(),
        keeps_holidays: rows.iter().any(|row| row.keeps_holidays == Some(true)),
        holidays: holidays.collect(),
    })
}

/// Says that the claims of lanes have changed. Locks them in the order of their ids, as
/// everybody does, and no harder than an update: whoever claims has a share of the row.
pub(crate) async fn bump(connection: &mut PgConnection, lanes: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "update lane set version = version + 1
         where id in (select id from lane where id = any($1) order by id for no key update)",
        lanes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The sum of the versions of the business in scope; it grows with every change.
pub(crate) async fn version(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select coalesce(sum(version), 0)::bigint as "version!" from lane"#)
        .fetch_one(connection)
        .await
}

/// Some lane of the business in scope.
pub(crate) async fn first(connection: &mut PgConnection) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("select id from lane order by id limit 1")
        .fetch_optional(connection)
        .await
}

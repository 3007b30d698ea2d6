//! Incidents, whom they are about, and what the access log says.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// One line of the access log.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: OffsetDateTime,
    pub(crate) by: Option<String>,
    pub(crate) customer: Uuid,
    pub(crate) action: String,
}

/// The last two hundred lines of the access log of the business in scope.
pub(crate) async fn log(connection: &mut PgConnection) -> sqlx::Result<Vec<Seen>> {
    sqlx::query_as!(
        Seen,
        r#"select access_log.at, coalesce(account.name, api_key.name) as by,
             access_log.customer_id as customer, access_log.action
         from access_log
         left join account on account.id = access_log.account_id
         left join api_key on api_key.id = access_log.key_id
         order by access_log.at desc, access_log.id desc limit 200"#
    )
    .fetch_all(connection)
    .await
}

/// Something that should not have happened, as it is written down.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) id: Uuid,
    pub(crate) what: String,
    pub(crate) noticed_at: OffsetDateTime,
    pub(crate) began_at: OffsetDateTime,
    pub(crate) ended_at: OffsetDateTime,
    /// Whose access it was, somebody's or a program's; none means that it could have been
    /// everybody's.
    pub(crate) account: Option<Uuid>,
    pub(crate) consequences: String,
    pub(crate) measures: String,
    pub(crate) advice: String,
    pub(crate) intruder: Option<String>,
    pub(crate) delay_reason: Option<String>,
    pub(crate) portal_reference: Option<String>,
    pub(crate) reported_at: Option<OffsetDateTime>,
    pub(crate) people_told_at: Option<OffsetDateTime>,
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    business: Uuid,
    new: &Incident,
    by: Uuid,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into incident (id, business_id, what, noticed_at, began_at, ended_at, account_id,
             consequences, measures, advice, intruder, delay_reason, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        new.id,
        business,
        new.what,
        new.noticed_at,
        new.began_at,
        new.ended_at,
        new.account,
        new.consequences,
        new.measures,
        new.advice,
        new.intruder,
        new.delay_reason,
        by,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the Regulator and the people were told, and why not sooner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) portal_reference: Option<&'a str>,
    pub(crate) delay_reason: Option<&'a str>,
    pub(crate) is_reported: bool,
    pub(crate) are_people_told: bool,
}

/// Notes it; when it was first said stays, also where it is not said again.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    id: Uuid,
    told: Told<'_>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let noted = sqlx::query!(
        "update incident set portal_reference = $2, delay_reason = $3,
             reported_at = coalesce(reported_at, case when $4 then $6::timestamptz end),
             people_told_at = coalesce(people_told_at, case when $5 then $6::timestamptz end)
         where id = $1",
        id,
        told.portal_reference,
        told.delay_reason,
        told.is_reported,
        told.are_people_told,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Those of the business in scope, the newest first.
pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Incident>> {
    sqlx::query_as!(
        Incident,
        "select id, what, noticed_at, began_at, ended_at, account_id as account, consequences,
             measures, advice, intruder, delay_reason, portal_reference, reported_at,
             people_told_at
         from incident order by noticed_at desc limit 100"
    )
    .fetch_all(connection)
    .await
}

/// One of the business in scope.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Incident>> {
    sqlx::query_as!(
        Incident,
        "select id, what, noticed_at, began_at, ended_at, account_id as account, consequences,
             measures, advice, intruder, delay_reason, portal_reference, reported_at,
             people_told_at
         from incident where id = $1",
        id
    )
    .fetch_optional(connection)
    .await
}

/// Somebody whom an incident is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Affected {
    pub(crate) customer: Uuid,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// Whose data was looked at, given out or changed in that time: by the access log, and by
/// the audit of bookings that somebody of the staff changed. With an account or a key only
/// through that one. What was seen in a list is written once in a while, and so it counts
/// for that while after.
pub(crate) async fn affected(
    connection: &mut PgConnection,
    account: Option<Uuid>,
    (began, ended): (OffsetDateTime, OffsetDateTime),
) -> sqlx::Result<Vec<Affected>> {
    sqlx::query_as!(
        Affected,
        r#"select customer.id as customer, customer.name, customer.email as "email?"
         from customer
         where customer.id in (
             select access_log.customer_id from access_log
             where access_log.at <= $3
               and access_log.at >= $2::timestamptz - case
                   when access_log.key_id is null then interval '1 hour'
                   else interval '1 day' end
               and ($1::uuid is null or access_log.account_id = $1
                   or access_log.key_id = $1)
             union
             select booking.customer_id from audit
             join booking on booking.id = audit.subject
             where audit.at between $2 and $3 and audit.actor_id is not null
               and ($1::uuid is null or audit.actor_id = $1))
         order by customer.name, customer.id"#,
        account,
        began,
        ended
    )
    .fetch_all(connection)
    .await
}

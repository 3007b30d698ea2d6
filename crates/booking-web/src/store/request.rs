//! Requests about privacy, with the clock of each.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// A request as it is first written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRequest<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) kind: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) state: &'a str,
    pub(crate) email: Option<&'a str>,
    pub(crate) customer: Option<Uuid>,
    pub(crate) details: Option<&'a str>,
    pub(crate) language: &'a str,
    /// The hash of the secret in the mail, and until when that works.
    pub(crate) link: Option<(&'a [u8], Timestamp)>,
    pub(crate) received: Timestamp,
    pub(crate) due: Timestamp,
}

/// A request as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) email: Option<String>,
    pub(crate) customer: Option<Uuid>,
    /// What that customer is called.
    pub(crate) name: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) language: String,
    pub(crate) received_at: OffsetDateTime,
    pub(crate) due_at: OffsetDateTime,
    pub(crate) link_until: Option<OffsetDateTime>,
    pub(crate) outcome: Option<String>,
    pub(crate) evidence: Option<String>,
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewRequest<'_>,
) -> sqlx::Result<()> {
    let (hash, until) = new.link.unzip();
    let confirmed = (new.state == "open").then_some(new.received);
    sqlx::query!(
        "insert into privacy_request (id, business_id, kind, channel, state, email, customer_id,
             details, language, token_hash, link_until, received_at, due_at, confirmed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        new.id,
        new.business,
        new.kind,
        new.channel,
        new.state,
        new.email,
        new.customer,
        new.details,
        new.language,
        hash,
        until.map(stored),
        stored(new.received),
        stored(new.due),
        confirmed.map(stored)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps others from asking for that address at a business until the transaction ends.
pub(crate) async fn lock_address(
    connection: &mut PgConnection,
    business: Uuid,
    email: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('privacy_request:' || $1, 0))",
        format!("{business}:{email}")
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many requests for that address came since `since`, at the business in scope.
pub(crate) async fn count_since(
    connection: &mut PgConnection,
    email: &str,
    since: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from privacy_request
         where lower(email) = lower($1) and channel = 'page' and received_at > $2"#,
        email,
        stored(since)
    )
    .fetch_one(connection)
    .await
}

/// The business and the id of the request behind a secret address. Row-level security shows
/// the row to whoever knows the hash, for this transaction only.
pub(crate) async fn find(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> sqlx::Result<Option<(Uuid, Uuid)>> {
    let text = data_encoding::HEXLOWER.encode(token_hash);
    sqlx::query!("select set_config('booking.token_hash', $1, true)", text)
        .fetch_one(&mut *connection)
        .await?;
    let row = sqlx::query!(
        "select business_id, id from privacy_request where token_hash = $1",
        token_hash
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.business_id, row.id)))
}

/// A request of the business in scope, locked until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Request>> {
    sqlx::query_as!(
        Request,
        r#"select request.id, kind, state, request.email, customer_id as customer,
             customer.name as "name?", details, language, received_at, due_at, link_until,
             outcome, evidence
         from privacy_request as request left join customer on customer.id = customer_id
         where request.id = $1 for update of request"#,
        id
    )
    .fetch_optional(connection)
    .await
}

/// Those of the business in scope: first what waits, by when it is due, then what is
/// closed. What nobody confirmed is not shown.
pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Request>> {
    sqlx::query_as!(
        Request,
        r#"select request.id, kind, state, request.email, customer_id as customer,
             customer.name as "name?", details, language, received_at, due_at, link_until,
             outcome, evidence
         from privacy_request as request left join customer on customer.id = customer_id
         where state in ('open', 'done', 'refused')
         order by state <> 'open', case when state = 'open' then due_at end, closed_at desc
         limit 200"#
    )
    .fetch_all(connection)
    .await
}

/// Notes that whoever asked is who they say, and which customer that is, if any.
pub(crate) async fn confirm(
    connection: &mut PgConnection,
    id: Uuid,
    customer: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update privacy_request set state = 'open', customer_id = $2, confirmed_at = $3
         where id = $1 and state = 'asked'",
        id,
        customer,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes a request with its outcome; its link leads nowhere from then on.
pub(crate) async fn close(
    connection: &mut PgConnection,
    id: Uuid,
    state: &str,
    (outcome, evidence): (&str, Option<&str>),
    by: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let closed = sqlx::query!(
        "update privacy_request set state = $2, outcome = $3, evidence = $4, closed_by = $5,
             closed_at = $6, token_hash = null
         where id = $1 and state in ('asked', 'open')",
        id,
        state,
        outcome,
        evidence,
        by,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(closed.rows_affected() == 1)
}

/// Open requests that were received before then and not yet warned of for so many days; the
/// warning is noted.
pub(crate) async fn warn(
    connection: &mut PgConnection,
    days: i16,
    received_before: Timestamp,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "update privacy_request set warned_days = $1
         where state in ('asked', 'open') and confirmed_at is not null
           and warned_days < $1 and received_at <= $2
         returning id",
        days,
        stored(received_before)
    )
    .fetch_all(connection)
    .await
}

/// Where a business reads what it must answer.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) slug: String,
    pub(crate) language: String,
    pub(crate) email: String,
}

/// The information officer of the business in scope, or else where it reads its mail, or else
/// one of its owners.
pub(crate) async fn contact(
    connection: &mut PgConnection,
    business: Uuid,
) -> sqlx::Result<Option<Contact>> {
    let row = sqlx::query!(
        "select business.slug, business.locale,
             coalesce(nullif(profile.officer_email, ''), nullif(settings.email, ''),
                 (select account.email from membership
                  join account on account.id = membership.account_id
                  where membership.business_id = business.id and membership.role = 'owner'
                  order by membership.created_at, account.id limit 1)) as email
         from business
         left join privacy_profile as profile on profile.business_id = business.id
         left join message_settings as settings on settings.business_id = business.id
         where business.id = $1",
        business
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(Contact {
            slug: row.slug,
            language: row.locale,
            email: row.email.filter(|email| !email.is_empty())?,
        })
    }))
}

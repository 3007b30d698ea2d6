//! Holds, erasures, the times for which data are kept, and who of the staff saw whom.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// Every business, by its id.
pub(crate) async fn businesses(connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select id from business order by id")
        .fetch_all(connection)
        .await
}

/// The customer of an address, whoever they were merged into; erased ones have none.
pub(crate) async fn customer_of(
    connection: &mut PgConnection,
    email: &str,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        r#"select coalesce(merged_into, id) as "id!" from customer
         where lower(email) = lower($1) and erased_at is null
         order by merged_into is not null, id limit 1"#,
        email
    )
    .fetch_optional(connection)
    .await
}

/// Whether a customer was erased before.
pub(crate) async fn is_erased(connection: &mut PgConnection, customer: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select erased_at is not null as "is!" from customer where id = $1"#,
        customer
    )
    .fetch_one(connection)
    .await
}

/// Whether something of these customers is still to come.
pub(crate) async fn has_bookings_ahead(
    connection: &mut PgConnection,
    customers: &[Uuid],
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from booking where customer_id = any($1) and ends_at > $2
             and state in ('held', 'awaiting_payment', 'awaiting_approval', 'confirmed',
                 'arrived')) as "has!""#,
        customers,
        stored(now)
    )
    .fetch_one(connection)
    .await
}

/// Whether one of these customers came, or came to be known, at `since` or later, or waits
/// for the answer to a request.
pub(crate) async fn is_recent(
    connection: &mut PgConnection,
    customers: &[Uuid],
    since: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from booking where customer_id = any($1) and ends_at >= $2)
             or exists (select from customer where id = any($1) and created_at >= $2)
             or exists (select from privacy_request
                 where customer_id = any($1) and state in ('asked', 'open')) as "is!""#,
        customers,
        stored(since)
    )
    .fetch_one(connection)
    .await
}

/// Whether a hold stands over one of these customers.
pub(crate) async fn is_held(
    connection: &mut PgConnection,
    customers: &[Uuid],
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from legal_hold
             where customer_id = any($1) and lifted_at is null) as "is!""#,
        customers
    )
    .fetch_one(connection)
    .await
}

/// Notes that a customer is an id from now on.
pub(crate) async fn mark_erased(
    connection: &mut PgConnection,
    customers: &[Uuid],
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update customer set erased_at = $2 where id = any($1)",
        customers,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds to the list of who was erased; erased twice, the first time stays.
pub(crate) async fn list_erased(
    connection: &mut PgConnection,
    business: Uuid,
    subject_hash: &[u8],
    request: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into erasure (business_id, subject_hash, erased_at, request_id)
         values ($1, $2, $3, $4) on conflict on constraint erasure_pkey do nothing",
        business,
        subject_hash,
        stored(now),
        request
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The list of who was erased at the business in scope.
pub(crate) async fn erased(
    connection: &mut PgConnection,
) -> sqlx::Result<Vec<(Vec<u8>, Timestamp)>> {
    let rows = sqlx::query!("select subject_hash, erased_at from erasure order by erased_at")
        .fetch_all(connection)
        .await?;
    let row = |row: (Vec<u8>, _)| (row.0, instant(row.1));
    Ok(rows
        .into_iter()
        .map(|r| row((r.subject_hash, r.erased_at)))
        .collect())
}

/// The customers of the business in scope who are not erased.
pub(crate) async fn customers(connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select id from customer where erased_at is null")
        .fetch_all(connection)
        .await
}

/// Places a hold over a customer, or whoever they were merged into; `false` where one stands.
pub(crate) async fn hold(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    customer: Uuid,
    reason: &str,
    by: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let placed = sqlx::query!(
        "insert into legal_hold (id, business_id, customer_id, reason, placed_by, placed_at)
         select $1, $2, coalesce(merged_into, id), $4, $5, $6 from customer where id = $3
         on conflict do nothing",
        id,
        business,
        customer,
        reason,
        by,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(placed.rows_affected() == 1)
}

/// Lifts every hold that stands over one of these customers; `false` where none does.
pub(crate) async fn lift(
    connection: &mut PgConnection,
    customers: &[Uuid],
    reason: &str,
    by: Option<Uuid>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let lifted = sqlx::query!(
        "update legal_hold set lifted_at = $2, lifted_reason = $3, lifted_by = $4
         where customer_id = any($1) and lifted_at is null",
        customers,
        stored(now),
        reason,
        by
    )
    .execute(connection)
    .await?;
    Ok(lifted.rows_affected() > 0)
}

/// What somebody of the staff did with the data of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Saw,
    Exported,
    Changed,
    Erased,
}

impl Access {
    /// Its name in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Saw => "saw",
            Self::Exported => "exported",
            Self::Changed => "changed",
            Self::Erased => "erased",
        }
    }
}

/// Who sees the data of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Somebody of the staff, by their account.
    Account(Uuid),
    /// A program, by its key or the calendar that it reads.
    Program(Uuid),
}

impl Viewer {
    fn ids(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Account(id) => (Some(id), None),
            Self::Program(id) => (None, Some(id)),
        }
    }

    /// Whoever has the same list open sees the same customers again and again, and a program
    /// reads all day: what is written once stands for so long. Whom an incident is about is
    /// counted with that much before it.
    fn written_for(self) -> SignedDuration {
        match self {
            Self::Account(_) => SignedDuration::from_hours(1),
            Self::Program(_) => SignedDuration::from_hours(24),
        }
    }
}

/// Writes down who of the staff saw or changed whom; never what.
pub(crate) async fn log(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    (account, customer): (Uuid, Uuid),
    access: Access,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into access_log (id, business_id, at, account_id, customer_id, action)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        business,
        stored(now),
        account,
        customer,
        access.as_str()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down who saw these customers in a list, each with a new id beside it.
pub(crate) async fn log_seen(
    connection: &mut PgConnection,
    business: Uuid,
    viewer: Viewer,
    (ids, customers): (&[Uuid], &[Uuid]),
    now: Timestamp,
) -> sqlx::Result<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let (account, key) = viewer.ids();
    let since = now.saturating_sub(viewer.written_for()).unwrap_or(now);
    sqlx::query!(
        "insert into access_log (id, business_id, at, account_id, key_id, customer_id, action)
         select distinct on (seen.customer) seen.id, $1, $2::timestamptz, $3::uuid, $4::uuid,
             seen.customer, 'saw'
         from unnest($5::uuid[], $6::uuid[]) as seen (id, customer)
         where not exists (select from access_log as before
             where before.customer_id = seen.customer and before.action = 'saw'
               and before.account_id is not distinct from $3
               and before.key_id is not distinct from $4 and before.at > $7)",
        business,
        stored(now),
        account,
        key,
        ids,
        customers,
        stored(since)
    )
    .execute(connection)
    .await?;
    Ok(())
}

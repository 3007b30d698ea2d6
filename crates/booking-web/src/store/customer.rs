//! Customers of the business in scope. One that was merged into another stays, so that an
//! address of theirs still leads to the one that is left.

use booking::State;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{instant, stored};

/// A customer as they are kept.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    /// What only staff sees.
    pub(crate) note: Option<String>,
    pub(crate) is_restricted: bool,
    pub(crate) merged_into: Option<Uuid>,
}

/// A customer who was found, with how often they came.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) bookings: i64,
}

/// A booking of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) id: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) service: String,
    pub(crate) staff: String,
    pub(crate) state: State,
}

/// What is to be kept of a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Details<'a> {
    pub(crate) name: &'a str,
    pub(crate) email: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    pub(crate) is_restricted: bool,
}

/// Those whose name or address holds `text`, or whose number holds `digits`; the newest where
/// nothing is asked for.
pub(crate) async fn search(
    connection: &mut PgConnection,
    text: &str,
    digits: Option<&str>,
) -> sqlx::Result<Vec<Found>> {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let pattern = format!("%{escaped}%");
    let number = digits.map(|digits| format!("%{digits}%"));
    sqlx::query_as!(
        Found,
        r#"select customer.id, customer.name, customer.email, customer.phone,
                (select count(*) from booking where booking.customer_id = customer.id)
                    as "bookings!"
         from customer
         where customer.merged_into is null and customer.erased_at is null
           and (customer.name ilike $1 or customer.email ilike $1 or customer.phone like $2)
         order by case when $1 = '%%' then customer.created_at end desc, customer.name,
             customer.id
         limit 50"#,
        pattern,
        number
    )
    .fetch_all(connection)
    .await
}

/// The customer, locked until the transaction ends. Whoever was erased is none.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Customer>> {
    sqlx::query_as!(
        Customer,
        "select id, name, email, phone, note, is_restricted, merged_into from customer
         where id = $1 and erased_at is null for update",
        id
    )
    .fetch_optional(connection)
    .await
}

/// The customer of that id. Whoever was erased is none.
pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Customer>> {
    sqlx::query_as!(
        Customer,
        "select id, name, email, phone, note, is_restricted, merged_into from customer
         where id = $1 and erased_at is null",
        id
    )
    .fetch_optional(connection)
    .await
}

/// Writes a new customer. `false` where another one has the address.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    details: &Details<'_>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into customer
             (id, business_id, name, email, phone, note, is_restricted, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict on constraint customer_email_unique do nothing",
        id,
        business,
        details.name,
        details.email,
        details.phone,
        details.note,
        details.is_restricted,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The customer who has the address, whoever they were merged into.
pub(crate) async fn by_email(
    connection: &mut PgConnection,
    email: &str,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        r#"select coalesce(merged_into, id) as "id!" from customer
         where lower(email) = lower($1) order by merged_into is not null, id limit 1"#,
        email
    )
    .fetch_optional(connection)
    .await
}

/// Corrects a customer. Their bookings keep what was given with them. An address of one who
/// was merged into them becomes theirs altogether.
pub(crate) async fn update(
    connection: &mut PgConnection,
    id: Uuid,
    details: &Details<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update customer set email = null where lower(email) = lower($2) and merged_into = $1",
        id,
        details.email
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update customer set name = $2, email = $3, phone = $4, note = $5, is_restricted = $6
         where id = $1",
        id,
        details.name,
        details.email,
        details.phone,
        details.note,
        details.is_restricted
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every booking of a customer, the latest first.
pub(crate) async fn bookings(
    connection: &mut PgConnection,
    customer: Uuid,
) -> sqlx::Result<Vec<Past>> {
    let rows = sqlx::query!(
        "select booking.id, booking.starts_at, booking.state,
                service.name as service, staff.name as staff
         from booking
         join service on service.id = booking.service_id
         join staff on staff.id = booking.staff_id
         where booking.customer_id = $1
         order by booking.starts_at desc, booking.id limit 200",
        customer
    )
    .fetch_all(connection)
    .await?;
    let past = rows.into_iter().filter_map(|row| {
        Some(Past {
            id: row.id,
            start: instant(row.starts_at),
            service: row.service,
            staff: row.staff,
            state: State::parse(&row.state)?,
        })
    });
    Ok(past.collect())
}

/// How many bookings a customer has.
pub(crate) async fn count(connection: &mut PgConnection, customer: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from booking where customer_id = $1"#,
        customer
    )
    .fetch_one(connection)
    .await
}

/// Hands everything of `from` over to `into`, and says so on `from`. Whoever was merged
/// into `from` before goes along, so that one step always leads to who is left; and so does
/// a hold, where none stands over `into`.
pub(crate) async fn merge(
    connection: &mut PgConnection,
    from: Uuid,
    into: Uuid,
) -> sqlx::Result<u64> {
    let moved = sqlx::query!(
        "update booking set customer_id = $2 where customer_id = $1",
        from,
        into
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update legal_hold set customer_id = $2
         where customer_id = $1 and lifted_at is null
           and not exists (select from legal_hold as standing
               where standing.customer_id = $2 and standing.lifted_at is null)",
        from,
        into
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update customer set merged_into = $2 where id = $1 or merged_into = $1",
        from,
        into
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected())
}

//! Bookings and customers in pages, for the programs of a business. Each page begins behind
//! the last row of the one before it, so rows that come or go in between shift nothing.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// Which bookings are asked for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) id: Option<Uuid>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) state: Option<&'static str>,
    pub(crate) staff: Option<Uuid>,
    pub(crate) series: Option<Uuid>,
    /// The last row of the page before.
    pub(crate) behind: Option<(Timestamp, Uuid)>,
    pub(crate) limit: i64,
}

/// A booking as its business sees it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) state: String,
    pub(crate) version: i32,
    pub(crate) starts_at: OffsetDateTime,
    pub(crate) ends_at: OffsetDateTime,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) price_cents: i64,
    pub(crate) currency: String,
    pub(crate) service: String,
    pub(crate) staff_id: Uuid,
    pub(crate) staff: String,
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) series_id: Option<Uuid>,
}

/// A customer as their business sees them.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) created_at: OffsetDateTime,
}

/// The bookings of the business in scope by their start, without what was only held.
pub(crate) async fn bookings(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> sqlx::Result<Vec<Entry>> {
    let (start, id) = wanted.behind.unzip();
    sqlx::query_as!(
        Entry,
        r#"select booking.id, booking.state, booking.version, booking.starts_at,
             booking.ends_at, booking.created_at, booking.price_cents, booking.currency,
             service.slug as service, staff.id as staff_id, staff.name as staff,
             booking.customer_id, coalesce(booking.booked_name, customer.name) as name,
             customer.email as "email?", coalesce(booking.booked_phone, customer.phone) as phone,
             booking.series_id
         from booking
         join service on service.id = booking.service_id
         join staff on staff.id = booking.staff_id
         left join customer on customer.id = booking.customer_id
         where booking.state not in ('held', 'expired')
           and ($1::uuid is null or booking.id = $1)
           and ($2::timestamptz is null or booking.starts_at >= $2)
           and ($3::timestamptz is null or booking.starts_at < $3)
           and ($4::text is null or booking.state = $4)
           and ($5::uuid is null or booking.staff_id = $5)
           and ($6::timestamptz is null or (booking.starts_at, booking.id) > ($6, $7::uuid))
           and ($9::uuid is null or booking.series_id = $9)
         order by booking.starts_at, booking.id limit $8"#,
        wanted.id,
        wanted.from.map(stored),
        wanted.until.map(stored),
        wanted.state,
        wanted.staff,
        start.map(stored),
        id,
        wanted.limit,
        wanted.series
    )
    .fetch_all(connection)
    .await
}

/// The customers of the business in scope in the order of their ids, which is that of their
/// coming.
pub(crate) async fn customers(
    connection: &mut PgConnection,
    email: Option<&str>,
    behind: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Customer>> {
    sqlx::query_as!(
        Customer,
        "select id, name, email, phone, locale, created_at from customer
         where merged_into is null and erased_at is null
           and ($1::text is null or lower(email) = $1)
           and ($2::uuid is null or id > $2)
         order by id limit $3",
        email,
        behind,
        limit
    )
    .fetch_all(connection)
    .await
}

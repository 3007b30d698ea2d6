//! Bookings and their customers. A booking is moved only from the state and version in
//! which it was seen; the database refuses moves that nobody may make.

use booking::{Actor, State};
use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{instant, stored};

/// A booking as it is written.
#[derive(Debug)]
pub(crate) struct NewBooking<'a> {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    /// None while nobody has said who they are.
    pub(crate) customer: Option<Uuid>,
    /// In which the customer said that they are.
    pub(crate) customer_zone: Option<&'a str>,
    pub(crate) state: State,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) zone: &'a str,
    pub(crate) local_start: &'a str,
    pub(crate) price_cents: i64,
    pub(crate) currency: &'a str,
    /// The terms under which it can be called off, as JSON, where neither the service nor the
    /// business has any.
    pub(crate) plain_terms: Option<&'a str>,
    pub(crate) series: Option<Uuid>,
    pub(crate) note: Option<&'a str>,
    /// The name and number that were given for this booking.
    pub(crate) booked_as: Option<(&'a str, Option<&'a str>)>,
    /// The language that it is made in, where that is known.
    pub(crate) locale: Option<&'a str>,
    /// Until when a hold is kept.
    pub(crate) hold_until: Option<Timestamp>,
    /// Who was asked for, where it was not anyone.
    pub(crate) wanted_staff: Option<Uuid>,
    /// `online`, `phone` or `walk_in`.
    pub(crate) source: &'a str,
    /// Who makes it.
    pub(crate) actor: Actor,
    /// The hash of its secret address, where it has one.
    pub(crate) link_hash: Option<&'a [u8]>,
    pub(crate) now: Timestamp,
}

/// A booking as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booking {
    pub(crate) id: Uuid,
    pub(crate) state: String,
    pub(crate) version: i32,
    pub(crate) service_slug: String,
    pub(crate) service: String,
    pub(crate) staff_id: Uuid,
    pub(crate) staff: String,
    pub(crate) place: String,
    pub(crate) price_cents: i64,
    pub(crate) currency: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) zone: String,
    pub(crate) created_at: Timestamp,
    pub(crate) policy: Option<String>,
    pub(crate) fee_cents: Option<i64>,
    pub(crate) series: Option<Uuid>,
    pub(crate) hold_until: Option<Timestamp>,
    pub(crate) hold_extended: bool,
    /// The language that it was made in.
    pub(crate) locale: Option<String>,
    /// Who was asked for, where it was not anyone.
    pub(crate) wanted_staff: Option<Uuid>,
}

/// What is needed to decide about a change, with the row locked.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) id: Uuid,
    pub(crate) business: Uuid,
    pub(crate) state: State,
    pub(crate) version: i32,
    pub(crate) service: Uuid,
    pub(crate) staff: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) price_cents: i64,
    pub(crate) policy: Option<String>,
    /// Since when it is in its state, where that is known.
    pub(crate) since: Option<Timestamp>,
    pub(crate) hold_until: Option<Timestamp>,
    pub(crate) hold_extended: bool,
    /// Who was asked for, where it was not anyone.
    pub(crate) wanted_staff: Option<Uuid>,
}

/// Where a booking is moved to.
#[derive(Debug)]
pub(crate) struct NewTime<'a> {
    pub(crate) staff: Uuid,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) local_start: &'a str,
}

/// A booking as it comes out of the database.
struct Shown {
    id: Uuid,
    state: String,
    version: i32,
    service_slug: String,
    service: String,
    staff_id: Uuid,
    staff: String,
    place: String,
    price_cents: i64,
    currency: String,
    starts_at: OffsetDateTime,
    ends_at: OffsetDateTime,
    zone: String,
    created_at: OffsetDateTime,
    policy: Option<String>,
    fee_cents: Option<i64>,
    series_id: Option<Uuid>,
    hold_until: Option<OffsetDateTime>,
    hold_extended: bool,
    locale: Option<String>,
    wanted_staff_id: Option<Uuid>,
}

impl From<Shown> for Booking {
    fn from(row: Shown) -> Self {
        Self {
            id: row.id,
            state: row.state,
            version: row.version,
            service_slug: row.service_slug,
            service: row.service,
            staff_id: row.staff_id,
            staff: row.staff,
            place: row.place,
            price_cents: row.price_cents,
            currency: row.currency,
            start: instant(row.starts_at),
            end: instant(row.ends_at),
            zone: row.zone,
            created_at: instant(row.created_at),
            policy: row.policy,
            fee_cents: row.fee_cents,
            series: row.series_id,
            hold_until: row.hold_until.map(instant),
            hold_extended: row.hold_extended,
            locale: row.locale,
            wanted_staff: row.wanted_staff_id,
        }
    }
}

/// Selects bookings as they are shown: what comes before, where they come from, which ones.
macro_rules! shown {
    ($before:literal, $from:literal, $which:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Shown,
            $before
                + r#"select booking.id as "id!", booking.state as "state!",
                    booking.version as "version!", booking.price_cents as "price_cents!",
                    booking.currency as "currency!", booking.starts_at as "starts_at!",
                    booking.ends_at as "ends_at!", booking.zone as "zone!",
                    booking.created_at as "created_at!", booking.policy::text as policy,
                    booking.fee_cents, booking.series_id, booking.hold_until,
                    booking.hold_extended as "hold_extended!", booking.wanted_staff_id,
                    booking.staff_id as "staff_id!", service.slug as service_slug,
                    service.name as service, coalesce(booking.locale, customer.locale) as locale,
                    staff.name as staff, location.name || ', ' || location.address as "place!"
                 from "#
                + $from
                + " join service on service.id = booking.service_id
                 left join customer on customer.id = booking.customer_id
                 join staff on staff.id = booking.staff_id
                 join location on location.id = staff.location_id "
                + $which,
            $($argument),+
        )
    };
}

/// Writes a booking, and gives it as it is shown.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    new: &NewBooking<'_>,
) -> sqlx::Result<Booking> {
    let (name, phone) = new.booked_as.unzip();
    // Who makes it is said within the statement, its terms are read, its address is written and
    // what it has become is given back, which saves messages.
    let row = shown!(
        "with made as (insert into booking (id, business_id, service_id, staff_id, customer_id,
             state, starts_at, ends_at, zone, local_start, price_cents, currency, note,
             created_at, policy, series_id, booked_name, booked_phone, locale, state_since,
             hold_until, wanted_staff_id, source, customer_zone)
             values ($1, $2, $3, $4, $5,
                 (select $6::text from (select set_config('booking.actor', $24, true)) as said),
                 $7, $8, $9, $10, $11, $12, $13, $14,
                 coalesce((select terms from policy where service_id = $3 or service_id is null
                     order by service_id nulls last limit 1), $15::text::jsonb), $16, $17, $18,
                 $19, $14, $20, $21, $22, $23)
             returning *),
         linked as (insert into booking_link (token_hash, business_id, booking_id)
             select $25::bytea, $2, $1 where $25::bytea is not null) ",
        "made as booking",
        "",
        new.id,
        new.business,
        new.service,
        new.staff,
        new.customer,
        new.state.as_str(),
        stored(new.start),
        stored(new.end),
        new.zone,
        new.local_start,
        new.price_cents,
        new.currency,
        new.note,
        stored(new.now),
        new.plain_terms,
        new.series,
        name,
        phone.flatten(),
        new.locale,
        new.hold_until.map(stored),
        new.wanted_staff,
        new.source,
        new.customer_zone,
        new.actor.as_str(),
        new.link_hash
    );
    Ok(row.fetch_one(connection).await?.into())
}

/// A customer as they booked first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewCustomer<'a> {
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) phone: Option<&'a str>,
    /// The language that was chosen, if any was.
    pub(crate) locale: Option<&'a str>,
}

/// The customer of that address. One who is known stays as they are: what was given with
/// a booking belongs to that booking, and anybody can type an address.
pub(crate) async fn customer(
    connection: &mut PgConnection,
    id: Uuid,
    business: Uuid,
    new: &NewCustomer<'_>,
    now: Timestamp,
) -> sqlx::Result<Uuid> {
    let inserted = sqlx::query_scalar!(
        "insert into customer (id, business_id, name, email, phone, locale, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict on constraint customer_email_unique do nothing
         returning id",
        id,
        business,
        new.name,
        new.email,
        new.phone,
        new.locale,
        stored(now)
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(inserted) = inserted {
        return Ok(inserted);
    }
    sqlx::query_scalar!(
        // Who was merged into another is that other one.
        r#"select coalesce(merged_into, id) as "id!" from customer
         where business_id = $1 and email = $2"#,
        business,
        new.email
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Booking>> {
    let row = shown!("", "booking", "where booking.id = $1", id);
    Ok(row.fetch_optional(connection).await?.map(Booking::from))
}

/// Locks a booking until the transaction ends. None also where it is in a state that this
/// release does not know.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Standing>> {
    let row = sqlx::query!(
        "select id, business_id, state, version, service_id, staff_id, starts_at, ends_at,
                price_cents, policy::text as policy, state_since, hold_until,
                hold_extended, wanted_staff_id
         from booking where id = $1 for update",
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(Standing {
            id: row.id,
            business: row.business_id,
            state: State::parse(&row.state)?,
            version: row.version,
            service: row.service_id,
            staff: row.staff_id,
            start: instant(row.starts_at),
            end: instant(row.ends_at),
            price_cents: row.price_cents,
            policy: row.policy,
            since: row.state_since.map(instant),
            hold_until: row.hold_until.map(instant),
            hold_extended: row.hold_extended,
            wanted_staff: row.wanted_staff_id,
        })
    }))
}

/// Moves a booking to another state, where it is still as it was seen.
pub(crate) async fn change(
    connection: &mut PgConnection,
    seen: &Standing,
    to: State,
    actor: Actor,
    now: Timestamp,
) -> sqlx::Result<bool> {
    // Who moves it is said within the statement, which saves a message.
    let changed = sqlx::query!(
        "update booking set state = $4, version = version + 1, state_since = $5
         from (select set_config('booking.actor', $6, true)) as said
         where id = $1 and version = $2 and state = $3",
        seen.id,
        seen.version,
        seen.state.as_str(),
        to.as_str(),
        stored(now),
        actor.as_str()
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Keeps what a cancellation costs, and whether it was for a reason that costs nothing.
pub(crate) async fn fee(
    connection: &mut PgConnection,
    id: Uuid,
    fee_cents: i64,
    is_waived: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update booking set fee_cents = $2, fee_is_waived = $3 where id = $1",
        id,
        fee_cents,
        is_waived
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps why staff called a booking off.
pub(crate) async fn reason(
    connection: &mut PgConnection,
    id: Uuid,
    reason: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update booking set cancel_reason = $2 where id = $1",
        id,
        reason
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes who gives what is held or booked.
pub(crate) async fn give_to(
    connection: &mut PgConnection,
    id: Uuid,
    staff: Uuid,
) -> sqlx::Result<()> {
    sqlx::query!("update booking set staff_id = $2 where id = $1", id, staff)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves a booking to another time, where it is still as it was seen.
pub(crate) async fn retime(
    connection: &mut PgConnection,
    seen: &Standing,
    time: &NewTime<'_>,
) -> sqlx::Result<bool> {
    let moved = sqlx::query!(
        "update booking set staff_id = $4, starts_at = $5, ends_at = $6, local_start = $7,
             version = version + 1
         where id = $1 and version = $2 and state = $3",
        seen.id,
        seen.version,
        seen.state.as_str(),
        time.staff,
        stored(time.start),
        stored(time.end),
        time.local_start
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

//! What messages say about a booking, and how its business wants them.

use jiff::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::stored;

/// A booking as its messages speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Appointment {
    pub(crate) id: Uuid,
    pub(crate) state: String,
    pub(crate) version: i32,
    pub(crate) starts_at: OffsetDateTime,
    pub(crate) ends_at: OffsetDateTime,
    pub(crate) zone: String,
    pub(crate) service: String,
    pub(crate) staff: String,
    pub(crate) place: String,
    pub(crate) business: String,
    pub(crate) business_slug: String,
    pub(crate) customer_id: Uuid,
    pub(crate) customer: String,
    /// Empty where they have none.
    pub(crate) email: String,
    pub(crate) phone: Option<String>,
    /// What the customer speaks, as far as it is known.
    pub(crate) locale: String,
    pub(crate) business_locale: String,
    /// Where the customer said that they are.
    pub(crate) customer_zone: Option<String>,
    /// With which booking it was called off, where that was more than one.
    pub(crate) called_off_with: Option<Uuid>,
}

/// When a visit is, or was to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    pub(crate) id: Uuid,
    pub(crate) version: i32,
    pub(crate) starts_at: OffsetDateTime,
    pub(crate) ends_at: OffsetDateTime,
}

/// How a business wants its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Minutes before the start; none where it does not want one.
    pub(crate) reminder_email_minutes: Option<i32>,
    pub(crate) reminder_sms_minutes: Option<i32>,
    /// Minutes on the wall between which nobody is reminded.
    pub(crate) quiet_from: i16,
    pub(crate) quiet_until: i16,
    pub(crate) hides_service: bool,
    pub(crate) email: Option<String>,
    /// Whom messages are from; the business by its name where there is none.
    pub(crate) sender: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reminder_email_minutes: Some(24 * 60),
            reminder_sms_minutes: Some(2 * 60),
            quiet_from: 20 * 60,
            quiet_until: 7 * 60,
            hides_service: false,
            email: None,
            sender: None,
        }
    }
}

/// Where the business in scope reads what could not be sent, or else one of its owners.
pub(crate) async fn mailbox(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select coalesce(
             (select nullif(email, '') from message_settings
              where business_id = current_business()),
             (select account.email from membership
              join account on account.id = membership.account_id
              where membership.business_id = current_business() and membership.role = 'owner'
              order by membership.created_at, account.id limit 1))"
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn by_id(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Option<Appointment>> {
    sqlx::query_as!(
        Appointment,
        r#"select booking.id, booking.state, booking.version, booking.starts_at,
             booking.ends_at, booking.zone, service.name as service, staff.name as staff,
             location.name || ', ' || location.address as "place!",
             business.name as business, business.slug as business_slug,
             customer.id as customer_id,
             coalesce(booking.booked_name, customer.name) as "customer!",
             coalesce(customer.email, '') as "email!",
             coalesce(booking.booked_phone, customer.phone) as phone,
             coalesce(booking.locale, customer.locale, business.locale) as "locale!",
             business.locale as business_locale, booking.customer_zone,
             booking.called_off_with
         from booking
         join service on service.id = booking.service_id
         join staff on staff.id = booking.staff_id
         join location on location.id = staff.location_id
         join business on business.id = booking.business_id
         join customer on customer.id = booking.customer_id
         where booking.id = $1"#,
        booking
    )
    .fetch_optional(connection)
    .await
}

/// The visits that were called off together with a booking, and are told of with it; none
/// where it was called off alone.
pub(crate) async fn called_off_together(
    connection: &mut PgConnection,
    booking: Uuid,
) -> sqlx::Result<Vec<Time>> {
    sqlx::query_as!(
        Time,
        "select other.id, other.version, other.starts_at, other.ends_at
         from booking as one
         join booking as other
           on other.series_id = one.series_id and other.called_off_with = one.id
         where one.id = $1
         order by other.starts_at, other.id",
        booking
    )
    .fetch_all(connection)
    .await
}

/// The settings of the business in scope.
pub(crate) async fn settings(connection: &mut PgConnection) -> sqlx::Result<Settings> {
    let found = sqlx::query_as!(
        Settings,
        "select reminder_email_minutes, reminder_sms_minutes, quiet_from, quiet_until,
             hides_service, email, sender
         from message_settings where business_id = current_business()"
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.unwrap_or_default())
}

/// Changes the settings of the business in scope.
pub(crate) async fn set_settings(
    connection: &mut PgConnection,
    business: Uuid,
    settings: &Settings,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into message_settings (business_id, reminder_email_minutes,
             reminder_sms_minutes, quiet_from, quiet_until, hides_service, email, sender)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict on constraint message_settings_pkey do update
         set reminder_email_minutes = excluded.reminder_email_minutes,
             reminder_sms_minutes = excluded.reminder_sms_minutes,
             quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
             hides_service = excluded.hides_service, email = excluded.email,
             sender = excluded.sender",
        business,
        settings.reminder_email_minutes,
        settings.reminder_sms_minutes,
        settings.quiet_from,
        settings.quiet_until,
        settings.hides_service,
        settings.email,
        settings.sender
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether an address wants no reminders of the business in scope.
pub(crate) async fn is_suppressed(
    connection: &mut PgConnection,
    channel: &str,
    hash: &[u8],
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from suppression
             where business_id = current_business() and channel = $1
               and address_hash = $2) as "is!""#,
        channel,
        hash
    )
    .fetch_one(connection)
    .await
}

/// Remembers that an address wants no reminders. Said twice, it is remembered once.
pub(crate) async fn suppress(
    connection: &mut PgConnection,
    business: Uuid,
    channel: &str,
    hash: &[u8],
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into suppression (business_id, channel, address_hash, created_at)
         values ($1, $2, $3, $4) on conflict on constraint suppression_pkey do nothing",
        business,
        channel,
        hash,
        stored(now)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every address that a customer of the business in scope, or whoever they were merged into,
/// is written to.
pub(crate) async fn emails(
    connection: &mut PgConnection,
    customer: Uuid,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select email as "email!" from customer
         where email is not null
           and (id = $1 or id = (select merged_into from customer where id = $1))"#,
        customer
    )
    .fetch_all(connection)
    .await
}

/// Every number that text messages to them go to: their own, and those that were given with
/// bookings.
pub(crate) async fn phones(
    connection: &mut PgConnection,
    customer: Uuid,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"with one as (
             select id, phone from customer
             where id = $1 or id = (select merged_into from customer where id = $1))
         select phone as "phone!" from one where phone is not null
         union
         select booked_phone from booking
         where booked_phone is not null and customer_id in (select id from one)"#,
        customer
    )
    .fetch_all(connection)
    .await
}

//! One booking with all that its page at the desk shows, and what happened to it.

use booking::State;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::instant;

/// A booking as the desk sees it.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) id: Uuid,
    pub(crate) state: State,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) zone: String,
    pub(crate) service: String,
    pub(crate) staff_id: Uuid,
    pub(crate) staff: String,
    pub(crate) place: String,
    pub(crate) price_cents: i64,
    pub(crate) currency: String,
    /// What the customer wrote.
    pub(crate) note: Option<String>,
    /// What staff wrote.
    pub(crate) desk_note: Option<String>,
    pub(crate) fee_cents: Option<i64>,
    pub(crate) version: i32,
    /// Since when it is in its state, where that is known.
    pub(crate) since: Option<Timestamp>,
    pub(crate) series: Option<Uuid>,
    /// `online`, `phone` or `walk_in`.
    pub(crate) source: String,
    pub(crate) cancel_reason: Option<String>,
    pub(crate) customer: Option<Uuid>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    /// Who of the staff it was, where it was one of them.
    pub(crate) name: Option<String>,
    pub(crate) action: String,
    /// When the visit began before and after, where that was written.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The booking of that id; also none where it is in a state that this release does not know.
pub(crate) async fn by_id(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Visit>> {
    let row = sqlx::query!(
        r#"select booking.id, booking.state, booking.starts_at, booking.ends_at, booking.zone,
                service.name as service, booking.staff_id, staff.name as staff,
                location.name || ', ' || location.address as "place!", booking.price_cents,
                booking.currency, booking.note, booking.desk_note, booking.fee_cents,
                booking.version, booking.state_since, booking.series_id, booking.source,
                booking.cancel_reason,
                booking.customer_id as "customer?",
                coalesce(booking.booked_name, customer.name) as name,
                coalesce(booking.booked_phone, customer.phone) as phone,
                customer.email as "email?"
         from booking
         join service on service.id = booking.service_id
         join staff on staff.id = booking.staff_id
         join location on location.id = staff.location_id
         left join customer on customer.id = booking.customer_id
         where booking.id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(Visit {
            id: row.id,
            state: State::parse(&row.state)?,
            start: instant(row.starts_at),
            end: instant(row.ends_at),
            zone: row.zone,
            service: row.service,
            staff_id: row.staff_id,
            staff: row.staff,
            place: row.place,
            price_cents: row.price_cents,
            currency: row.currency,
            note: row.note,
            desk_note: row.desk_note,
            fee_cents: row.fee_cents,
            version: row.version,
            since: row.state_since.map(instant),
            series: row.series_id,
            source: row.source,
            cancel_reason: row.cancel_reason,
            customer: row.customer,
            name: row.name,
            phone: row.phone,
            email: row.email,
        })
    }))
}

/// What happened to `subject`, from the beginning.
pub(crate) async fn history(
    connection: &mut PgConnection,
    subject: Uuid,
) -> sqlx::Result<Vec<Event>> {
    let rows = sqlx::query!(
        r#"select audit.at, audit.actor, account.name as "name?", audit.action,
                audit.before->>'start' as before, audit.after->>'start' as after
         from audit
         left join account on account.id = audit.actor_id
         where audit.subject = $1 order by audit.at, audit.id limit 500"#,
        subject
    )
    .fetch_all(connection)
    .await?;
    let event = rows.into_iter().map(|row| Event {
        at: instant(row.at),
        actor: row.actor,
        name: row.name,
        action: row.action,
        before: row.before,
        after: row.after,
    });
    Ok(event.collect())
}

/// What a customer was told and agreed to, with how that was and in which wording.
pub(crate) async fn told(
    connection: &mut PgConnection,
    customer: Uuid,
) -> sqlx::Result<Vec<Event>> {
    let rows = sqlx::query!(
        r#"select consent.given_at, account.name as "name?", consent.notice,
                consent.recorded_by is not null as "is_by_staff!",
                case when consent.purpose <> 'marketing'
                         then 'told.' || coalesce(consent.channel, 'page')
                     when consent.is_withdrawal then 'told.news_no'
                     else 'told.news_yes' end as "action!"
         from consent
         left join account on account.id = consent.recorded_by
         where consent.customer_id = $1
         order by consent.given_at desc, consent.id limit 100"#,
        customer
    )
    .fetch_all(connection)
    .await?;
    let event = rows.into_iter().map(|row| Event {
        at: instant(row.given_at),
        actor: if row.is_by_staff {
            "business"
        } else {
            "customer"
        }
        .to_owned(),
        name: row.name,
        action: row.action,
        before: None,
        after: Some(row.notice),
    });
    Ok(event.collect())
}

/// Writes what staff has to say. `false` where somebody wrote something else than `seen`
/// meanwhile.
pub(crate) async fn note(
    connection: &mut PgConnection,
    id: Uuid,
    seen: Option<&str>,
    note: Option<&str>,
) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        "update booking set desk_note = $3 where id = $1 and desk_note is not distinct from $2",
        id,
        seen,
        note
    )
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

//! What a business says of itself, as its desk changes it.

use sqlx::PgConnection;
use uuid::Uuid;

/// What a business says of itself, and where it is found.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) zone: String,
    pub(crate) locale: String,
    pub(crate) cancel_limit_minutes: i32,
    /// The terms of bookings, as JSON, where it has set any.
    pub(crate) terms: Option<String>,
    pub(crate) location: Uuid,
    pub(crate) place: String,
    pub(crate) address: String,
}

/// Keeps others from changing the settings of the business in scope until the transaction
/// ends; bookings go on.
pub(crate) async fn lock(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select from business where id = current_business() for no key update")
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// The settings of the business in scope. The first of its places counts.
pub(crate) async fn read(connection: &mut PgConnection) -> sqlx::Result<Option<Settings>> {
    sqlx::query_as!(
        Settings,
        r#"select business.name, business.about, business.zone, business.locale,
                business.cancel_limit_minutes,
                (select terms::text from policy where service_id is null) as terms,
                location.id as location, location.name as place, location.address
         from business
         join location on location.business_id = business.id
         where business.id = current_business()
         order by location.name, location.id limit 1"#
    )
    .fetch_optional(connection)
    .await
}

/// Writes the settings of the business in scope; its terms are written beside.
pub(crate) async fn update(connection: &mut PgConnection, settings: &Settings) -> sqlx::Result<()> {
    sqlx::query!(
        "update business set name = $1, about = $2, zone = $3, locale = $4,
             cancel_limit_minutes = $5
         where id = current_business()",
        settings.name,
        settings.about,
        settings.zone,
        settings.locale,
        settings.cancel_limit_minutes
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update location set name = $2, address = $3 where id = $1",
        settings.location,
        settings.place,
        settings.address
    )
    .execute(connection)
    .await?;
    Ok(())
}

//! Businesses and their places. Names and places are public.

use sqlx::PgConnection;
use uuid::Uuid;

/// A business as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Business {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) zone: String,
    pub(crate) currency: String,
    pub(crate) cancel_limit_minutes: i32,
    pub(crate) locale: String,
    pub(crate) is_listed: bool,
}

/// Where a business is found.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) name: String,
    pub(crate) address: String,
}

pub(crate) async fn all(connection: &mut PgConnection) -> sqlx::Result<Vec<Business>> {
    sqlx::query_as!(
        Business,
        "select id, slug, name, about, zone, currency, cancel_limit_minutes, locale,
             is_listed
         from business where is_listed order by name limit 200"
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn by_slug(
    connection: &mut PgConnection,
    slug: &str,
) -> sqlx::Result<Option<Business>> {
    sqlx::query_as!(
        Business,
        "select id, slug, name, about, zone, currency, cancel_limit_minutes, locale,
             is_listed
         from business where slug = $1",
        slug
    )
    .fetch_optional(connection)
    .await
}

pub(crate) async fn by_id(
    connection: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<Business>> {
    sqlx::query_as!(
        Business,
        "select id, slug, name, about, zone, currency, cancel_limit_minutes, locale,
             is_listed
         from business where id = $1",
        id
    )
    .fetch_optional(connection)
    .await
}

/// Keeps the business in scope out of every list, and says which language it speaks.
pub(crate) async fn hide(
    connection: &mut PgConnection,
    id: Uuid,
    locale: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update business set is_listed = false, locale = $2 where id = $1",
        id,
        locale
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts the business in scope into the lists.
pub(crate) async fn list(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update business set is_listed = true where id = $1", id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the database refused because another business has that address.
pub(crate) fn is_slug_taken(error: &sqlx::Error) -> bool {
    let constraint = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint);
    constraint == Some("business_slug_unique")
}

/// The places of the business in scope.
pub(crate) async fn locations(connection: &mut PgConnection) -> sqlx::Result<Vec<Location>> {
    sqlx::query_as!(
        Location,
        "select name, address from location order by name limit 100"
    )
    .fetch_all(connection)
    .await
}

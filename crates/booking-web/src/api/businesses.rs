//! Businesses and what they offer, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;

/// The businesses that can be booked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Businesses {
    businesses: Vec<BusinessEntry>,
}

/// A business.
#[derive(Debug, Serialize, ToSchema)]
struct BusinessEntry {
    /// Names it in addresses.
    slug: String,
    name: String,
    /// The zone of its times, by its name in the tz database.
    time_zone: String,
}

/// What a business offers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Services {
    business: String,
    services: Vec<ServiceEntry>,
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceEntry {
    /// Names it in addresses.
    slug: String,
    name: String,
    duration_minutes: i64,
    price_cents: i64,
    /// ISO 4217.
    currency: String,
}

/// Answers `GET /api/v1/businesses`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses",
    tag = "Booking",
    summary = "The businesses that can be booked",
    responses((status = 200, description = "The businesses", body = Businesses))
)]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Businesses>, Fault> {
    let businesses = app.businesses().await?;
    Ok(Json(Businesses {
        businesses: businesses
            .into_iter()
            .map(|business| BusinessEntry {
                slug: business.slug,
                name: business.name,
                time_zone: business.zone_id,
            })
            .collect(),
    }))
}

/// Answers `GET /api/v1/businesses/{business}/services`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/services",
    tag = "Booking",
    summary = "What a business offers",
    responses((status = 200, description = "The services", body = Services))
)]
pub(crate) async fn services(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
) -> Result<Json<Services>, Fault> {
    let business = app.business(&slug).await?;
    let services = app.services(&business).await?;
    Ok(Json(Services {
        business: business.slug,
        services: services
            .into_iter()
            .map(|service| ServiceEntry {
                slug: service.slug,
                name: service.name,
                duration_minutes: service.duration_minutes,
                price_cents: service.price_cents,
                currency: service.currency,
            })
            .collect(),
    }))
}

//! Businesses and what they offer, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::address::Path;
use crate::app::App;
use crate::error::Fault;

#[derive(Debug, Serialize)]
pub(crate) struct Businesses {
    businesses: Vec<BusinessEntry>,
}

#[derive(Debug, Serialize)]
struct BusinessEntry {
    slug: String,
    name: String,
    time_zone: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Services {
    business: String,
    services: Vec<ServiceEntry>,
}

#[derive(Debug, Serialize)]
struct ServiceEntry {
    slug: String,
    name: String,
    duration_minutes: i64,
    price_cents: i64,
    currency: String,
}

/// Answers `GET /api/v1/businesses`.
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

//! Webhooks, for the programs of a business: added, listed, switched off, given another
//! secret, tried, and what came of each call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::address::Path;
use crate::api::bookings::{KEY_WORDS, idempotency_key};
use crate::api::object::Object;
use crate::app::App;
use crate::error::{Fault, FieldProblem};
use crate::key::{Program, Scope};
use crate::messages::outbound::Unfit;
use crate::webhook::{Added, KINDS};

const PREFIX: &str = "booking.";

/// What is sent to add a webhook.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WantedWebhook {
    /// Where it is called; it begins with `https://` and leads to a public address.
    #[serde(default)]
    #[schema(required = true)]
    address: String,
    /// What it is called for, such as `booking.confirmed`; everything where it is left out.
    #[serde(default)]
    events: Vec<String>,
}

/// The webhooks of a business, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhooks {
    webhooks: Vec<WebhookEntry>,
}

/// A webhook, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookEntry {
    #[schema(format = "uuid")]
    id: String,
    address: String,
    /// Empty where it is called for everything.
    events: Vec<String>,
    is_active: bool,
    #[schema(format = DateTime)]
    created_at: String,
}

/// A webhook that was added, or got another secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookSecret {
    #[schema(format = "uuid")]
    id: String,
    /// Signs each call. It is shown here and never again.
    secret: String,
}

/// A call that is planned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlannedCall {
    #[schema(format = "uuid")]
    id: String,
}

/// The latest calls of a webhook, latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    deliveries: Vec<DeliveryEntry>,
}

/// A call and how far it is.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryEntry {
    #[schema(format = "uuid")]
    id: String,
    /// `booking.confirmed`, for example, or `ping`.
    event: String,
    /// `waiting`, `sending`, `unknown`, `sent`, `dropped` or `dead`.
    state: String,
    /// How often it failed.
    failures: i32,
    reason: Option<String>,
    /// When it was taken, or is tried next.
    #[schema(format = DateTime)]
    at: String,
}

/// Answers `GET /api/v1/businesses/{business}/webhooks`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/webhooks",
    tag = "Business",
    summary = "The webhooks of a business",
    responses((status = 200, description = "The webhooks", body = Webhooks)),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    program: Program,
) -> Result<Json<Webhooks>, Fault> {
    program.must(Scope::ManageWebhooks)?;
    let webhooks = app.webhooks(program.business.id).await?;
    let webhooks = webhooks.into_iter().map(|webhook| WebhookEntry {
        id: webhook.id.to_string(),
        address: webhook.url,
        events: webhook.kinds.iter().map(|kind| event(kind)).collect(),
        is_active: webhook.is_active,
        created_at: webhook.created_at.to_string(),
    });
    Ok(Json(Webhooks {
        webhooks: webhooks.collect(),
    }))
}

/// Answers `POST /api/v1/businesses/{business}/webhooks`. Whoever lost the answer switches it
/// off and adds another: a secret is not given twice.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/webhooks",
    tag = "Business",
    summary = "Add a webhook",
    description = "Calls are signed in the way of Standard Webhooks.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    request_body = WantedWebhook,
    responses((status = 201, description = "The webhook and its secret", body = WebhookSecret)),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    program: Program,
    headers: HeaderMap,
    wanted: Result<Json<Object<WantedWebhook>>, JsonRejection>,
) -> Result<Response, Fault> {
    program.must(Scope::ManageWebhooks)?;
    idempotency_key(&headers)?;
    let Json(Object(wanted)) = wanted?;
    let kinds = kinds(&wanted.events).map_err(|problem| Fault::Fields(vec![problem]))?;
    let wish = (wanted.address.trim(), kinds.as_slice());
    let unfit = |detail: &str| {
        Fault::Fields(vec![FieldProblem {
            field: "address",
            detail: detail.to_owned(),
        }])
    };
    match app
        .add_webhook(program.business.id, wish, program.id)
        .await?
    {
        Added::Now(id, secret) => {
            let id = id.to_string();
            Ok((StatusCode::CREATED, Json(WebhookSecret { id, secret })).into_response())
        }
        Added::Unfit(Unfit::Shape) => Err(unfit("must be an address such as https://example.com/")),
        Added::Unfit(Unfit::Unknown) => Err(unfit("must have a name that leads somewhere")),
        Added::Unfit(Unfit::Private) => Err(unfit("must lead to a public address")),
        Added::TooMany => Err(Fault::Refused("the business has enough webhooks")),
    }
}

/// Answers `DELETE /api/v1/businesses/{business}/webhooks/{id}`.
#[utoipa::path(
    delete,
    path = "/api/v1/businesses/{business}/webhooks/{id}",
    tag = "Business",
    summary = "Switch a webhook off",
    description = "Switching it off again changes nothing.",
    responses((status = 204, description = "It is off")),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<StatusCode, Fault> {
    program.must(Scope::ManageWebhooks)?;
    app.switch_webhook(program.business.id, (id, false), program.id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers `POST /api/v1/businesses/{business}/webhooks/{id}/secret`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/webhooks/{id}/secret",
    tag = "Business",
    summary = "Give a webhook another secret",
    description = "For a day each call carries two signatures: of the new secret and of the old.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    responses((status = 200, description = "The new secret", body = WebhookSecret)),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn rotate(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<WebhookSecret>, Fault> {
    program.must(Scope::ManageWebhooks)?;
    idempotency_key(&headers)?;
    let secret = app
        .rotate_webhook(program.business.id, id, program.id)
        .await?;
    let id = id.to_string();
    Ok(Json(WebhookSecret { id, secret }))
}

/// Answers `POST /api/v1/businesses/{business}/webhooks/{id}/ping`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/webhooks/{id}/ping",
    tag = "Business",
    summary = "Call a webhook to try it",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    responses((status = 202, description = "It will be called", body = PlannedCall)),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn ping(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    program.must(Scope::ManageWebhooks)?;
    idempotency_key(&headers)?;
    let call = app.ping_webhook(program.business.id, id).await?;
    let id = call.to_string();
    Ok((StatusCode::ACCEPTED, Json(PlannedCall { id })).into_response())
}

/// Answers `GET /api/v1/businesses/{business}/webhooks/{id}/deliveries`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/webhooks/{id}/deliveries",
    tag = "Business",
    summary = "The latest calls of a webhook",
    responses((status = 200, description = "The calls", body = Deliveries)),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn deliveries(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Json<Deliveries>, Fault> {
    program.must(Scope::ManageWebhooks)?;
    let tries = app.webhook_tries(program.business.id, id).await?;
    let deliveries = tries.into_iter().map(|call| DeliveryEntry {
        id: call.id.to_string(),
        event: event(&call.kind),
        state: call.state,
        failures: call.failures,
        reason: call.reason,
        at: call.at.to_string(),
    });
    Ok(Json(Deliveries {
        deliveries: deliveries.collect(),
    }))
}

/// Answers `POST /api/v1/businesses/{business}/webhooks/{id}/deliveries/{delivery}/again`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/webhooks/{id}/deliveries/{delivery}/again",
    tag = "Business",
    summary = "Make a call once more",
    description = "One that was taken, dropped or given up. Its `webhook-id` stays the same.",
    params(("idempotency-key" = String, Header, description = KEY_WORDS)),
    responses((status = 202, description = "It will be called", body = PlannedCall)),
    security(("key" = ["manage:webhooks"]))
)]
pub(crate) async fn again(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id, delivery)): Path<(String, Uuid, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    program.must(Scope::ManageWebhooks)?;
    idempotency_key(&headers)?;
    app.call_again(program.business.id, (id, delivery)).await?;
    let id = delivery.to_string();
    Ok((StatusCode::ACCEPTED, Json(PlannedCall { id })).into_response())
}

/// The name of an event for programs.
fn event(kind: &str) -> String {
    if KINDS.contains(&kind) {
        format!("{PREFIX}{kind}")
    } else {
        kind.to_owned()
    }
}

fn kinds(events: &[String]) -> Result<Vec<String>, FieldProblem> {
    let kind = |event: &String| {
        let kind = event.strip_prefix(PREFIX)?;
        KINDS.contains(&kind).then(|| kind.to_owned())
    };
    let kinds: Option<Vec<_>> = events.iter().map(kind).collect();
    let mut kinds = kinds.ok_or_else(|| FieldProblem {
        field: "events",
        detail: "must be names of events, such as booking.confirmed".to_owned(),
    })?;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_known_by_the_name_that_it_is_called_with() {
        let wanted = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            kinds(&names)
        };
        let twice = wanted(&["booking.moved", "booking.confirmed", "booking.moved"]);
        assert_eq!(twice.unwrap(), ["confirmed", "moved"]);
        assert_eq!(wanted(&[]).unwrap(), Vec::<String>::new());
        for wrong in ["confirmed", "booking.held", "ping", ""] {
            assert_eq!(wanted(&[wrong]).unwrap_err().field, "events", "{wrong}");
        }
        assert_eq!(event("moved"), "booking.moved");
        assert_eq!(event("ping"), "ping");
    }
}

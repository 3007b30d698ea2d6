//! Keys of a business, for programs that keep them: listed, made, revoked. The first one is
//! made by its owner on a page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::address::Path;
use crate::api::bookings::idempotency_key;
use crate::api::object::Object;
use crate::app::App;
use crate::error::{Fault, FieldProblem};
use crate::key::{KeyWish, Program, Scope};
use crate::store::instant;

const NAME_CHARS_MAX: usize = 80;

/// What is sent to make a key.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WantedKey {
    /// What it is for, at most 80 characters.
    #[serde(default)]
    #[schema(required = true)]
    name: String,
    /// What it allows; no more than the key that makes it.
    #[serde(default)]
    #[schema(required = true)]
    scopes: Vec<String>,
    /// When it ends by itself; never where it is left out.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// The keys of a business, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Keys {
    keys: Vec<KeyEntry>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyEntry {
    #[schema(format = "uuid")]
    id: String,
    name: String,
    /// What it begins with.
    prefix: String,
    scopes: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// To the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewKeyEntry {
    #[schema(format = "uuid")]
    id: String,
    prefix: String,
    /// The key itself. It is shown here and never again.
    secret: String,
}

/// Answers `GET /api/v1/businesses/{business}/keys`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/keys",
    tag = "Business",
    summary = "The keys of a business",
    responses((status = 200, description = "The keys", body = Keys)),
    security(("key" = ["manage:keys"]))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    program: Program,
) -> Result<Json<Keys>, Fault> {
    program.must(Scope::ManageKeys)?;
    let at = |at| instant(at).to_string();
    let keys = app.keys(program.business.id).await?;
    Ok(Json(Keys {
        keys: keys
            .into_iter()
            .map(|key| KeyEntry {
                id: key.id.to_string(),
                name: key.name,
                prefix: key.prefix,
                scopes: key.scopes,
                created_at: at(key.created_at),
                expires_at: key.expires_at.map(at),
                last_used_at: key.last_used_at.map(at),
                revoked_at: key.revoked_at.map(at),
            })
            .collect(),
    }))
}

/// Answers `POST /api/v1/businesses/{business}/keys`. Whoever lost the answer revokes the
/// key and makes another: a secret is not given twice.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/keys",
    tag = "Business",
    summary = "Make a key",
    params(("idempotency-key" = String, Header, description = "Names the request")),
    request_body = WantedKey,
    responses((status = 201, description = "The key, shown once", body = NewKeyEntry)),
    security(("key" = ["manage:keys"]))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    program: Program,
    headers: HeaderMap,
    wanted: Result<Json<Object<WantedKey>>, JsonRejection>,
) -> Result<Response, Fault> {
    program.must(Scope::ManageKeys)?;
    idempotency_key(&headers)?;
    let Json(Object(wanted)) = wanted?;
    let (scopes, expires_at) = check(&wanted, app.clock.now()).map_err(Fault::Fields)?;
    for scope in &scopes {
        program.must(*scope)?;
    }
    let wish = KeyWish {
        name: wanted.name.trim(),
        scopes: &scopes,
        expires_at,
    };
    let made = app.make_key(program.business.id, &wish, program.id).await?;
    let entry = NewKeyEntry {
        id: made.id.to_string(),
        prefix: made.prefix,
        secret: made.secret,
    };
    Ok((StatusCode::CREATED, Json(entry)).into_response())
}

/// Answers `DELETE /api/v1/businesses/{business}/keys/{id}`.
#[utoipa::path(
    delete,
    path = "/api/v1/businesses/{business}/keys/{id}",
    tag = "Business",
    summary = "Revoke a key",
    description = "From now on it opens nothing. Revoking again changes nothing.",
    responses((status = 204, description = "It is revoked")),
    security(("key" = ["manage:keys"]))
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<StatusCode, Fault> {
    program.must(Scope::ManageKeys)?;
    app.revoke_key(program.business.id, id, program.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(
    wanted: &WantedKey,
    now: Timestamp,
) -> Result<(Vec<Scope>, Option<Timestamp>), Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let mut keep = |field, detail: &str| {
        problems.push(FieldProblem {
            field,
            detail: detail.to_owned(),
        });
    };
    let name = wanted.name.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if !fits || name.chars().any(char::is_control) {
        keep(
            "name",
            "must say what the key is for, in at most 80 characters",
        );
    }
    let mut scopes: Vec<_> = wanted
        .scopes
        .iter()
        .map(|name| Scope::parse(name))
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() || scopes.contains(&None) {
        keep("scopes", "must be names of scopes, such as read:bookings");
    }
    let expires_at = wanted.expires_at.as_deref().map(str::parse::<Timestamp>);
    if expires_at
        .as_ref()
        .is_some_and(|end| !end.as_ref().is_ok_and(|end| *end > now))
    {
        keep(
            "expires_at",
            "must be an instant to come, such as 2027-03-24T07:30:00Z",
        );
    }
    if problems.is_empty() {
        Ok((
            scopes.into_iter().flatten().collect(),
            expires_at.and_then(Result::ok),
        ))
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_of_a_key_is_named() {
        let now = "2027-03-24T07:30:00Z".parse().unwrap();
        let wanted = |name: &str, scopes: &[&str], end: Option<&str>| WantedKey {
            name: name.into(),
            scopes: scopes.iter().map(|&s| s.into()).collect(),
            expires_at: end.map(Into::into),
        };
        let wrong = wanted(" ", &["read:everything"], Some("2027-03-24T07:30:00Z"));
        assert_eq!(check(&wrong, now).unwrap_err().len(), 3);
        let right = wanted("Till", &["read:bookings", "read:bookings"], None);
        assert_eq!(check(&right, now), Ok((vec![Scope::ReadBookings], None)));
    }
}

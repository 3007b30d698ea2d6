//! Secret addresses of calendars, for the programs of a business: listed, made, revoked.

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
use crate::api::bookings::idempotency_key;
use crate::api::object::Object;
use crate::app::App;
use crate::error::{Fault, FieldProblem};
use crate::feed::Names;
use crate::key::{Program, Scope};
use crate::store::instant;

/// What is sent to make a calendar.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WantedFeed {
    /// Whose visits it shows, by id; those of everybody where it is left out.
    #[serde(default)]
    #[schema(format = "uuid")]
    staff: Option<String>,
    /// How customers are named: `short` (Thandi N.), `initials` (T. N.) or `none`; `short`
    /// where it is left out.
    #[serde(default)]
    names: Option<String>,
}

/// The calendars of a business, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feeds {
    feeds: Vec<FeedEntry>,
}

/// A calendar, without its address.
#[derive(Debug, Serialize, ToSchema)]
struct FeedEntry {
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "uuid")]
    staff: Option<String>,
    names: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// A calendar that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewFeedEntry {
    #[schema(format = "uuid")]
    id: String,
    /// The address, for calendar programs to subscribe to. It is shown here and never again.
    address: String,
}

/// Answers `GET /api/v1/businesses/{business}/feeds`.
#[utoipa::path(
    get,
    path = "/api/v1/businesses/{business}/feeds",
    tag = "Business",
    summary = "The calendars of a business",
    responses((status = 200, description = "The calendars", body = Feeds)),
    security(("key" = ["manage:feeds"]))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    program: Program,
) -> Result<Json<Feeds>, Fault> {
    program.must(Scope::ManageFeeds)?;
    let feeds = app.feeds(program.business.id).await?;
    Ok(Json(Feeds {
        feeds: feeds
            .into_iter()
            .map(|feed| FeedEntry {
                id: feed.id.to_string(),
                staff: feed.staff_id.map(|id| id.to_string()),
                names: feed.names,
                created_at: instant(feed.created_at).to_string(),
                revoked_at: feed.revoked_at.map(|at| instant(at).to_string()),
            })
            .collect(),
    }))
}

/// Answers `POST /api/v1/businesses/{business}/feeds`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/feeds",
    tag = "Business",
    summary = "Make the address of a calendar",
    description = "It shows the visits of the last month and the coming year, without notes.",
    params(("idempotency-key" = String, Header, description = "Names the request")),
    request_body = WantedFeed,
    responses((status = 201, description = "The address, shown once", body = NewFeedEntry)),
    security(("key" = ["manage:feeds"]))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    program: Program,
    headers: HeaderMap,
    wanted: Result<Json<Object<WantedFeed>>, JsonRejection>,
) -> Result<Response, Fault> {
    program.must(Scope::ManageFeeds)?;
    idempotency_key(&headers)?;
    let Json(Object(wanted)) = wanted?;
    let (staff, names) = check(&wanted).map_err(Fault::Fields)?;
    let made = app.make_feed(program.business.id, staff, names, program.id);
    let Some((id, address)) = made.await? else {
        return Err(Fault::Fields(vec![nobody()]));
    };
    let id = id.to_string();
    Ok((StatusCode::CREATED, Json(NewFeedEntry { id, address })).into_response())
}

/// Answers `DELETE /api/v1/businesses/{business}/feeds/{id}`.
#[utoipa::path(
    delete,
    path = "/api/v1/businesses/{business}/feeds/{id}",
    tag = "Business",
    summary = "Revoke the address of a calendar",
    description = "From now on it leads nowhere. Revoking again changes nothing.",
    responses((status = 204, description = "It is revoked")),
    security(("key" = ["manage:feeds"]))
)]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    program: Program,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<StatusCode, Fault> {
    program.must(Scope::ManageFeeds)?;
    app.revoke_feed(program.business.id, id, program.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn nobody() -> FieldProblem {
    FieldProblem {
        field: "staff",
        detail: "must be the id of somebody of the staff".to_owned(),
    }
}

fn check(wanted: &WantedFeed) -> Result<(Option<Uuid>, Names), Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let staff = wanted.staff.as_deref().map(str::parse::<Uuid>).transpose();
    if staff.is_err() {
        problems.push(nobody());
    }
    let names = wanted
        .names
        .as_deref()
        .map_or(Some(Names::Short), Names::parse);
    if names.is_none() {
        problems.push(FieldProblem {
            field: "names",
            detail: "must be short, initials or none".to_owned(),
        });
    }
    match (staff, names) {
        (Ok(staff), Some(names)) => Ok((staff, names)),
        _ => Err(problems),
    }
}

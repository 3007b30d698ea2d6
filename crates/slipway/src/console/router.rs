//! Every address of the console, in one table, and what surrounds each request.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::console::fault::Fault;
use crate::console::{Desk, assets, events, guard, pages};

/// Longer than any honest answer takes.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// A form here holds a token and a reason.
const BODY_BYTES_MAX: usize = 16 * 1024;

pub(crate) fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(pages::overview::get))
        .route("/rollouts", get(pages::history::get))
        .route("/rollouts/{id}", get(pages::rollout::get))
        .route(
            "/rollouts/{id}/cancel",
            get(pages::act::ask_cancel).post(pages::act::cancel),
        )
        .route(
            "/rollouts/{id}/steer/{order}",
            get(pages::steer::ask).post(pages::steer::say),
        )
        .route(
            "/services/{service}/rollback",
            get(pages::act::ask_rollback).post(pages::act::roll_back),
        )
        .route(
            "/sign-in",
            get(pages::sign_in::ask).post(pages::sign_in::sign_in),
        )
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route("/receipts/{id}", get(pages::receipt::get))
        .route("/receipts/{id}/file", get(pages::receipt::file))
        .route("/journal", get(pages::journal::get))
        .route("/instances/{id}/log", get(pages::log::get))
        .route("/assets/{file}", get(assets::get))
        .route("/favicon.ico", get(assets::favicon))
        .layer(from_fn(in_time))
        .route("/events", get(events::get))
        .fallback(async || Fault::NotFound)
        .method_not_allowed_fallback(async || Fault::Method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&desk), guard::guard))
        .with_state(desk)
}

/// Ends an answer that takes too long. Streams are not wrapped in it.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(ANSWER_WITHIN, next.run(request))
        .await
        .unwrap_or_else(|_| Fault::TimedOut.into_response())
}

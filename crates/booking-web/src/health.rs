//! Three questions about health: is the process alive, do the parts that it needs
//! answer, and could a booking be made now. A missing cache is slower, not down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chassis::{Check, Health, Status};
use http::StatusCode;

use crate::app::App;

/// A part that needs longer than this does not answer.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Answers `/health`: alive, and which release this is. Looks at nothing else, so
/// that a database that is gone never makes anybody restart the application.
pub(crate) async fn alive(State(app): State<Arc<App>>) -> Response {
    answer(&Health::of(&app.release, Vec::new()))
}

/// Answers `/api/health`: database, schema level, cache.
pub(crate) async fn parts(State(app): State<Arc<App>>) -> Response {
    let (database, schema, cache) = tokio::join!(database(&app), schema(&app), cache(&app));
    answer(&Health::of(&app.release, vec![database, schema, cache]))
}

/// Answers `/api/bookings/health`: whether a booking could be made now.
pub(crate) async fn bookings(State(app): State<Arc<App>>) -> Response {
    let (schema, booking) = tokio::join!(
        schema(&app),
        look("booking", Status::Down, app.rehearse_booking())
    );
    answer(&Health::of(&app.release, vec![schema, booking]))
}

async fn database(app: &App) -> Check {
    look("database", Status::Down, async {
        app.ping_database().await.map(|()| None)
    })
    .await
}

async fn schema(app: &App) -> Check {
    look("schema", Status::Down, async {
        app.schema_level().await.map(Some)
    })
    .await
}

async fn cache(app: &App) -> Check {
    look("cache", Status::Degraded, app.ping_cache()).await
}

/// Looks at one part; `worst` is what its failure means for the whole.
async fn look(
    name: &str,
    worst: Status,
    seen: impl Future<Output = anyhow::Result<Option<String>>>,
) -> Check {
    let began = Instant::now();
    let (status, detail) = match tokio::time::timeout(LOOK_WITHIN, seen).await {
        Ok(Ok(detail)) => (Status::Up, detail),
        Ok(Err(error)) => (worst, Some(error.to_string())),
        Err(_) => (worst, Some("does not answer in time".to_owned())),
    };
    Check {
        name: name.to_owned(),
        status,
        detail,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn answer(health: &Health) -> Response {
    let status =
        StatusCode::from_u16(health.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(health)).into_response()
}

//! Three questions about health: is the process alive, do the parts that it needs
//! answer, and could a booking be made now. A missing cache is slower, not down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chassis::{Check, Health, Status};
use http::StatusCode;
use tokio::sync::Mutex;

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
    let looking = Box::pin(async {
        let (database, schema, cache) = tokio::join!(database(&app), schema(&app), cache(&app));
        Health::of(&app.release, vec![database, schema, cache])
    });
    answer(&app.parts.share(looking).await)
}

/// Answers `/api/bookings/health`: whether a booking could be made now.
pub(crate) async fn bookings(State(app): State<Arc<App>>) -> Response {
    let looking = Box::pin(async {
        let (schema, booking) = tokio::join!(
            schema(&app),
            look("booking", Status::Down, app.rehearse_booking())
        );
        Health::of(&app.release, vec![schema, booking])
    });
    answer(&app.rehearsal.share(looking).await)
}

/// One look for all who ask at the same time: however many they are, they cannot wear out
/// what is looked at and so make it look sick. Nobody gets a look that is older than their
/// question.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Option<(Instant, Health)>>);

impl Shared {
    async fn share(&self, looking: impl Future<Output = Health>) -> Health {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((began, health)) = &*last
            && *began >= asked
        {
            return health.clone();
        }
        let began = Instant::now();
        let health = looking.await;
        *last = Some((began, health.clone()));
        health
    }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn however_many_ask_at_once_there_are_two_looks_at_most() {
        let (shared, looks) = (Shared::default(), AtomicUsize::new(0));
        let ask = || {
            shared.share(async {
                looks.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Health::of("r1", Vec::new())
            })
        };
        join_all((0..100).map(|_| ask())).await;
        // One was under way when the others came; they share the next.
        assert_eq!(looks.load(Ordering::Relaxed), 2);
        ask().await;
        assert_eq!(looks.load(Ordering::Relaxed), 3, "an old look was given");
    }
}

//! Takes a file that a business uploads, as a stream: hashed and counted while it
//! arrives, never held whole. It creates nothing, so it may be sent again freely.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::network::Network;
use crate::address::Path;
use crate::app::App;
use crate::error::Fault;

/// The largest file that is taken.
pub(crate) const IMPORT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A sender that is silent for longer is gone.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// The largest file over a slow line.
const ARRIVES_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Files that one process takes at once, and those of them from one network.
pub(crate) const IMPORTS_MAX: usize = 16;
pub(crate) const IMPORTS_OF_ONE: usize = 4;

const MEDIA_TYPES: &str = "text/csv or application/octet-stream";

/// What arrived.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// BLAKE3 of the body, in hexadecimal.
    blake3: String,
    /// The body's length in bytes.
    length: u64,
}

/// Answers `POST /api/v1/businesses/{business}/imports`.
#[utoipa::path(
    post,
    path = "/api/v1/businesses/{business}/imports",
    tag = "Business",
    summary = "Send a file",
    description = "At most 32 MiB, as text/csv or application/octet-stream. It is hashed and \
        counted; nothing is made of it, so it may be sent again freely.",
    request_body(content((String = "text/csv"), (Vec<u8> = "application/octet-stream"))),
    responses((status = 200, description = "What arrived", body = Received))
)]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(slug): Path<String>,
    network: Network,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Received>, Fault> {
    check_head(&headers)?;
    let _place = app.imports.enter(network).ok_or(Fault::Busy)?;
    app.business(&slug).await?;
    let received = tokio::time::timeout(ARRIVES_WITHIN, receive(body))
        .await
        .unwrap_or(Err(Fault::SenderSilent))?;
    app.metrics.import_bytes.inc_by(received.length);
    Ok(Json(received))
}

fn check_head(headers: &HeaderMap) -> Result<(), Fault> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !matches!(media_type, Some("text/csv" | "application/octet-stream")) {
        return Err(Fault::MediaType(MEDIA_TYPES));
    }
    // An honest sender hears at once that its file is too large.
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > IMPORT_BYTES_MAX) {
        return Err(Fault::TooLarge);
    }
    Ok(())
}

async fn receive(body: Body) -> Result<Received, Fault> {
    let mut stream = body.into_data_stream();
    let mut hasher = blake3::Hasher::new();
    let mut length = 0_u64;
    loop {
        let chunk = tokio::time::timeout(SILENCE_MAX, stream.next())
            .await
            .map_err(|_| Fault::SenderSilent)?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| Fault::Malformed("the body broke off".to_owned()))?;
        length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if length > IMPORT_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        hasher.update(&chunk);
    }
    Ok(Received {
        blake3: hasher.finalize().to_hex().to_string(),
        length,
    })
}

//! Log lines as JSON on standard error, one object a line, with the names of the
//! Elastic Common Schema where it has one. Set up once, by a binary's `main`.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::Env;

/// Starts logging. `LOG` holds a filter such as `info,sqlx=warn`; the default is `info`.
///
/// Fails when logging was started before, or when the filter cannot be read.
pub fn init(env: &Env) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(env.get("LOG").unwrap_or("info"))?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_span_events(FmtSpan::NONE)
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()?;
    Ok(())
}

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in `LOG` cannot be read.
    #[error("LOG holds no filter that can be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something started logging before.
    #[error("logging was started before")]
    Started(#[from] TryInitError),
}

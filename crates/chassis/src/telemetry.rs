//! Log lines as JSON on standard error, one object a line, with the names of the
//! Elastic Common Schema where it has one. A panic is such a line, too. Set up once, by a
//! binary's `main`.

use std::io;
use std::panic::{self, PanicHookInfo};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::Env;

/// Starts logging. `LOG` holds a filter such as `info,sqlx=warn`; the default is `info`.
///
/// Fails when logging was started before, or when the filter cannot be read.
pub fn init(env: &Env) -> Result<(), TelemetryError> {
    let filter: Targets = env.get("LOG").unwrap_or("info").parse()?;
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(io::stderr))
        .try_init()?;
    panic::set_hook(Box::new(log));
    Ok(())
}

fn lines<S, W>(into: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_span_events(FmtSpan::NONE)
        .with_writer(into)
}

/// Names the place only: the words of a panic can hold what a visitor typed.
fn log(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "panicked");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_panic_is_a_line_that_names_its_place_and_not_its_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let into = Arc::new(file.reopen().unwrap());
        let subscriber = tracing_subscriber::registry().with(lines(into));
        tracing::subscriber::with_default(subscriber, || {
            let before = panic::take_hook();
            panic::set_hook(Box::new(log));
            let ended = panic::catch_unwind(|| panic!("thandi@example.co.za"));
            panic::set_hook(before);
            assert!(ended.is_err());
        });
        let text = std::fs::read_to_string(file.path()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "panicked");
        let place = line["place"].as_str().unwrap();
        assert!(place.contains("telemetry.rs:"), "{text}");
        assert!(!text.contains("thandi"), "{text}");
    }
}

//! Why a request was not answered as asked, as a page that says what to do.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::console::pages::Site;

/// Why not.
#[derive(Debug)]
pub(crate) enum Fault {
    NotFound,
    Method,
    /// The name that the browser asked for does not lead to this machine alone.
    Misdirected,
    /// The form does not come from a page of this console.
    Forged,
    /// Nobody is signed in who could change anything.
    Nobody,
    /// Too many live streams.
    Busy,
    TimedOut,
    /// The engine does not run here.
    NoEngine,
    Broken(anyhow::Error),
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage {
    site: Site,
    title: &'static str,
    words: &'static str,
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Forged | Self::Nobody => StatusCode::FORBIDDEN,
            Self::Busy | Self::NoEngine => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => (
                "Nothing here",
                "The journal knows nothing by this address. It may belong to another environment.",
            ),
            Self::Method => (
                "Not that way",
                "This address exists, but cannot be asked in this way.",
            ),
            Self::Misdirected => (
                "Wrong name",
                "The console answers on this machine only. Open it as 127.0.0.1 or localhost.",
            ),
            Self::Forged => (
                "Nothing was changed",
                "This form does not come from a page of the running console: control may have \
                 started again since the page was loaded. Go back, load the page again and repeat \
                 it.",
            ),
            Self::Nobody => (
                "Nothing was changed",
                "Nobody is signed in here, or the session is over. `slipway console` on this \
                 machine gives a link to sign in; then go back and repeat it.",
            ),
            Self::Busy => (
                "Too many open pages",
                "More live pages are open than the console serves at once. Close some of them.",
            ),
            Self::NoEngine => (
                "Nothing was changed",
                "No rollout engine runs in this control, so nothing can be steered from here.",
            ),
            Self::TimedOut => (
                "No answer in time",
                "The answer took too long. Traffic is not touched by this; try again.",
            ),
            Self::Broken(_) => (
                "Something broke",
                "The console could not answer; the log of control says why. Traffic is not touched \
                 by this.",
            ),
        }
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        if let Self::Broken(error) = &self {
            tracing::error!(error = format!("{error:#}"), "the console could not answer");
        }
        let (title, words) = self.words();
        let page = FaultPage {
            site: Site::bare(),
            title,
            words,
        };
        match page.render() {
            Ok(html) => (self.status(), Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page of a fault cannot be rendered");
                (self.status(), title).into_response()
            }
        }
    }
}

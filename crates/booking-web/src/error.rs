//! The one place that turns what went wrong into an answer, and logs it once.
//! Handlers return a [`Fault`]; the frame renders it as a page or as problem
//! details (RFC 9457). An expected "no" that a page shows itself is not a fault.

use std::error::Error as _;
use std::sync::Arc;

use axum::extract::rejection::{
    BytesRejection, FormRejection, JsonRejection, PathRejection, QueryRejection,
};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use http_body_util::LengthLimitError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::language::Wanted;
use crate::pages;

/// What the type of a problem begins with; the rest is its kind.
pub(crate) const PROBLEMS: &str = "https://appointmentbooking.co.za/problems/";

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("there is nothing at this address")]
    NotFound,
    #[error("this address does not take that method")]
    Method,
    #[error("{0}")]
    Malformed(String),
    #[error("the form did not come from a page of ours that was open in this browser")]
    Forged,
    #[error("the body is larger than this address takes")]
    TooLarge,
    #[error("the body must be sent as {0}")]
    MediaType(&'static str),
    /// With the address to come back to.
    #[error("sign in first")]
    SignIn(String),
    /// With the address to come back to.
    #[error("give the password again first")]
    PasswordAgain(String),
    #[error("the role of who asks, or the key, does not include this")]
    Forbidden,
    #[error("some fields need another value")]
    Fields(Vec<FieldProblem>),
    #[error("a key of the business is needed: Authorization: Bearer bk_…")]
    KeyNeeded,
    #[error("it is no longer as it was seen")]
    Changed,
    #[error("the booking was changed since it was looked at")]
    OtherVersion,
    #[error("the idempotency key was used before, with another body")]
    KeyReused,
    #[error("the time is no longer free")]
    SlotTaken(Vec<Alternative>),
    /// With the nearest free times.
    #[error("as many have booked that day, or that week, as may")]
    DayFull(Vec<Alternative>),
    #[error("{0}")]
    Refused(&'static str),
    /// With the seconds until it may be asked for again.
    #[error("this was asked for too often; try again later")]
    TooMany(u64),
    #[error("too much was asked at once; try again in a moment")]
    Busy,
    #[error("too many times are held from here; confirm one, let one go, or book without holding")]
    HeldEnough,
    #[error("the body did not come in time")]
    SenderSilent,
    #[error("the answer took too long")]
    TimedOut,
    #[error("a part that is needed does not answer")]
    Unavailable(#[source] anyhow::Error),
    #[error("something of ours is broken")]
    Broken(#[source] anyhow::Error),
}

/// One field that needs another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The field's name as it was sent.
    pub(crate) field: &'static str,
    /// What to do about it, in words for the person who filled it in.
    pub(crate) detail: String,
}

impl FieldProblem {
    /// What is wrong with one of the fields.
    pub(crate) fn of<'a>(problems: &'a [Self], field: &str) -> Option<&'a str> {
        let mut problems = problems.iter();
        let problem = problems.find(|problem| problem.field == field);
        problem.map(|problem| problem.detail.as_str())
    }
}

/// A free time near one that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Alternative {
    /// The instant it begins, in UTC.
    #[schema(format = DateTime)]
    pub(crate) start: String,
    /// The wall time at the business.
    #[schema(format = DateTime)]
    pub(crate) local_start: String,
}

/// Who asks, and so how a fault is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Person,
    Program,
}

impl Reader {
    pub(crate) fn of(path: &str) -> Self {
        if path == "/api" || path.starts_with("/api/") {
            Self::Program
        } else {
            Self::Person
        }
    }
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::SignIn(_) | Self::KeyNeeded => StatusCode::UNAUTHORIZED,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::Forged | Self::Forbidden | Self::PasswordAgain(_) => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Fields(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::SlotTaken(_) | Self::DayFull(_) | Self::Refused(_) | Self::OtherVersion => {
                StatusCode::CONFLICT
            }
            Self::SenderSilent => StatusCode::REQUEST_TIMEOUT,
            // A visitor can cause it, so it must not count against the release.
            Self::Busy | Self::HeldEnough | Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TimedOut | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Why a body could not be taken.
    pub(crate) fn of_body(error: &axum::Error) -> Self {
        let is_too_large = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if is_too_large {
            Self::TooLarge
        } else {
            Self::Malformed("the body broke off".to_owned())
        }
    }

    /// A stable name that programs may compare.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Method => "method-not-allowed",
            Self::Malformed(_) => "malformed-request",
            Self::Forged => "forged-form",
            Self::SignIn(_) => "sign-in-needed",
            Self::PasswordAgain(_) => "password-needed-again",
            Self::Forbidden => "forbidden",
            Self::KeyNeeded => "key-needed",
            Self::Changed => "changed-meanwhile",
            Self::TooLarge => "body-too-large",
            Self::MediaType(_) => "unsupported-media-type",
            Self::Fields(_) => "invalid-fields",
            Self::OtherVersion => "changed",
            Self::KeyReused => "idempotency-key-reused",
            Self::SlotTaken(_) => "slot-taken",
            Self::DayFull(_) => "day-full",
            Self::Refused(_) => "refused",
            Self::TooMany(_) => "too-many-requests",
            Self::Busy => "busy",
            Self::HeldEnough => "held-enough",
            Self::SenderSilent => "sender-silent",
            Self::TimedOut => "timed-out",
            Self::Unavailable(_) => "unavailable",
            Self::Broken(_) => "internal-error",
        }
    }

    /// Where a person is sent who must do something first.
    fn detour(&self) -> Option<String> {
        let (page, next) = match self {
            Self::SignIn(next) => ("/sign-in", next),
            Self::PasswordAgain(next) => ("/account/password-again", next),
            _ => return None,
        };
        let next: String = encoded(next);
        Some(format!("{page}?next={next}"))
    }

    fn log(&self) {
        match self {
            Self::Broken(cause) | Self::Unavailable(cause) => {
                tracing::error!(fault = self.kind(), cause = %chain(cause), "a request failed");
            }
            Self::TimedOut => tracing::error!(fault = self.kind(), "a request took too long"),
            _ => {}
        }
    }
}

/// The causes from the outermost inwards. Store errors hold no visitor's data.
fn chain(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// What went wrong, as problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem and stays as it is; programs may compare it.
    #[schema(format = "uri")]
    r#type: String,
    /// What the status means.
    title: &'static str,
    status: u16,
    /// What happened this time, in English.
    detail: String,
    /// Names the request, also in the log of the server.
    request_id: String,
    /// Every field that needs another value.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
    /// The nearest free times, where a time is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    alternatives: Option<Vec<Alternative>>,
}

/// Turns the fault that a handler left in `response`, if any, into its answer.
pub(crate) fn render(
    response: Response,
    reader: Reader,
    wanted: Wanted,
    app: &crate::app::App,
    request_id: &str,
) -> (Response, Option<&'static str>) {
    let Some(fault) = response.extensions().get::<Arc<Fault>>().cloned() else {
        return (response, None);
    };
    fault.log();
    if let (Reader::Person, Some(address)) = (reader, fault.detour()) {
        return (Redirect::to(&address).into_response(), Some(fault.kind()));
    }
    let mut answer = match reader {
        Reader::Program => problem(&fault, request_id),
        Reader::Person => pages::fault::page(app, wanted, &fault, request_id),
    };
    *answer.status_mut() = fault.status();
    if let StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS = fault.status() {
        let seconds = match *fault {
            Fault::TooMany(seconds) => seconds,
            _ => 2,
        };
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if let Fault::KeyNeeded = *fault {
        let challenge = HeaderValue::from_static("Bearer realm=\"Booking\"");
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    (answer, Some(fault.kind()))
}

/// An address as the value of a query.
pub(crate) fn encoded(address: &str) -> String {
    address
        .bytes()
        .map(|b| match b {
            b'/' | b'-' | b'_' | b'.' => char::from(b).to_string(),
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

fn problem(fault: &Fault, request_id: &str) -> Response {
    let (errors, alternatives) = match fault {
        Fault::Fields(fields) => (fields.clone(), None),
        Fault::SlotTaken(times) | Fault::DayFull(times) => (Vec::new(), Some(times.clone())),
        _ => (Vec::new(), None),
    };
    let problem = Problem {
        r#type: format!("{PROBLEMS}{}", fault.kind()),
        title: fault.status().canonical_reason().unwrap_or("Error"),
        status: fault.status().as_u16(),
        detail: fault.to_string(),
        request_id: request_id.to_owned(),
        errors,
        alternatives,
    };
    let body = serde_json::to_vec(&problem).expect("a problem of plain strings has a JSON form");
    ([(CONTENT_TYPE, "application/problem+json")], body).into_response()
}

impl IntoResponse for Fault {
    /// Leaves the fault for [`render`], which knows who asks.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<BytesRejection> for Fault {
    fn from(rejection: BytesRejection) -> Self {
        of_body(rejection.status(), rejection.body_text())
    }
}

impl From<FormRejection> for Fault {
    fn from(rejection: FormRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::MediaType("application/x-www-form-urlencoded")
            }
            // A field that is missing altogether was not typed by a person.
            status => of_body(status, "the form cannot be read".to_owned()),
        }
    }
}

impl From<JsonRejection> for Fault {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType("application/json"),
            status => of_body(status, rejection.body_text()),
        }
    }
}

impl From<PathRejection> for Fault {
    fn from(rejection: PathRejection) -> Self {
        if rejection.status().is_server_error() {
            Self::Broken(anyhow::Error::new(rejection).context("reading the address"))
        } else {
            Self::NotFound
        }
    }
}

impl From<QueryRejection> for Fault {
    fn from(_: QueryRejection) -> Self {
        Self::Malformed("the query cannot be read".to_owned())
    }
}

fn of_body(status: StatusCode, text: String) -> Fault {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Fault::TooLarge
    } else {
        Fault::Malformed(text)
    }
}

//! The proxy's own answers: short, plain, and honest about whose fault it is.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode, Uri};

use crate::answer::Answer;
use crate::headers;
use crate::line::Line;
use crate::snapshot::ReadyMaintenance;
use crate::wait::Reason;

const HTTPS_PORT: u16 = 443;

pub(crate) fn too_large(line: &Rc<Line>) -> Response<Answer> {
    ending(
        line,
        StatusCode::PAYLOAD_TOO_LARGE,
        "The request's body is too large.\n",
    )
}

/// RFC 6585 §5.
pub(crate) fn too_many_headers(line: &Rc<Line>) -> Response<Answer> {
    ending(
        line,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request has too many headers.\n",
    )
}

/// Where the same is to be had over TLS. The method stays what it is.
pub(crate) fn over_tls(
    line: &Rc<Line>,
    headers: &HeaderMap,
    uri: &Uri,
    port: u16,
) -> Response<Answer> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let name = headers::host_name(host.unwrap_or_default());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let place = if port == HTTPS_PORT {
        format!("https://{name}{target}")
    } else {
        format!("https://{name}:{port}{target}")
    };
    let Ok(place) = HeaderValue::try_from(place) else {
        return malformed(line);
    };
    // The body was not read, so no other request can follow it.
    let words = "This is to be had over TLS only.\n";
    let mut answer = ending(line, StatusCode::PERMANENT_REDIRECT, words);
    answer.headers_mut().insert(header::LOCATION, place);
    answer
}

/// The answer to a request that may go no further (RFC 9110 §7.6.2). What came in is sent back to
/// nobody: it may hold what only the client and the target may know.
pub(crate) fn last_hop(line: &Rc<Line>, method: &Method) -> Response<Answer> {
    if *method == Method::OPTIONS {
        let mut answer = ending(line, StatusCode::NO_CONTENT, "");
        answer.headers_mut().remove(header::CONTENT_TYPE);
        return answer;
    }
    let words = "The proxy itself does not send requests back.\n";
    let mut answer = ending(line, StatusCode::METHOD_NOT_ALLOWED, words);
    let allowed = HeaderValue::from_static("OPTIONS");
    answer.headers_mut().insert(header::ALLOW, allowed);
    answer
}

pub(crate) fn malformed(line: &Rc<Line>) -> Response<Answer> {
    ending(
        line,
        StatusCode::BAD_REQUEST,
        "The request cannot be read.\n",
    )
}

pub(crate) fn slow(line: &Rc<Line>) -> Response<Answer> {
    ending(
        line,
        StatusCode::REQUEST_TIMEOUT,
        "The request did not come in time.\n",
    )
}

pub(crate) fn no_route(line: &Rc<Line>) -> Response<Answer> {
    let words = "No service here answers to this name.\n";
    later(answer(line, StatusCode::SERVICE_UNAVAILABLE, words))
}

pub(crate) fn unavailable(line: &Rc<Line>, reason: Reason) -> Response<Answer> {
    let words = match reason {
        Reason::Hold => "The service is paused for a moment. Please try again.\n",
        Reason::NoTarget => "The service cannot be reached for a moment. Please try again.\n",
    };
    later(answer(line, StatusCode::SERVICE_UNAVAILABLE, words))
}

/// What visitors see instead of a service that is being worked on.
pub(crate) fn maintenance(line: &Rc<Line>, maintenance: &ReadyMaintenance) -> Response<Answer> {
    // The body of the request was not read, so no other can follow it.
    let mut shown = ending(line, StatusCode::SERVICE_UNAVAILABLE, "");
    let headers = shown.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::RETRY_AFTER, maintenance.retry_after.clone());
    shown.map(|_| Answer::page(line, maintenance.page.clone()))
}

/// What an authority of certificates asked for.
pub(crate) fn challenge(line: &Rc<Line>, shown: Bytes) -> Response<Answer> {
    let mut answer = answer(line, StatusCode::OK, "");
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer.map(|_| Answer::page(line, shown))
}

pub(crate) fn gateway(line: &Rc<Line>, status: StatusCode) -> Response<Answer> {
    let words = match status {
        StatusCode::GATEWAY_TIMEOUT => "The service did not answer in time.\n",
        _ => "The service did not answer.\n",
    };
    ending(line, status, words)
}

/// Tells the client that the connection ends with this answer. HTTP/2 has no such word: what
/// ends there is told by the connection itself.
pub(crate) fn close(answer: &mut Response<Answer>) {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(header::CONNECTION, close);
    }
}

fn later(mut answer: Response<Answer>) -> Response<Answer> {
    let second = HeaderValue::from_static("1");
    answer.headers_mut().insert(header::RETRY_AFTER, second);
    answer
}

/// An answer that ends the connection, read to the end by a client that still sends.
fn ending(line: &Rc<Line>, status: StatusCode, words: &'static str) -> Response<Answer> {
    line.linger.set(true);
    line.closing.set(true);
    answer(line, status, words)
}

fn answer(line: &Rc<Line>, status: StatusCode, words: &'static str) -> Response<Answer> {
    let mut answer = Response::new(Answer::own(line, words));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, plain);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

//! What becomes of an answer, or of there being none: passed on with what its client is to see,
//! or the proxy's own words, with whose fault it was.

use std::rc::Rc;

use http::header::{self, HeaderValue};
use http::{Response, StatusCode, Version};
use hyper::body::Incoming;

use super::Passage;
use crate::answer::Answer;
use crate::flight::{Berth, Flight};
use crate::headers;
use crate::line::Awaited;
use crate::own;
use crate::skew::{self, ReadySkew};
use crate::snapshot::ReadySplit;
use crate::split;
use crate::tunnel::Tunnel;
use crate::upload::Progress;
use crate::upstream::Upstream;

impl Passage {
    /// The answer when no target gave one. A client that broke off or was too slow is not
    /// the pool's failure.
    pub(super) fn give_up(
        &self,
        flight: &Flight,
        berth: &Berth,
        status: StatusCode,
        words: &str,
    ) -> Response<Answer> {
        let line = &self.line;
        line.closing.set(true);
        line.linger.set(true);
        match self.upload.progress() {
            Progress::TooLarge => return own::too_large(line),
            Progress::TooSlow => return own::slow(line),
            Progress::Broken => return own::malformed(line),
            _ => {}
        }
        if status == StatusCode::GATEWAY_TIMEOUT && line.awaited.get() == Awaited::Client {
            return own::slow(line);
        }
        line.touch();
        flight.failed();
        if let Some(record) = &self.record {
            record.answered(status, line.now.get());
        }
        let key = &berth.target().key;
        let words = format!("{} on {}: {words}", key.release, key.instance);
        line.worker.complain(&key.service, status.as_u16(), &words);
        own::gateway(line, status)
    }

    /// Passes an answer on.
    pub(super) fn pass(
        &self,
        flight: &Rc<Flight>,
        berth: Berth,
        upstream: Box<Upstream>,
        answer: Response<Incoming>,
    ) -> Response<Answer> {
        let (mut parts, incoming) = answer.into_parts();
        flight.answered(parts.status);
        let is_upgrade = parts.status == StatusCode::SWITCHING_PROTOCOLS;
        if is_upgrade && !(self.asks_upgrade && upstream.has_ended()) {
            let words = "it changes the protocol unasked";
            return self.give_up(flight, &berth, StatusCode::BAD_GATEWAY, words);
        }
        parts.extensions.clear();
        parts.version = Version::HTTP_11;
        headers::for_client(&mut parts.headers, is_upgrade);
        let line = &self.line;
        if is_upgrade {
            let (origin, early) = upstream.into_parts();
            *line.tunnel.borrow_mut() = Some(Tunnel {
                origin,
                early,
                flight: Rc::clone(flight),
                is_websocket: headers::is_websocket(&parts.headers),
            });
            return Response::from_parts(parts, Answer::own(line, ""));
        }
        if !self.upload.is_whole() {
            // What the client still sends may not be read to its end: it must not send another
            // request behind it.
            line.closing.set(true);
        }
        if parts.status.is_server_error() {
            flight.failed();
            let key = &berth.target().key;
            let words = format!("{} on {} answers so", key.release, key.instance);
            line.worker
                .complain(&key.service, parts.status.as_u16(), &words);
        }
        let awaited = if headers::is_event_stream(&parts.headers) {
            Awaited::Nobody
        } else {
            Awaited::Origin
        };
        let flown = (Rc::clone(flight), berth);
        let body = Answer::passing(incoming, upstream, awaited, self.upload.clone(), flown);
        Response::from_parts(parts, body)
    }

    /// Gives a new visitor the cookie that keeps it on its side of a split.
    pub(super) fn greet(&self, answer: &mut Response<Answer>, service: &str, split: ReadySplit) {
        let worker = &self.line.worker;
        let place = (split.epoch, split.weight);
        let cookie = self
            .visitor
            .new_cookie(&worker.key, service, place, &worker.random.token());
        let text = format!(
            "{}={cookie}; Path=/; HttpOnly; SameSite=Lax",
            split::COOKIE_NAME
        );
        if let Ok(value) = HeaderValue::try_from(text) {
            answer.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// The page says from which pool it came.
pub(super) fn marked(answer: Response<Answer>, skew: &ReadySkew, pool: usize) -> Response<Answer> {
    let (mut parts, body) = answer.into_parts();
    skew::mark(skew, pool, &mut parts);
    Response::from_parts(parts, body)
}

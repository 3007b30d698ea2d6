//! What a request must pass before it is sent anywhere: what only HTTP/2 can say wrongly, how far
//! it may go, an authority's question, the way to TLS, and what its route lets on. Asks nobody.

use std::rc::Rc;

use http::Response;
use http::request::Parts;

use crate::answer::Answer;
use crate::bounds::Bounds;
use crate::headers;
use crate::hops::{self, Reach};
use crate::line::Line;
use crate::own;
use crate::secure::Chosen;
use crate::snapshot::ReadyRoute;
use crate::streamed;

/// The answer to a request that goes to no route. What HTTP/1 may not say was looked at before
/// the parser; of HTTP/2 it is looked at here.
pub(crate) fn of_request(line: &Rc<Line>, parts: &mut Parts) -> Option<Response<Answer>> {
    if line.chosen == Chosen::Http2 {
        if parts.headers.len() > line.worker.limits.headers {
            line.refuse();
            return Some(own::too_many_headers(line));
        }
        if let Err(why) = streamed::settle(parts) {
            tracing::debug!(?why, "a request was refused");
            line.refuse();
            return Some(own::malformed(line));
        }
    }
    if hops::count(parts) == Reach::Here {
        return Some(own::last_hop(line, &parts.method));
    }
    let shield = line.worker.plane.shield.as_ref()?;
    if let Some(answer) = shield.challenges.answer(parts.uri.path()) {
        return Some(own::challenge(line, answer));
    }
    let port = shield.redirect()?;
    (!headers::is_secure(&parts.headers, line) && !is_own_look(parts, line))
        .then(|| own::over_tls(line, &parts.headers, &parts.uri, port))
}

/// A look at what visitors do not see yet, from this machine: it is asked without TLS, by the
/// address of the socket.
fn is_own_look(parts: &Parts, line: &Line) -> bool {
    line.is_from_here && parts.headers.contains_key(headers::PREVIEW)
}

/// Whether somebody reaches a service that is being worked on: who shows its token, and who may
/// see a release before visitors do.
fn passes(shown: Option<blake3::Hash>, token: Option<blake3::Hash>, route: &ReadyRoute) -> bool {
    let preview = route.preview.as_ref().map(|(_, token)| *token);
    shown.is_some() && (shown == token || shown == preview)
}

/// The answer to a request that its route does not let on; sets what it may take.
pub(crate) fn of_route(
    line: &Rc<Line>,
    route: &ReadyRoute,
    (path, declared): (&str, u64),
    token: Option<blake3::Hash>,
) -> Option<Response<Answer>> {
    if let Some(maintenance) = &route.maintenance
        && !passes(token, maintenance.token, route)
    {
        route.service.maintained.add(line.worker.index);
        return Some(own::maintenance(line, maintenance));
    }
    if !route.rules.is_empty() {
        let default = || Bounds::by_default(&line.worker.limits);
        line.bounds.set(route.bounds(path).unwrap_or_else(default));
    }
    if declared > line.bounds.get().body_bytes {
        line.refuse();
        return Some(own::too_large(line));
    }
    None
}

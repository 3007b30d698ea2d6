//! A request's way: to its route, its pool, a target, and back, with every second try that
//! is safe and none that is not.

mod passing;

use std::io;
use std::rc::Rc;
use std::time::Instant;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;

use crate::answer::Answer;
use crate::choose::{Choice, Fitness, choose};
use crate::clients;
use crate::connection::Door;
use crate::counters::Outcome;
use crate::descriptors;
use crate::flight::{Berth, Flight, Guest, Ticket};
use crate::gate;
use crate::headers;
use crate::hops;
use crate::line::{Awaited, Line};
use crate::own;
use crate::record::Record;
use crate::secure::Chosen;
use crate::shield::Shield;
use crate::skew;
use crate::snapshot::{ReadyRoute, ReadySplit, Service};
use crate::split::{self, Visitor};
use crate::upload::{Progress, Upload};
use crate::upstream::{Trouble, Upstream};
use crate::view::{Lane, View};
use crate::wait::{Reason, Wait};

/// Tries beyond the first.
const RETRIES: u32 = 2;
/// A request that must not be sent twice goes out on a connection that was used this
/// recently, or on a new one: the less likely it is that the origin is just closing it.
const FRESH: std::time::Duration = std::time::Duration::from_secs(2);

/// A request on its way.
struct Passage {
    line: Rc<Line>,
    /// None while a target has it.
    parts: Option<Parts>,
    /// The head once more, where a second try is safe.
    copy: Option<Parts>,
    upload: Upload,
    host: HeaderValue,
    visitor: Visitor,
    preview: Option<blake3::Hash>,
    since: Instant,
    /// What is asked, as a number.
    asked: u64,
    record: Option<Rc<Record>>,
    is_safe: bool,
    asks_upgrade: bool,
    /// Targets of the pool that were tried.
    tried: Vec<usize>,
    retries: u32,
    shield: Shield,
}

/// What came of a pool.
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once, and a box would be made for every request"
)]
enum Flown {
    Answered(Response<Answer>),
    /// Nothing was sent and nobody is left to send it to.
    Nobody,
    /// It failed where a share of the visitors goes; the live pool is to answer it.
    Shielded,
}

/// What came of a target.
enum Attempt {
    Answered(Box<Upstream>, Response<Incoming>),
    Trouble(Trouble),
    /// No connection.
    Unreachable(io::Error),
}

/// Answers a request.
pub(crate) async fn answer(line: Rc<Line>, request: Request<Incoming>) -> Response<Answer> {
    line.begin();
    let (mut parts, body) = request.into_parts();
    let offers_upgrade = parts.headers.contains_key(header::UPGRADE);
    let mut answer = if let Some(refusal) = gate::of_request(&line, &mut parts) {
        refusal
    } else {
        let upload = Upload::of(body, &line);
        Passage::new(&line, parts, upload).run().await
    };
    if offers_upgrade && line.tunnel.borrow().is_none() {
        line.stays_http();
    }
    if line.door == Door::Secure
        && let Some(hsts) = line
            .worker
            .plane
            .shield
            .as_ref()
            .and_then(|s| s.hsts.as_ref())
    {
        let entry = answer
            .headers_mut()
            .entry(header::STRICT_TRANSPORT_SECURITY);
        entry.or_insert_with(|| hsts.clone());
    }
    if line.chosen == Chosen::Http1
        && (line.closing.get() || line.worker.closing_since.get().is_some())
    {
        own::close(&mut answer);
    }
    answer
}

impl Passage {
    fn new(line: &Rc<Line>, mut parts: Parts, upload: Upload) -> Self {
        let visitor = Visitor::of(
            &parts.headers,
            headers::client_address(&parts.headers, line),
        );
        let preview = preview(&parts);
        let asks_upgrade = parts.version == Version::HTTP_11
            && matches!(upload, Upload::Empty)
            && headers::asks_upgrade(&parts.headers);
        let host = parts
            .headers
            .get(header::HOST)
            .cloned()
            .unwrap_or(HeaderValue::from_static(""));
        parts.extensions.clear();
        hops::say(&mut parts.headers, parts.version);
        parts.version = Version::HTTP_11;
        if parts.uri.scheme().is_some() {
            parts.uri = origin_form(&parts.uri);
        }
        headers::for_target(&mut parts.headers, line);
        if matches!(upload, Upload::Stream(_))
            && !parts.headers.contains_key(header::CONTENT_LENGTH)
        {
            // Said, because the body of a GET would be left out otherwise.
            let chunked = HeaderValue::from_static("chunked");
            parts.headers.insert(header::TRANSFER_ENCODING, chunked);
        }
        let since = line.now.get();
        let log = line.worker.plane.access_log.as_ref();
        Self {
            line: Rc::clone(line),
            record: log.map(|_| Rc::new(Record::of(&parts, &visitor, since))),
            is_safe: matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS),
            asked: clients::asked(parts.method.as_str(), parts.uri.path()),
            parts: Some(parts),
            copy: None,
            upload,
            host,
            visitor,
            preview,
            since,
            asks_upgrade,
            tried: Vec::new(),
            retries: 0,
            shield: Shield::None,
        }
    }

    async fn run(mut self) -> Response<Answer> {
        self.line.worker.earn();
        let mut wait = Wait::default();
        loop {
            let ticket = Ticket::take(&self.line);
            let view = Rc::clone(&ticket.view);
            let host = self.host.to_str().unwrap_or_default();
            let Some(route) = view.snapshot.route(&headers::host_name(host)) else {
                drop(ticket);
                self.line.worker.unrouted_nowhere();
                self.tell("", StatusCode::SERVICE_UNAVAILABLE);
                return own::no_route(&self.line);
            };
            let ready = &view.snapshot.routes[route];
            if let Some(refusal) = self.refusal(ready) {
                return refusal;
            }
            let is_test = self.shows_token(ready);
            let (pool, new_visitor) = self.pool(ready, &view, route);
            let loads_page = ready.skew.is_some() && self.loads_page();
            let lanes = view.lanes(route, pool);
            let reason = if ready.hold {
                Reason::Hold
            } else if let Some(first) = self.pick(lanes) {
                let places = (route, pool);
                let guest = if is_test {
                    Guest::Tester
                } else {
                    Guest::Visitor(self.visitor.clone())
                };
                let request = (self.since, self.upload.clone(), self.asked);
                let record = self.record.clone();
                let flight = Flight::begin(ticket, places, guest, request, record);
                let flight = Rc::new(flight);
                self.raise_shield(ready, pool, is_test);
                match self.fly(&flight, first).await {
                    Flown::Answered(mut answer) => {
                        if wait.has_waited() {
                            flight.was_held();
                        }
                        if let Some(skew) = ready.skew.as_ref().filter(|_| loads_page) {
                            answer = passing::marked(answer, skew, pool);
                        }
                        if let Some(split) = new_visitor {
                            self.greet(&mut answer, &ready.service.name, split);
                        }
                        return answer;
                    }
                    Flown::Nobody => flight.withdraw(),
                    Flown::Shielded => {
                        self.turn_to_live(&flight);
                        continue;
                    }
                }
                Reason::NoTarget
            } else {
                drop(ticket);
                Reason::NoTarget
            };
            self.line.awaited.set(Awaited::Nobody);
            let waited = Box::pin(wait.on(&self.line, &ready.service, reason)).await;
            if waited.is_err() {
                return self.waited_in_vain(&ready.service, reason);
            }
            self.line.touch();
            self.tried.clear();
        }
    }

    /// The answer to a request that its route does not let on.
    fn refusal(&self, route: &ReadyRoute) -> Option<Response<Answer>> {
        let path = self.head().map_or("/", |parts| parts.uri.path());
        let declared = http_body::Body::size_hint(&self.upload).lower();
        let refusal = gate::of_route(&self.line, route, (path, declared), self.preview)?;
        if refusal.status().is_server_error() {
            self.tell(&route.service.name, refusal.status());
        }
        Some(refusal)
    }

    fn waited_in_vain(&self, service: &Service, reason: Reason) -> Response<Answer> {
        let worker = &self.line.worker;
        service.unrouted.add(worker.index);
        self.tell(&service.name, StatusCode::SERVICE_UNAVAILABLE);
        worker.complain(&service.name, 503, reason.words());
        own::unavailable(&self.line, reason)
    }

    /// Writes down, where requests are, that one reached no release.
    fn tell(&self, service: &str, status: StatusCode) {
        let line = &self.line;
        if let (Some(record), Some(log)) = (&self.record, &line.worker.plane.access_log) {
            record.answered(status, line.now.get());
            record.tell(log, line, (service, None), Outcome::Failed);
        }
    }

    /// Whether this is a tester, who may see what visitors do not see yet.
    fn shows_token(&self, route: &ReadyRoute) -> bool {
        let token = route.preview.as_ref().map(|(_, token)| *token);
        self.preview.is_some() && self.preview == token
    }

    /// The pool for this visitor, and the split when the visitor is new to it.
    fn pool(&self, route: &ReadyRoute, view: &View, place: usize) -> (usize, Option<ReadySplit>) {
        if let Some((pool, _)) = &route.preview
            && self.shows_token(route)
        {
            return (*pool, None);
        }
        let page = self.head();
        if let Some(kept) = page.and_then(|parts| skew::pool(route, parts))
            && self.pick(view.lanes(place, kept)).is_some()
        {
            return (kept, None);
        }
        let Some(split) = route.split.filter(|_| self.shield != Shield::Used) else {
            return (route.live, None);
        };
        let key = &self.line.worker.key;
        let drawn = self.visitor.place(key, &route.service.name, split.epoch);
        let is_in = drawn < u64::from(split.weight);
        // Nobody waits for a share that has died while the live release is there.
        let is_there = || self.pick(view.lanes(place, split.pool)).is_some();
        let pool = if is_in && is_there() {
            split.pool
        } else {
            route.live
        };
        (pool, (!self.visitor.is_known()).then_some(split))
    }

    fn loads_page(&self) -> bool {
        let parts = self.head();
        parts.is_some_and(|parts| skew::is_navigation(&parts.headers))
    }

    /// The head, also when it was sent once.
    fn head(&self) -> Option<&Parts> {
        self.parts.as_ref().or(self.copy.as_ref())
    }

    /// Where a share of the visitors goes, a failure is counted and nobody needs to see it, as
    /// long as it is safe to ask twice.
    fn raise_shield(&mut self, route: &ReadyRoute, pool: usize, is_test: bool) {
        if self.shield == Shield::Used {
            return;
        }
        let is_share = pool != route.live && route.split.is_some_and(|split| split.pool == pool);
        let is_simple = !self.asks_upgrade && matches!(self.upload, Upload::Empty);
        self.shield = match is_share && !is_test {
            true if self.is_safe && is_simple => Shield::Ready,
            true => Shield::Unsent,
            false => Shield::None,
        };
    }

    /// The share has failed; the live release begins afresh, with a time of its own.
    fn turn_to_live(&mut self, flight: &Flight) {
        flight.shielded();
        self.shield = Shield::Used;
        self.tried.clear();
        self.since = self.line.now.get();
    }

    fn pick(&self, lanes: &[Rc<Lane>]) -> Option<usize> {
        let (now, worker) = (self.line.now.get(), &self.line.worker);
        let fitness = |lane: &Rc<Lane>| lane.target.fitness(now, |below| worker.draw_long(below));
        if let [only] = lanes {
            // The common case on one machine, without a list of one.
            let fit = !matches!(fitness(only), Fitness::Unknown | Fitness::Dead);
            return (fit && self.tried.is_empty()).then_some(0);
        }
        let fitness: Vec<Fitness> = lanes.iter().map(fitness).collect();
        let busy = |index: usize| lanes[index].target.in_flight.own(worker.index);
        match choose(&fitness, &self.tried, busy, |below| worker.draw(below)) {
            Choice::Target(index) => Some(index),
            Choice::None => None,
        }
    }

    /// Tries targets of one pool until one answers or no further try is safe.
    async fn fly(&mut self, flight: &Rc<Flight>, first: usize) -> Flown {
        let mut index = first;
        loop {
            self.tried.push(index);
            let berth = Berth::take(&flight.lanes()[index], self.line.worker.index);
            let (status, words) = match self.attempt(&berth).await {
                Attempt::Answered(_, answer)
                    if self.shield == Shield::Ready
                        && answer.status().is_server_error()
                        && self.copy.is_some() =>
                {
                    flight.answered(answer.status());
                    return Flown::Shielded;
                }
                Attempt::Answered(upstream, answer) => {
                    return Flown::Answered(self.pass(flight, berth, upstream, answer));
                }
                Attempt::Unreachable(error) if descriptors::is_short(&error) => {
                    let words = format!("nothing can be connected from here: {error}");
                    self.line.worker.lack(&words);
                    return Flown::Nobody;
                }
                Attempt::Unreachable(error) => {
                    let words = error.to_string();
                    let limits = &self.line.worker.limits;
                    let now = self.line.now.get();
                    berth.target().connect_failed(now, limits.eject, &words);
                    match self.pick(flight.lanes()) {
                        Some(other) if self.may_retry() => {
                            index = other;
                            flight.retried();
                            continue;
                        }
                        Some(_) => (StatusCode::BAD_GATEWAY, words),
                        None if matches!(self.shield, Shield::Ready | Shield::Unsent) => {
                            return Flown::Shielded;
                        }
                        None => return Flown::Nobody,
                    }
                }
                Attempt::Trouble(trouble) => match self.again(trouble) {
                    Ok(()) => {
                        // Another target where there is one, else the same on a new connection.
                        index = self.pick(flight.lanes()).unwrap_or(index);
                        flight.retried();
                        continue;
                    }
                    Err((status, words)) => (status, words),
                },
            };
            if self.shield == Shield::Ready && (self.parts.is_some() || self.copy.is_some()) {
                return Flown::Shielded;
            }
            return Flown::Answered(self.give_up(flight, &berth, status, &words));
        }
    }

    async fn attempt(&mut self, berth: &Berth) -> Attempt {
        let line = Rc::clone(&self.line);
        line.awaited.set(Awaited::Answer);
        let may_repeat = self.is_safe && matches!(self.upload, Upload::Empty);
        let youngest = (!may_repeat)
            .then(|| line.now.get().checked_sub(FRESH))
            .flatten();
        // A second try never trusts a connection that may be as stale as the first.
        let reused = if self.retries == 0 {
            berth.lane().reuse(youngest)
        } else {
            None
        };
        let mut upstream = if let Some(upstream) = reused {
            upstream
        } else {
            let within = line.worker.limits.connect;
            // Boxed, like all that is rare, so that every request's future stays small.
            match Box::pin(Upstream::connect(berth.target().key.address, within)).await {
                Ok(upstream) => upstream,
                Err(error) => return Attempt::Unreachable(error),
            }
        };
        berth.target().connected();
        let Some(mut parts) = self.parts.take().or_else(|| self.copy.take()) else {
            let words = "the request is gone".to_owned();
            return Attempt::Trouble(Trouble::Unanswered(words));
        };
        if self.shield == Shield::Ready || self.is_safe && self.retries < RETRIES {
            self.copy = Some(parts.clone());
        }
        if parts.headers.get(header::HOST).is_none() {
            let address = berth.target().key.address.to_string();
            if let Ok(host) = HeaderValue::try_from(address) {
                parts.headers.insert(header::HOST, host);
            }
        }
        let request = Request::from_parts(parts, self.upload.clone());
        match upstream.send(request, &line).await {
            Ok(answer) => Attempt::Answered(upstream, answer),
            Err(trouble) => Attempt::Trouble(trouble),
        }
    }

    /// Whether another try is safe and affordable; if not, what the client is told.
    fn again(&mut self, trouble: Trouble) -> Result<(), (StatusCode, String)> {
        let untouched = self.upload.progress() == Progress::Untouched;
        match trouble {
            Trouble::Unsent(request, words) => {
                self.parts = Some(request.into_parts().0);
                if untouched && self.may_retry() {
                    return Ok(());
                }
                Err((StatusCode::BAD_GATEWAY, words))
            }
            Trouble::Unanswered(words) => {
                if self.is_safe && untouched && self.copy.is_some() && self.may_retry() {
                    return Ok(());
                }
                Err((StatusCode::BAD_GATEWAY, words))
            }
            Trouble::Nonsense(words) => Err((StatusCode::BAD_GATEWAY, words)),
            Trouble::Late => Err((StatusCode::GATEWAY_TIMEOUT, "no answer in time".to_owned())),
        }
    }

    fn may_retry(&mut self) -> bool {
        let may = self.retries < RETRIES && self.line.worker.spend();
        if may {
            self.retries += 1;
        }
        may
    }
}

/// The token that a tester shows, as its hash: comparing hashes tells nothing by its time.
fn preview(parts: &Parts) -> Option<blake3::Hash> {
    if let Some(value) = parts.headers.get(headers::PREVIEW) {
        return Some(blake3::hash(value.as_bytes()));
    }
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .find_map(|value| split::cookie(value, headers::PREVIEW.as_str()))
        .map(|token| blake3::hash(token.as_bytes()))
}

fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query()
        .map_or_else(Uri::default, |path| Uri::from(path.clone()))
}

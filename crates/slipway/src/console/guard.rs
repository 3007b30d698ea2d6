//! Who may ask and change what. The console answers on loopback, under loopback names only,
//! and whoever asks may look. A change needs somebody who is signed in, under the name that
//! sessions have for themselves, and a form that this very console gave to this very browser.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use chassis::Random;
use serde::Deserialize;
use slipway_journal::Actor;

use crate::console::Desk;
use crate::console::fault::Fault;

/// Nothing inline, nothing from elsewhere; the one script may ask this console only.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

const FIXED_HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

const COOKIE_NAME: &str = "slipway-console";
/// The cookie of somebody who is signed in.
const SESSION_NAME: &str = "slipway-session";
/// More than anybody writes into the field for a reason.
const REASON_CHARS_MAX: usize = 300;

/// Lets through what asks by a loopback name, and protects every answer.
pub(crate) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let mut response = match host(request.headers()) {
        Some(host) if is_loopback(host) || is_named(host, &desk) => next.run(request).await,
        // A name that leads here by somebody's DNS would let their page read this one.
        _ => Fault::Misdirected.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in FIXED_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The one `Host` of a request; two of them are none.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// Whether `host`, with or without a port, can only lead to this machine.
fn is_loopback(host: &str) -> bool {
    let (name, behind) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some(parts) => parts,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !behind.is_empty() && !behind.strip_prefix(':').is_some_and(is_port) {
        return false;
    }
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether it is the name that sessions have for themselves.
fn is_named(host: &str, desk: &Desk) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    name == desk.ground.sessions.host() && port.bytes().all(|b| b.is_ascii_digit())
}

/// The key of this process that makes the token of a form out of a browser's cookie. The
/// cookie alone is no token: every server on this machine gets it, whatever its port.
pub(crate) struct FormKey([u8; 32]);

impl FormKey {
    pub(crate) fn new(random: &Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self(key)
    }

    fn hash(&self, cookie: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.0, cookie.as_bytes())
    }

    fn fits(&self, cookie: &str, token: &str) -> bool {
        // Hashes compare in constant time.
        blake3::Hash::from_hex(token).is_ok_and(|token| token == self.hash(cookie))
    }
}

/// A browser that is given a form.
pub(crate) struct Browser {
    cookie: String,
    is_new: bool,
    token: String,
    /// Whether it asks under the name that sessions have for themselves.
    is_at_home: bool,
    person: Option<Actor>,
}

impl Browser {
    /// What the form must carry in its field `token`.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether somebody may sign in here: under another name their cookie would go further.
    pub(crate) fn is_at_home(&self) -> bool {
        self.is_at_home
    }

    /// Who sits at it; nobody before somebody signed in.
    pub(crate) fn person(&self) -> Option<&Actor> {
        self.person.as_ref()
    }

    /// Gives the browser its cookie, where it has none yet.
    pub(crate) fn remember(&self, response: &mut Response) {
        if !self.is_new {
            return;
        }
        let cookie = format!(
            "{COOKIE_NAME}={}; Path=/; HttpOnly; SameSite=Strict",
            self.cookie
        );
        if let Ok(value) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}

impl FromRequestParts<Arc<Desk>> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        desk: &Arc<Desk>,
    ) -> Result<Self, Self::Rejection> {
        let known = cookie(&parts.headers, COOKIE_NAME).map(str::to_owned);
        let is_new = known.is_none();
        let cookie = known.unwrap_or_else(|| desk.ground.random.token());
        Ok(Self {
            token: desk.key.hash(&cookie).to_hex().to_string(),
            cookie,
            is_new,
            is_at_home: is_at_home(&parts.headers, desk),
            person: person(&parts.headers, desk),
        })
    }
}

fn is_at_home(headers: &HeaderMap, desk: &Desk) -> bool {
    host(headers).is_some_and(|host| is_named(host, desk))
}

/// Somebody who is signed in, where somebody is.
fn person(headers: &HeaderMap, desk: &Desk) -> Option<Actor> {
    if !is_at_home(headers, desk) {
        return None;
    }
    desk.ground.sessions.who(cookie(headers, SESSION_NAME)?)
}

/// A form of the console, sent by a browser to which this console gave it.
pub(crate) struct Sent {
    /// Why, in the person's words; nothing where they gave none.
    reason: Option<String>,
    /// The secret of a link.
    pub(crate) code: String,
    /// The share of the traffic that its page told of.
    share: u16,
    /// The secret of a session, where the browser has one.
    pub(crate) session: Option<String>,
    pub(crate) browser: Browser,
}

/// A form that changes something, sent by somebody who is signed in.
pub(crate) struct Order {
    pub(crate) actor: Actor,
    /// Why, in the person's words; nothing where they gave none.
    pub(crate) reason: Option<String>,
    /// The share of the traffic that its page told of.
    pub(crate) share: u16,
    pub(crate) browser: Browser,
}

/// The cookie that a session is known by, and the one that ends it.
pub(crate) fn session_cookie(token: Option<&str>) -> String {
    let token = token.unwrap_or_default();
    let end = if token.is_empty() { "; Max-Age=0" } else { "" };
    format!("{SESSION_NAME}={token}; Path=/; HttpOnly; SameSite=Strict{end}")
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    token: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    share: u16,
}

impl FromRequest<Arc<Desk>> for Order {
    type Rejection = Fault;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Fault> {
        let sent = Sent::from_request(request, desk).await?;
        let actor = sent.browser.person.clone().ok_or(Fault::Nobody)?;
        Ok(Self {
            actor,
            reason: sent.reason,
            share: sent.share,
            browser: sent.browser,
        })
    }
}

impl FromRequest<Arc<Desk>> for Sent {
    type Rejection = Fault;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Fault> {
        if !is_own_page(request.headers()) {
            return Err(Fault::Forged);
        }
        let own = cookie(request.headers(), COOKIE_NAME);
        let own = own.map(str::to_owned).ok_or(Fault::Forged)?;
        let session = cookie(request.headers(), SESSION_NAME).map(str::to_owned);
        let person = person(request.headers(), desk);
        let is_at_home = is_at_home(request.headers(), desk);
        let Form(fields) = Form::<Fields>::from_request(request, desk)
            .await
            .map_err(|_| Fault::Forged)?;
        if !desk.key.fits(&own, &fields.token) {
            return Err(Fault::Forged);
        }
        Ok(Self {
            reason: reason(&fields.reason),
            code: fields.code,
            share: fields.share,
            session,
            browser: Browser {
                cookie: own,
                is_new: false,
                token: fields.token,
                is_at_home,
                person,
            },
        })
    }
}

fn reason(text: &str) -> Option<String> {
    let text: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(REASON_CHARS_MAX)
        .collect();
    Some(text).filter(|t| !t.is_empty())
}

/// Whether the browser says that a page of this very address sends the form.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else {
        return false;
    };
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => origin
            .to_str()
            .is_ok_and(|o| o.strip_prefix("http://") == Some(host)),
        _ => false,
    }
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
        .filter(|value| {
            (16..=64).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_lead_here() {
        for good in [
            "localhost",
            "LOCALHOST:8081",
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.9.9.9:1",
            "[::1]:8081",
        ] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org:8081",
            "10.0.0.1",
            "[fe80::1]:8081",
            "0.0.0.0:8081",
            "[::1].example.org",
            "localhost:80.example.org",
            "localhost:",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn two_hosts_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert_eq!(host(&headers), Some("localhost"));
        headers.append(HOST, HeaderValue::from_static("example.org"));
        assert_eq!(host(&headers), None);
    }

    #[test]
    fn a_page_of_another_port_is_not_ours() {
        let check = |origin: Option<&'static str>, own: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("127.0.0.1:8081"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_own_page(&headers), own, "{origin:?}");
        };
        check(Some("http://127.0.0.1:8081"), true);
        check(Some("http://127.0.0.1:8080"), false);
        check(Some("http://localhost:8081"), false);
        check(Some("https://127.0.0.1:8081"), false);
        check(Some("null"), false);
        check(None, false);
    }

    #[test]
    fn a_token_fits_its_cookie_and_its_process_only() {
        let random = Random::seeded(1);
        let (key, other) = (FormKey::new(&random), FormKey::new(&random));
        let token = key.hash("one").to_hex();
        assert!(key.fits("one", &token));
        assert!(!key.fits("two", &token));
        assert!(!other.fits("one", &token));
        assert!(!key.fits("one", "one"));
    }

    #[test]
    fn a_reason_is_trimmed_and_bounded() {
        assert_eq!(reason("  \n "), None);
        assert_eq!(reason(" too\u{7} slow ").as_deref(), Some("too slow"));
        assert_eq!(reason(&"x".repeat(900)).map(|r| r.len()), Some(300));
    }
}

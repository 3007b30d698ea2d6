//! Headers that every response carries, and forms that cannot be forged.
//! The body of a form can be read only through [`CheckedForm`], which opens it
//! after the visitor's signed cookie and the token in the form agree, or through
//! [`VisitorForm`], which also takes a form of ours from a browser that keeps no cookies.

pub(crate) mod cookie;

use std::sync::Arc;

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::response::Response;
use chassis::Random;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::app::App;
use crate::error::Fault;

/// Scripts and styles only from files of our own, never from within a page. What looks at a
/// page from within, as Lighthouse does, may ask this site for its rules for robots.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

const FIXED_HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Cancel links are secrets in the path; they must not reach another site.
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The same for the one kind of page that other sites may show in a frame. Nothing can be
/// sent from it, so that nobody is made to click what they do not see.
const FRAMED_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors *";

/// Marks a response as one that may stand in a frame.
#[derive(Clone, Copy)]
struct FramedAnywhere;

/// Lets other sites show the page in a frame.
pub(crate) fn framed_anywhere(mut response: Response) -> Response {
    response.extensions_mut().insert(FramedAnywhere);
    response
}

/// Puts the protective headers on a response.
pub(crate) fn protect(response: &mut Response, secure: bool) {
    let is_framed = response.extensions().get::<FramedAnywhere>().is_some();
    let headers = response.headers_mut();
    for (name, value) in FIXED_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_framed {
        let policy = HeaderValue::from_static(FRAMED_POLICY);
        headers.insert("content-security-policy", policy);
        headers.remove("x-frame-options");
    }
    if secure {
        headers.insert(
            "strict-transport-security",
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
}

/// The key behind visitor cookies and form tokens; the same in every instance.
#[derive(Clone)]
pub(crate) struct FormKey {
    key: [u8; 32],
    secure: bool,
}

impl FormKey {
    pub(crate) fn derive(material: &str, secure: bool) -> Self {
        Self {
            key: blake3::derive_key("booking 2026 form tokens", material.as_bytes()),
            secure,
        }
    }

    fn mac(&self, purpose: &str, visit: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(visit.as_bytes());
        mac
    }

    fn sign(&self, purpose: &str, visit: &str) -> String {
        BASE32_NOPAD
            .encode(&self.mac(purpose, visit).finalize().into_bytes())
            .to_ascii_lowercase()
    }

    /// Compares in constant time.
    fn is_signed(&self, purpose: &str, visit: &str, signature: &str) -> bool {
        BASE32_NOPAD
            .decode(signature.to_ascii_uppercase().as_bytes())
            .is_ok_and(|bytes| self.mac(purpose, visit).verify_slice(&bytes).is_ok())
    }

    fn cookie_name(&self) -> &'static str {
        // The prefix makes browsers refuse the cookie from another host or over HTTP.
        if self.secure { "__Host-visit" } else { "visit" }
    }

    fn visit_of(&self, headers: &HeaderMap) -> Option<String> {
        let value = cookie::read(headers, self.cookie_name())?;
        let (visit, signature) = value.split_once('.')?;
        self.is_signed("visit", visit, signature)
            .then(|| visit.to_owned())
    }
}

/// A visitor's browser, known by a signed cookie that says nothing about them.
pub(crate) struct Visit {
    id: String,
    is_new: bool,
    key: FormKey,
}

impl Visit {
    fn begin(key: &FormKey, random: &Random) -> Self {
        Self {
            id: random.token(),
            is_new: true,
            key: key.clone(),
        }
    }

    /// What a form must carry in its field `csrf` to be accepted from this browser.
    pub(crate) fn form_token(&self) -> String {
        format!("{}.{}", self.id, self.key.sign("form", &self.id))
    }

    /// Who holds what this browser chooses, without saying which browser it is.
    pub(crate) fn holder(&self) -> [u8; 32] {
        *blake3::hash(self.id.as_bytes()).as_bytes()
    }

    /// Whether the browser has been here before.
    pub(crate) fn is_known(&self) -> bool {
        !self.is_new
    }

    /// Gives the browser its cookie, where it has none yet.
    pub(crate) fn remember(&self, response: &mut Response) {
        if !self.is_new {
            return;
        }
        let value = format!("{}.{}", self.id, self.key.sign("visit", &self.id));
        let cookie = cookie::write(self.key.cookie_name(), &value, None, self.key.secure);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

impl<S> FromRequestParts<S> for Visit
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let app = Arc::<App>::from_ref(state);
        Ok(match app.form_key.visit_of(&parts.headers) {
            Some(id) => Self {
                id,
                is_new: false,
                key: app.form_key.clone(),
            },
            None => Self::begin(&app.form_key, &app.random),
        })
    }
}

/// The fields of a form that this browser was really given by us.
pub(crate) struct CheckedForm<T> {
    fields: T,
    visit: Visit,
}

impl<T> CheckedForm<T> {
    pub(crate) fn open(self) -> (T, Visit) {
        (self.fields, self.visit)
    }
}

/// The fields of a form of ours, from a browser that may keep no cookies. For what anybody
/// may do who was never here: nothing is done in the name of whoever sends it.
pub(crate) struct VisitorForm<T>(CheckedForm<T>);

impl<T> VisitorForm<T> {
    pub(crate) fn open(self) -> (T, Visit) {
        self.0.open()
    }
}

#[derive(Deserialize)]
struct TokenField {
    #[serde(default)]
    csrf: String,
}

/// Whether a form must come with the cookie that its page came with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookie {
    Required,
    IfKept,
}

impl<S, T> FromRequest<S> for CheckedForm<T>
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        checked(request, state, Cookie::Required).await
    }
}

impl<S, T> FromRequest<S> for VisitorForm<T>
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        checked(request, state, Cookie::IfKept).await.map(Self)
    }
}

async fn checked<S, T>(request: Request, state: &S, cookie: Cookie) -> Result<CheckedForm<T>, Fault>
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
    T: DeserializeOwned,
{
    let app = Arc::<App>::from_ref(state);
    if is_foreign(request.headers()) {
        return Err(Fault::Forged);
    }
    let kept = app.form_key.visit_of(request.headers());
    let (parts, body) = request.into_parts();
    let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await?;
    let again = |bytes: &Bytes| Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let Form(token) = Form::<TokenField>::from_request(again(&bytes), state).await?;
    let (id, signature) = token.csrf.split_once('.').ok_or(Fault::Forged)?;
    let is_kept = match &kept {
        Some(kept) => kept == id,
        None => cookie == Cookie::IfKept,
    };
    if !is_kept || !app.form_key.is_signed("form", id, signature) {
        return Err(Fault::Forged);
    }
    let Form(fields) = Form::<T>::from_request(again(&bytes), state).await?;
    let visit = Visit {
        id: id.to_owned(),
        is_new: kept.is_none(),
        key: app.form_key.clone(),
    };
    Ok(CheckedForm { fields, visit })
}

/// Whether the browser itself says that another site sent this form.
fn is_foreign(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site" || site == "same-site")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    fn key() -> FormKey {
        FormKey::derive("a secret that all instances share", false)
    }

    fn cookies(line: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(line).unwrap());
        headers
    }

    #[test]
    fn a_cookie_is_believed_only_with_our_signature() {
        let key = key();
        let signed = format!("visit=abc.{}", key.sign("visit", "abc"));
        assert_eq!(key.visit_of(&cookies(&signed)).as_deref(), Some("abc"));
        let other = FormKey::derive("another secret", false);
        assert_eq!(other.visit_of(&cookies(&signed)), None);
        for forged in ["visit=abc", "visit=abc.", "visit=abc.aaaa", "visit=.", ""] {
            assert_eq!(key.visit_of(&cookies(forged)), None, "{forged}");
        }
    }

    #[test]
    fn the_token_of_one_visit_does_not_fit_another() {
        let key = key();
        let token = key.sign("form", "one");
        assert!(key.is_signed("form", "one", &token));
        assert!(!key.is_signed("form", "two", &token));
        assert!(!key.is_signed("visit", "one", &token));
    }

    #[test]
    fn over_https_the_cookie_is_bound_to_the_host() {
        let visit = Visit::begin(&FormKey::derive("k", true), &Random::seeded(1));
        let mut response = Response::new(Body::empty());
        visit.remember(&mut response);
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.starts_with("__Host-visit="), "{cookie}");
        assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"));
    }

    #[test]
    fn a_form_from_another_site_is_foreign() {
        let mut headers = HeaderMap::new();
        assert!(!is_foreign(&headers));
        headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert!(is_foreign(&headers));
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        assert!(!is_foreign(&headers));
    }
}

//! In which language a visitor is answered: as chosen on the page (`?lang=` in the
//! address, then a cookie), as the customer wished before, as the browser asks
//! (`Accept-Language`, RFC 9110), as the business speaks, or in English.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::{ACCEPT_LANGUAGE, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};

use super::Language;
use crate::desk::Booking;

/// The cookie that remembers a choice says nothing but the language.
const COOKIE_NAME: &str = "language";
/// A year.
const COOKIE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// What is known of the language that a visitor wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    address: Uri,
    /// Chosen with this very request.
    now: Option<Language>,
    /// Chosen before, in this browser.
    before: Option<Language>,
    customer: Option<Language>,
    accepted: Option<Language>,
    business: Option<Language>,
}

impl Wanted {
    pub(crate) fn of(address: &Uri, headers: &HeaderMap) -> Self {
        Self {
            address: address.clone(),
            now: chosen_in(address),
            before: remembered_in(headers),
            customer: None,
            accepted: accepted_in(headers),
            business: None,
        }
    }

    /// With the language that the customer used before.
    fn by(self, customer: Option<Language>) -> Self {
        Self { customer, ..self }
    }

    /// With the language that the business speaks.
    pub(crate) fn at(self, business: Language) -> Self {
        Self {
            business: Some(business),
            ..self
        }
    }

    /// With what is known from a booking.
    pub(crate) fn about(self, booking: &Booking) -> Self {
        self.by(booking.customer_language)
            .at(booking.business_language)
    }

    pub(crate) fn language(&self) -> Language {
        self.now
            .or(self.before)
            .or(self.customer)
            .or(self.accepted)
            .or(self.business)
            .unwrap_or_default()
    }

    /// This page's address in another language.
    pub(crate) fn address_in(&self, language: Language) -> String {
        let kept = queries(&self.address).filter(|pair| !pair.starts_with("lang="));
        let mut address = self.address.path().to_owned();
        let mut mark = '?';
        for pair in kept {
            address.push(mark);
            address.push_str(pair);
            mark = '&';
        }
        format!("{address}{mark}lang={}", language.tag())
    }

    /// The cookie that remembers what was chosen with this request, if anything was.
    pub(crate) fn cookie(&self, secure: bool) -> Option<HeaderValue> {
        let chosen = self.now.filter(|_| self.now != self.before)?;
        let cookie = format!(
            "{COOKIE_NAME}={}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{}",
            chosen.tag(),
            if secure { "; Secure" } else { "" },
        );
        HeaderValue::try_from(cookie).ok()
    }
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

fn queries(address: &Uri) -> impl Iterator<Item = &str> {
    let pairs = address.query().unwrap_or_default().split('&');
    pairs.filter(|pair| !pair.is_empty())
}

fn chosen_in(address: &Uri) -> Option<Language> {
    queries(address)
        .filter_map(|pair| pair.strip_prefix("lang="))
        .find_map(Language::of_tag)
}

fn remembered_in(headers: &HeaderMap) -> Option<Language> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, tag)| (name == COOKIE_NAME).then(|| Language::of_tag(tag))?)
}

/// The language of ours with the greatest weight; of equal ones the first.
fn accepted_in(headers: &HeaderMap) -> Option<Language> {
    let ranges = headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(range);
    let mut best: Option<(Language, u16)> = None;
    for (language, weight) in ranges {
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// One of the languages that a browser asks for, with its weight in thousandths.
fn range(text: &str) -> Option<(Language, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let language = Language::of_tag(parts.next()?)?;
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        Some(weight) => weight_of(weight)?,
        None => 1000,
    };
    Some((language, weight))
}

/// `0`, `0.8`, `1.000`: at most three digits after the point.
fn weight_of(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let weight = match whole {
        "0" => format!("{rest:0<3}").parse().ok()?,
        "1" => 1000,
        _ => return None,
    };
    Some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(address: &str, cookie: &str, accepted: &str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
        Wanted::of(&address.parse().unwrap(), &headers)
    }

    #[test]
    fn what_is_said_most_plainly_counts() {
        let all = wanted("/?lang=zu", "language=af", "en-GB");
        assert_eq!(all.language(), Language::Zulu);
        let cookie = wanted("/?lang=xx", "a=b; language=af", "en-GB").by(Some(Language::Zulu));
        assert_eq!(cookie.language(), Language::Afrikaans);
        let customer = wanted("/", "", "en-GB").by(Some(Language::Zulu));
        assert_eq!(customer.language(), Language::Zulu);
        let browser = wanted("/", "language=", "af").at(Language::Zulu);
        assert_eq!(browser.language(), Language::Afrikaans);
        let business = wanted("/", "", "fr").at(Language::Zulu);
        assert_eq!(business.language(), Language::Zulu);
        assert_eq!(wanted("/", "", "").language(), Language::English);
    }

    #[test]
    fn weights_are_read_as_the_standard_has_them() {
        for (accepted, expected) in [
            ("af;q=0.5, zu;q=0.8, en;q=0.1", Some(Language::Zulu)),
            ("fr, en;q=0.3, af;q=0.3", Some(Language::English)),
            ("zu;q=0, af-ZA;q=0.001", Some(Language::Afrikaans)),
            ("zu;q=2, af;q=0.1", Some(Language::Afrikaans)),
            ("zu;q=0.1234, af ; q=0.1", Some(Language::Afrikaans)),
            ("zu;q=0", None),
            ("*", None),
            ("", None),
        ] {
            let wanted = wanted("/", "", accepted);
            assert_eq!(wanted.accepted, expected, "{accepted}");
        }
    }

    #[test]
    fn another_language_is_the_same_page() {
        let page = wanted("/a/b?day=2027-03-24&lang=en&x=1", "", "");
        assert_eq!(
            page.address_in(Language::Afrikaans),
            "/a/b?day=2027-03-24&x=1&lang=af"
        );
        let bare = wanted("/", "", "");
        assert_eq!(bare.address_in(Language::Zulu), "/?lang=zu");
    }

    #[test]
    fn only_a_choice_is_remembered_and_only_once() {
        assert!(wanted("/", "", "af").cookie(true).is_none());
        assert!(
            wanted("/?lang=af", "language=af", "")
                .cookie(true)
                .is_none()
        );
        let cookie = wanted("/?lang=af", "", "").cookie(true).unwrap();
        assert!(cookie.to_str().unwrap().starts_with("language=af; Path=/;"));
        assert!(cookie.to_str().unwrap().ends_with("; Secure"));
    }
}

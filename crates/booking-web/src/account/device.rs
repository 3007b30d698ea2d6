//! A browser in which somebody has signed in before, known by a signed cookie. It says for
//! which accounts without telling which, and it opens nothing by itself: it only keeps
//! strangers' failures from counting against the people who sit at it.

use chassis::Random;
use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::security::cookie;

const SECONDS: u32 = 180 * 24 * 3600;
/// So many people may share a browser, as at a front desk.
const MARKS_MAX: usize = 6;

/// The browser, and the marks that accounts left on it.
pub(crate) struct Device {
    id: String,
    marks: Vec<String>,
}

impl Device {
    /// The browser as its cookie tells; a new one where it tells nothing.
    pub(crate) fn of(headers: &HeaderMap, secure: bool, random: &Random) -> Self {
        let mut parts = cookie::read(headers, name(secure))
            .unwrap_or_default()
            .split('.')
            .map(str::to_owned);
        let id = parts.next().filter(|id| is_plain(id));
        let marks = parts.filter(|mark| is_plain(mark)).take(MARKS_MAX);
        match id {
            Some(id) => Self {
                id,
                marks: marks.collect(),
            },
            None => Self {
                id: random.token(),
                marks: Vec::new(),
            },
        }
    }

    /// Its id, where `account` has signed in on it before.
    pub(crate) fn known(&self, key: &[u8; 32], account: Uuid) -> Option<&str> {
        // Hashes compare in constant time.
        let ours = mark(key, &self.id, account);
        let has_mark = |text: &String| blake3::Hash::from_hex(text).is_ok_and(|mark| mark == ours);
        self.marks.iter().any(has_mark).then_some(self.id.as_str())
    }

    /// The cookie after `account` has signed in.
    pub(crate) fn remember(mut self, key: &[u8; 32], account: Uuid, secure: bool) -> HeaderValue {
        let ours = mark(key, &self.id, account).to_hex().to_string();
        self.marks.retain(|mark| *mark != ours);
        self.marks.insert(0, ours);
        self.marks.truncate(MARKS_MAX);
        let value = format!("{}.{}", self.id, self.marks.join("."));
        cookie::write(name(secure), &value, Some(SECONDS), secure)
    }
}

/// Over HTTPS the prefix makes browsers refuse the cookie from another host.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-device" } else { "device" }
}

fn mark(key: &[u8; 32], device: &str, account: Uuid) -> blake3::Hash {
    let mut text = device.as_bytes().to_vec();
    text.extend_from_slice(account.as_bytes());
    blake3::keyed_hash(key, &text)
}

fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    fn sent(set: &HeaderValue) -> HeaderMap {
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(pair).unwrap());
        headers
    }

    fn read(headers: &HeaderMap) -> Device {
        Device::of(headers, true, &Random::seeded(1))
    }

    #[test]
    fn a_device_is_known_for_those_who_signed_in_on_it_and_for_no_other() {
        let (key, one, two, other) = (
            [3; 32],
            Uuid::from_u128(1),
            Uuid::from_u128(2),
            Uuid::from_u128(3),
        );
        let first = read(&HeaderMap::new()).remember(&key, one, true);
        let second = read(&sent(&first)).remember(&key, two, true);
        let device = read(&sent(&second));
        assert!(device.known(&key, one).is_some());
        assert!(device.known(&key, two).is_some());
        assert_eq!(device.known(&key, other), None);
        assert_eq!(device.known(&[4; 32], one), None, "another key");
    }

    #[test]
    fn the_mark_of_one_browser_is_worth_nothing_in_another() {
        let (key, account) = ([3; 32], Uuid::from_u128(1));
        let set = read(&HeaderMap::new()).remember(&key, account, true);
        let text = set.to_str().unwrap();
        let (_, marked) = text.split_once('.').unwrap();
        let forged = HeaderValue::try_from(format!("__Host-device=abc.{marked}")).unwrap();
        assert_eq!(read(&sent(&forged)).known(&key, account), None);
    }
}

//! Who goes where when a share of the visitors goes to another pool: a keyed hash of the
//! visitor gives a place from 0 to 9999; those below the weight are in. A place does not
//! depend on the weight, so whoever is in at one weight is in at every higher one.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue, USER_AGENT};

/// The cookie that tells visitors apart.
pub(crate) const COOKIE_NAME: &str = "slipway-visitor";
const PLACES: u64 = 10_000;
/// The longest cookie that is taken for ours.
const COOKIE_CHARS: usize = 64;
/// A new cookie falls on the side of its visitor after two draws on average.
const DRAWS: u32 = 200_000;

/// Who sends a request, as far as it can be told without keeping it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    cookies: Option<HeaderValue>,
    agent: Option<HeaderValue>,
    address: IpAddr,
}

impl Visitor {
    /// Reads who it is; cheap, because the headers are shared and not copied.
    pub(crate) fn of(headers: &HeaderMap, address: IpAddr) -> Self {
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .find(|value| cookie(value, COOKIE_NAME).is_some_and(is_ours));
        Self {
            cookies: cookies.cloned(),
            agent: headers.get(USER_AGENT).cloned(),
            address,
        }
    }

    /// Where it comes from, as far as is believed.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether the visitor brought the cookie.
    pub(crate) fn is_known(&self) -> bool {
        self.cookies.is_some()
    }

    /// Tells clients apart within one run of the proxy.
    pub(crate) fn fingerprint(&self, key: &[u8; 32]) -> u64 {
        number(&self.hash(key))
    }

    /// The visitor's place under `epoch` of `service`.
    pub(crate) fn place(&self, key: &[u8; 32], service: &str, epoch: u64) -> u64 {
        place_of(key, service, epoch, self.hash(key).as_bytes())
    }

    /// A new cookie for a visitor without one, that falls on the same side of `weight`.
    pub(crate) fn new_cookie(
        &self,
        key: &[u8; 32],
        service: &str,
        (epoch, weight): (u64, u16),
        token: &str,
    ) -> String {
        let is_in = self.place(key, service, epoch) < u64::from(weight);
        let mut drawn = format!("{token}0");
        for draw in 0..DRAWS {
            drawn = format!("{token}{draw}");
            let hash = named(key, &drawn);
            if (place_of(key, service, epoch, hash.as_bytes()) < u64::from(weight)) == is_in {
                break;
            }
        }
        drawn
    }

    fn hash(&self, key: &[u8; 32]) -> blake3::Hash {
        let own = self
            .cookies
            .as_ref()
            .and_then(|value| cookie(value, COOKIE_NAME));
        if let Some(own) = own {
            return named(key, own);
        }
        let mut hasher = blake3::Hasher::new_keyed(key);
        match self.address {
            IpAddr::V4(address) => hasher.update(&address.octets()),
            IpAddr::V6(address) => hasher.update(&address.octets()),
        };
        if let Some(agent) = &self.agent {
            hasher.update(agent.as_bytes());
        }
        hasher.finalize()
    }
}

/// The value of a cookie in one `Cookie` header.
pub(crate) fn cookie<'a>(header: &'a HeaderValue, name: &str) -> Option<&'a str> {
    header
        .to_str()
        .ok()?
        .split(';')
        .find_map(|pair| pair.trim_start().strip_prefix(name)?.strip_prefix('='))
        .map(str::trim_end)
}

fn is_ours(value: &str) -> bool {
    (8..=COOKIE_CHARS).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn named(key: &[u8; 32], cookie: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(b"cookie\0");
    hasher.update(cookie.as_bytes());
    hasher.finalize()
}

fn place_of(key: &[u8; 32], service: &str, epoch: u64, visitor: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&epoch.to_le_bytes());
    hasher.update(visitor);
    hasher.update(service.as_bytes());
    // The remainder's bias is below 10^-15.
    number(&hasher.finalize()) % PLACES
}

fn number(hash: &blake3::Hash) -> u64 {
    let (first, _) = hash.as_bytes().split_at(8);
    first
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [7; 32];

    fn visitor(cookie: Option<&str>, agent: &str, address: [u8; 4]) -> Visitor {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_str(agent).unwrap());
        if let Some(cookie) = cookie {
            let value = format!("other=1; {COOKIE_NAME}={cookie}; last=2");
            headers.insert(COOKIE, HeaderValue::from_str(&value).unwrap());
        }
        Visitor::of(&headers, IpAddr::from(address))
    }

    proptest! {
        #[test]
        fn whoever_is_in_at_one_weight_is_in_at_every_higher_one(
            cookie in proptest::option::of("[a-z0-9]{8,40}"),
            agent in "[ -~]{0,30}", address: [u8; 4], epoch: u64, low in 1_u64..10_000, more in 0_u64..10_000,
        ) {
            let place = visitor(cookie.as_deref(), &agent, address).place(&KEY, "web", epoch);
            prop_assert!(place < PLACES);
            if place < low {
                prop_assert!(place < low.saturating_add(more));
            }
            prop_assert_eq!(place, visitor(cookie.as_deref(), &agent, address).place(&KEY, "web", epoch));
        }

        #[test]
        fn a_new_cookie_keeps_its_visitor_on_the_same_side(
            agent in "[ -~]{0,30}", address: [u8; 4], epoch: u64, weight in 1_u16..=10_000,
        ) {
            let before = visitor(None, &agent, address);
            let cookie = before.new_cookie(&KEY, "web", (epoch, weight), "abcdefghijklmnop");
            let after = visitor(Some(&cookie), "another browser", [9, 9, 9, 9]);
            prop_assert!(after.is_known());
            let weight = u64::from(weight);
            prop_assert_eq!(
                before.place(&KEY, "web", epoch) < weight,
                after.place(&KEY, "web", epoch) < weight
            );
        }
    }

    #[test]
    fn shares_are_near_their_weight_and_a_new_epoch_draws_anew() {
        let places = |epoch| -> Vec<u64> {
            (0..20_000)
                .map(|n| {
                    visitor(Some(&format!("visitor{n}")), "x", [1; 4]).place(&KEY, "web", epoch)
                })
                .collect()
        };
        let (one, two) = (places(1), places(2));
        let inside = one.iter().filter(|p| **p < 2_500).count();
        assert!((4_700..5_300).contains(&inside), "{inside}");
        let both = one
            .iter()
            .zip(&two)
            .filter(|(a, b)| **a < 2_500 && **b < 2_500)
            .count();
        assert!((1_100..1_400).contains(&both), "{both}");
    }

    #[test]
    fn a_cookie_that_is_not_ours_is_no_cookie() {
        for foreign in ["short", "white space is not", "x".repeat(65).as_str()] {
            assert!(!visitor(Some(foreign), "x", [1; 4]).is_known(), "{foreign}");
        }
    }
}

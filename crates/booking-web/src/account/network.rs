//! The network that a visitor comes from, as coarse as one household or office: what
//! limits are counted by, and never a single person's address.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use crate::origin;

/// What stands for this machine itself, where no proxy says anything else.
const LOCAL: &str = "local";

/// A prefix such as `203.0.113.0/24` or `2001:db8:1::/48`, or `local`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Network(String);

impl Network {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the request comes from this machine: Booking listens on loopback only, so
    /// nobody else comes without an address that a proxy saw.
    pub(crate) fn is_local(&self) -> bool {
        self.0 == LOCAL
    }

    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    fn of(headers: &HeaderMap) -> Self {
        Self(origin::client(headers).map_or_else(|| LOCAL.to_owned(), prefix))
    }
}

fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Network {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_address_that_the_proxy_added_counts_and_only_its_network() {
        let network = |line: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static(line));
            Network::of(&headers).0
        };
        assert_eq!(network("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network("1.2.3.4, 203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network("::ffff:203.0.113.9"), "203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2::9"), "2001:db8:1::/48");
        assert_eq!(network("203.0.113.77, 127.0.0.1"), "203.0.113.0/24");
        assert_eq!(network("127.0.0.1"), "local");
        assert_eq!(network("nonsense"), "local");
        assert_eq!(Network::of(&HeaderMap::new()).0, "local");
    }
}

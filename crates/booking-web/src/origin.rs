//! From where a request comes, as a hash that only we can make: enough to count, and no
//! address is kept. Only the proxy in front reaches this process, and it says it truthfully.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;

use crate::app::App;

/// None where no proxy says from where it comes.
pub(crate) struct Origin(pub(crate) Option<[u8; 32]>);

impl<S> FromRequestParts<S> for Origin
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let key = Arc::<App>::from_ref(state).appointments.link_key;
        let hash = |address| *blake3::keyed_hash(&key, network(address).as_bytes()).as_bytes();
        Ok(Self(client(&parts.headers).map(hash)))
    }
}

/// The last address that is not one of this machine's own.
pub(crate) fn client(headers: &HeaderMap) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.rsplit(','))
        .filter_map(|address| address.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .find(|address| !address.is_loopback())
}

/// Whoever has one address of version 6 has 2⁶⁴ of them.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_nearest_address_outside_this_machine_is_the_client() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static(value));
            client(&headers).map(network)
        };
        assert_eq!(of("10.9.9.9, 41.1.2.3"), Some("41.1.2.3".to_owned()));
        assert_eq!(of("41.1.2.3, 127.0.0.1"), Some("41.1.2.3".to_owned()));
        assert_eq!(of("127.0.0.1"), None);
        assert_eq!(of("unknown"), None);
        let (one, two) = (of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::9"));
        assert_eq!(one, two);
        assert_eq!(client(&HeaderMap::new()), None);
    }
}

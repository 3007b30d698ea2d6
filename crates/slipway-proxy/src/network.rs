//! A part of the addresses that there are, as `10.0.0.0/8` or one address alone. An IPv4
//! address that comes as an IPv6 one is the IPv4 address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It is not written as one.
    #[error("{0:?} is no network; write 10.0.0.0/8, or one address")]
    Syntax(String),
    /// Bits are set behind those that count, so that it is not known what was meant.
    #[error("{0} names an address within a network; write {1}, or the address alone")]
    Within(String, String),
}

impl Network {
    /// Every address of this machine for itself.
    pub fn loopback() -> [Self; 2] {
        let v4 = IpAddr::from([127, 0, 0, 0]);
        let v6 = IpAddr::from(std::net::Ipv6Addr::LOCALHOST);
        [(v4, 8), (v6, 128)].map(|(address, bits)| Self { address, bits })
    }

    /// Whether `address` is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.address.is_ipv4() == address.is_ipv4()
            && prefix(address, self.bits) == prefix(self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let syntax = || NetworkError::Syntax(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| syntax())?;
        let address = address.to_canonical();
        let most = width(address);
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| syntax())?,
            None => most,
        };
        if bits > most {
            return Err(syntax());
        }
        let first = from_prefix(address, prefix(address, bits));
        if first != address {
            let meant = format!("{first}/{bits}");
            return Err(NetworkError::Within(text.to_owned(), meant));
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// An address with all but its first bits nought: who shares them is one neighbourhood.
pub(crate) fn neighbourhood(address: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { v4_bits } else { v6_bits };
    from_prefix(address, prefix(address, bits))
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first bits of an address, in their place; the others are nought.
fn prefix(address: IpAddr, bits: u32) -> u128 {
    let (number, width) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let rest = width - bits.min(width);
    number
        .checked_shr(rest)
        .and_then(|first| first.checked_shl(rest))
        .unwrap_or(0)
}

fn from_prefix(like: IpAddr, number: u128) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(number).unwrap_or(0).into()),
        IpAddr::V6(_) => IpAddr::V6(number.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(network: &str, address: &str, expected: bool) {
        let found: Network = network.parse().unwrap();
        let is_within = found.contains(address.parse().unwrap());
        assert_eq!(is_within, expected, "{address} in {network}");
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.1.2.3", true);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
        check("0.0.0.0/0", "203.0.113.1", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("2001:db8::/32", "2001:db8:ffff::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::/0", "2001:db8::1", true);
        check("::1", "::1", true);
    }

    #[test]
    fn what_is_no_network_says_what_to_write() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/x", "a/8"] {
            let said = text.parse::<Network>().unwrap_err();
            assert!(matches!(said, NetworkError::Syntax(_)), "{text}: {said}");
        }
        let said = "10.1.2.3/8".parse::<Network>().unwrap_err().to_string();
        assert!(said.contains("write 10.0.0.0/8"), "{said}");
    }

    proptest! {
        #[test]
        fn a_network_reads_as_it_is_written(address: u128, is_v4: bool, bits in 0_u32..=128, other: u128) {
            let like = if is_v4 { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
            let bits = bits.min(width(like));
            let number = if is_v4 { address >> 96 } else { address };
            let address = from_prefix(like, number);
            let first = from_prefix(like, prefix(address, bits));
            if let Ok(network) = format!("{first}/{bits}").parse::<Network>() {
                prop_assert_eq!(network.to_string().parse(), Ok(network));
                prop_assert!(network.contains(address));
                let other = from_prefix(like, if is_v4 { other >> 96 } else { other });
                let is_same = prefix(other, bits) == prefix(address, bits);
                prop_assert_eq!(network.contains(other), is_same);
            }
        }
    }
}

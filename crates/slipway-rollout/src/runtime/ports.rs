//! Free ports for instances: outside the range from which the kernel takes ports for
//! outgoing connections, so that busy traffic cannot take one between choice and use.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use chassis::Random;

/// The lowest port that is given away.
const LOWEST: u16 = 20_000;
/// Where the kernel's own range begins when it does not say.
const OUTGOING: u16 = 32_768;
const TRIES: usize = 200;
/// As many ports given away last are not given away again, because their instances may not
/// listen yet.
const REMEMBERED: usize = 64;

/// Gives ports away.
#[derive(Debug)]
pub(crate) struct Ports {
    random: Random,
    given: Vec<u16>,
}

impl Ports {
    pub(crate) fn new(random: Random) -> Self {
        Self {
            random,
            given: Vec::new(),
        }
    }

    /// A port of loopback on which nobody listens.
    pub(crate) fn free(&mut self) -> io::Result<u16> {
        let end = outgoing().max(LOWEST + 1000);
        let given: BTreeSet<u16> = self.given.iter().copied().collect();
        for _ in 0..TRIES {
            let offset = self.random.below(u64::from(end - LOWEST));
            let port = LOWEST + u16::try_from(offset).unwrap_or(0);
            if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                self.given.push(port);
                if self.given.len() > REMEMBERED {
                    self.given.remove(0);
                }
                return Ok(port);
            }
        }
        Err(io::Error::other(format!(
            "no free port was found between {LOWEST} and {end} in {TRIES} tries"
        )))
    }
}

/// The first port of the kernel's own range.
fn outgoing() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(OUTGOING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_given_away_and_none_twice() {
        let mut ports = Ports::new(Random::seeded(3));
        let first = ports.free().unwrap();
        // The same stream would give the same port again.
        let mut again = Ports::new(Random::seeded(3));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(again.free().unwrap(), first);
        drop(listener);
        let more: BTreeSet<u16> = (0..20).map(|_| ports.free().unwrap()).collect();
        assert_eq!(more.len(), 20);
        assert!(!more.contains(&first));
    }
}

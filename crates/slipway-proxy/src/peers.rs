//! How many connections each peer has, so that one alone never takes all that there are. An
//! IPv6 peer is its network of 64 bits: whoever has one address there has all of them. Looked
//! at when a connection begins and ends, never for a request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::network;

const V4_BITS: u32 = 32;
const V6_BITS: u32 = 64;

/// The connections by peer.
#[derive(Debug)]
pub(crate) struct Peers {
    most: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A place among a peer's connections; given up when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Peers {
    /// With at most so many connections for each.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            counts: Mutex::default(),
        })
    }

    /// A place, unless this peer has all that it may have.
    pub(crate) fn seat(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let peer = network::neighbourhood(address, V4_BITS, V6_BITS);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        let peers = Arc::clone(self);
        Some(Seat { peers, peer })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let counts = self.peers.counts.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            // Peers come and go; what is nought is not remembered.
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_places_and_no_more_and_others_have_theirs() {
        let peers = Peers::new(2);
        let seat = |address: &str| peers.seat(address.parse().unwrap());
        let first = seat("192.0.2.1").unwrap();
        let second = seat("::ffff:192.0.2.1").unwrap();
        assert!(seat("192.0.2.1").is_none());
        let other = seat("192.0.2.2").unwrap();
        drop(first);
        let third = seat("192.0.2.1").unwrap();
        let v6 = (
            seat("2001:db8::1").unwrap(),
            seat("2001:db8::ffff:2").unwrap(),
        );
        assert!(seat("2001:db8::3").is_none());
        assert!(seat("2001:db8:0:1::3").is_some());
        drop((second, other, third, v6));
        assert!(peers.counts.lock().unwrap().is_empty());
    }
}

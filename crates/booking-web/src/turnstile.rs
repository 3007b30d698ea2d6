//! How many may be inside one process at once, in all and from one network: for answers
//! that last. This machine itself is only counted among all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::account::network::Network;

/// Counts who is inside.
#[derive(Debug)]
pub(crate) struct Turnstile {
    most: usize,
    most_of_one: usize,
    inside: Mutex<HashMap<Network, usize>>,
}

/// Somebody's place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    turnstile: Arc<Turnstile>,
    network: Network,
}

impl Turnstile {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_one,
            inside: Mutex::default(),
        })
    }

    /// A place for somebody from that network; none where it is full.
    pub(crate) fn enter(self: &Arc<Self>, network: Network) -> Option<Place> {
        let mut inside = self.inside();
        let own = inside.get(&network).copied().unwrap_or_default();
        let is_full = inside.values().sum::<usize>() >= self.most
            || (own >= self.most_of_one && !network.is_local());
        if is_full {
            return None;
        }
        inside.insert(network.clone(), own + 1);
        Some(Place {
            turnstile: Arc::clone(self),
            network,
        })
    }

    fn inside(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.turnstile.inside();
        match inside.get_mut(&self.network) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                inside.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_cannot_take_all_places_and_each_is_free_again() {
        let turnstile = Turnstile::new(4, 2);
        let (one, two) = (Network::named("1"), Network::named("2"));
        let held: Vec<_> = (0..3).map(|_| turnstile.enter(one.clone())).collect();
        let got: Vec<_> = held.iter().map(Option::is_some).collect();
        assert_eq!(got, [true, true, false]);
        let other = turnstile.enter(two.clone());
        assert!(other.is_some(), "another network finds the door shut");
        let local = turnstile.enter(Network::named("local"));
        assert!(local.is_some());
        assert!(
            turnstile.enter(two.clone()).is_none(),
            "more than there is room"
        );
        drop((held, other, local));
        assert!(turnstile.inside().is_empty());
        assert!(turnstile.enter(one).is_some());
    }
}

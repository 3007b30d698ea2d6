//! Which clients were counted already within a second, ten, or an hour, so that one of them who
//! tries again and again does not look like many. Shared by all workers without a lock. Bounded:
//! where it is full, who comes counts as new.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Clients that are told apart in them: 16 KiB, taken when the first one comes.
const PLACES: usize = 2048;
/// Places that are looked at for one client.
const TRIES: usize = 16;
/// A place holds the number of a while, never nought, above so many bits of the client.
const CLIENT_BITS: u32 = 40;

/// The clients of a while.
#[derive(Debug)]
pub(crate) struct Clients {
    /// How many seconds it has.
    once_s: u64,
    places: OnceLock<Box<[AtomicU64]>>,
}

impl Clients {
    pub(crate) fn within(once_s: u64) -> Self {
        Self {
            once_s,
            places: OnceLock::new(),
        }
    }

    /// Whether `client` was not counted yet within the while that the second `at` lies in.
    pub(crate) fn is_new(&self, at: u64, client: u64) -> bool {
        let places = self
            .places
            .get_or_init(|| (0..PLACES).map(|_| AtomicU64::new(0)).collect());
        let now = at / self.once_s + 1;
        let own = now << CLIENT_BITS | client & ((1 << CLIENT_BITS) - 1);
        let first = usize::try_from(client >> CLIENT_BITS).unwrap_or(0);
        for step in 0..TRIES {
            let place = &places[(first + step) % PLACES];
            let mut there = place.load(Ordering::Relaxed);
            while there >> CLIENT_BITS != now {
                // Free, or of seconds that are over.
                let taken =
                    place.compare_exchange(there, own, Ordering::Relaxed, Ordering::Relaxed);
                match taken {
                    Ok(_) => return true,
                    Err(other) => there = other,
                }
            }
            if there == own {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a keyed hash would spread it.
    fn client(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn a_client_is_new_once_in_ten_seconds() {
        let clients = Clients::within(10);
        let new: Vec<bool> = [(0, 1), (9, 1), (9, 2), (10, 1), (19, 1), (400, 1)]
            .map(|(at, number)| clients.is_new(at, client(number)))
            .into();
        assert_eq!(new, [true, false, true, true, false, true]);
    }

    #[test]
    fn a_thousand_clients_are_told_apart() {
        let clients = Clients::within(10);
        let new = |at| {
            (0..1_000)
                .filter(|n| clients.is_new(at, client(*n)))
                .count()
        };
        assert_eq!((new(0), new(5), new(10)), (1_000, 0, 1_000));
    }

    #[test]
    fn workers_at_once_count_a_client_once() {
        let clients = Clients::within(10);
        let new = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let found = (0..500).filter(|n| clients.is_new(3, client(*n))).count();
                    new.fetch_add(found, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(new.into_inner(), 500);
    }
}

//! What was seen of each client within a while, so that one of them who tries again and again
//! does not look like many. Shared by all workers without a lock. Bounded: where it is full, who
//! comes is not looked at until the while is over, whatever came of it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Kinds of questions that one client's are divided into.
const KINDS: u64 = 16;
/// Places that are looked at for one client.
const TRIES: usize = 16;
/// A place holds from above the number of a while, never nought, so many bits of the client,
/// and so many marks.
const CLIENT_BITS: u32 = 38;
const MARK_BITS: u32 = 6;
const MARKS: u64 = (1 << MARK_BITS) - 1;
/// Whiles that are told apart: with ten seconds each, a hundred days.
const WHILES: u64 = (1 << (u64::BITS - CLIENT_BITS - MARK_BITS)) - 1;

/// The clients of a while.
#[derive(Debug)]
pub(crate) struct Clients {
    /// How many seconds it has.
    lasts_s: u64,
    /// How many are told apart in it, in eight bytes for each, taken when the first one comes.
    count: usize,
    places: OnceLock<Box<[AtomicU64]>>,
}

impl Clients {
    pub(crate) fn within(lasts_s: u64, count: usize) -> Self {
        Self {
            lasts_s,
            count,
            places: OnceLock::new(),
        }
    }

    /// Gives `client` these of six marks, and says which of them it did not have yet in the while
    /// that the second `at` lies in.
    pub(crate) fn mark(&self, at: u64, client: u64, marks: u8) -> u8 {
        let places = self
            .places
            .get_or_init(|| (0..self.count).map(|_| AtomicU64::new(0)).collect());
        let now = at / self.lasts_s % WHILES + 1;
        let own = (now << CLIENT_BITS | client & ((1 << CLIENT_BITS) - 1)) << MARK_BITS;
        let wanted = u64::from(marks) & MARKS;
        let first = usize::try_from(client >> CLIENT_BITS).unwrap_or(0);
        for step in 0..TRIES {
            let place = &places[(first + step) % places.len()];
            let mut there = place.load(Ordering::Relaxed);
            loop {
                let is_own = there & !MARKS == own;
                // One of another while is over, and its place free.
                if !is_own && there >> (CLIENT_BITS + MARK_BITS) == now {
                    break;
                }
                let had = if is_own { there & MARKS } else { 0 };
                let with = own | had | wanted;
                if is_own && with == there {
                    return 0;
                }
                match place.compare_exchange(there, with, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return u8::try_from(wanted & !had).unwrap_or(marks),
                    Err(other) => there = other,
                }
            }
        }
        0
    }
}

/// A number for what is asked, of what kind it is: all that a page loads from one folder is one,
/// what changes something there another.
pub(crate) fn asked(method: &str, path: &str) -> u64 {
    let first = path.split('/').find(|piece| !piece.is_empty());
    let mut hasher = DefaultHasher::new();
    (method, first).hash(&mut hasher);
    hasher.finish()
}

/// A client as far as one of sixteen kinds of questions goes. What falls into one kind is another
/// matter for each client, so that no answer hides behind the same other one for all of them.
pub(crate) fn unit(client: u64, asked: u64) -> u64 {
    let mixed = (client ^ asked).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let kind = (mixed ^ mixed >> 32) % KINDS + 1;
    client ^ kind.wrapping_mul(0xd1b5_4a32_d192_ed03)
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
        let clients = Clients::within(10, 2048);
        let new: Vec<u8> = [(0, 1), (9, 1), (9, 2), (10, 1), (19, 1), (400, 1)]
            .map(|(at, number)| clients.mark(at, client(number), 1))
            .into();
        assert_eq!(new, [1, 0, 1, 1, 0, 1]);
    }

    #[test]
    fn each_mark_is_new_once() {
        let clients = Clients::within(10, 2048);
        let new: Vec<u8> = [(0, 0b1), (1, 0b101), (9, 0b111), (9, 0b111), (10, 0b110)]
            .map(|(at, marks)| clients.mark(at, client(7), marks))
            .into();
        assert_eq!(new, [0b1, 0b100, 0b10, 0, 0b110]);
    }

    #[test]
    fn a_client_has_sixteen_kinds_of_questions_and_others_for_each_client() {
        let units = |client: u64| -> std::collections::BTreeSet<u64> {
            let paths = (0..1_000).map(|n| format!("/{n}/times"));
            paths.map(|p| unit(client, asked("GET", &p))).collect()
        };
        for number in 0..100 {
            assert_eq!(units(client(number)).len(), 16);
        }
        assert_eq!(
            asked("GET", "/assets/a.css"),
            asked("GET", "/assets/b/c.js")
        );
        let (page, api) = (asked("GET", "/acme"), asked("POST", "/api/v1/bookings"));
        let hidden = (0..8_000)
            .map(client)
            .filter(|c| unit(*c, page) == unit(*c, api));
        let hidden = hidden.count();
        assert!((400..600).contains(&hidden), "{hidden}");
    }

    #[test]
    fn a_thousand_clients_are_told_apart() {
        let clients = Clients::within(10, 2048);
        let new = |at| {
            (0..1_000)
                .filter(|n| clients.mark(at, client(*n), 1) == 1)
                .count()
        };
        assert_eq!((new(0), new(5), new(10)), (1_000, 0, 1_000));
    }

    #[test]
    fn where_it_is_full_who_comes_is_not_looked_at_until_it_is_over() {
        let clients = Clients::within(10, 2048);
        let new = (0..100_000).filter(|n| clients.mark(0, client(*n), 1) == 1);
        let new = new.count();
        assert!((1_900..=2_048).contains(&new), "{new}");
        assert_eq!(clients.mark(0, client(200_000), 0b11), 0);
        assert_eq!(clients.mark(10, client(200_000), 0b11), 0b11);
    }

    #[test]
    fn workers_at_once_count_a_client_once() {
        let clients = Clients::within(10, 2048);
        let new = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (clients, new) = (&clients, &new);
                scope.spawn(move || {
                    // Each has a mark of its own beside the one that all give.
                    let marks = 1 | 2 << worker;
                    let found = (0..500)
                        .filter(|n| clients.mark(3, client(*n), marks) & 1 == 1)
                        .count();
                    new.fetch_add(found, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(new.into_inner(), 500);
    }
}

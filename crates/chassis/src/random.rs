//! Randomness as an argument: the operating system's, or a seeded stream for tests.
//! The only module that reads the operating system's randomness.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng as _, TryRng as _};
use uuid::Uuid;

/// A source of random bytes. Cheap to clone; clones of a seeded source share it.
#[derive(Debug, Clone)]
pub struct Random(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// The operating system's randomness, fit for tokens and keys.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A stream that is the same for the same seed. For tests and simulations only.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(
            seed,
        )))))
    }

    /// Fills `buffer`. A system without randomness cannot go on, so that is a panic.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Source::System => {
                SysRng
                    .try_fill_bytes(buffer)
                    .expect("the operating system has randomness");
            }
            Source::Seeded(stream) => {
                stream
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .fill_bytes(buffer);
            }
        }
    }

    /// A number from 0 up to, not including, `bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        // Multiply-shift keeps the bias under 2^-64 times the bound.
        u64::try_from((u128::from(u64::from_le_bytes(bytes)) * u128::from(bound)) >> 64)
            .unwrap_or(0)
    }

    /// A time-ordered identifier (RFC 9562, version 7) for the instant `now`.
    pub fn uuid(&self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// A secret of 128 bits in 26 lower-case letters and digits, safe in a URL.
    pub fn token(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        data_encoding::BASE32_NOPAD
            .encode(&bytes)
            .to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let (a, b) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(a.token(), b.token());
        assert_eq!(a.uuid(Timestamp::UNIX_EPOCH), b.uuid(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let random = Random::seeded(1);
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn system_tokens_differ() {
        assert_ne!(Random::system().token(), Random::system().token());
    }
}

//! Time as an argument: the system's clock, or one that a test moves by hand.
//! The only module that reads the wall clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Cheap to clone; clones of a manual clock share its hands.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Hands>),
}

#[derive(Debug)]
struct Hands {
    /// Microseconds since 1970; what both clocks go by.
    time: AtomicI64,
    /// How far the wall clock jumped from there.
    jumped: AtomicI64,
}

/// The hands of a clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Hands>);

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until its hands are moved.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let hands = Arc::new(Hands {
            time: AtomicI64::new(start.as_microsecond()),
            jumped: AtomicI64::new(0),
        });
        (Self(Source::Manual(Arc::clone(&hands))), ManualClock(hands))
    }

    /// The current instant in UTC. Microseconds; the wall clock may jump.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::from_microsecond(Timestamp::now().as_microsecond())
                .unwrap_or(Timestamp::UNIX_EPOCH),
            Source::Manual(hands) => {
                let time = hands.time.load(Ordering::SeqCst);
                let jumped = hands.jumped.load(Ordering::SeqCst);
                Timestamp::from_microsecond(time.saturating_add(jumped)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Time since an arbitrary start; never goes back, for measuring durations.
    pub fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match &self.0 {
            Source::System => START.elapsed(),
            Source::Manual(hands) => {
                Duration::from_micros(u64::try_from(hands.time.load(Ordering::SeqCst)).unwrap_or(0))
            }
        }
    }
}

impl ManualClock {
    /// Moves the hands forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.time.fetch_add(micros, Ordering::SeqCst);
    }

    /// The wall clock jumps, forwards or back, as when somebody sets it; what measures durations
    /// does not notice.
    pub fn jump(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(0);
        self.0.jumped.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the hands to an instant, earlier or later.
    pub fn set(&self, to: Timestamp) {
        self.0.time.store(to.as_microsecond(), Ordering::SeqCst);
        self.0.jumped.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_it_is_moved() {
        let (clock, hands) = Clock::manual(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());
        hands.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
        assert_eq!(clock.monotonic(), Duration::from_secs(90));
    }

    #[test]
    fn a_jump_of_the_wall_clock_is_no_time_that_went_by() {
        let (clock, hands) = Clock::manual(Timestamp::UNIX_EPOCH);
        hands.advance(Duration::from_secs(90));
        hands.jump(SignedDuration::from_secs(-60));
        assert_eq!(clock.now().as_second(), 30);
        assert_eq!(clock.monotonic(), Duration::from_secs(90));
    }
}

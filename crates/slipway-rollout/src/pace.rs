//! Waiting as an argument: real time, or time that a simulation moves. The rest of the crate
//! never sleeps by itself.

use std::time::Duration;

use chassis::Clock;
use jiff::Timestamp;
use tokio::task::JoinError;

/// Tells the time and waits. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    clock: Clock,
    #[cfg(test)]
    hands: Option<std::sync::Arc<crate::tests::hands::Hands>>,
}

impl Pace {
    /// Real time by `clock`.
    pub(crate) fn real(clock: Clock) -> Self {
        Self {
            clock,
            #[cfg(test)]
            hands: None,
        }
    }

    /// Time that moves only when everybody waits for it.
    #[cfg(test)]
    pub(crate) fn simulated(
        clock: Clock,
        hands: std::sync::Arc<crate::tests::hands::Hands>,
    ) -> Self {
        Self {
            clock,
            hands: Some(hands),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Waits. Cancel-safe.
    pub(crate) async fn sleep(&self, long: Duration) {
        #[cfg(test)]
        if let Some(hands) = &self.hands {
            return hands.sleep(long).await;
        }
        tokio::time::sleep(long).await;
    }

    /// Does what blocks without keeping other tasks waiting. In a simulation it takes no time,
    /// and nothing else happens meanwhile.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        #[cfg(test)]
        if self.hands.is_some() {
            return Ok(work());
        }
        tokio::task::spawn_blocking(work).await
    }

    /// Waits until an instant of the wall clock. Looks at it every minute at the latest,
    /// because it may jump.
    pub(crate) async fn sleep_until(&self, until: Timestamp) {
        while let Some(left) = positive(until, self.now()) {
            self.sleep(left.min(Duration::from_secs(60))).await;
        }
    }
}

fn positive(until: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(until.duration_since(now))
        .ok()
        .filter(|d| !d.is_zero())
}

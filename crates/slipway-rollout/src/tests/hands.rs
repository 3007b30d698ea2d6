//! Time that moves only when nothing else can happen: whoever waits is woken in order, and
//! the clock's hands go to where they waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chassis::{Clock, ManualClock};
use tokio::sync::oneshot;

/// The hands of a simulated clock, and who waits for them.
#[derive(Debug)]
pub(crate) struct Hands {
    clock: Clock,
    manual: ManualClock,
    waiting: Mutex<BTreeMap<(Duration, u64), oneshot::Sender<()>>>,
    count: std::sync::atomic::AtomicU64,
}

impl Hands {
    pub(crate) fn new(clock: Clock, manual: ManualClock) -> Self {
        Self {
            clock,
            manual,
            waiting: Mutex::new(BTreeMap::new()),
            count: std::sync::atomic::AtomicU64::new(0),
        }
    }

    pub(crate) async fn sleep(&self, long: Duration) {
        let (wake, woken) = oneshot::channel();
        let at = self.clock.monotonic() + long;
        let number = self.count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((at, number), wake);
        // An error means that the simulation is over.
        drop(woken.await);
    }

    /// Moves the hands to the next instant that somebody waits for; whether there is one.
    pub(crate) fn tick(&self) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(((at, _), wake)) = waiting.pop_first() {
            if wake.is_closed() {
                continue;
            }
            self.manual
                .advance(at.saturating_sub(self.clock.monotonic()));
            // Whoever waited and has gone since is passed over.
            if wake.send(()).is_ok() {
                return true;
            }
        }
        false
    }
}

//! Time that moves only when nothing else can happen: whoever waits is woken in order, and
//! the clock's hands go to where they waited for, or a beat further where nobody waits.

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

    /// How often somebody waited.
    pub(crate) fn waited(&self) -> u64 {
        self.count.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Somebody sets the wall clock; who waits does not notice.
    pub(crate) fn jump(&self, by: jiff::SignedDuration) {
        self.manual.jump(by);
    }

    /// Moves the hands to the next instant that somebody waits for, and wakes them; a `beat`
    /// further where that comes before.
    pub(crate) fn tick(&self, beat: Duration) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        let latest = now + beat;
        while let Some(next) = waiting.first_entry() {
            let at = next.key().0;
            if next.get().is_closed() {
                // Whoever waited and has gone since is passed over.
                next.remove();
                continue;
            }
            if at > latest {
                break;
            }
            self.manual.advance(at.saturating_sub(now));
            if next.remove().send(()).is_ok() {
                return;
            }
        }
        self.manual
            .advance(latest.saturating_sub(self.clock.monotonic()));
    }
}

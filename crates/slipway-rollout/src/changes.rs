//! That something changed, told to everybody who waits for it, in the order in which they began
//! to wait. Never says what; whoever hears of it looks.
//!
//! The channels of tokio that do as much wake in an order drawn by chance, and a simulation has
//! to take the same course for the same seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Tells of changes. Cheap to clone; clones tell the same listeners.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    count: AtomicU64,
    notify: Notify,
}

/// Hears of changes, of several at once as of one.
#[derive(Debug)]
pub(crate) struct Listener {
    changes: Changes,
    heard: u64,
}

impl Changes {
    /// Says that something changed.
    pub(crate) fn tell(&self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Listens from now on.
    pub(crate) fn listen(&self) -> Listener {
        Listener {
            heard: self.0.count.load(Ordering::SeqCst),
            changes: self.clone(),
        }
    }
}

impl Listener {
    /// Takes everything until now for heard.
    pub(crate) fn mark_unchanged(&mut self) {
        self.heard = self.changes.0.count.load(Ordering::SeqCst);
    }

    /// Waits until something changed since the last time. Cancel-safe.
    pub(crate) async fn changed(&mut self) {
        loop {
            // It hears of every change from here on, also before it is waited for.
            let next = self.changes.0.notify.notified();
            let count = self.changes.0.count.load(Ordering::SeqCst);
            if count != self.heard {
                self.heard = count;
                return;
            }
            next.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn what_changed_before_somebody_waits_is_heard_once() {
        let changes = Changes::default();
        let mut listener = changes.listen();
        assert!(listener.changed().now_or_never().is_none());
        changes.tell();
        changes.tell();
        assert!(listener.changed().now_or_never().is_some());
        assert!(listener.changed().now_or_never().is_none());
        changes.tell();
        listener.mark_unchanged();
        assert!(listener.changed().now_or_never().is_none());
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let changes = Changes::default();
        let mut listener = changes.listen();
        let waiting = tokio::spawn(async move { listener.changed().await });
        tokio::task::yield_now().await;
        changes.tell();
        waiting.await.unwrap();
    }
}

//! Where a simulated crash happens: after so many appends and effects the engine stands still
//! for ever, and the test drops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

/// Counts what the engine does, and stops it.
#[derive(Debug, Clone)]
pub(crate) struct Fuse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    left: AtomicI64,
    burnt: Notify,
}

impl Default for Fuse {
    fn default() -> Self {
        Self::after(i64::MAX)
    }
}

impl Fuse {
    /// A fuse that burns at the `count`th point, counted from 0.
    pub(crate) fn after(count: i64) -> Self {
        Self(Arc::new(Inner {
            left: AtomicI64::new(count),
            burnt: Notify::new(),
        }))
    }

    /// A point at which control may be killed. From the fatal one on nothing happens any more.
    pub(crate) async fn burn(&self, _what: &str) {
        if self.0.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.0.burnt.notify_one();
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn is_burnt(&self) -> bool {
        self.0.left.load(Ordering::SeqCst) < 0
    }

    pub(crate) fn points(&self, from: i64) -> i64 {
        from - self.0.left.load(Ordering::SeqCst)
    }
}

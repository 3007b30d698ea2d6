//! Where a simulated crash happens: after so many appends and effects the engine stands still
//! for ever, and the test drops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Counts what the engine does, and stops it.
#[derive(Debug, Clone)]
pub(crate) struct Fuse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    left: AtomicI64,
    /// Work that goes on outside of simulated time.
    busy: AtomicI64,
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
            busy: AtomicI64::new(0),
        }))
    }

    /// A point at which control may be killed. From the fatal one on nothing happens any more.
    pub(crate) async fn burn(&self, what: &str) {
        if self.0.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            tracing::debug!(what, "control is killed");
            self.0.busy.store(0, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    /// Lets it burn after so many further points.
    pub(crate) fn shorten(&self, count: i64) {
        self.0.left.fetch_min(count, Ordering::SeqCst);
    }

    /// Control is killed at this instant, wherever it stands.
    pub(crate) fn cut(&self) {
        self.0.left.store(-1, Ordering::SeqCst);
        self.0.busy.store(0, Ordering::SeqCst);
    }

    pub(crate) fn is_burnt(&self) -> bool {
        self.0.left.load(Ordering::SeqCst) < 0
    }

    /// The points that are left.
    pub(crate) fn left(&self) -> i64 {
        self.0.left.load(Ordering::SeqCst)
    }

    /// Simulated time stands still as long as somebody works.
    pub(crate) fn working(&self) -> Working {
        self.0.busy.fetch_add(1, Ordering::SeqCst);
        Working(self.clone())
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.0.busy.load(Ordering::SeqCst) > 0
    }
}

/// Somebody works.
#[derive(Debug)]
pub(crate) struct Working(Fuse);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

//! One token tree by which a program ends: a signal cancels the root, every task
//! watches it or a child. The first signal asks; later ones change nothing.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Tells tasks that the program is ending. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A token that nothing cancels but its owner.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that SIGTERM or SIGINT cancels. Must be called within a Tokio runtime.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::new();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let root = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = root.requested() => {}
            }
            root.request();
        });
        Ok(shutdown)
    }

    /// Asks everything below to end.
    pub fn request(&self) {
        self.0.cancel();
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the end is asked for. Cancel-safe.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// A token that ends with this one, and may end before it.
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_ends_with_its_parent_and_not_the_reverse() {
        let parent = Shutdown::new();
        let (one, two) = (parent.child(), parent.child());
        one.request();
        assert!(one.is_requested() && !parent.is_requested() && !two.is_requested());
        parent.request();
        two.requested().await;
    }
}

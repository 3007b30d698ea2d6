//! The journal and the book that it gives, kept in step: a decision sees the book as it will
//! be written on, and nobody writes in between. Whoever cannot append does not act.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use futures_util::future::{BoxFuture, FutureExt as _};
use slipway_journal::event::RolloutEvent;
use slipway_journal::{Actor, Entry, EnvironmentName, Event, Journal, JournalError};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::book::Book;
use crate::changes::{Changes, Listener};

/// What the ledger is written on: a process edge, so that a simulation can stand in.
pub(crate) trait Paper: std::fmt::Debug + Send + Sync {
    /// Appends events together; the entries are there for good when this says so.
    fn append(
        &self,
        actor: Actor,
        events: Vec<Event>,
    ) -> BoxFuture<'_, Result<Vec<Entry>, JournalError>>;
    /// Every entry, in order.
    fn replay(&self) -> BoxFuture<'_, Result<Vec<Entry>, JournalError>>;
}

impl Paper for Journal {
    fn append(
        &self,
        actor: Actor,
        events: Vec<Event>,
    ) -> BoxFuture<'_, Result<Vec<Entry>, JournalError>> {
        self.append(actor, events).boxed()
    }

    fn replay(&self) -> BoxFuture<'_, Result<Vec<Entry>, JournalError>> {
        self.replay().boxed()
    }
}

/// The journal with its book. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    paper: Arc<dyn Paper>,
    book: Arc<RwLock<Book>>,
    /// Held from a decision until its events are in the book.
    turn: Arc<Mutex<()>>,
    changes: Changes,
    #[cfg(test)]
    pub(crate) fuse: crate::tests::fuse::Fuse,
}

/// Who acts when nobody asked: the engine itself.
pub(crate) fn executor() -> Actor {
    Actor::System("executor".to_owned())
}

/// Who acts when the counts say so.
pub(crate) fn trigger() -> Actor {
    Actor::System("trigger".to_owned())
}

impl Ledger {
    /// Reads the whole journal.
    pub(crate) async fn open(
        paper: Arc<dyn Paper>,
        environment: EnvironmentName,
        #[cfg(test)] fuse: crate::tests::fuse::Fuse,
    ) -> Result<Self, JournalError> {
        let book = Book::of(environment, &paper.replay().await?);
        Ok(Self {
            paper,
            book: Arc::new(RwLock::new(book)),
            turn: Arc::new(Mutex::new(())),
            changes: Changes::default(),
            #[cfg(test)]
            fuse,
        })
    }

    /// The book now. Never held over an await.
    pub(crate) fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever hears of changes looks again, because something else changed.
    pub(crate) fn stir(&self) {
        self.changes.tell();
    }

    /// Hears of every change of the book.
    pub(crate) fn changes(&self) -> Listener {
        self.changes.listen()
    }

    /// Appends what `decide` makes of the book, all or nothing; gives whatever it says. When
    /// the caller goes away the append is still taken into the book.
    pub(crate) async fn decide<T: Send + 'static>(
        &self,
        actor: Actor,
        decide: impl FnOnce(&Book) -> (Vec<RolloutEvent>, T),
    ) -> Result<T, JournalError> {
        #[cfg(test)]
        let working = self.fuse.working();
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (events, said) = decide(&self.book());
        if events.is_empty() {
            return Ok(said);
        }
        #[cfg(test)]
        self.fuse.burn("before append").await;
        let ledger = self.clone();
        let appended = tokio::spawn(async move { ledger.append(turn, actor, events).await });
        appended.await.map_err(|_| JournalError::Closed)??;
        #[cfg(test)]
        drop(working);
        #[cfg(test)]
        self.fuse.burn("after append").await;
        Ok(said)
    }

    async fn append(
        &self,
        turn: OwnedMutexGuard<()>,
        actor: Actor,
        events: Vec<RolloutEvent>,
    ) -> Result<(), JournalError> {
        let events = events.into_iter().map(Event::Rollout).collect();
        let entries = self.paper.append(actor, events).await?;
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        for entry in &entries {
            book.take(entry);
        }
        drop(book);
        drop(turn);
        self.changes.tell();
        Ok(())
    }
}

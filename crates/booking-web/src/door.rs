//! Where visitors and programs line up who want to change something: so many are inside at
//! once, and the others wait in the order in which they came, without a connection to the
//! database. Whoever only looks, and whoever works at the desk, is never behind them.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::account::network::Network;
use crate::error::Fault;
use crate::frame::Counted;
use crate::turnstile::Turnstile;

/// The longest line. With bodies of at most 64 KiB it takes 100 MB where all of them are
/// that large.
const WAITING_MAX: usize = 1600;
/// So many of them may be from one network.
const WAITING_OF_ONE: usize = 400;

/// So many inside, and a line.
#[derive(Debug)]
pub(crate) struct Door {
    inside: Semaphore,
    line: Arc<Turnstile>,
    waiting: Gauge,
}

impl Door {
    /// Half of `connections` are for those inside.
    pub(crate) fn new(connections: u32, waiting: Gauge) -> Self {
        let inside = usize::try_from(connections / 2).unwrap_or(1).max(1);
        Self {
            inside: Semaphore::new(inside),
            line: Turnstile::new(WAITING_MAX, WAITING_OF_ONE),
            waiting,
        }
    }

    /// Waits for a place inside, which is free again when it is dropped.
    pub(crate) async fn enter(
        &self,
        network: Network,
        patience: Duration,
    ) -> Result<SemaphorePermit<'_>, Fault> {
        if let Ok(place) = self.inside.try_acquire() {
            return Ok(place);
        }
        let _in_line = self.line.enter(network).ok_or(Fault::Busy)?;
        let _waiting = Counted::new(&self.waiting);
        let place = tokio::time::timeout(patience, self.inside.acquire()).await;
        // Those in front made it wait, and no release is to blame for how many they are.
        place
            .map_err(|_| Fault::Busy)?
            .map_err(|closed| Fault::Broken(closed.into()))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(9);

    fn local() -> Network {
        Network::named("local")
    }

    #[tokio::test]
    async fn whoever_waits_is_let_in_in_the_order_of_coming() {
        let door = Door::new(2, Gauge::default());
        let first = door.enter(local(), PATIENCE).await.unwrap();
        let (mut second, mut third) = (
            pin!(door.enter(local(), PATIENCE)),
            pin!(door.enter(local(), PATIENCE)),
        );
        assert!(poll!(&mut second).is_pending());
        assert!(poll!(&mut third).is_pending());
        assert_eq!(door.waiting.get(), 2);
        drop(first);
        assert!(poll!(&mut third).is_pending(), "the line was passed by");
        let Poll::Ready(Ok(second)) = poll!(&mut second) else {
            panic!("the place is free and nobody is let in");
        };
        assert!(poll!(&mut third).is_pending());
        drop(second);
        assert!(poll!(&mut third).is_ready());
        assert_eq!(door.waiting.get(), 0);
    }

    #[tokio::test]
    async fn whoever_leaves_the_line_keeps_nobody_waiting() {
        let door = Door::new(1, Gauge::default());
        let first = door.enter(local(), PATIENCE).await.unwrap();
        {
            let mut gone = pin!(door.enter(local(), PATIENCE));
            assert!(poll!(&mut gone).is_pending());
        }
        assert_eq!(door.waiting.get(), 0);
        drop(first);
        assert!(poll!(pin!(door.enter(local(), PATIENCE))).is_ready());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let door = Door::new(1, Gauge::default());
        let _inside = door.enter(local(), PATIENCE).await.unwrap();
        let answer = door.enter(local(), Duration::from_millis(1)).await;
        assert!(matches!(answer, Err(Fault::Busy)), "{answer:?}");
        assert_eq!(door.waiting.get(), 0);
    }

    #[tokio::test]
    async fn one_network_cannot_fill_the_line() {
        let door = Door::new(1, Gauge::default());
        let _inside = door.enter(local(), PATIENCE).await.unwrap();
        let flood = Network::named("203.0.113.0/24");
        let mut line = Vec::new();
        for _ in 0..WAITING_OF_ONE {
            let mut waits = Box::pin(door.enter(flood.clone(), PATIENCE));
            assert!(poll!(&mut waits).is_pending());
            line.push(waits);
        }
        let answer = door.enter(flood, PATIENCE).await;
        assert!(matches!(answer, Err(Fault::Busy)), "{answer:?}");
        let other = Network::named("198.51.100.0/24");
        assert!(poll!(pin!(door.enter(other, PATIENCE))).is_pending());
    }
}

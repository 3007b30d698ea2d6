//! How often one network, account or key may ask for something in a window of time. Redis
//! counts; where it does not answer, the database does, so that a flood gains nothing by
//! taking Redis down. For anything that costs work or money.

use jiff::Timestamp;

use crate::account::network::Network;
use crate::app::App;
use crate::error::Fault;
use crate::store;

/// So many in so many seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// Keeps the counters of different things apart.
    pub(crate) name: &'static str,
    pub(crate) most: u32,
    pub(crate) seconds: u32,
}

/// Times that are held or booked from one network.
pub(crate) const BOOKINGS: Limit = Limit {
    name: "bookings",
    most: 60,
    seconds: 600,
};

impl Limit {
    /// Which window it is at `now`, and when it ends.
    fn window(&self, now: Timestamp) -> (i64, Timestamp) {
        let seconds = i64::from(self.seconds.max(1));
        let index = now.as_second().div_euclid(seconds);
        let end = Timestamp::from_second((index + 1) * seconds).unwrap_or(now);
        (index, end)
    }
}

impl App {
    /// Counts one request from a network, or refuses it until the window is over. What this
    /// machine asks for itself is not counted.
    pub(crate) async fn within_network(
        &self,
        limit: Limit,
        network: &Network,
    ) -> Result<(), Fault> {
        if network.is_local() {
            return Ok(());
        }
        self.within(limit, network.as_str()).await
    }

    /// Counts one request of `who`, or refuses it until the window is over.
    pub(crate) async fn within(&self, limit: Limit, who: &str) -> Result<(), Fault> {
        let now = self.clock.now();
        let (window, end) = limit.window(now);
        let text = format!("{}\0{window}\0{who}", limit.name);
        let hash = self.accounts.keys.count_key(&text);
        let taken = match self.counted(&hash, limit.seconds).await {
            Some(taken) => taken,
            None => self.counted_in_database(&hash, end).await?,
        };
        if taken <= u64::from(limit.most) {
            return Ok(());
        }
        let left = end.duration_since(now).as_secs().max(1);
        Err(Fault::TooMany(u64::try_from(left).unwrap_or(1)))
    }

    async fn counted(&self, hash: &[u8; 32], seconds: u32) -> Option<u64> {
        let key = format!("limit:{}", data_encoding::HEXLOWER.encode(hash));
        self.cache.as_ref()?.count(&key, seconds).await
    }

    async fn counted_in_database(&self, hash: &[u8], end: Timestamp) -> Result<u64, Fault> {
        let mut transaction = self.accounts.pool.begin().await?;
        let taken = store::request_count::take(&mut transaction, hash, end).await?;
        transaction.commit().await?;
        Ok(u64::try_from(taken).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_when_the_one_before_it_ends() {
        let limit = Limit {
            name: "test",
            most: 1,
            seconds: 60,
        };
        let at = |second| limit.window(Timestamp::from_second(second).unwrap());
        let (first, end) = at(119);
        assert_eq!(end.as_second(), 120);
        assert_eq!(at(120).0, first + 1);
    }
}

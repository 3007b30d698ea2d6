//! How often one network, account or key may ask for something in a window of time. Redis
//! counts; where it does not answer, the database does, so that a flood gains nothing by
//! taking Redis down. For anything that costs work or money.

use std::sync::{Arc, OnceLock};

use http::{Extensions, HeaderMap, HeaderValue};
use jiff::Timestamp;
use uuid::Uuid;

use crate::account::network::Network;
use crate::app::App;
use crate::error::Fault;
use crate::store;

/// So many in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// How a window stands once a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    limit: Limit,
    taken: u64,
    /// Until the window is over.
    seconds: u64,
}

impl Standing {
    fn verdict(&self) -> Result<(), Fault> {
        if self.taken <= u64::from(self.limit.most) {
            Ok(())
        } else {
            Err(Fault::TooMany(self.seconds))
        }
    }

    /// `RateLimit-Policy` and `RateLimit`, as the IETF's draft for these headers writes them.
    fn headers(&self) -> [(&'static str, String); 2] {
        let Limit {
            name,
            most,
            seconds,
        } = self.limit;
        let left = u64::from(most).saturating_sub(self.taken);
        [
            (
                "ratelimit-policy",
                format!("\"{name}\";q={most};w={seconds}"),
            ),
            (
                "ratelimit",
                format!("\"{name}\";r={left};t={}", self.seconds),
            ),
        ]
    }
}

/// Where a request leaves how its window stands, so that every answer can tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<OnceLock<Standing>>);

impl Tally {
    /// Says so in the headers of the answer; nothing where nothing was counted.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let told = self.0.get().map(Standing::headers);
        for (name, value) in told.into_iter().flatten() {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
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
        self.counted_within(limit, who).await?.verdict()
    }

    /// The same for a request that comes with a key, and tells in its answer how much is left.
    pub(crate) async fn within_key(&self, request: &Extensions, key: Uuid) -> Result<(), Fault> {
        let limit = Limit {
            name: "key",
            most: self.key_requests,
            seconds: 60,
        };
        let standing = self.counted_within(limit, &key.to_string()).await?;
        if let Some(Tally(tally)) = request.get() {
            // A request has one key, so nothing stands there yet.
            tally.get_or_init(|| standing);
        }
        standing.verdict()
    }

    async fn counted_within(&self, limit: Limit, who: &str) -> Result<Standing, Fault> {
        let now = self.clock.now();
        let (window, end) = limit.window(now);
        let text = format!("{}\0{window}\0{who}", limit.name);
        let hash = self.accounts.keys.count_key(&text);
        let taken = match self.counted(&hash, limit.seconds).await {
            Some(taken) => taken,
            None => self.counted_in_database(&hash, end).await?,
        };
        let left = end.duration_since(now).as_secs().max(1);
        Ok(Standing {
            limit,
            taken,
            seconds: u64::try_from(left).unwrap_or(1),
        })
    }

    async fn counted(&self, hash: &[u8; 32], seconds: u32) -> Option<u64> {
        let key = format!("limit:{}", data_encoding::HEXLOWER.encode(hash));
        self.cache.as_ref()?.count(&key, seconds).await
    }

    async fn counted_in_database(&self, hash: &[u8], end: Timestamp) -> Result<u64, Fault> {
        let mut transaction = store::begin_unscoped(&self.accounts.pool).await?;
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

    #[test]
    fn an_answer_tells_what_is_left_and_never_less_than_nothing() {
        let limit = Limit {
            name: "key",
            most: 2,
            seconds: 60,
        };
        let told = |taken| {
            let standing = Standing {
                limit,
                taken,
                seconds: 7,
            };
            (standing.verdict().is_ok(), standing.headers())
        };
        let policy = ("ratelimit-policy", "\"key\";q=2;w=60".to_owned());
        for (taken, is_taken, rest) in [(1, true, 1), (2, true, 0), (3, false, 0)] {
            let left = ("ratelimit", format!("\"key\";r={rest};t=7"));
            assert_eq!(told(taken), (is_taken, [policy.clone(), left]), "{taken}");
        }
    }
}

//! Free times that were computed before, in Redis. A key names everything that the
//! answer follows from, the versions of the lanes too, so nothing ever has to be
//! removed. Redis gone means computing again: slower, never wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use chassis::{Clock, ExposeSecret as _, SecretString};
use jiff::Timestamp;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// Redis answers in well under a millisecond; computing takes a few.
const ANSWER_WITHIN: Duration = Duration::from_millis(100);
const CONNECT_WITHIN: Duration = Duration::from_millis(250);
/// After a failure, requests go without for so long instead of each waiting in turn.
const PAUSE: Duration = Duration::from_secs(1);
/// By then the versions have changed or nobody asks any more.
const KEPT_SECONDS: u64 = 15 * 60;

/// A connection to Redis that comes back by itself.
#[derive(Clone)]
pub(crate) struct Cache {
    connection: ConnectionManager,
    clock: Clock,
    /// Monotonic milliseconds before which Redis is not asked.
    not_before: Arc<AtomicU64>,
}

impl Cache {
    /// Connects when it is first used. Must be called within a runtime.
    pub(crate) fn new(url: &SecretString, clock: Clock) -> anyhow::Result<Self> {
        // The cause could hold the address, and with it the password.
        let client = redis::Client::open(url.expose_secret())
            .map_err(|_| anyhow::anyhow!("REDIS_URL cannot be read as an address"))?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWER_WITHIN))
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_lazy_with_config(client, config)
            .context("preparing the connection to Redis")?;
        Ok(Self {
            connection,
            clock,
            not_before: Arc::default(),
        })
    }

    pub(crate) async fn ping(&self) -> anyhow::Result<()> {
        let mut connection = self.connection.clone();
        let pong: redis::RedisResult<String> =
            redis::cmd("PING").query_async(&mut connection).await;
        pong.map_err(|_| anyhow::anyhow!("the cache does not answer"))?;
        Ok(())
    }

    /// The starts that were kept under `key`.
    pub(crate) async fn get(&self, key: &str) -> Option<Vec<Timestamp>> {
        let mut command = redis::cmd("GET");
        command.arg(key);
        let bytes: Option<Vec<u8>> = self.ask(&command).await?;
        decode(&bytes?)
    }

    /// Keeps `starts` under `key`.
    pub(crate) async fn set(&self, key: &str, starts: &[Timestamp]) {
        let mut command = redis::cmd("SET");
        command
            .arg(key)
            .arg(encode(starts))
            .arg("EX")
            .arg(KEPT_SECONDS);
        let _kept: Option<()> = self.ask(&command).await;
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Option<T> {
        let now = self.now();
        if now < self.not_before.load(Ordering::Relaxed) {
            return None;
        }
        let mut connection = self.connection.clone();
        match command.query_async(&mut connection).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                let pause = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
                self.not_before
                    .store(now.saturating_add(pause), Ordering::Relaxed);
                // The text of the error could name the address.
                tracing::warn!(kind = ?error.kind(), "the cache does not answer; going without");
                None
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Whole seconds, eight bytes each.
fn encode(starts: &[Timestamp]) -> Vec<u8> {
    starts
        .iter()
        .flat_map(|start| start.as_second().to_be_bytes())
        .collect()
}

/// None where the bytes are not ours.
fn decode(bytes: &[u8]) -> Option<Vec<Timestamp>> {
    let (starts, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return None;
    }
    starts
        .iter()
        .map(|start| Timestamp::from_second(i64::from_be_bytes(*start)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_foreign_bytes_are_not() {
        let starts = [0, 1_800_000_000].map(|s| Timestamp::from_second(s).unwrap());
        assert_eq!(decode(&encode(&starts)), Some(starts.to_vec()));
        assert_eq!(decode(b"seven by"), None, "beyond the calendar");
        assert_eq!(decode(b"odd"), None);
    }
}

//! The queue in Redis that spreads work over workers: ids of rows that are due, and
//! nothing else. It may lose or repeat any of them; the outbox decides what is sent.

use std::time::Duration;

use anyhow::Context as _;
use chassis::{ExposeSecret as _, SecretString};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use uuid::Uuid;

const KEY: &str = "booking:outbox";
/// Ids that wait for longer than this list are found in the outbox again.
const IDS_MAX: isize = 200_000;
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// How long a worker waits for an id at most.
const WAIT: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// The two ends of the queue.
#[derive(Clone)]
pub(crate) struct Queue {
    front: ConnectionManager,
    /// Whoever waits at the end keeps the connection to itself.
    end: ConnectionManager,
}

impl Queue {
    /// Connects when it is first used. Must be called within a runtime.
    pub(crate) fn new(url: &SecretString) -> anyhow::Result<Self> {
        // The cause could hold the address, and with it the password.
        let client = redis::Client::open(url.expose_secret())
            .map_err(|_| anyhow::anyhow!("REDIS_URL cannot be read as an address"))?;
        let connection = || {
            let config = ConnectionManagerConfig::new()
                .set_response_timeout(Some(ANSWER_WITHIN))
                .set_connection_timeout(Some(CONNECT_WITHIN))
                .set_number_of_retries(1);
            ConnectionManager::new_lazy_with_config(client.clone(), config)
                .context("preparing the connection to Redis")
        };
        Ok(Self {
            front: connection()?,
            end: connection()?,
        })
    }

    /// Adds ids; the oldest ones fall out where there are too many.
    pub(crate) async fn put(&self, ids: &[Uuid]) -> redis::RedisResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut push = redis::pipe();
        push.cmd("LPUSH").arg(KEY);
        for id in ids {
            push.arg(id.as_bytes().as_slice());
        }
        push.ignore();
        push.cmd("LTRIM").arg(KEY).arg(0).arg(IDS_MAX - 1).ignore();
        push.query_async(&mut self.front.clone()).await
    }

    /// Takes up to `limit` ids; waits a moment where there is none.
    pub(crate) async fn take(&self, limit: usize) -> redis::RedisResult<Vec<Uuid>> {
        let mut pop = redis::cmd("BLMPOP");
        pop.arg(WAIT.as_secs()).arg(1).arg(KEY).arg("RIGHT");
        pop.arg("COUNT").arg(limit);
        let found: Option<(String, Vec<Vec<u8>>)> = pop.query_async(&mut self.end.clone()).await?;
        let ids = found.map(|(_, ids)| ids).unwrap_or_default();
        // Bytes that are no id are not ours.
        Ok(ids
            .iter()
            .filter_map(|id| Uuid::from_slice(id).ok())
            .collect())
    }
}

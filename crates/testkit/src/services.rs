//! The servers that all tests of one run share. A run that started them says so by
//! two variables; a test process without these starts its own, once.

use std::sync::OnceLock;

use anyhow::anyhow;
use chassis::Env;

use crate::{postgres, redis};

const POSTGRES: &str = "TESTKIT_POSTGRES";
const REDIS: &str = "TESTKIT_REDIS";

/// PostgreSQL and Redis. They end with this value, or with the process that holds it.
#[derive(Debug)]
pub struct Services {
    postgres: postgres::Postgres,
    redis: redis::Redis,
}

impl Services {
    /// Starts both. Blocking, a few seconds.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self {
            redis: redis::Redis::start()?,
            postgres: postgres::Postgres::start()?,
        })
    }

    /// What a test process must find in its environment to use these.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [
            (POSTGRES, self.postgres.address().text()),
            (REDIS, self.redis.address().text()),
        ]
    }

    /// Where PostgreSQL answers.
    pub fn postgres(&self) -> postgres::Address {
        self.postgres.address()
    }

    /// Where Redis answers.
    pub fn redis(&self) -> redis::Address {
        self.redis.address()
    }
}

/// Where the servers of this run answer.
#[derive(Debug, Clone)]
pub struct Shared {
    /// PostgreSQL.
    pub postgres: postgres::Address,
    /// Redis.
    pub redis: redis::Address,
}

/// The servers of this run; started by the first test that asks, where the run has none.
pub fn shared() -> anyhow::Result<Shared> {
    static OURS: OnceLock<Result<Services, String>> = OnceLock::new();
    let env = Env::process();
    if let (Some(postgres), Some(redis)) = (env.get(POSTGRES), env.get(REDIS)) {
        return Ok(Shared {
            postgres: postgres::Address::read(postgres),
            redis: redis::Address::read(redis),
        });
    }
    // Never dropped: the guards see the end of the process and stop the servers.
    let ours = OURS.get_or_init(|| Services::start().map_err(|error| format!("{error:#}")));
    let ours = ours.as_ref().map_err(|error| anyhow!("{error}"))?;
    Ok(Shared {
        postgres: ours.postgres(),
        redis: ours.redis(),
    })
}

//! Free times that were computed before, in Redis. A key names everything that the
//! answer follows from, the versions of the lanes too, so nothing ever has to be
//! removed. Redis gone means computing again: slower, never wrong.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use booking::Slot;
use chassis::{Clock, ExposeSecret as _, SecretString};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
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

/// A month as it follows from rules and claims, whatever the time is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Month {
    pub(crate) slots: Vec<Slot>,
    pub(crate) open_days: BTreeSet<Date>,
    /// On which as many have booked as may.
    pub(crate) full_days: BTreeSet<Date>,
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

    /// Whether it answers and keeps what it is given: one that is full only does the former.
    pub(crate) async fn ping(&self) -> anyhow::Result<()> {
        let mut connection = self.connection.clone();
        let mut set = redis::cmd("SET");
        set.arg("booking:alive").arg(1).arg("EX").arg(60);
        let kept: redis::RedisResult<()> = set.query_async(&mut connection).await;
        kept.map_err(|error| match error.code() {
            Some("OOM") => anyhow::anyhow!("the cache is full"),
            _ => anyhow::anyhow!("the cache does not answer"),
        })
    }

    /// The month from the day `first` on that was kept under `key`.
    pub(crate) async fn get(&self, key: &str, first: Date) -> Option<Month> {
        let mut command = redis::cmd("GET");
        command.arg(key);
        let bytes: Option<Vec<u8>> = self.ask(&command).await?;
        decode(&bytes?, first)
    }

    /// Keeps `month` under `key`.
    pub(crate) async fn set(&self, key: &str, month: &Month) {
        let mut command = redis::cmd("SET");
        command
            .arg(key)
            .arg(encode(month))
            .arg("EX")
            .arg(KEPT_SECONDS);
        let _kept: Option<()> = self.ask(&command).await;
    }

    /// Counts one more under `key`, which is forgotten after so many seconds.
    pub(crate) async fn count(&self, key: &str, seconds: u32) -> Option<u64> {
        let mut begin = redis::cmd("SET");
        begin.arg(key).arg(0).arg("EX").arg(seconds).arg("NX");
        let _begun: Option<Option<String>> = self.ask(&begin).await;
        let mut count = redis::cmd("INCR");
        count.arg(key);
        self.ask(&count).await
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

/// A bit for each day that is open in four bytes, and as many for those that are full; then of each slot whole minutes since
/// 1970 in four bytes, and seats in two.
fn encode(month: &Month) -> Vec<u8> {
    let bits = |days: &BTreeSet<Date>| {
        let bits = days.iter().fold(0_u32, |bits, date| bits | 1 << date.day());
        bits.to_be_bytes()
    };
    let days = [bits(&month.open_days), bits(&month.full_days)];
    let minute = |slot: &Slot| u32::try_from(slot.start.as_second() / 60).unwrap_or(0);
    let slots = month.slots.iter().flat_map(|slot| {
        let (minute, seats) = (minute(slot).to_be_bytes(), slot.seats.to_be_bytes());
        minute.into_iter().chain(seats)
    });
    days.into_iter().flatten().chain(slots).collect()
}

/// None where the bytes are not ours.
fn decode(bytes: &[u8], first: Date) -> Option<Month> {
    let (open, rest) = bytes.split_first_chunk::<4>()?;
    let (full, slots) = rest.split_first_chunk::<4>()?;
    let (slots, rest) = slots.as_chunks::<6>();
    if !rest.is_empty() {
        return None;
    }
    let days = |bits: &[u8; 4]| {
        let bits = u32::from_be_bytes(*bits);
        let days = 0..i64::from(first.days_in_month());
        let days = days.map(|day| first.saturating_add(day.days()));
        days.filter(|date| bits & (1 << date.day()) != 0).collect()
    };
    let slot = |bytes: &[u8; 6]| {
        let [a, b, c, d, seats @ ..] = *bytes;
        let minute = i64::from(u32::from_be_bytes([a, b, c, d]));
        Some(Slot {
            start: Timestamp::from_second(minute * 60).ok()?,
            seats: u16::from_be_bytes(seats),
        })
    };
    Some(Month {
        slots: slots.iter().map(slot).collect::<Option<_>>()?,
        open_days: days(open),
        full_days: days(full),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_foreign_bytes_are_not() {
        let slots = [(0, 1), (1_800_000_000, 40)].map(|(second, seats)| Slot {
            start: Timestamp::from_second(second).unwrap(),
            seats,
        });
        let first = date(2028, 2, 1);
        let month = Month {
            slots: slots.to_vec(),
            open_days: BTreeSet::from([first, date(2028, 2, 29)]),
            full_days: BTreeSet::from([date(2028, 2, 29)]),
        };
        assert_eq!(decode(&encode(&month), first), Some(month));
        let beyond = b"\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x00\x01";
        assert_eq!(decode(beyond, first), None, "beyond the calendar");
        assert_eq!(decode(b"odd", first), None);
    }
}

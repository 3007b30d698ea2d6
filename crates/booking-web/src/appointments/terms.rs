//! The terms under which a booking can be called off, between their JSON in the database
//! and the rules of the crate `booking`.

use booking::{Band, Policy};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// As they are stored; fields are only ever added.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    limit_minutes: i64,
    #[serde(default)]
    bands: Vec<StoredBand>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cap_cents: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredBand {
    notice_minutes: i64,
    percent: u8,
}

/// Terms as they are stored.
pub(crate) fn write(policy: &Policy) -> String {
    let stored = Stored {
        limit_minutes: policy.limit.as_mins(),
        bands: policy
            .bands
            .iter()
            .map(|band| StoredBand {
                notice_minutes: band.notice.as_mins(),
                percent: band.percent,
            })
            .collect(),
        cap_cents: policy.cap_cents,
    };
    serde_json::to_string(&stored).expect("terms of plain numbers have a JSON form")
}

/// The terms of a business that has set none: its limit, and no fee.
pub(crate) fn plain(limit_minutes: i32) -> String {
    write(&read(None, limit_minutes))
}

/// Reads stored terms. Those of a booking that was made before there were any are the
/// limit of its business and no fee.
pub(crate) fn read(stored: Option<&str>, limit_minutes: i32) -> Policy {
    let plain = || Policy {
        limit: SignedDuration::from_mins(i64::from(limit_minutes)),
        ..Policy::default()
    };
    let Some(text) = stored else {
        return plain();
    };
    let Ok(stored) = serde_json::from_str::<Stored>(text) else {
        tracing::error!("the terms of a booking cannot be read; no fee is asked");
        return plain();
    };
    Policy {
        limit: SignedDuration::from_mins(stored.limit_minutes),
        bands: stored
            .bands
            .iter()
            .map(|band| Band {
                notice: SignedDuration::from_mins(band.notice_minutes),
                percent: band.percent,
            })
            .collect(),
        cap_cents: stored.cap_cents,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_survive_the_way_into_the_database_and_back() {
        let policy = Policy {
            limit: SignedDuration::from_mins(60),
            bands: vec![Band {
                notice: SignedDuration::from_hours(24),
                percent: 50,
            }],
            cap_cents: Some(20_000),
        };
        assert_eq!(read(Some(&write(&policy)), 0), policy);
    }

    #[test]
    fn what_has_no_terms_or_unreadable_ones_costs_nothing() {
        for stored in [None, Some("{}"), Some("[]")] {
            let policy = read(stored, 90);
            assert_eq!(policy.limit, SignedDuration::from_mins(90));
            assert!(policy.bands.is_empty());
        }
    }
}

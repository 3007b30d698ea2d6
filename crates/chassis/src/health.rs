//! The shape of a health answer: a status and the checks that it follows from.
//! The worst check decides; what may be missing says so by being `degraded`.

use serde::{Deserialize, Serialize};

/// How a part, or the whole, is doing. Ordered from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Works.
    Up,
    /// Works more slowly or with less; traffic may go on.
    Degraded,
    /// Does not work; no traffic.
    Down,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at: `database`, `cache`, `schema`.
    pub name: String,
    /// What was seen.
    pub status: Status,
    /// Why, in words for an operator; no secret, no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long the look took, in milliseconds.
    pub took_ms: u64,
}

/// The answer of a health endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The worst of the checks.
    pub status: Status,
    /// The release that answers, so that no stale process can answer for another.
    pub release: String,
    /// What was looked at.
    pub checks: Vec<Check>,
}

impl Health {
    /// The answer that follows from `checks`; with none of them, `up`.
    pub fn of(release: &str, checks: Vec<Check>) -> Self {
        let status = checks.iter().map(|c| c.status).max().unwrap_or(Status::Up);
        Self {
            status,
            release: release.to_owned(),
            checks,
        }
    }

    /// The HTTP status: 503 when down, else 200.
    pub fn http_status(&self) -> u16 {
        if self.status == Status::Down {
            503
        } else {
            200
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, status: Status) -> Check {
        Check {
            name: name.into(),
            status,
            detail: None,
            took_ms: 0,
        }
    }

    #[test]
    fn the_worst_check_decides() {
        let health = Health::of(
            "r1",
            vec![
                check("database", Status::Up),
                check("cache", Status::Degraded),
            ],
        );
        assert_eq!(
            (health.status, health.http_status()),
            (Status::Degraded, 200)
        );
        let health = Health::of(
            "r1",
            vec![
                check("cache", Status::Degraded),
                check("database", Status::Down),
            ],
        );
        assert_eq!((health.status, health.http_status()), (Status::Down, 503));
    }
}

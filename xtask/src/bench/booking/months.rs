//! Months of the API, one question after the other: of the large business, and of the small
//! ones in turn.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use testkit::visitor::Visitor;

use super::Took;
use super::load::{SERVICE, World};

/// Enough for a quantile; fewer where the time is over before.
const ANSWERS: usize = 4_000;

/// What the months of both kinds of business took.
#[derive(Debug)]
pub(super) struct Months {
    large: Took,
    small: Took,
}

impl Months {
    pub(super) fn rows(&self, how: &str) -> String {
        let large = self.large.row(&format!("{how}, the large business"));
        large + &self.small.row(&format!("{how}, small businesses"))
    }
}

pub(super) async fn measure(
    address: SocketAddr,
    world: &World,
    within: Duration,
) -> anyhow::Result<Months> {
    let (large, small) = world.businesses.split_at(1);
    Ok(Months {
        large: ask(address, large, within / 2).await?,
        small: ask(address, small, within / 2).await?,
    })
}

async fn ask(address: SocketAddr, businesses: &[String], within: Duration) -> anyhow::Result<Took> {
    let mut visitor = Visitor::new(address, "asks for months");
    let paths: Vec<String> = businesses
        .iter()
        .map(|slug| format!("/api/v1/businesses/{slug}/services/{SERVICE}/availability/next?n=1"))
        .collect();
    // The month that begins next, so that all of it lies ahead.
    let mut months = Vec::new();
    for (slug, path) in businesses.iter().zip(&paths) {
        let answer = visitor.get(path).await.answer;
        let answer = answer.map_err(|error| anyhow::anyhow!("{error}"))?;
        let body = answer.json();
        let start = body.pointer("/slots/0/start").and_then(|s| s.as_str());
        let start = start.ok_or_else(|| anyhow::anyhow!("{slug} has nothing free: {body}"))?;
        months.push(format!(
            "/api/v1/businesses/{slug}/services/{SERVICE}/availability/month?month={}",
            next_month(start)
        ));
    }
    for month in &months {
        visitor.get(month).await;
    }
    let (mut took, began) = (Took::default(), Instant::now());
    for path in months.iter().cycle().take(ANSWERS) {
        if began.elapsed() > within {
            break;
        }
        let outcome = visitor.get(path).await;
        took.ms.push(outcome.took.as_secs_f64() * 1000.0);
        let days = outcome.answer.ok().filter(|a| a.status.as_u16() == 200);
        let days = days.and_then(|a| a.json()["days"].as_array().map(Vec::len));
        took.wrong += usize::from(days.is_none_or(|days| days < 20));
    }
    Ok(took)
}

/// The month after that of an instant, as `2027-03`.
fn next_month(start: &str) -> String {
    let number = |range: std::ops::Range<usize>| {
        let text = start.get(range).unwrap_or_default();
        text.parse::<u32>().unwrap_or_default()
    };
    match (number(0..4), number(5..7)) {
        (year, 12) => format!("{}-01", year + 1),
        (year, month) => format!("{year}-{:02}", month + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn january_follows_december() {
        assert_eq!(next_month("2026-12-03T06:00:00Z"), "2027-01");
        assert_eq!(next_month("2027-01-03T06:00:00Z"), "2027-02");
    }
}

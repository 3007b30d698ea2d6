//! Pages at a steady rate, whether answers come or not: what a visitor waits for is counted
//! from when they meant to ask, so that a queue cannot hide.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use testkit::visitor::Visitor;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Took;
use super::load::{SERVICE, World};

pub(super) async fn measure(
    address: SocketAddr,
    world: &World,
    rate: u32,
    within: Duration,
) -> anyhow::Result<Took> {
    let gap = Duration::from_secs(1) / rate.max(1);
    let count = within.as_millis() / gap.as_millis().max(1);
    let idle: Arc<Mutex<Vec<Visitor>>> = Arc::default();
    let mut asking = JoinSet::new();
    let began = Instant::now() + Duration::from_millis(50);
    for n in 0..u32::try_from(count).context("too long")? {
        let intended = began + gap * n;
        let path = path(world, usize::try_from(n)?);
        let idle = Arc::clone(&idle);
        sleep_until(intended).await;
        asking.spawn(async move {
            let kept = idle.lock().ok().and_then(|mut idle| idle.pop());
            let mut visitor = kept.unwrap_or_else(|| Visitor::new(address, "looks"));
            let outcome = visitor.get(&path).await;
            if let Ok(mut idle) = idle.lock() {
                idle.push(visitor);
            }
            let is_page = outcome.status().is_some_and(|s| s.as_u16() == 200);
            (intended.elapsed(), is_page)
        });
    }
    let mut took = Took::default();
    while let Some(done) = asking.join_next().await {
        let (waited, is_page) = done.context("a visitor broke")?;
        took.ms.push(waited.as_secs_f64() * 1000.0);
        took.wrong += usize::from(!is_page);
    }
    Ok(took)
}

/// Half look at times, some at the month, some at the business; a tenth of all at the large
/// one.
fn path(world: &World, n: usize) -> String {
    let small = world.businesses.len().saturating_sub(1).max(1);
    let place = if n.is_multiple_of(10) {
        0
    } else {
        1 + n * 7 % small
    };
    let slug = world.businesses.get(place).map_or("", String::as_str);
    match n % 4 {
        0 | 1 => format!("/{slug}/{SERVICE}"),
        2 => format!("/{slug}/{SERVICE}/month"),
        _ => format!("/{slug}"),
    }
}

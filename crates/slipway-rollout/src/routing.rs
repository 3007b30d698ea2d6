//! What a routing table becomes by each step. Pure; never takes the only targets of a live
//! route away, and never forgets another service.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use slipway_journal::{Generation, InstanceId, ReleaseId, ServiceName, Slot};
use slipway_proxy::{HealthCheck, Pool, Preview, Route, Rule, Skew, Slow, Split, Table, Target};

/// A release's instances, as the table is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Their place.
    pub slot: Slot,
    /// What they run.
    pub release: ReleaseId,
    /// Who they are and where they answer.
    pub instances: Vec<(InstanceId, SocketAddr)>,
}

/// What a table is to say from now on about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Testers may see a release.
    Preview {
        /// The release.
        side: Side,
        /// What testers have to show.
        token: String,
    },
    /// Visitors reach a release; the other one stays as it is, warm.
    Live {
        /// The release.
        side: Side,
    },
    /// A share of the visitors reaches a release; the others stay.
    Share {
        /// The release.
        side: Side,
        /// The share, in hundredths of a per cent.
        weight: u16,
        /// Who is in does not change with the share, only with this.
        epoch: u64,
    },
    /// A slot is out.
    Without {
        /// The slot.
        slot: Slot,
    },
    /// Visitors wait.
    Held,
    /// A slot has fewer instances, and the other one a share that is greater.
    Fewer {
        /// The slot and the instances that stay.
        side: Side,
        /// The share, in hundredths of a per cent; none where there is no share yet.
        weight: Option<u16>,
    },
    /// A slot's instances answer elsewhere; visitors of the live one wait no longer.
    Elsewhere {
        /// The slot and its instances now.
        side: Side,
    },
}

impl Change {
    /// The release that it tells the table of.
    pub fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::Preview { side, .. }
            | Self::Live { side }
            | Self::Share { side, .. }
            | Self::Fewer { side, .. }
            | Self::Elsewhere { side } => Some(&side.release),
            Self::Without { .. } | Self::Held => None,
        }
    }
}

/// How one service is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Its host names.
    pub hosts: Vec<String>,
    /// The path of the health look of the release that the table is told of. Each release
    /// keeps its own, so that the old one is not looked at where only the new one answers.
    pub health: String,
    /// Limits of its own, by path.
    pub rules: Vec<Rule>,
    /// Over how long the share of an instance that came up grows.
    pub slow_start: Duration,
    /// From when on an answer is slow, where that is known.
    pub slow: Option<Slow>,
    /// For how long pages keep their release, where they do, and the slot beside the live one
    /// that has such pages.
    pub pages: Option<(Duration, Option<Slot>)>,
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unroutable {
    /// Visitors reach this slot.
    #[error("visitors of {service} reach the slot {slot}; it cannot be taken out")]
    Live {
        /// The service.
        service: ServiceName,
        /// The slot.
        slot: Slot,
    },
    /// No instance is left to send requests to.
    #[error("no instance of {service} in the slot {slot} runs")]
    Empty {
        /// The service.
        service: ServiceName,
        /// The slot.
        slot: Slot,
    },
    /// The service has no route yet.
    #[error("{service} has no route yet")]
    NoRoute {
        /// The service.
        service: ServiceName,
    },
}

/// The table that follows from `table` by a change to one service.
pub fn changed(
    table: &Table,
    generation: Generation,
    service: &ServiceName,
    manner: &Manner,
    change: &Change,
) -> Result<Table, Unroutable> {
    let mut next = table.clone();
    next.generation = slipway_proxy::Generation(generation.0);
    match (change, next.routes.get_mut(service.as_str())) {
        (Change::Live { side }, _) => make_live(&mut next, service, manner, side)?,
        (Change::Preview { side, token }, Some(route)) => {
            let pool = side.slot.to_string();
            route
                .pools
                .insert(pool.clone(), side.pool(service, manner)?);
            route.preview = Some(Preview {
                pool,
                token: token.clone(),
            });
        }
        (
            Change::Share {
                side,
                weight,
                epoch,
            },
            Some(route),
        ) => {
            let split = Split {
                pool: side.slot.to_string(),
                weight: *weight,
                epoch: *epoch,
            };
            share(route, split, side.pool(service, manner)?, manner.slow);
        }
        (Change::Without { slot }, Some(route)) => without(route, service, *slot)?,
        (Change::Held, Some(route)) => route.hold = true,
        (Change::Fewer { side, weight }, Some(route)) => {
            let pool = side.pool(service, manner)?;
            route.pools.insert(side.slot.to_string(), pool);
            if let (Some(split), Some(weight)) = (&mut route.split, weight) {
                split.weight = *weight;
            }
        }
        (Change::Elsewhere { side }, Some(route)) => {
            let pool = side.pool(service, manner)?;
            let name = side.slot.to_string();
            route.hold = route.hold && route.live != name;
            route.pools.insert(name, pool);
        }
        (Change::Without { .. }, None) => {}
        (_, None) => {
            let service = service.clone();
            return Err(Unroutable::NoRoute { service });
        }
    }
    Ok(next)
}

/// Visitors reach a side, whatever the route was before.
fn make_live(
    table: &mut Table,
    service: &ServiceName,
    manner: &Manner,
    side: &Side,
) -> Result<(), Unroutable> {
    let pool = side.pool(service, manner)?;
    let name = side.slot.to_string();
    let before = table.routes.remove(service.as_str());
    // Who works on the service ends that, and no deployment does.
    let (mut pools, maintenance) =
        before.map_or_else(Default::default, |route| (route.pools, route.maintenance));
    pools.insert(name.clone(), pool);
    let mut route = manner.route(pools, name);
    route.maintenance = maintenance;
    table.routes.insert(service.to_string(), route);
    Ok(())
}

fn without(route: &mut Route, service: &ServiceName, slot: Slot) -> Result<(), Unroutable> {
    let name = slot.to_string();
    if route.live == name {
        let service = service.clone();
        return Err(Unroutable::Live { service, slot });
    }
    route.pools.remove(&name);
    if let Some(skew) = &mut route.skew {
        skew.pools.retain(|kept| *kept != name);
    }
    if route.preview.as_ref().is_some_and(|p| p.pool == name) {
        route.preview = None;
    }
    if route.split.as_ref().is_some_and(|s| s.pool == name) {
        route.split = None;
    }
    Ok(())
}

/// A share of the visitors goes to a pool; nobody needs a token to see it any more.
fn share(route: &mut Route, split: Split, pool: Pool, slow: Option<Slow>) {
    route.pools.insert(split.pool.clone(), pool);
    route.preview = None;
    route.slow = slow;
    route.split = Some(split);
}

/// The slots that a table has pools of a service for.
pub fn routed(table: &Table, service: &ServiceName) -> Vec<Slot> {
    let Some(route) = table.routes.get(service.as_str()) else {
        return Vec::new();
    };
    [Slot::Blue, Slot::Green]
        .into_iter()
        .filter(|s| route.pools.contains_key(&s.to_string()))
        .collect()
}

impl Side {
    fn pool(&self, service: &ServiceName, manner: &Manner) -> Result<Pool, Unroutable> {
        if self.instances.is_empty() {
            let (service, slot) = (service.clone(), self.slot);
            return Err(Unroutable::Empty { service, slot });
        }
        let targets = self.instances.iter().map(|(instance, address)| Target {
            instance: instance.to_string(),
            address: *address,
        });
        Ok(Pool {
            release: self.release.to_string(),
            targets: targets.collect(),
            health: Some(manner.health.clone()),
        })
    }
}

impl Manner {
    fn skew(&self, pools: &BTreeMap<String, Pool>) -> Option<Skew> {
        let (long, slot) = self.pages?;
        let kept = slot.map(|s| s.to_string()).into_iter();
        Some(Skew {
            for_s: u32::try_from(long.as_secs()).unwrap_or(u32::MAX),
            pools: kept.filter(|name| pools.contains_key(name)).collect(),
        })
    }

    fn route(&self, pools: BTreeMap<String, Pool>, live: String) -> Route {
        Route {
            hosts: self.hosts.clone(),
            live,
            split: None,
            preview: None,
            hold: false,
            rules: self.rules.clone(),
            maintenance: None,
            skew: self.skew(&pools),
            pools,
            slow_start_ms: u32::try_from(self.slow_start.as_millis()).unwrap_or(u32::MAX),
            slow: self.slow,
            // Three looks in a row, half a second apart: a release that went deaf is noticed
            // within two seconds, and one slow answer is not.
            health: HealthCheck {
                path: self.health.clone(),
                every_ms: 500,
                timeout_ms: 2000,
                down_after: 3,
                up_after: 1,
            },
        }
    }
}

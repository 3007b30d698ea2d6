//! Whether a table can be served: a pure look at its structure. What is refused here
//! never reaches the disk or a request.

use std::collections::BTreeSet;

use crate::table::{HealthCheck, Pool, Route, Rule, Skew, Table, TableError};

/// The shortest preview token that is taken.
const TOKEN_CHARS: usize = 16;
/// The largest maintenance page.
const PAGE_BYTES: usize = 256 * 1024;

/// Looks for what cannot be served; the first thing found is the answer.
pub(crate) fn structure(table: &Table) -> Result<(), TableError> {
    let mut hosts = BTreeSet::new();
    for (name, route) in &table.routes {
        let refused = |reason| TableError::Route {
            route: name.clone(),
            reason,
        };
        if name.is_empty() {
            return Err(refused("a route needs a name".to_owned()));
        }
        check_route(route).map_err(refused)?;
        check_hosts(route, &mut hosts).map_err(refused)?;
    }
    Ok(())
}

fn check_route(route: &Route) -> Result<(), String> {
    for (name, pool) in &route.pools {
        check_pool(pool).map_err(|reason| format!("the pool {name}: {reason}"))?;
    }
    served(route, &route.live, "live")?;
    if let Some(split) = &route.split {
        served(route, &split.pool, "split")?;
        if !(1..=10_000).contains(&split.weight) {
            return Err(format!("a weight is 1 to 10000, not {}", split.weight));
        }
    }
    if let Some(preview) = &route.preview {
        served(route, &preview.pool, "preview")?;
        check_token(&preview.token, "preview")?;
    }
    if let Some(skew) = &route.skew {
        check_skew(route, skew)?;
    }
    check_rules(&route.rules)?;
    if let Some(maintenance) = &route.maintenance {
        if maintenance.page.len() > PAGE_BYTES {
            return Err(format!("a maintenance page has at most {PAGE_BYTES} bytes"));
        }
        if let Some(token) = &maintenance.token {
            check_token(token, "maintenance")?;
        }
    }
    check_health(&route.health)
}

fn check_token(token: &str, kind: &str) -> Result<(), String> {
    if token.chars().count() < TOKEN_CHARS {
        return Err(format!(
            "a {kind} token has {TOKEN_CHARS} characters or more"
        ));
    }
    Ok(())
}

fn check_skew(route: &Route, skew: &Skew) -> Result<(), String> {
    if !(1..=86_400).contains(&skew.for_s) {
        return Err(format!(
            "a page keeps its release for 1 to 86400 seconds, not {}",
            skew.for_s
        ));
    }
    for pool in &skew.pools {
        served(route, pool, "kept")?;
        if route.preview.as_ref().is_some_and(|p| p.pool == *pool) {
            return Err(format!("the pool {pool:?} is shown to testers alone"));
        }
    }
    Ok(())
}

/// Whether a proxy takes these rules of one route, and else why not.
pub fn check_rules(rules: &[Rule]) -> Result<(), String> {
    let mut paths = BTreeSet::new();
    for rule in rules {
        check_path(&rule.path)?;
        if !paths.insert(&rule.path) {
            return Err(format!("two rules are for {}", rule.path));
        }
        if [rule.answer_ms, rule.body_idle_ms].contains(&Some(0)) {
            return Err(format!("the rule for {} leaves no time at all", rule.path));
        }
    }
    Ok(())
}

fn served(route: &Route, pool: &str, role: &str) -> Result<(), String> {
    match route.pools.get(pool) {
        None => Err(format!("the {role} pool {pool:?} is not among its pools")),
        Some(found) if found.targets.is_empty() => {
            Err(format!("the {role} pool {pool:?} has no target"))
        }
        Some(_) => Ok(()),
    }
}

fn check_pool(pool: &Pool) -> Result<(), String> {
    if pool.release.is_empty() {
        return Err("it names no release".to_owned());
    }
    if let Some(path) = &pool.health {
        check_path(path)?;
    }
    let mut instances = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for target in &pool.targets {
        if !instances.insert(&target.instance) {
            return Err(format!("the instance {} is there twice", target.instance));
        }
        if !addresses.insert(target.address) {
            return Err(format!("the address {} is there twice", target.address));
        }
        if target.address.port() == 0 {
            return Err(format!("the instance {} has no port", target.instance));
        }
    }
    Ok(())
}

fn check_health(health: &HealthCheck) -> Result<(), String> {
    check_path(&health.path)?;
    if health.every_ms == 0 || health.timeout_ms == 0 {
        return Err("looks need an interval and a timeout".to_owned());
    }
    if health.down_after == 0 || health.up_after == 0 {
        return Err("looks need a number after which they count".to_owned());
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), String> {
    if path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(format!("{path:?} is no path to look at"))
    }
}

/// An empty list stands for every host that no other route names: one route may have it.
fn check_hosts(route: &Route, taken: &mut BTreeSet<String>) -> Result<(), String> {
    if route.hosts.is_empty() && !taken.insert(String::new()) {
        return Err("another route takes every host already".to_owned());
    }
    for host in &route.hosts {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        if name.is_empty() || !name.bytes().all(legal) {
            return Err(format!("{host:?} is no host name"));
        }
        if !taken.insert(name) {
            return Err(format!("the host {host} is taken already"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn table() -> Value {
        json!({"generation": 1, "routes": {"web": {
            "hosts": ["a.test"],
            "pools": {
                "blue": {"release": "r1", "targets": [{"instance": "i1", "address": "127.0.0.1:1000"}]},
                "green": {"release": "r2", "targets": [{"instance": "i2", "address": "127.0.0.1:1001"}]},
                "empty": {"release": "r3", "targets": []}
            },
            "live": "blue",
            "health": {"path": "/health", "every_ms": 1, "timeout_ms": 1, "down_after": 1, "up_after": 1}
        }}})
    }

    fn refusal(pointer: &str, value: Value) -> String {
        let mut changed = table();
        let at = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(at.0).unwrap()[at.1] = value;
        structure(&serde_json::from_value(changed).unwrap())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_whole_table_is_taken() {
        assert_eq!(structure(&serde_json::from_value(table()).unwrap()), Ok(()));
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_its_reason() {
        let route = "/routes/web";
        for (at, value, reason) in [
            ("live", json!("red"), "not among its pools"),
            ("live", json!("empty"), "has no target"),
            (
                "split",
                json!({"pool": "red", "weight": 5, "epoch": 1}),
                "split pool",
            ),
            (
                "split",
                json!({"pool": "empty", "weight": 5, "epoch": 1}),
                "has no target",
            ),
            (
                "split",
                json!({"pool": "green", "weight": 0, "epoch": 1}),
                "a weight is",
            ),
            (
                "split",
                json!({"pool": "green", "weight": 10_001, "epoch": 1}),
                "a weight is",
            ),
            (
                "preview",
                json!({"pool": "empty", "token": "0123456789abcdef"}),
                "has no target",
            ),
            (
                "preview",
                json!({"pool": "green", "token": "short"}),
                "16 characters",
            ),
            (
                "maintenance",
                json!({"page": "x", "token": "short", "retry_after_s": 1}),
                "16 characters",
            ),
            (
                "maintenance",
                json!({"page": "x".repeat(300_000), "retry_after_s": 1}),
                "at most",
            ),
            ("skew", json!({"for_s": 0}), "1 to 86400"),
            ("skew", json!({"for_s": 9, "pools": ["red"]}), "kept pool"),
            ("rules", json!([{"path": "up"}]), "no path"),
            (
                "rules",
                json!([{"path": "/a", "answer_ms": 0}]),
                "no time at all",
            ),
            (
                "rules",
                json!([{"path": "/a"}, {"path": "/a"}]),
                "two rules",
            ),
            ("hosts", json!(["a.test", "A.test."]), "taken already"),
            ("hosts", json!(["a b"]), "no host name"),
            ("health/path", json!("health"), "no path"),
            ("health/every_ms", json!(0), "interval"),
            ("health/down_after", json!(0), "number after which"),
            ("pools/blue/release", json!(""), "names no release"),
            ("pools/blue/health", json!("up"), "no path"),
            ("pools/blue/targets", json!([]), "has no target"),
            (
                "pools/blue/targets",
                json!([{"instance": "a", "address": "127.0.0.1:1"}, {"instance": "a", "address": "127.0.0.1:2"}]),
                "twice",
            ),
            (
                "pools/blue/targets",
                json!([{"instance": "a", "address": "127.0.0.1:1"}, {"instance": "b", "address": "127.0.0.1:1"}]),
                "twice",
            ),
            (
                "pools/blue/targets",
                json!([{"instance": "a", "address": "127.0.0.1:0"}]),
                "no port",
            ),
        ] {
            let said = refusal(&format!("{route}/{at}"), value);
            assert!(said.contains(reason), "{at}: {said}");
        }
    }

    #[test]
    fn two_routes_cannot_share_a_host() {
        let mut both = table();
        both["routes"]["api"] = both["routes"]["web"].clone();
        let said = structure(&serde_json::from_value(both.clone()).unwrap()).unwrap_err();
        assert!(said.to_string().contains("taken already"), "{said}");
        both["routes"]["api"]["hosts"] = json!([]);
        both["routes"]["web"]["hosts"] = json!([]);
        let said = structure(&serde_json::from_value(both).unwrap()).unwrap_err();
        assert!(said.to_string().contains("every host"), "{said}");
    }
}

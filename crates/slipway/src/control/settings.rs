//! From the environment's file to what the rollout engine takes: placeholders filled,
//! except `{internal_port}`, which each instance gets its own of; policies completed.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::{ExposeSecret as _, SecretString};
use slipway_journal::ServiceName;
use slipway_rollout::{Burst, Policy, ServiceSettings};

use crate::accessories::Accessories;
use crate::cli::failure::Failure;
use crate::environment::{self, BurstSettings, Environment, PolicySettings, RuleSettings, Span};

/// What each service of `environment` gets.
pub(crate) fn resolve(
    environment: &Environment,
    accessories: &Accessories,
) -> Result<BTreeMap<ServiceName, ServiceSettings>, Failure> {
    let (resolved, mut missing) = resolve_what_is_known(environment, accessories);
    match missing.pop() {
        None => Ok(resolved),
        Some(failure) => Err(failure),
    }
}

/// Like `resolve`, without the variables that cannot be filled now, and why they cannot: what
/// runs is looked after and can be taken back without them.
pub(crate) fn resolve_what_is_known(
    environment: &Environment,
    accessories: &Accessories,
) -> (BTreeMap<ServiceName, ServiceSettings>, Vec<Failure>) {
    let mut resolved = BTreeMap::new();
    let mut missing = Vec::new();
    for (service, settings) in &environment.service {
        let mut env = BTreeMap::new();
        for (name, value) in &settings.env {
            let known = |placeholder: &str| fill(service, placeholder, accessories);
            match environment::filled(value, known) {
                Ok(value) => {
                    env.insert(name.clone(), SecretString::from(value));
                }
                Err(failure) => missing.push(failure),
            }
        }
        let settings = ServiceSettings {
            hosts: settings.hosts.clone(),
            env,
            after: settings.after.clone(),
            rules: settings.rules.iter().map(RuleSettings::rule).collect(),
            slow_start: settings.slow_start.map_or(Duration::ZERO, |span| span.0),
            policy: policy(&settings.policy),
        };
        resolved.insert(service.clone(), settings);
    }
    (resolved, missing)
}

fn fill(
    service: &ServiceName,
    placeholder: &str,
    accessories: &Accessories,
) -> Result<Option<String>, Failure> {
    let url = match placeholder {
        "postgres.url" => accessories.postgres_url(service),
        "redis.url" => accessories.redis_url(),
        _ => return Ok(None),
    };
    match url {
        Ok(url) => Ok(Some(url.expose_secret().to_owned())),
        Err(error) => Err(Failure::refused(format!("{error:#}"))
            .hint("`slipway doctor` looks for the cause; it is tried again every few seconds")),
    }
}

/// The default policy with what the file sets.
fn policy(settings: &PolicySettings) -> Policy {
    let standard = Policy::default();
    let span = |set: Option<Span>, standard| set.map_or(standard, |span| span.0);
    Policy {
        instances: settings.instances.unwrap_or(standard.instances),
        workers: settings.workers.clone(),
        workers_overlap: settings.workers_overlap.unwrap_or(standard.workers_overlap),
        ready_successes: settings.ready_successes.unwrap_or(standard.ready_successes),
        ready_every: span(settings.ready_every, standard.ready_every),
        ready_within: span(settings.ready_within, standard.ready_within),
        quiet: span(settings.quiet, standard.quiet),
        migrate_within: span(settings.migrate_within, standard.migrate_within),
        preview_within: span(settings.preview_within, standard.preview_within),
        observe: span(settings.observe, standard.observe),
        bake: span(settings.bake, standard.bake),
        skew: settings.skew.map(|span| span.0).or(standard.skew),
        drain_window: span(settings.drain_window, standard.drain_window),
        stop_grace: span(settings.stop_grace, standard.stop_grace),
        progress_within: span(settings.progress_within, standard.progress_within),
        restart_after: span(settings.restart_after, standard.restart_after),
        burst: burst(&settings.burst, &standard.burst),
        // The file was refused where they do not go together.
        strategy: settings.strategy().unwrap_or(standard.strategy),
        ..standard
    }
}

fn burst(settings: &BurstSettings, standard: &Burst) -> Burst {
    Burst {
        window_s: settings.window_s.unwrap_or(standard.window_s),
        failed: settings.failed.unwrap_or(standard.failed),
        share_percent: settings.share_percent.unwrap_or(standard.share_percent),
        clients: settings.clients.unwrap_or(standard.clients),
        old_percent: settings.old_percent.unwrap_or(standard.old_percent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_does_not_set_has_the_engine_s_default() {
        let settings = PolicySettings {
            bake: Some(Span(Duration::from_secs(5))),
            burst: BurstSettings {
                failed: Some(3),
                ..BurstSettings::default()
            },
            ..PolicySettings::default()
        };
        let policy = policy(&settings);
        assert_eq!(policy.bake, Duration::from_secs(5));
        assert_eq!(policy.burst.failed, 3);
        assert_eq!(policy.burst.clients, Burst::default().clients);
        assert_eq!(policy.instances, Policy::default().instances);
    }
}

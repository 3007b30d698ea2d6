//! `slipway deploy --all`: the newest release of every service, one service after the other, in
//! the order in which they stand on each other. What comes after one that does not go live stays
//! as it is.

use slipway_journal::{EnvironmentName, ReleaseId, ServiceName};
use slipway_proxy::{Client, Table};

use crate::cli::context::Context;
use crate::cli::deploy::Deploy;
use crate::cli::failure::{Exit, Failure};
use crate::cli::report::{self, Report};
use crate::control::wire::DeployOrder;
use crate::environment::Environment;
use crate::reading::Reading;
use crate::terminal::{self, BOLD, DIM, WARN, paint};

pub(super) fn deploy(
    context: &Context,
    environment: &EnvironmentName,
    asked: &Deploy,
) -> anyhow::Result<Exit> {
    let services = Environment::read(&context.project, environment)?
        .in_order()
        .map_err(Failure::usage)?;
    let reading = context.wait(context.reading())?;
    let table = context.wait(async {
        let client = Client::new(context.state.proxy_socket());
        Ok(client.table().await?)
    })?;
    let mut reports = Vec::new();
    let mut exit = Exit::Success;
    for (place, service) in services.iter().enumerate() {
        let Some(release) = wanted(&reading, &table, service) else {
            continue;
        };
        let order = DeployOrder {
            service: service.clone(),
            release,
            force: false,
            overrides: asked.overrides.clone(),
        };
        let Some(rollout) = context.wait(super::deploy(context, &order, false))? else {
            return Ok(report::interrupted("the rollout"));
        };
        let reading = context.wait(context.reading())?;
        let report = Report::of(&rollout, &reading);
        exit = report.exit();
        reports.push(report);
        if !asked.json {
            report::print(&rollout, context);
        }
        if exit != Exit::Success {
            stay(&services[place + 1..]);
            break;
        }
    }
    if asked.json {
        terminal::json(&reports)?;
    }
    Ok(exit)
}

/// The newest release of a service, where it is not live already.
fn wanted(reading: &Reading, table: &Table, service: &ServiceName) -> Option<ReleaseId> {
    let Some(newest) = reading.latest(service) else {
        note(service, "has no release yet");
        return None;
    };
    let route = table.routes.get(service.as_str());
    let live = route.and_then(|r| r.pools.get(&r.live));
    if live.is_some_and(|pool| pool.release == newest.release.as_str()) {
        note(
            service,
            &format!("{} is live already", newest.release.short()),
        );
        return None;
    }
    Some(newest.release.clone())
}

/// What comes after one that did not go live.
fn stay(services: &[ServiceName]) {
    for service in services {
        terminal::note(format!(
            "{} {}",
            paint(BOLD, service),
            paint(
                WARN,
                "stays as it is, because one before it did not go live"
            )
        ));
    }
}

fn note(service: &ServiceName, words: &str) {
    terminal::note(format!("{} {}", paint(BOLD, service), paint(DIM, words)));
}

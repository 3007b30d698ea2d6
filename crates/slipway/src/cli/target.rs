//! Which service and which release a verb means: what was typed, or the only choice, or
//! a failure that lists the choices.

use std::fs;

use anyhow::Context as _;
use slipway_journal::{Manifest, ReleaseId, ServiceName};

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::environment::Environment;
use crate::reading::Reading;

/// The service that was named, or the only one of the running environment.
pub(crate) fn service(
    context: &Context,
    asked: Option<ServiceName>,
) -> anyhow::Result<ServiceName> {
    let name = context.environment(None)?;
    let environment = match Environment::read(&context.project, &name) {
        Ok(environment) => environment,
        // A mistake in the file must not keep a release from being taken back; control says
        // it where it does.
        Err(failure) => match Environment::recall(&name, &context.state) {
            Some(environment) => environment,
            None => return asked.ok_or_else(|| failure.into()),
        },
    };
    let known: Vec<&ServiceName> = environment.service.keys().collect();
    let list = known
        .iter()
        .map(|s| s.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    match (asked, known.as_slice()) {
        (Some(asked), known) if known.contains(&&asked) => Ok(asked),
        (Some(asked), _) => Err(Failure::usage(format!(
            "the environment {name} has no service {asked}"
        ))
        .hint(format!("it has: {list}"))
        .into()),
        (None, [only]) => Ok((*only).clone()),
        (None, []) => Err(
            Failure::usage(format!("the environment {name} names no service"))
                .hint(format!(
                    "add [service.NAME] to delivery/environments/{name}.toml"
                ))
                .into(),
        ),
        (None, _) => Err(Failure::usage("there is more than one service")
            .hint(format!("say which: --service {list}"))
            .into()),
    }
}

/// The release that was named, with its service; or the newest one of the service.
pub(crate) fn release(
    context: &Context,
    asked_service: Option<ServiceName>,
    asked_release: Option<&str>,
) -> anyhow::Result<(ServiceName, ReleaseId)> {
    let Some(text) = asked_release else {
        let service = service(context, asked_service)?;
        let reading = context.wait(context.reading())?;
        let newest = newest(&reading, &service)?;
        return Ok((service, newest));
    };
    let release = named(context, text)?;
    let path = context
        .state
        .releases()
        .join(release.as_str())
        .join("manifest.json");
    let manifest: Manifest = fs::read(&path)
        .map_err(anyhow::Error::from)
        .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?))
        .with_context(|| format!("reading {}", path.display()))?;
    match asked_service {
        Some(asked) if asked != manifest.service => Err(Failure::usage(format!(
            "{} is a release of {}, not of {asked}",
            release.short(),
            manifest.service
        ))
        .hint("leave --service out, or name a release of that service")
        .into()),
        _ => Ok((manifest.service, release)),
    }
}

fn newest(reading: &Reading, service: &ServiceName) -> anyhow::Result<ReleaseId> {
    match reading.latest(service) {
        Some(latest) => Ok(latest.release.clone()),
        None => Err(
            Failure::usage(format!("there is no release of {service} yet"))
                .hint("`slipway ship` makes one and deploys it; `slipway run` only makes it")
                .into(),
        ),
    }
}

/// The one release in the releases folder whose id starts with `text`.
fn named(context: &Context, text: &str) -> anyhow::Result<ReleaseId> {
    let wanted = text.to_lowercase();
    let folder = context.state.releases();
    let mut found: Vec<ReleaseId> = fs::read_dir(&folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok()?.parse().ok())
        .filter(|id: &ReleaseId| !wanted.is_empty() && id.as_str().starts_with(&wanted))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::usage(format!("no release starts with {text:?}"))
            .hint(format!(
                "releases are in {}; `slipway run` makes one",
                folder.display()
            ))
            .into()),
        (Some(_), false) => Err(Failure::usage(format!(
            "more than one release starts with {text:?}"
        ))
        .hint("give more of the id")
        .into()),
    }
}

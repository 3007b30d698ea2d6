//! The text of a first `delivery/environments/NAME.toml`: an address, the accessories that the
//! sources name a variable for, and a place for every other variable that they read.

use slipway_journal::EnvironmentName;
use slipway_pipeline::starter::Starter;

/// Variables that Slipway can fill, with the accessory and what fills them.
const FILLED: [(&str, &str, &str); 2] = [
    ("DATABASE_URL", "postgres", "{postgres.url}"),
    ("REDIS_URL", "redis", "{redis.url}"),
];

/// The text.
pub(super) fn text(starter: &Starter, name: &EnvironmentName) -> String {
    let service = &starter.service;
    let reads = |name: &str| starter.variables.iter().any(|v| v.name == name);
    let filled: Vec<_> = FILLED
        .iter()
        .filter(|(variable, ..)| reads(variable))
        .collect();
    let mut lines = vec![format!(
        "# The environment {name}, read by `slipway up` and by every deployment."
    )];
    if !filled.is_empty() {
        lines.push("[accessories]".to_owned());
        let accessories = filled.iter().map(|(_, accessory, _)| accessory);
        lines.extend(accessories.map(|name| format!("{name} = true # started beside the service")));
        lines.push(String::new());
    }
    lines.push("[proxy]".to_owned());
    lines.push("listen = \"127.0.0.1:8080\" # where visitors come in".to_owned());
    if !starter.variables.is_empty() {
        lines.push(format!("\n[service.{service}.env]"));
    }
    for variable in &starter.variables {
        let known = filled.iter().find(|(name, ..)| *name == variable.name);
        lines.push(match known {
            Some((name, _, value)) => format!("{name} = \"{value}\""),
            None => format!("# {} = \"\" # read in {}", variable.name, variable.whence),
        });
    }
    lines.push(format!("\n[service.{service}.policy]"));
    lines.push("instances = 2 # so that the death of one is no outage\n".to_owned());
    lines.join("\n")
}

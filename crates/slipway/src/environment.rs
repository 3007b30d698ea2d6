//! `delivery/environments/NAME.toml`: accessories, addresses, and for each service its
//! variables and policy. Unknown keys are errors with line and column.

mod acme;
mod approval;
mod calendar;
mod canary;
mod order;
mod policy;
mod proxy;
mod rules;
mod strategy;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use slipway_journal::{EnvironmentName, ServiceName};

use crate::cli::failure::Failure;
use crate::environment::calendar::{Freeze, Window};
use crate::state::State;

pub(crate) use acme::{AcmeSettings, Challenge};
pub(crate) use approval::{ApprovalSettings, Change};
pub(crate) use calendar::{Calendar, Closed};
pub(crate) use policy::{BurstSettings, PolicySettings};
pub(crate) use proxy::ProxySettings;
pub(crate) use rules::RuleSettings;

/// Nothing here waits longer; and no clock counts much further.
const SPAN_MAX: Duration = Duration::from_secs(366 * 86_400);

/// One environment, as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    /// What the file is called.
    #[serde(skip)]
    pub(crate) name: Option<EnvironmentName>,
    #[serde(default)]
    pub(crate) accessories: AccessorySettings,
    pub(crate) proxy: ProxySettings,
    #[serde(default)]
    pub(crate) console: ConsoleSettings,
    /// Who has to say yes before a rollout begins; nobody where there is none.
    #[serde(default)]
    pub(crate) approval: Option<ApprovalSettings>,
    /// When nothing is deployed.
    #[serde(default)]
    freeze: Vec<Freeze>,
    /// When one may deploy; at any time where there is none.
    #[serde(default)]
    deploy_window: Vec<Window>,
    #[serde(default)]
    pub(crate) service: BTreeMap<ServiceName, ServiceSettings>,
}

/// Which programs run beside the services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessorySettings {
    /// A PostgreSQL with a role and a database for each service.
    #[serde(default)]
    pub(crate) postgres: bool,
    /// A Redis.
    #[serde(default)]
    pub(crate) redis: bool,
}

/// Where the console answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsoleSettings {
    /// A loopback address: looking needs no login.
    #[serde(deserialize_with = "loopback")]
    pub(crate) listen: SocketAddr,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
        }
    }
}

/// What one service gets in this environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceSettings {
    /// Host names that lead to it; none means any.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// The services that it stands on: they are deployed before it.
    #[serde(default)]
    pub(crate) after: Vec<ServiceName>,
    /// Its variables, with placeholders.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Limits of its own for requests, by path.
    #[serde(default)]
    pub(crate) rules: Vec<RuleSettings>,
    /// Over how long the share of an instance that came up grows to that of the others.
    #[serde(default)]
    pub(crate) slow_start: Option<Span>,
    #[serde(default)]
    pub(crate) policy: PolicySettings,
}

/// A length of time, written `24h`, `90s`, `500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span: jiff::SignedDuration = text.parse().map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no length of time; write 24h, 90s or 500ms"
            ))
        })?;
        let span = Duration::try_from(span).map_err(|_| {
            D::Error::custom(format!("{text:?} is negative; a length of time is not"))
        })?;
        if span > SPAN_MAX {
            return Err(D::Error::custom(format!("{text:?} is longer than a year")));
        }
        Ok(Self(span))
    }
}

impl Environment {
    /// The file of the environment `name` in `project`.
    pub(crate) fn path(project: &Path, name: &EnvironmentName) -> PathBuf {
        project
            .join("delivery/environments")
            .join(format!("{name}.toml"))
    }

    /// Reads the environment `name` of `project`.
    pub(crate) fn read(project: &Path, name: &EnvironmentName) -> Result<Self, Failure> {
        let path = Self::path(project, name);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let known = known_names(project);
            let hint = if known.is_empty() {
                format!(
                    "write {}; `[proxy] listen = \"127.0.0.1:8080\"` is the least it holds",
                    path.display()
                )
            } else {
                format!("environments of this project: {}", known.join(", "))
            };
            Failure::usage(format!(
                "the environment {name} cannot be read: {}: {error}",
                path.display()
            ))
            .hint(hint)
        })?;
        let mut environment = Self::parse(&text, &path)?;
        environment.name = Some(name.clone());
        Ok(environment)
    }

    /// Like `read`, and remembers what was read in `state`. A file that cannot be used any
    /// more is no reason not to be there: then what was remembered is used.
    pub(crate) fn read_or_remember(
        project: &Path,
        name: &EnvironmentName,
        state: &State,
    ) -> Result<Self, Failure> {
        let copy = state.environment();
        match Self::read(project, name) {
            Ok(environment) => {
                let text = std::fs::read(Self::path(project, name));
                let kept = text.and_then(|text| chassis::durable::replace(&copy, &text, 0o600));
                if let Err(error) = kept {
                    tracing::warn!(%error, "the environment is not remembered");
                }
                Ok(environment)
            }
            Err(failure) => {
                let Some(environment) = Self::recall(name, state) else {
                    return Err(failure);
                };
                tracing::error!(%failure, "going on with the environment as it was");
                Ok(environment)
            }
        }
    }

    /// The environment `name` as control last read it.
    pub(crate) fn recall(name: &EnvironmentName, state: &State) -> Option<Self> {
        let copy = state.environment();
        let text = std::fs::read_to_string(&copy).ok()?;
        let mut environment = Self::parse(&text, &copy).ok()?;
        environment.name = Some(name.clone());
        Some(environment)
    }

    /// Whether `text` could be the file at `path`.
    pub(crate) fn check(text: &str, path: &Path) -> Result<(), Failure> {
        Self::parse(text, path).map(|_| ())
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        let environment: Self = toml::from_str(text).map_err(|error| {
            let place = error
                .span()
                .map(|span| place_of(text, span.start))
                .unwrap_or_default();
            Failure::usage(format!(
                "{}{place}\n{}",
                path.display(),
                error.to_string().trim_end()
            ))
            .hint("correct the file; nothing was changed")
        })?;
        environment.in_order().map_err(|reason| {
            Failure::usage(format!("{}: {reason}", path.display()))
                .hint("correct the file; nothing was changed")
        })?;
        for (service, settings) in &environment.service {
            settings.policy.strategy().map_err(|reason| {
                Failure::usage(format!(
                    "{}: [service.{service}.policy] {reason}",
                    path.display()
                ))
                .hint("correct the file; nothing was changed")
            })?;
            // The proxy would refuse every table that has them, that of a rollback as well.
            slipway_proxy::check_rules(
                &settings
                    .rules
                    .iter()
                    .map(RuleSettings::rule)
                    .collect::<Vec<_>>(),
            )
            .map_err(|reason| {
                Failure::usage(format!(
                    "{}: [[service.{service}.rules]] {reason}",
                    path.display()
                ))
                .hint("correct the file; nothing was changed")
            })?;
            for (variable, value) in &settings.env {
                environment.check_placeholders(value).map_err(|reason| {
                    Failure::usage(format!(
                        "{}: [service.{service}.env] {variable}: {reason}",
                        path.display()
                    ))
                    .hint("placeholders are {postgres.url}, {redis.url} and {internal_port}")
                })?;
            }
        }
        Ok(environment)
    }

    /// When nothing is deployed.
    pub(crate) fn calendar(&self) -> Calendar {
        Calendar {
            freezes: self.freeze.clone(),
            windows: self.deploy_window.clone(),
        }
    }

    fn check_placeholders(&self, value: &str) -> Result<(), String> {
        for name in placeholders(value) {
            match name {
                "postgres.url" if !self.accessories.postgres => {
                    return Err("{postgres.url} needs `postgres = true` under [accessories]".into());
                }
                "redis.url" if !self.accessories.redis => {
                    return Err("{redis.url} needs `redis = true` under [accessories]".into());
                }
                "postgres.url" | "redis.url" | "internal_port" => {}
                other => return Err(format!("{{{other}}} is not a placeholder")),
            }
        }
        Ok(())
    }
}

/// `value` with its placeholders filled by `known`; a name that it does not know stays.
pub(crate) fn filled(
    value: &str,
    known: impl Fn(&str) -> Result<Option<String>, Failure>,
) -> Result<String, Failure> {
    let mut parts = value.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = part.split_once('}');
        let found = match named {
            Some((name, _)) => known(name)?,
            None => None,
        };
        if let (Some(found), Some((_, behind))) = (found, named) {
            text.push_str(&found);
            text.push_str(behind);
        } else {
            text.push('{');
            text.push_str(part);
        }
    }
    Ok(text)
}

/// The names between curly brackets in `value`.
fn placeholders(value: &str) -> impl Iterator<Item = &str> {
    value
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// The environments that `project` has, by name.
pub(crate) fn known_names(project: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(project.join("delivery/environments")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|e| {
            e.file_name()
                .to_str()?
                .strip_suffix(".toml")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// `:line:column`, both from 1.
fn place_of(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    format!(":{line}:{column}")
}

fn loopback<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let address = SocketAddr::deserialize(deserializer)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(D::Error::custom(format!(
            "the console lets everybody look and listens on loopback only, not on {address}"
        )))
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    struct Addresses;

    impl<'de> Visitor<'de> for Addresses {
        type Value = Vec<SocketAddr>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an address such as \"127.0.0.1:8080\", or a list of them")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            address(text).map(|a| vec![a])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut addresses = Vec::new();
            while let Some(text) = seq.next_element::<String>()? {
                addresses.push(address(&text)?);
            }
            if addresses.is_empty() {
                return Err(A::Error::custom("the list holds no address"));
            }
            Ok(addresses)
        }
    }

    fn address<E: serde::de::Error>(text: &str) -> Result<SocketAddr, E> {
        text.parse()
            .map_err(|_| E::custom(format!("{text:?} is no address; write 127.0.0.1:8080")))
    }

    deserializer.deserialize_any(Addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[accessories]
postgres = true

[proxy]
listen = "127.0.0.1:8080"

[service.booking]
env = { DATABASE_URL = "{postgres.url}", INTERNAL_PORT = "{internal_port}" }
policy = { bake = "24h", drain_window = "90s" }
"#;

    fn message(text: &str) -> String {
        let error = Environment::parse(text, Path::new("production.toml")).unwrap_err();
        error.to_string()
    }

    #[test]
    fn an_environment_is_read() {
        let environment = Environment::parse(GOOD, Path::new("production.toml")).unwrap();
        let booking = &environment.service[&"booking".parse().unwrap()];
        assert_eq!(booking.policy.bake, Some(Span(Duration::from_secs(86_400))));
        assert_eq!(environment.console.listen.port(), 8081);
        assert_eq!(environment.proxy.listen.len(), 1);
    }

    #[test]
    fn only_known_placeholders_are_filled() {
        let known = |name: &str| Ok((name == "a").then(|| "{b}".to_owned()));
        let fill = |value| filled(value, known).unwrap();
        assert_eq!(fill("x{a}y{internal_port}{a}"), "x{b}y{internal_port}{b}");
        assert_eq!(fill("open { end"), "open { end");
        assert_eq!(fill(""), "");
    }

    #[test]
    fn rules_that_no_proxy_takes_are_refused_before_anything_runs() {
        for (rule, words) in [
            ("path = \"upload\"", "is no path to look at"),
            ("path = \"/report\"\nanswer = \"500us\"", "no time at all"),
        ] {
            let said = message(&format!("{GOOD}\n[[service.booking.rules]]\n{rule}\n"));
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let text = GOOD.replace("postgres = true", "postgres = true\npostgras = true");
        let message = message(&text);
        assert!(message.starts_with("production.toml:4:1"), "{message}");
        assert!(message.contains("unknown field `postgras`"), "{message}");
    }

    #[test]
    fn a_placeholder_needs_its_accessory() {
        let message = message(&GOOD.replace("postgres = true", "postgres = false"));
        assert!(message.contains("needs `postgres = true`"), "{message}");
    }

    #[test]
    fn an_unknown_placeholder_is_refused() {
        let message = message(&GOOD.replace("{internal_port}", "{internal.port}"));
        assert!(
            message.contains("{internal.port} is not a placeholder"),
            "{message}"
        );
    }

    #[test]
    fn the_console_stays_on_loopback() {
        let message = message(&format!("{GOOD}\n[console]\nlisten = \"0.0.0.0:8081\"\n"));
        assert!(message.contains("loopback only"), "{message}");
    }

    #[test]
    fn a_negative_length_of_time_is_refused() {
        assert!(message(&GOOD.replace("24h", "-24h")).contains("negative"));
        assert!(message(&GOOD.replace("24h", "a while")).contains("write 24h"));
        assert!(message(&GOOD.replace("24h", "9999999999h")).contains("a year"));
    }
}

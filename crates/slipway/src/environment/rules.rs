//! `[[service.NAME.rules]]` of an environment's file: limits of its own for requests whose path
//! begins so. What is not set is the proxy's own.

use serde::Deserialize;
use slipway_proxy::Rule;

use crate::environment::Span;

/// Limits for some paths of a service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSettings {
    /// The beginning of the path, `/` for all.
    pub(crate) path: String,
    /// The largest body of a request, bytes.
    #[serde(default)]
    pub(crate) body_bytes: Option<u64>,
    /// How long the head of an answer may take.
    #[serde(default)]
    pub(crate) answer: Option<Span>,
    /// How long a body may stand still.
    #[serde(default)]
    pub(crate) body_idle: Option<Span>,
    /// What a body must bring in the time that it is waited for, bytes a second.
    #[serde(default)]
    pub(crate) body_rate: Option<u32>,
}

impl RuleSettings {
    /// As the routing table says it.
    pub(crate) fn rule(&self) -> Rule {
        let milliseconds = |span: Span| u32::try_from(span.0.as_millis()).unwrap_or(u32::MAX);
        Rule {
            path: self.path.clone(),
            body_bytes: self.body_bytes,
            answer_ms: self.answer.map(milliseconds),
            body_idle_ms: self.body_idle.map(milliseconds),
            body_rate: self.body_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_what_it_says_and_leaves_the_rest() {
        let text = "path = \"/upload\"\nbody_bytes = 1048576\nanswer = \"5min\"";
        let settings: RuleSettings = toml::from_str(text).unwrap();
        let rule = settings.rule();
        assert_eq!(
            (rule.body_bytes, rule.answer_ms, rule.body_idle_ms),
            (Some(1_048_576), Some(300_000), None)
        );
    }
}

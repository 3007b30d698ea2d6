//! The strategies by name, and the numbers of those that go instance by instance or stop the old
//! release first; those of a canary have a file of their own.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use slipway_rollout::{Portion, Recreate, Rolling};

use super::Span;

/// The name of a strategy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StrategyName {
    /// All of the traffic at once.
    #[default]
    BlueGreen,
    /// In steps, with the judge between them.
    Canary,
    /// Instance by instance.
    Rolling,
    /// The old release ends before the new one starts.
    Recreate,
}

impl StrategyName {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BlueGreen => "blue-green",
            Self::Canary => "canary",
            Self::Rolling => "rolling",
            Self::Recreate => "recreate",
        }
    }
}

/// The numbers of a rolling rollout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollingSettings {
    /// Instances beyond the wanted ones: `1`, or `"25%"` of them.
    #[serde(default, deserialize_with = "portion")]
    surge: Option<Portion>,
    /// Wanted instances that may be missing: `1`, or `"25%"` of them.
    #[serde(default, deserialize_with = "portion")]
    unavailable: Option<Portion>,
    dwell: Option<Span>,
}

/// The numbers of a rollout that stops the old release first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecreateSettings {
    drain: Option<Span>,
}

impl RollingSettings {
    /// The strategy for so many wanted instances, or why that cannot be meant.
    pub(crate) fn rolling(self, instances: u32) -> Result<Rolling, String> {
        let standard = Rolling::default();
        let rolling = Rolling {
            surge: self.surge.unwrap_or(standard.surge),
            unavailable: self.unavailable.unwrap_or(standard.unavailable),
            dwell: self.dwell.map_or(standard.dwell, |span| span.0),
        };
        let missing = rolling.unavailable.down(instances);
        if rolling.surge.up(instances) == 0 && missing == 0 {
            return Err(format!(
                "rolling: nothing may come before something goes, and nothing may go; set `surge` \
                 or `unavailable` (of {instances} instances that is none)"
            ));
        }
        if missing >= instances {
            return Err(format!(
                "rolling: {missing} of {instances} instances may be missing; \
                 `strategy = \"recreate\"` stops all of them"
            ));
        }
        Ok(rolling)
    }
}

impl RecreateSettings {
    /// The strategy.
    pub(crate) fn recreate(self) -> Recreate {
        let standard = Recreate::default();
        Recreate {
            drain: self.drain.map_or(standard.drain, |span| span.0),
        }
    }
}

fn portion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Portion>, D::Error> {
    struct Words;

    impl Visitor<'_> for Words {
        type Value = Portion;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of instances such as 1, or a share such as \"25%\"")
        }

        fn visit_i64<E: Error>(self, count: i64) -> Result<Portion, E> {
            let count = u32::try_from(count);
            let count = count.map_err(|_| E::custom("write a whole number, 0 or more"))?;
            Ok(Portion::Count(count))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Portion, E> {
            let number = text.strip_suffix('%').map(str::trim_end);
            let percent: u32 = number.and_then(|n| n.parse().ok()).ok_or_else(|| {
                E::custom(format!(
                    "{text:?}: write a whole number, or a share such as \"25%\""
                ))
            })?;
            if percent > 100 {
                return Err(E::custom(format!("{text:?}: write 0% to 100%")));
            }
            Ok(Portion::Percent(percent))
        }
    }

    deserializer.deserialize_any(Words).map(Some)
}

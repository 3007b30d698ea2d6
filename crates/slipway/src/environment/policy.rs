//! `[service.NAME.policy]` of an environment's file: the numbers of its rollouts. Refuses what
//! could never hold or never come to an end.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use slipway_journal::RoleName;
use slipway_rollout::{Policy, Strategy};

use super::Span;
use super::canary::CanarySettings;
use super::strategy::{RecreateSettings, RollingSettings, StrategyName};

/// How its rollouts go; what is not set has the default of the rollout engine, where each
/// number is explained (`slipway_rollout::Policy`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicySettings {
    /// Instances of a release, 1 to 64.
    #[serde(default, deserialize_with = "instances")]
    pub(crate) instances: Option<u32>,
    /// Processes of each worker role, 0 to 64; one of each where nothing is said.
    #[serde(default, deserialize_with = "workers")]
    pub(crate) workers: BTreeMap<RoleName, u32>,
    /// Whether workers of two releases may run at once; they may where nothing is said.
    pub(crate) workers_overlap: Option<bool>,
    pub(crate) ready_successes: Option<u32>,
    pub(crate) ready_every: Option<Span>,
    pub(crate) ready_within: Option<Span>,
    pub(crate) quiet: Option<Span>,
    pub(crate) migrate_within: Option<Span>,
    pub(crate) preview_within: Option<Span>,
    pub(crate) observe: Option<Span>,
    pub(crate) bake: Option<Span>,
    /// 1 s to 24 h.
    #[serde(default, deserialize_with = "skew")]
    pub(crate) skew: Option<Span>,
    pub(crate) drain_window: Option<Span>,
    pub(crate) stop_grace: Option<Span>,
    pub(crate) progress_within: Option<Span>,
    pub(crate) restart_after: Option<Span>,
    #[serde(default)]
    pub(crate) burst: BurstSettings,
    #[serde(default)]
    pub(crate) strategy: StrategyName,
    pub(crate) canary: Option<CanarySettings>,
    pub(crate) rolling: Option<RollingSettings>,
    pub(crate) recreate: Option<RecreateSettings>,
}

impl PolicySettings {
    /// How traffic moves, or why that cannot be meant.
    pub(crate) fn strategy(&self) -> Result<Strategy, String> {
        let instances = self.instances.unwrap_or(Policy::default().instances);
        let numbers = [
            ("canary", self.canary.is_some()),
            ("rolling", self.rolling.is_some()),
            ("recreate", self.recreate.is_some()),
        ];
        let name = self.strategy.name();
        if let Some((set, _)) = numbers.iter().find(|(of, is_set)| *is_set && *of != name) {
            return Err(format!(
                "`{set}` is set and the strategy is {name}; add `strategy = \"{set}\"`"
            ));
        }
        Ok(match self.strategy {
            StrategyName::BlueGreen => Strategy::BlueGreen,
            StrategyName::Canary => {
                Strategy::Canary(self.canary.clone().unwrap_or_default().canary()?)
            }
            StrategyName::Rolling => {
                Strategy::Rolling(self.rolling.unwrap_or_default().rolling(instances)?)
            }
            StrategyName::Recreate => {
                Strategy::Recreate(self.recreate.unwrap_or_default().recreate())
            }
        })
    }
}

/// When bad answers take a release back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BurstSettings {
    /// 1 to 60: without a second nothing is ever looked at.
    #[serde(default, deserialize_with = "window")]
    pub(crate) window_s: Option<u64>,
    pub(crate) failed: Option<u64>,
    /// At most 100, or it would never hold.
    #[serde(default, deserialize_with = "percent")]
    pub(crate) share_percent: Option<u64>,
    pub(crate) clients: Option<u32>,
    #[serde(default, deserialize_with = "percent")]
    pub(crate) old_percent: Option<u64>,
}

fn instances<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if (1..=64).contains(&count) {
        Ok(Some(count))
    } else {
        Err(D::Error::custom(format!(
            "{count} instances: write 1 to 64"
        )))
    }
}

fn workers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<RoleName, u32>, D::Error> {
    let workers = BTreeMap::<RoleName, u32>::deserialize(deserializer)?;
    match workers.iter().find(|(_, count)| **count > 64) {
        None => Ok(workers),
        Some((role, count)) => Err(D::Error::custom(format!(
            "{count} workers {role}: write 0 to 64"
        ))),
    }
}

fn skew<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    let span = Span::deserialize(deserializer)?;
    if (1..=86_400).contains(&span.0.as_secs()) {
        Ok(Some(span))
    } else {
        Err(D::Error::custom("pages keep their release for 1 s to 24 h"))
    }
}

fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let seconds = u64::deserialize(deserializer)?;
    if (1..=60).contains(&seconds) {
        Ok(Some(seconds))
    } else {
        Err(D::Error::custom(format!(
            "a window of {seconds} s: write 1 to 60"
        )))
    }
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let share = u64::deserialize(deserializer)?;
    if share <= 100 {
        Ok(Some(share))
    } else {
        Err(D::Error::custom(format!("{share} %: write 0 to 100")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_rollout::{Canary, Portion, Recreate, Rolling};
    use std::time::Duration;

    fn read(text: &str) -> Result<Strategy, String> {
        let settings: PolicySettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.strategy()
    }

    #[test]
    fn nothing_set_is_blue_green_and_a_strategy_has_numbers_of_its_own() {
        assert_eq!(read(""), Ok(Strategy::BlueGreen));
        let standard = Strategy::Canary(Canary::default());
        assert_eq!(read("strategy = \"canary\""), Ok(standard));
        let standard = Strategy::Rolling(Rolling::default());
        assert_eq!(read("strategy = \"rolling\""), Ok(standard));
        let own = Strategy::Rolling(Rolling {
            surge: Portion::Percent(25),
            unavailable: Portion::Count(1),
            dwell: Duration::from_secs(5),
        });
        let text = "instances = 4\nstrategy = \"rolling\"\n\
                    rolling = { surge = \"25 %\", unavailable = 1, dwell = \"5s\" }";
        assert_eq!(read(text), Ok(own));
        let own = Strategy::Recreate(Recreate {
            drain: Duration::from_secs(1),
        });
        let text = "strategy = \"recreate\"\nrecreate = { drain = \"1s\" }";
        assert_eq!(read(text), Ok(own));
    }

    #[test]
    fn numbers_of_another_strategy_are_refused_with_what_to_add() {
        for name in ["canary", "rolling", "recreate"] {
            let error = read(&format!("{name} = {{}}")).unwrap_err();
            let words = format!("add `strategy = \"{name}\"`");
            assert!(error.contains(&words), "{error}");
        }
    }

    #[test]
    fn a_rolling_rollout_that_could_not_move_is_refused() {
        for (text, said) in [
            ("surge = 0", "nothing may come before something goes"),
            (
                "surge = 0, unavailable = \"40%\"",
                "of 2 instances that is none",
            ),
            (
                "unavailable = 2",
                "`strategy = \"recreate\"` stops all of them",
            ),
            (
                "surge = \"half\"",
                "write a whole number, or a share such as \"25%\"",
            ),
            ("surge = -1", "write a whole number"),
            ("surge = \"400%\"", "write 0% to 100%"),
        ] {
            let text = format!("strategy = \"rolling\"\nrolling = {{ {text} }}");
            let error = read(&text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn what_could_never_be_is_refused() {
        for (text, said) in [
            ("instances = 0", "write 1 to 64"),
            ("workers = { mail = 99 }", "99 workers mail: write 0 to 64"),
            ("workers = { \"a b\" = 1 }", "is not a worker role"),
            ("burst = { share_percent = 500 }", "500 %: write 0 to 100"),
            ("burst = { window_s = 0 }", "write 1 to 60"),
            ("skew = \"0s\"", "1 s to 24 h"),
            ("skew = \"25h\"", "1 s to 24 h"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}

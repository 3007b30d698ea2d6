//! The numbers of a canary, as the environment's file says them. Refuses what could never come
//! to an end or would skip a step, with the place where it stands.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use slipway_rollout::{Canary, Unsure};

use super::Span;

/// The numbers of a canary; what is not set has the default of the rollout engine, where each
/// is explained (`slipway_rollout::Canary`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CanarySettings {
    /// Shares in per cent, rising, above 0 and below 100.
    #[serde(default, deserialize_with = "steps")]
    pub(crate) steps: Option<Vec<u16>>,
    pub(crate) dwell: Option<Span>,
    pub(crate) dwell_most: Option<Span>,
    pub(crate) requests: Option<u32>,
    pub(crate) unsure: Option<UnsureName>,
}

/// What follows when the judge cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnsureName {
    /// It is looked at until there is enough to say.
    Hold,
    /// The next step, and twice the bake.
    Continue,
    /// The old release gets the traffic back.
    Abort,
}

impl CanarySettings {
    /// The canary, or why that cannot be meant.
    pub(crate) fn canary(self) -> Result<Canary, String> {
        let canary = self.completed();
        if canary.dwell_most < canary.dwell {
            return Err(format!(
                "canary: a step lasts {} s at least and {} s at most; raise `dwell_most`",
                canary.dwell.as_secs(),
                canary.dwell_most.as_secs()
            ));
        }
        Ok(canary)
    }

    fn completed(self) -> Canary {
        let standard = Canary::default();
        let dwell = self.dwell.map_or(standard.dwell, |span| span.0);
        Canary {
            steps: self.steps.unwrap_or(standard.steps),
            dwell,
            dwell_most: self.dwell_most.map_or(standard.dwell_most, |span| span.0),
            requests: self.requests.unwrap_or(standard.requests),
            unsure: match self.unsure {
                None => standard.unsure,
                Some(UnsureName::Hold) => Unsure::Hold,
                Some(UnsureName::Continue) => Unsure::Continue,
                Some(UnsureName::Abort) => Unsure::Abort,
            },
        }
    }
}

fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u16>>, D::Error> {
    let percents = Vec::<f64>::deserialize(deserializer)?;
    let mut steps: Vec<u16> = Vec::with_capacity(percents.len());
    for percent in percents {
        if !(0.01..=99.99).contains(&percent) {
            let words = format!("a step of {percent} %: write more than 0 and less than 100");
            return Err(D::Error::custom(words));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 9,999"
        )]
        let step = (percent * 100.0).round() as u16;
        if steps.last().is_some_and(|last| step <= *last) {
            let words = format!("a step of {percent} % does not rise; each is above the last");
            return Err(D::Error::custom(words));
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(D::Error::custom(
            "a canary without steps; write steps = [10, 25, 50]",
        ));
    }
    Ok(Some(steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Canary, String> {
        let settings: CanarySettings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.canary()
    }

    #[test]
    fn what_is_not_set_has_the_engine_s_default() {
        assert_eq!(read(""), Ok(Canary::default()));
        let own = Canary {
            steps: vec![50, 2_500],
            unsure: Unsure::Abort,
            ..Canary::default()
        };
        assert_eq!(read("steps = [0.5, 25]\nunsure = \"abort\""), Ok(own));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        for (canary, said) in [
            ("steps = [10, 100]", "a step of 100 %: write more than 0"),
            ("steps = [25, 10]", "a step of 10 % does not rise"),
            ("steps = []", "write steps = [10, 25, 50]"),
            ("dwell = \"1h\"", "raise `dwell_most`"),
            ("weights = [5]", "unknown field `weights`"),
            ("unsure = \"guess\"", "unknown variant `guess`"),
        ] {
            let error = read(canary).unwrap_err();
            assert!(error.contains(said), "{canary}: {error}");
        }
    }
}

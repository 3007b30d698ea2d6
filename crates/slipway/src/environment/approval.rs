//! `[approval]` in an environment's file: how many people have to say yes before a rollout
//! begins, and who they are. Refuses what could never be met.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use slipway_rollout::Asked;
use slipway_rollout::approval::either;

use super::Span;
use crate::cli::failure::Failure;

/// How long there is time to say yes, where the file does not say.
const WITHIN: Duration = Duration::from_secs(24 * 3600);

/// Who has to say yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApprovalSettings {
    /// How many; with none only what overrides the calendar needs one.
    need: u32,
    within: Duration,
    /// By account, with the addresses under which each writes changes.
    by: BTreeMap<String, Vec<String>>,
}

/// Whose change a release is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// The accounts that made the release and ordered it.
    pub(crate) accounts: BTreeSet<String>,
    /// The addresses of those who wrote it, in lower case; none where nobody recorded them.
    pub(crate) addresses: Option<BTreeSet<String>>,
    /// Whether those are all who wrote it. Git may not know what is live.
    pub(crate) is_whole: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "one")]
    need: u32,
    within: Option<Span>,
    by: BTreeMap<String, Vec<String>>,
}

impl<'de> Deserialize<'de> for ApprovalSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let wrong = |words: String| Err(D::Error::custom(words));
        let named = written.by.len();
        if u32::try_from(named).unwrap_or(u32::MAX) < written.need.max(1) {
            return wrong(format!(
                "{} approvals are needed and {named} accounts may give one; name more under [approval.by]",
                written.need.max(1)
            ));
        }
        let within = written.within.map_or(WITHIN, |span| span.0);
        if within.is_zero() {
            return wrong("nobody can approve within no time at all; write 24h".to_owned());
        }
        Ok(Self {
            need: written.need,
            within,
            by: written.by,
        })
    }
}

impl ApprovalSettings {
    /// The accounts that may say yes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by.keys().map(String::as_str)
    }

    /// What a rollout of `change` needs that is ordered at `now`; none where it needs nothing.
    /// With a reason to override the calendar it needs one approval at least, and two where one of
    /// them may come from somebody who wrote it unknown to Git.
    pub(crate) fn asked(
        &self,
        change: &Change,
        overrides: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Asked>, Failure> {
        let need = self.need.max(u32::from(overrides.is_some()));
        let writes = self.by.values().any(|addresses| !addresses.is_empty());
        let need = match need {
            0 => return Ok(None),
            need if writes && !change.is_whole => need.max(2),
            need => need,
        };
        let own = self.own(change)?;
        let until = now.checked_add(self.within).unwrap_or(Timestamp::MAX);
        let asked = Asked {
            need,
            by: self.names().map(str::to_owned).collect(),
            own,
            until,
            overrides,
        };
        let others: Vec<&str> = asked.others().collect();
        if u32::try_from(others.len()).unwrap_or(u32::MAX) < need {
            let own: Vec<&str> = asked.own.iter().map(String::as_str).collect();
            let unknown = if change.is_whole {
                ""
            } else {
                "; two are needed at least, as Git does not know the commit that is live (`git fetch`?)"
            };
            return Err(Failure::refused(format!(
                "{need} approvals are needed and only {} may give one: it is the change of {}, or their order{unknown}",
                either(&others),
                either(&own)
            ))
            .hint("name more people under [approval.by] in the environment's file, or let somebody else order it"));
        }
        Ok(Some(asked))
    }

    /// The accounts whose own change it is.
    fn own(&self, change: &Change) -> Result<Vec<String>, Failure> {
        let writes = self.by.values().any(|addresses| !addresses.is_empty());
        let nobody = BTreeSet::new();
        let Some(written) = change.addresses.as_ref().or((!writes).then_some(&nobody)) else {
            return Err(Failure::refused(
                "nobody recorded who wrote this release, so nobody can tell whose own change it is",
            )
            .hint("it comes from files that were not committed, or was made by an older Slipway: commit, and `slipway ship`"));
        };
        let is_own = |(name, addresses): &(&String, &Vec<String>)| {
            let mut addresses = addresses.iter().map(|address| address.to_lowercase());
            change.accounts.contains(*name) || addresses.any(|address| written.contains(&address))
        };
        let own = self.by.iter().filter(is_own);
        Ok(own.map(|(name, _)| name.clone()).collect())
    }
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_OF_THREE: &str = r#"
need = 2
within = "2h"
[by]
anna = ["Anna@example.org", "anna@home.example"]
ben = ["ben@example.org"]
carla = []
"#;

    fn change(account: &str, addresses: Option<&[&str]>) -> Change {
        Change {
            accounts: [account.to_owned()].into(),
            addresses: addresses.map(|all| all.iter().map(|one| (*one).to_owned()).collect()),
            is_whole: true,
        }
    }

    fn asked(
        text: &str,
        change: &Change,
        overrides: Option<&str>,
    ) -> Result<Option<Asked>, String> {
        let settings: ApprovalSettings = toml::from_str(text).unwrap();
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let asked = settings.asked(change, overrides.map(str::to_owned), now);
        asked.map_err(|failure| failure.to_string())
    }

    #[test]
    fn who_wrote_the_change_or_ordered_it_may_not_approve_it() {
        let written = change("deploy", Some(&["anna@example.org"]));
        let by_anna = asked(TWO_OF_THREE, &written, None).unwrap().unwrap();
        assert_eq!(by_anna.own, ["anna"]);
        assert_eq!(by_anna.until.to_string(), "2026-11-27T14:00:00Z");
        let ordered = change("carla", Some(&["eve@example.org"]));
        let by_carla = asked(TWO_OF_THREE, &ordered, None).unwrap().unwrap();
        assert_eq!(by_carla.own, ["carla"]);
    }

    #[test]
    fn where_too_few_others_are_left_it_is_refused_at_once() {
        let both = change("carla", Some(&["ben@example.org"]));
        let refusal = asked(TWO_OF_THREE, &both, None).unwrap_err();
        assert!(refusal.contains("only anna may give one"), "{refusal}");
    }

    #[test]
    fn a_release_that_nobody_is_known_to_have_written_is_refused() {
        let refusal = asked(TWO_OF_THREE, &change("deploy", None), None).unwrap_err();
        assert!(refusal.contains("nobody recorded who wrote"), "{refusal}");
        // Where nobody who approves writes changes, nothing depends on it.
        let nobody_writes = "[by]\nanna = []\nben = []\n";
        let asked = asked(nobody_writes, &change("ben", None), None).unwrap();
        assert_eq!(asked.unwrap().own, ["ben"]);
    }

    #[test]
    fn where_git_does_not_know_all_who_wrote_it_two_have_to_say_yes() {
        let text = "[by]\nanna = [\"anna@example.org\"]\nben = []\ncarla = []\n";
        let known = change("deploy", Some(&["eve@example.org"]));
        assert_eq!(asked(text, &known, None).unwrap().unwrap().need, 1);
        let unknown = Change {
            is_whole: false,
            ..known
        };
        assert_eq!(asked(text, &unknown, None).unwrap().unwrap().need, 2);
        let alone = asked("[by]\nanna = [\"anna@example.org\"]\n", &unknown, None);
        assert!(alone.unwrap_err().contains("Git does not know the commit"));
    }

    #[test]
    fn where_none_is_needed_only_an_override_needs_one() {
        let text = "need = 0\n[by]\nanna = []\nben = []\n";
        let change = change("ben", None);
        assert_eq!(asked(text, &change, None), Ok(None));
        let over = asked(text, &change, Some("it burns")).unwrap().unwrap();
        assert_eq!(
            (over.need, over.overrides.as_deref()),
            (1, Some("it burns"))
        );
    }

    #[test]
    fn what_could_never_be_met_is_a_mistake() {
        for (text, said) in [
            ("need = 2\n[by]\nanna = []\n", "1 accounts may give one"),
            ("need = 0\n[by]\n", "0 accounts may give one"),
            ("within = \"0s\"\n[by]\nanna = []\n", "no time at all"),
        ] {
            let error = toml::from_str::<ApprovalSettings>(text).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}

//! Approvals: how many people have to say yes before a rollout begins, who may, and who did.
//! Pure, a fold over the events of one rollout. They belong to that rollout and so to its one
//! release: another release has none. Nobody approves a change of their own.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use slipway_journal::event::RolloutEvent;
use slipway_journal::{ReleaseId, RolloutId};

/// What a rollout needs before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// How many have to say yes.
    pub need: u32,
    /// Who may, by account.
    pub by: Vec<String>,
    /// Of them those whose own change it is; they may not.
    pub own: Vec<String>,
    /// Without enough of them by then the rollout is cancelled.
    pub until: Timestamp,
    /// Why it goes although nothing is deployed at this time, where that is so.
    pub overrides: Option<String>,
}

/// The approvals of one rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// What it needs.
    #[serde(flatten)]
    pub asked: Asked,
    /// Who said yes, in that order.
    pub given: Vec<String>,
}

/// Why somebody's yes or no is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// The rollout does not wait for anybody.
    NotAsked {
        /// The rollout.
        rollout: RolloutId,
    },
    /// The time for it is over.
    Expired {
        /// The rollout.
        rollout: RolloutId,
        /// Since when.
        until: Timestamp,
    },
    /// The environment does not name this account.
    NotNamed {
        /// Who.
        who: String,
        /// Who may.
        by: Vec<String>,
    },
    /// It is their own change.
    OwnChange {
        /// Who.
        who: String,
        /// What.
        release: ReleaseId,
        /// Who else may.
        others: Vec<String>,
    },
    /// They said yes before.
    Again {
        /// Who.
        who: String,
    },
}

impl Asked {
    /// The event that asks for it.
    pub(crate) fn event(self, rollout: RolloutId) -> RolloutEvent {
        RolloutEvent::ApprovalAsked {
            rollout,
            need: self.need,
            by: self.by,
            own: self.own,
            until: self.until,
            overrides: self.overrides,
        }
    }

    /// Who may say yes: whose own change it is not.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        let named = self.by.iter().map(String::as_str);
        named.filter(|who| !self.own.iter().any(|own| own == who))
    }
}

impl Approval {
    /// What has to be asked instead when `who` says yes, where by what is known `now` more of the
    /// change is theirs, more have to say yes, somebody who did may not any more, or `who` may
    /// only now: all are asked again then.
    pub(crate) fn asked_again(&self, who: &str, now: &Asked) -> Option<Asked> {
        let is_in = |names: &[String], who: &String| names.contains(who);
        let mut own = self.asked.own.clone();
        let more = now.own.iter().filter(|who| !is_in(&self.asked.own, who));
        own.extend(more.cloned());
        let is_still = |who: &String| is_in(&now.by, who) && !is_in(&own, who);
        let holds = own.len() == self.asked.own.len() && self.asked.need >= now.need;
        let is_named = self.asked.by.iter().any(|name| name == who);
        if holds && is_named && self.given.iter().all(is_still) {
            return None;
        }
        Some(Asked {
            need: self.asked.need.max(now.need),
            by: now.by.clone(),
            own,
            ..self.asked.clone()
        })
    }

    /// What an event of its rollout makes of the approvals that were there.
    pub fn after(known: Option<Self>, event: &RolloutEvent) -> Option<Self> {
        match (known, event) {
            (
                _,
                RolloutEvent::ApprovalAsked {
                    need,
                    by,
                    own,
                    until,
                    overrides,
                    ..
                },
            ) => Some(Self {
                asked: Asked {
                    need: *need,
                    by: by.clone(),
                    own: own.clone(),
                    until: *until,
                    overrides: overrides.clone(),
                },
                given: Vec::new(),
            }),
            (Some(mut known), RolloutEvent::Approved { by, .. }) => {
                if !known.given.contains(by) {
                    known.given.push(by.clone());
                }
                Some(known)
            }
            (known, _) => known,
        }
    }

    /// Whether enough have said yes.
    pub fn is_given(&self) -> bool {
        u32::try_from(self.given.len()).unwrap_or(u32::MAX) >= self.asked.need
    }

    /// Who may still say yes.
    pub fn waits_for(&self) -> impl Iterator<Item = &str> {
        let others = self.asked.others();
        others.filter(|who| !self.given.iter().any(|given| given == who))
    }

    /// Whether the no of `who` is taken at `now`; of one's own change as well.
    pub(crate) fn takes_no(
        &self,
        rollout: RolloutId,
        who: &str,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        if self.is_given() {
            return Err(NotTaken::NotAsked { rollout });
        }
        if now >= self.asked.until {
            let until = self.asked.until;
            return Err(NotTaken::Expired { rollout, until });
        }
        if !self.asked.by.iter().any(|name| name == who) {
            return Err(NotTaken::NotNamed {
                who: who.to_owned(),
                by: self.asked.by.clone(),
            });
        }
        Ok(())
    }

    /// Whether the yes of `who` is taken at `now`.
    pub(crate) fn takes_yes(
        &self,
        rollout: RolloutId,
        release: &ReleaseId,
        who: &str,
        now: Timestamp,
    ) -> Result<(), NotTaken> {
        self.takes_no(rollout, who, now)?;
        let is_in = |names: &[String]| names.iter().any(|name| name == who);
        let who = who.to_owned();
        if is_in(&self.asked.own) {
            return Err(NotTaken::OwnChange {
                who,
                release: release.clone(),
                others: self.waits_for().map(str::to_owned).collect(),
            });
        }
        if is_in(&self.given) {
            return Err(NotTaken::Again { who });
        }
        Ok(())
    }
}

impl fmt::Display for Approval {
    /// `1 of 2 approvals (ben); anna or carla may give one until 2026-11-28 16:00 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let need = self.asked.need;
        write!(f, "{} of {need} approvals", self.given.len())?;
        if !self.given.is_empty() {
            write!(f, " ({})", self.given.join(", "))?;
        }
        if self.is_given() {
            return Ok(());
        }
        let left: Vec<&str> = self.waits_for().collect();
        write!(
            f,
            "; {} may give one until {}",
            either(&left),
            at(self.asked.until)
        )?;
        match &self.asked.overrides {
            Some(reason) => write!(f, ". It overrides the calendar: {reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked { rollout } => write!(
                f,
                "rollout {rollout} waits for nobody's approval; `slipway approve` lists what does"
            ),
            Self::Expired { rollout, until } => write!(
                f,
                "nobody can approve rollout {rollout} since {}; order it again",
                at(*until)
            ),
            Self::NotNamed { who, by } => write!(
                f,
                "{who} is not among those who approve here: {}. They stand under [approval.by] in the environment's file",
                either(&by.iter().map(String::as_str).collect::<Vec<_>>())
            ),
            Self::OwnChange {
                who,
                release,
                others,
            } => write!(
                f,
                "{} is {who}'s own change, or {who} ordered it; {} may approve it",
                release.short(),
                either(&others.iter().map(String::as_str).collect::<Vec<_>>())
            ),
            Self::Again { who } => write!(f, "{who} approved it already; somebody else has to"),
        }
    }
}

/// `anna`, `anna or ben`, `anna, ben or carla`.
pub fn either(names: &[&str]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn at(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-27T12:00:00Z";

    fn rollout() -> RolloutId {
        RolloutId(uuid::Uuid::from_u128(7))
    }

    fn release() -> ReleaseId {
        "ab".repeat(32).parse().unwrap()
    }

    fn asked(need: u32) -> Asked {
        Asked {
            need,
            by: ["anna", "ben", "carla"].map(str::to_owned).into(),
            own: vec!["anna".to_owned()],
            until: "2026-11-28T12:00:00Z".parse().unwrap(),
            overrides: None,
        }
    }

    fn after(need: u32, given: &[&str]) -> Approval {
        let rollout = rollout();
        let approved = given.iter().map(|by| RolloutEvent::Approved {
            rollout,
            by: (*by).to_owned(),
        });
        let events = std::iter::once(asked(need).event(rollout)).chain(approved);
        let fold = |known, event: RolloutEvent| Approval::after(known, &event);
        events.fold(None, fold).unwrap()
    }

    fn takes(approval: &Approval, who: &str, now: &str) -> Result<(), NotTaken> {
        approval.takes_yes(rollout(), &release(), who, now.parse().unwrap())
    }

    #[test]
    fn so_many_different_people_have_to_say_yes() {
        assert!(!after(2, &[]).is_given());
        assert!(!after(2, &["ben"]).is_given());
        assert!(!after(2, &["ben", "ben"]).is_given());
        assert!(after(2, &["ben", "carla"]).is_given());
    }

    #[test]
    fn nobody_approves_their_own_change_and_nobody_twice() {
        let approval = after(2, &["ben"]);
        let own = takes(&approval, "anna", NOW).unwrap_err();
        assert!(own.to_string().ends_with("carla may approve it"), "{own}");
        let again = takes(&approval, "ben", NOW);
        assert_eq!(again, Err(NotTaken::Again { who: "ben".into() }));
        assert_eq!(takes(&approval, "carla", NOW), Ok(()));
        let no = approval.takes_no(rollout(), "anna", NOW.parse().unwrap());
        assert_eq!(no, Ok(()));
    }

    #[test]
    fn whom_the_environment_does_not_name_is_told_who_may() {
        let no = takes(&after(1, &[]), "eve", NOW).unwrap_err();
        assert!(no.to_string().contains("anna, ben or carla"), "{no}");
    }

    #[test]
    fn a_word_that_comes_too_late_is_not_taken() {
        let approval = after(1, &[]);
        assert_eq!(takes(&approval, "ben", "2026-11-28T11:59:59Z"), Ok(()));
        let late = takes(&approval, "ben", "2026-11-28T12:00:00Z");
        assert!(matches!(late, Err(NotTaken::Expired { .. })), "{late:?}");
    }

    #[test]
    fn what_is_lacking_is_said_in_a_sentence() {
        assert_eq!(
            after(2, &["ben"]).to_string(),
            "1 of 2 approvals (ben); carla may give one until 2026-11-28 12:00 UTC"
        );
        assert_eq!(after(1, &["ben"]).to_string(), "1 of 1 approvals (ben)");
    }
}

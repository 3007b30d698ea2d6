//! Whether instances can take traffic: good probes in a row from the right release, then a
//! quiet time without a bad one. No answer is never a good one.

use std::net::SocketAddr;
use std::time::Duration;

use slipway_journal::{InstanceId, ReleaseId};

use crate::core::{Core, address_of};
use crate::http::Answer;
use crate::policy::Policy;

/// How long one probe may take.
const PROBE_WITHIN: Duration = Duration::from_secs(2);

/// What a probe came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Good,
    Bad(String),
}

/// What an answer alone says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Good,
    /// Good, if it was the instance that answered.
    Unnamed,
    Bad(String),
}

/// Judges a probe of `release`. An answer need not name its release, but never another one.
pub(crate) fn judge(answer: Result<Answer, String>, path: &str, release: &ReleaseId) -> Said {
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => return Said::Bad(format!("GET {path}: {reason}")),
    };
    if !(200..300).contains(&answer.status) {
        let body = if answer.body.is_empty() {
            "with an empty body".to_owned()
        } else {
            format!("with {}", answer.body)
        };
        return Said::Bad(format!("GET {path}: answered {} {body}", answer.status));
    }
    match answer.release.as_deref() {
        Some(said) if said == release.as_str() => Said::Good,
        Some(said) => Said::Bad(format!(
            "GET {path}: release {said:?} answered, not {}; another process may have the port",
            release.short()
        )),
        None => Said::Unnamed,
    }
}

impl Core {
    /// One probe. Who gave an answer that names no release is told by who holds the port.
    pub(crate) async fn probe(
        &self,
        instance: InstanceId,
        address: SocketAddr,
        path: &str,
        release: &ReleaseId,
    ) -> Look {
        let answer = self.runtime.probe(address, path, PROBE_WITHIN).await;
        match judge(answer, path, release) {
            Said::Good => Look::Good,
            Said::Bad(seen) => Look::Bad(seen),
            Said::Unnamed if self.runtime.holds(instance, address).await => Look::Good,
            Said::Unnamed => Look::Bad(format!(
                "GET {path}: an answer without the header x-release, and it cannot be seen that \
                 this instance alone listens on {address}"
            )),
        }
    }

    /// Waits until an instance has proved itself; `Err` says in words why it did not.
    pub(crate) async fn prove(
        &self,
        instance: InstanceId,
        release: &ReleaseId,
        path: &str,
        policy: &Policy,
    ) -> Result<Duration, String> {
        let start = self.pace.monotonic();
        let (mut good, mut since) = (0, start);
        loop {
            let known = self.ledger.book().instances.get(&instance).cloned();
            let Some(address) = known.as_ref().and_then(address_of) else {
                return Err("the instance has no address".to_owned());
            };
            if let Some((how, _)) = known.and_then(|k| k.exited) {
                let clues = self.runtime.clues(instance).await;
                return Err(clues.explain(
                    &format!("the instance ended before it was ready: {how}"),
                    address.port(),
                ));
            }
            let look = self.probe(instance, address, path, release).await;
            let now = self.pace.monotonic();
            let bad = match look {
                Look::Good => {
                    good += 1;
                    None
                }
                Look::Bad(seen) => {
                    (good, since) = (0, now);
                    Some(seen)
                }
            };
            let quiet = now.saturating_sub(since) >= policy.quiet;
            if good >= policy.ready_successes && quiet {
                return Ok(now.saturating_sub(start));
            }
            if now.saturating_sub(start) >= policy.ready_within {
                let seen = bad.unwrap_or_else(|| "it was good too briefly".to_owned());
                let words = format!(
                    "the instance was not ready within {} s; last look: {seen}",
                    policy.ready_within.as_secs()
                );
                let clues = self.runtime.clues(instance).await;
                return Err(clues.explain(&words, address.port()));
            }
            self.pace.sleep(policy.ready_every).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, release: Option<&str>) -> Answer {
        Answer {
            status,
            release: release.map(str::to_owned),
            body: String::new(),
        }
    }

    #[test]
    fn an_answer_may_name_no_release_but_never_another() {
        let ours: ReleaseId = "ab".repeat(32).parse().unwrap();
        let other = "cd".repeat(32);
        let said = |answer| judge(answer, "/health", &ours);
        assert_eq!(said(Ok(answer(200, Some(ours.as_str())))), Said::Good);
        assert_eq!(said(Ok(answer(204, None))), Said::Unnamed);
        assert!(matches!(said(Ok(answer(200, Some(&other)))), Said::Bad(_)));
        assert!(matches!(said(Ok(answer(503, None))), Said::Bad(_)));
        assert!(matches!(said(Err("refused".to_owned())), Said::Bad(_)));
    }
}

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

/// Judges a probe of `release`.
pub(crate) fn judge(answer: Result<Answer, String>, path: &str, release: &ReleaseId) -> Look {
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => return Look::Bad(format!("GET {path}: {reason}")),
    };
    if !(200..300).contains(&answer.status) {
        let body = if answer.body.is_empty() {
            "with an empty body".to_owned()
        } else {
            format!("with {}", answer.body)
        };
        return Look::Bad(format!("GET {path}: answered {} {body}", answer.status));
    }
    match answer.release.as_deref() {
        Some(said) if said == release.as_str() => Look::Good,
        Some(said) => Look::Bad(format!(
            "GET {path}: release {said:?} answered, not {}; another process may have the port",
            release.short()
        )),
        None => Look::Bad(format!(
            "GET {path}: answered {} without the header x-release; it must carry the value of RELEASE",
            answer.status
        )),
    }
}

impl Core {
    /// One probe.
    pub(crate) async fn probe(&self, address: SocketAddr, path: &str, release: &ReleaseId) -> Look {
        judge(
            self.runtime.probe(address, path, PROBE_WITHIN).await,
            path,
            release,
        )
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
            let look = self.probe(address, path, release).await;
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

//! Looking at the preview pages of a release before visitors do.

use std::time::Duration;

use crate::book::Record;
use crate::core::{Hold, address_of};
use crate::driver::Driver;
use crate::http::Answer;
use crate::outcome::Effect;
use crate::policy::Policy;
use crate::traffic::Visit;

impl Driver {
    /// Looks at the preview pages: as a tester through the proxy, or, where there is no table
    /// that could show them to testers only, at each instance.
    pub(crate) async fn look_at_preview(
        &self,
        record: &Record,
        token: Option<String>,
    ) -> Result<Effect, Hold> {
        let pages = self.core.manifest(&record.release).await?.preview;
        let settings = self.core.settings(&self.service)?;
        let mut seen = Vec::new();
        for page in &pages {
            let looks = match &token {
                Some(token) => {
                    let visit = Visit {
                        host: settings.hosts.first().map(String::as_str),
                        path: page,
                        token,
                        within: settings.policy.preview_within,
                    };
                    vec![self.visit(visit, record, &settings.policy).await]
                }
                None => {
                    self.look_directly(record, page, settings.policy.preview_within)
                        .await
                }
            };
            for look in looks {
                match look {
                    Ok(status) => seen.push(format!("{page} {status}")),
                    Err(reason) => return Ok(Effect::Failed(format!("preview: {reason}"))),
                }
            }
        }
        Ok(Effect::done(if seen.is_empty() {
            "the manifest names no page to look at".to_owned()
        } else {
            format!("looked at {}", seen.join(", "))
        }))
    }

    /// The proxy may not have looked at the new instances yet and answer by itself; what it
    /// says without a release is asked again, what the release says is its answer.
    async fn visit(
        &self,
        visit: Visit<'_>,
        record: &Record,
        policy: &Policy,
    ) -> Result<u16, String> {
        let start = self.core.pace.monotonic();
        loop {
            let answer = self.core.traffic.visit(visit).await;
            let spent = self.core.pace.monotonic().saturating_sub(start);
            let from_proxy = answer
                .as_ref()
                .map_or(true, |a| a.release.is_none() && a.status >= 500);
            if from_proxy && spent < policy.preview_within {
                self.core.pace.sleep(policy.ready_every).await;
                continue;
            }
            return judge_page(answer, visit.path, record);
        }
    }

    async fn look_directly(
        &self,
        record: &Record,
        page: &str,
        within: Duration,
    ) -> Vec<Result<u16, String>> {
        let addresses: Vec<_> = {
            let book = self.core.ledger.book();
            book.alive_of(record.id).filter_map(address_of).collect()
        };
        let mut looks = Vec::new();
        for address in addresses {
            let answer = self.core.runtime.probe(address, page, within).await;
            looks.push(judge_page(answer, page, record));
        }
        looks
    }
}

fn judge_page(answer: Result<Answer, String>, page: &str, record: &Record) -> Result<u16, String> {
    let answer = answer.map_err(|reason| format!("GET {page}: {reason}"))?;
    if answer.status >= 400 {
        return Err(format!(
            "GET {page}: answered {} with {:?}",
            answer.status, answer.body
        ));
    }
    // Whose port it is was proved before; an answer that names no release contradicts nothing.
    match answer.release.as_deref() {
        Some(said) if said != record.release.as_str() => Err(format!(
            "GET {page}: answered {} by release {said:?} instead of {}",
            answer.status,
            record.release.short()
        )),
        _ => Ok(answer.status),
    }
}

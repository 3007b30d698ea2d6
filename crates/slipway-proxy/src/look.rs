//! Looks at targets: one task for each, from the moment that a table names it until none
//! does. A good answer is 2xx and names no other release than the pool's, so that a stale
//! process on the same port is never taken for the new one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use crate::descriptors;
use crate::published::Published;
use crate::snapshot::{Fleet, Snapshot};
use crate::stats::Health;
use crate::table::HealthCheck;
use crate::target::{Look, TargetKey, TargetState};

/// A target that is not up is looked at at least this often, so that one which comes back
/// is seen before the requests that wait for it run out of patience.
const QUICK: Duration = Duration::from_millis(100);

/// The tasks that look.
#[derive(Debug, Default)]
pub(crate) struct Looks(HashMap<TargetKey, (HealthCheck, AbortHandle)>);

impl Looks {
    /// Starts to look at what is new in `snapshot` and ends what is no longer in it. Must
    /// be called within the runtime that looks.
    pub(crate) fn follow(
        &mut self,
        snapshot: &Snapshot,
        fleet: &Fleet,
        published: &Arc<Published>,
    ) {
        let mut wanted = HashMap::new();
        for (route, ready) in snapshot.table.routes.values().zip(&snapshot.routes) {
            for (pool, ready) in route.pools.values().zip(&ready.pools) {
                let mut check = route.health.clone();
                if let Some(path) = &pool.health {
                    check.path.clone_from(path);
                }
                for target in &ready.targets {
                    wanted.insert(target.key.clone(), check.clone());
                }
            }
        }
        self.0.retain(|key, (check, task)| {
            let stays = wanted.get(key) == Some(check);
            if !stays {
                task.abort();
            }
            stays
        });
        for (key, check) in wanted {
            if self.0.contains_key(&key) {
                continue;
            }
            if let Some(target) = fleet.target(&key) {
                let task = tokio::spawn(keep_looking(target, check.clone(), Arc::clone(published)));
                self.0.insert(key, (check, task.abort_handle()));
            }
        }
    }
}

async fn keep_looking(target: Arc<TargetState>, check: HealthCheck, published: Arc<Published>) {
    let every = Duration::from_millis(check.every_ms.into());
    loop {
        let look = match look(&target.key, &check).await {
            Ok(look) => look,
            Err(error) => {
                tracing::warn!(%error, "an instance cannot be looked at from here");
                tokio::time::sleep(every).await;
                continue;
            }
        };
        let is_good = look == Look::Good;
        let words = match &look {
            Look::Good => None,
            Look::Bad(words) | Look::Nobody(words) => Some(words.clone()),
        };
        let before = target.health();
        let changed = target.looked(Instant::now(), look, &check);
        let readmitted = is_good && target.readmit(Instant::now());
        if changed || readmitted {
            published.wake_waiting();
        }
        if before != target.health() {
            tracing::info!(
                service = target.key.service,
                instance = target.key.instance,
                before = ?before,
                now = ?target.health(),
                failure = words,
                "the health of an instance changed"
            );
        }
        let pause = if target.health() == Health::Up {
            every
        } else {
            every.min(QUICK)
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = target.look_now.notified() => {
                // Not at once: a burst of failures asks once.
                tokio::time::sleep(pause.min(QUICK / 10)).await;
            }
        }
    }
}

/// One look; fails where it is not the target's fault that nothing was seen.
async fn look(key: &TargetKey, check: &HealthCheck) -> io::Result<Look> {
    let within = Duration::from_millis(check.timeout_ms.into());
    match tokio::time::timeout(within, ask(key, &check.path)).await {
        Ok(look) => look,
        Err(_) => Ok(Look::Bad(format!(
            "no answer within {} ms",
            check.timeout_ms
        ))),
    }
}

async fn ask(key: &TargetKey, path: &str) -> io::Result<Look> {
    let stream = match TcpStream::connect(key.address).await {
        Ok(stream) => stream,
        Err(error) if descriptors::is_short(&error) => return Err(error),
        Err(error) => {
            let words = format!("connecting to {}: {error}", key.address);
            return Ok(Look::Nobody(words));
        }
    };
    Ok(match answer(stream, key, path).await {
        Ok((status, release)) => judge(status, release.as_deref(), &key.release),
        Err(error) => Look::Bad(format!("no answer from {}{path}: {error}", key.address)),
    })
}

async fn answer(
    stream: TcpStream,
    key: &TargetKey,
    path: &str,
) -> Result<(http::StatusCode, Option<String>), Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(header::HOST, key.address.to_string())
        .header(header::USER_AGENT, "slipway-proxy")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    // Ends with the sender; what it fails with is told by the answer as well.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let release = answer
        .headers()
        .get("x-release")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    Ok((answer.status(), release))
}

/// An answer need not name its release: whose port it is was proved before the target came
/// into a table. One that names another release is somebody else's.
fn judge(status: http::StatusCode, release: Option<&str>, wanted: &str) -> Look {
    match release {
        Some(found) if found != wanted => {
            Look::Nobody(format!("the release {found} answers there, not {wanted}"))
        }
        _ if !status.is_success() => Look::Bad(format!("the answer was {status}")),
        _ => Look::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_answer_may_name_no_release_but_never_another() {
        let ok = http::StatusCode::OK;
        assert_eq!(judge(ok, Some("r1"), "r1"), Look::Good);
        assert_eq!(judge(ok, None, "r1"), Look::Good);
        assert!(matches!(judge(ok, Some("r0"), "r1"), Look::Nobody(_)));
        let ill = http::StatusCode::SERVICE_UNAVAILABLE;
        assert!(matches!(judge(ill, None, "r1"), Look::Bad(_)));
        assert!(matches!(judge(ill, Some("r1"), "r1"), Look::Bad(_)));
    }
}

//! Everything before the first job: the lock, what a killed run left behind, the plan, and
//! what the keys are made of.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use slipway_journal::RunId;
use slipway_journal::event::PipelineEvent;

use crate::cache::Cache;
use crate::definition::Definition;
use crate::history::History;
use crate::lock::{Attempt, Lock};
use crate::plan::Plan;
use crate::process::{self, Roster};
use crate::source::Revision;
use crate::waiver;

use super::queue::Queue;
use super::record::{self, Record};
use super::runner::Runner;
use super::{Ground, Happening, Keying, Request, RunError};

const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) fn file_error(path: &Path) -> impl FnOnce(io::Error) -> RunError + '_ {
    move |source| RunError::File {
        path: path.to_path_buf(),
        source,
    }
}

/// The folders of Slipway, which are never inputs.
pub(crate) fn own_folders(ground: &Ground) -> Vec<PathBuf> {
    vec![
        ground.cache.clone(),
        ground.runs.clone(),
        ground.releases.clone(),
    ]
}

/// Brings a run to the point where jobs can start.
pub(super) async fn start<'a>(
    definition: &'a Definition,
    ground: &'a Ground,
    request: &'a Request,
) -> Result<Runner<'a>, RunError> {
    let begin = ground.clock.monotonic();
    let waivers = waiver::read(definition).map_err(RunError::Waivers)?;
    for folder in own_folders(ground) {
        fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    }
    // A mistake in the request shows before anything is waited for.
    let history = History::load(&ground.cache);
    let plan = Plan::new(definition, &request.jobs, &history.durations())?;
    let lock = lock(ground, request).await?;
    process::adopt_orphans().map_err(file_error(Path::new("/proc/self")))?;
    resume(ground).await?;
    let cache = Cache::open(&ground.cache).map_err(file_error(&ground.cache))?;
    let own = own_folders(ground);
    let keying = Keying::prepare(
        definition,
        &ground.env,
        ground.clock.clone(),
        &ground.cache,
        &own,
    );
    let (keying, revision) = tokio::join!(keying, Revision::of(&definition.root));
    let keying = keying.map_err(file_error(&definition.root))?;
    let run = RunId(ground.random.uuid(ground.clock.now()));
    let record =
        Record::begin(&ground.runs, run, ground.clock.clone()).map_err(file_error(&ground.runs))?;
    let mut runner = Runner {
        definition,
        ground,
        request,
        begin,
        run,
        revision,
        waivers,
        roster: Roster::new(ground.is_sole),
        cache,
        queue: Queue::new(&plan, definition),
        plan,
        history,
        keying,
        is_tree_stale: false,
        record,
        halt: ground.stop.child(),
        done: BTreeMap::new(),
        parts: BTreeMap::new(),
        evidence: BTreeMap::new(),
        _lock: lock,
    };
    let event = PipelineEvent::RunStarted {
        run,
        commit: runner.revision.label(),
        jobs: runner.plan.order.clone(),
    };
    runner.tell(event, false).await?;
    Ok(runner)
}

/// Takes the lock of the state folder, or waits for it, or says who has it.
async fn lock(ground: &Ground, request: &Request) -> Result<Lock, RunError> {
    let path = ground.cache.join("run.lock");
    let mut is_told = false;
    loop {
        match Lock::attempt(&path).map_err(file_error(&path))? {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::HeldBy(holder) if !request.wait => return Err(RunError::Held(holder)),
            Attempt::HeldBy(holder) => {
                if !is_told {
                    is_told = true;
                    let waiting = Happening::Waiting {
                        holder: holder.clone(),
                    };
                    show(ground, waiting).await;
                }
                tokio::select! {
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                    () = ground.stop.requested() => {
                        return Err(RunError::StoppedWaiting(holder));
                    }
                }
            }
        }
    }
}

/// Ends what a killed run left running, and says so.
async fn resume(ground: &Ground) -> Result<(), RunError> {
    let killed = record::interrupted(&ground.runs).map_err(file_error(&ground.runs))?;
    let Some(killed) = killed else {
        return Ok(());
    };
    let ended = process::end_leftovers(&killed.run.to_string())
        .await
        .map_err(file_error(Path::new("/proc")))?;
    let resumed = Happening::Resumed {
        run: killed.run,
        passed: killed.passed,
        ended,
    };
    show(ground, resumed).await;
    Ok(())
}

pub(super) async fn show(ground: &Ground, happening: Happening) {
    if ground.live.send(happening).await.is_err() {
        tracing::trace!("nobody looks at the run");
    }
}

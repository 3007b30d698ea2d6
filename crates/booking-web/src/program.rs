//! What the program `booking` does, each from start to end on a runtime of its own. It is
//! compiled here, once, and not again in the binary, which has nothing but words.

use std::io;

use chassis::{Clock, Env, Random, Shutdown};

use crate::appointments::rezone::Rezoning;
use crate::config::worker::WorkerConfig;
use crate::{Config, serve, upkeep, worker};

/// What can be asked of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Answers visitors until SIGTERM or SIGINT, then finishes what is in flight.
    Serve,
    /// Sends what is to be sent until SIGTERM or SIGINT, then finishes what is in hand.
    Work,
    /// Applies the schema changes that are missing.
    Migrate,
    /// Fills an empty database with a demonstration.
    Seed,
    /// Follows the chains over the audit and says where one is broken.
    VerifyAudit,
    /// Appends to the chains over the audit what is new.
    SealAudit,
    /// Prints who was erased, as hashes.
    ListErasures,
    /// Erases again whoever is in the list on standard input.
    Reapply,
    /// Gives back the times that were held for long enough and not confirmed.
    Sweep,
    /// Names the visits whose time on the wall is at another instant now.
    LookAtZones,
    /// Moves them.
    Rezone,
}

/// Starts logging, then does the task. Blocks until it is done.
///
/// # Errors
/// [`ConfigError`](crate::ConfigError) when the environment cannot be used; anything
/// else is a failure of the task itself.
pub fn run(task: Task, env: &Env) -> anyhow::Result<()> {
    chassis::telemetry::init(env)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (clock, random) = (Clock::system(), Random::system());
    runtime.block_on(async {
        match task {
            Task::Serve => {
                let config = Config::read(env)?;
                let shutdown = Shutdown::on_signals()?;
                serve::serve(config, clock, random, shutdown).await
            }
            Task::Work => {
                let config = WorkerConfig::read(env)?;
                let shutdown = Shutdown::on_signals()?;
                worker::work(config, clock, random, shutdown).await
            }
            Task::Migrate => serve::migrate(env).await,
            Task::Seed => serve::seed(env, &clock).await,
            Task::VerifyAudit => upkeep::verify_audit(env).await,
            Task::SealAudit => upkeep::seal_audit(env).await,
            Task::ListErasures => upkeep::list_erasures(env, &mut io::stdout()).await,
            Task::Reapply => upkeep::reapply(env, io::stdin().lock(), &clock, &random).await,
            Task::Sweep => serve::sweep(env, &clock, random).await,
            Task::LookAtZones => serve::rezone(env, Rezoning::Looked, &clock, random).await,
            Task::Rezone => serve::rezone(env, Rezoning::Done, &clock, random).await,
        }
    })
}

//! `slipway ship`: pipeline, release, deployment, receipt, in one command. Nothing is
//! deployed unless every job and every required gate passed.

use clap::Args;
use serde::Serialize;
use slipway_journal::{EnvironmentName, ReleaseId, RunId, ServiceName};

use crate::cli::context::Context;
use crate::cli::deploy;
use crate::cli::failure::{Exit, Failure};
use crate::cli::report::{self, Report};
use crate::cli::run::{self, Run};
use crate::control::wire::DeployOrder;
use crate::environment::Environment;
use crate::status;
use crate::terminal::{self, BOLD, DIM, GOOD, paint};

/// Pipeline, release, deployment: from the source to visitors, in one command
///
/// Ctrl-C while the pipeline runs stops its jobs and leaves nothing behind. Ctrl-C while a
/// rollout is followed stops watching only; the rollout goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway ship
  slipway ship --service booking
  slipway ship --json | jq '.rollouts[].state.name'

Exit codes: 0 live, 1 a job, a gate or a rollout failed, 3 refused, 4 Slipway does
not run here, 130 stopped from the keyboard")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "options that do not exclude each other"
)]
pub(crate) struct Ship {
    /// Deploy only this service
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// The environment that must run here
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,
    /// Deploy although the release was taken back before
    #[arg(long)]
    force: bool,
    /// Deploy although nothing is deployed at this time; somebody else must approve it
    #[arg(long = "override", value_name = "REASON")]
    overrides: Option<String>,
    /// Take nothing from the pipeline's cache
    #[arg(long)]
    no_cache: bool,
    /// Show everything that the jobs print
    #[arg(long, short)]
    verbose: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was shipped, as a program reads it.
#[derive(Debug, Serialize)]
struct Shipped {
    run: RunId,
    passed: bool,
    releases: Vec<Release>,
    rollouts: Vec<Report>,
}

/// A release of the run.
#[derive(Debug, Clone, Serialize)]
struct Release {
    service: ServiceName,
    release: ReleaseId,
    /// Visitors reach it already; nothing is deployed.
    already_live: bool,
}

impl Ship {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        // Asked first: a pipeline takes minutes, and without Slipway it would be for nothing.
        let name = context.environment(self.environment.as_ref())?;
        let environment = Environment::read(&context.project, &name)?;
        let services = environment.in_order().map_err(Failure::usage)?;
        self.check_open(context)?;
        let options = Run {
            no_cache: self.no_cache,
            verbose: self.verbose,
            ..Run::default()
        };
        let made = context.wait(run::make(context, &options))?;
        let mut shipped = Shipped {
            run: made.run,
            passed: made.passed,
            releases: Vec::new(),
            rollouts: Vec::new(),
        };
        if !made.passed || made.cancelled {
            run::say_next(&made, context);
            self.print(&shipped)?;
            return Ok(run::exit(&made));
        }
        shipped.releases = context.wait(self.wanted(context, &made))?;
        let place = |r: &Release| services.iter().position(|s| *s == r.service);
        shipped.releases.sort_by_key(place);
        let exit = self.deploy(context, &mut shipped)?;
        self.print(&shipped)?;
        Ok(exit)
    }

    /// Nor is anything built that would not be deployed then.
    fn check_open(&self, context: &Context) -> anyhow::Result<()> {
        let (reading, now) = (context.wait(context.reading())?, context.clock.now());
        let lock = match &self.service {
            Some(service) => reading.locks.on(service, now),
            None => reading.locks.of_scope(None, now),
        };
        if let Some(lock) = lock {
            return Err(lock.refusal().into());
        }
        let closed = context.calendar()?.closed(now);
        match closed.filter(|_| self.overrides.is_none()) {
            Some(closed) => Err(closed.refusal().into()),
            None => Ok(()),
        }
    }

    /// The releases of the run that are to be deployed.
    async fn wanted(
        &self,
        context: &Context,
        made: &slipway_pipeline::Report,
    ) -> anyhow::Result<Vec<Release>> {
        let wanted = |service: &ServiceName| self.service.as_ref().is_none_or(|s| s == service);
        let live = live(context).await?;
        let releases: Vec<Release> = made
            .releases
            .iter()
            .filter(|made| wanted(&made.service))
            .map(|made| Release {
                service: made.service.clone(),
                release: made.release.clone(),
                already_live: live.iter().any(|l| l == made.release.as_str()),
            })
            .collect();
        if releases.is_empty() {
            let why = match (&self.service, made.unmade.first()) {
                (_, Some(why)) => format!("the pipeline made no release: {why}"),
                (Some(service), None) => format!("the pipeline made no release of {service}"),
                (None, None) => "the pipeline made no release".to_owned(),
            };
            return Err(Failure::failed(why)
                .hint("slipway.toml says under [service.NAME] what a release is made of")
                .into());
        }
        Ok(releases)
    }

    /// Deploys one release after the other; the first that does not go live ends it.
    fn deploy(&self, context: &Context, shipped: &mut Shipped) -> anyhow::Result<Exit> {
        for release in shipped.releases.clone() {
            if release.already_live {
                self.say_already_live(&release);
                continue;
            }
            let order = DeployOrder {
                service: release.service,
                release: release.release,
                force: self.force,
                overrides: self.overrides.clone(),
            };
            let Some(rollout) = context.wait(deploy::deploy(context, &order, false))? else {
                return Ok(report::interrupted("the rollout"));
            };
            let reading = context.wait(context.reading())?;
            let report = Report::of(&rollout, &reading);
            if !self.json {
                report::print(&rollout, context);
            }
            let exit = report.exit();
            shipped.rollouts.push(report);
            if exit != Exit::Success {
                return Ok(exit);
            }
        }
        Ok(Exit::Success)
    }

    fn say_already_live(&self, release: &Release) {
        if !self.json {
            terminal::line(format!(
                "{} {} {} is live already {}",
                paint(GOOD, "✓"),
                paint(BOLD, &release.service),
                release.release.short(),
                paint(DIM, "(nothing changed)")
            ));
        }
    }

    fn print(&self, shipped: &Shipped) -> anyhow::Result<()> {
        if self.json {
            terminal::json(shipped)?;
        }
        Ok(())
    }
}

/// The releases that visitors reach.
async fn live(context: &Context) -> anyhow::Result<Vec<String>> {
    let reading = context.reading().await?;
    let status = status::gather(&context.state, &reading).await?;
    let services = status.services.into_iter();
    Ok(services.filter_map(|s| Some(s.live?.release)).collect())
}

//! What control does when it is asked: deploy, rollback, cancel, exec, and what it knows.
//! Every order carries the name that the kernel proved. A refusal is an answer, with what
//! to do next; nothing is done then.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chassis::{Clock, ExposeSecret as _};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use slipway_journal::event::ControlEvent;
use slipway_journal::{EnvironmentName, Event, Journal, ReleaseId, ServiceName};
use slipway_proxy::Client;
use slipway_rollout::{Engine, Order, Refusal, RollbackPlan, RolloutError};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::accessories::Accessories;
use crate::cli::failure::{Exit, Failure};
use crate::console::session::{self, Sessions};
use crate::control::admission;
use crate::control::peer::Caller;
use crate::control::reason;
use crate::control::settings;
use crate::control::wire::{
    Accepted, CancelOrder, DeployOrder, ExecOrder, Plan, PlanKind, Problem, Ready, Refused,
    RollbackOrder, SignInLink, SteerOrder, Variables,
};
use crate::environment::{self, Environment};
use crate::lock::Locks;
use crate::reading::Reading;
use crate::state::State as StateFolder;
use crate::status;

/// What orders are carried out with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) state: StateFolder,
    pub(crate) project: PathBuf,
    pub(crate) environment: EnvironmentName,
    pub(crate) journal: Journal,
    pub(crate) engine: Engine,
    pub(crate) accessories: Accessories,
    /// Where the console answers, and who is signed in there.
    pub(crate) console: Option<(SocketAddr, Arc<Sessions>)>,
    pub(crate) clock: Clock,
    /// What the journal says of locks, by which this alone writes. Held while an order is
    /// looked at that a lock decides about.
    pub(crate) locks: Arc<Mutex<Locks>>,
}

/// Why an order was not carried out.
pub(crate) enum No {
    /// A rule says no.
    Refused(Refused),
    /// A file or a name in the order cannot be used.
    Unusable(Refused),
    /// Something broke.
    Broken(anyhow::Error),
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refused) => (StatusCode::CONFLICT, Json(refused)).into_response(),
            Self::Unusable(refused) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(refused)).into_response()
            }
            Self::Broken(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "an order was not carried out");
                (StatusCode::SERVICE_UNAVAILABLE, Json(Problem { error })).into_response()
            }
        }
    }
}

impl From<Failure> for No {
    fn from(failure: Failure) -> Self {
        let refused = Refused {
            refused: failure.to_string(),
            next: failure.next().map(str::to_owned),
        };
        match failure.exit {
            Exit::Usage => Self::Unusable(refused),
            _ => Self::Refused(refused),
        }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Refused {
            refused: refusal.to_string(),
            next: None,
        })
    }
}

impl From<RolloutError> for No {
    fn from(error: RolloutError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<JsonRejection> for No {
    fn from(rejection: JsonRejection) -> Self {
        Self::Unusable(Refused {
            refused: rejection.body_text(),
            next: None,
        })
    }
}

pub(crate) type Body<T> = Result<Json<T>, JsonRejection>;

impl Desk {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The locks; whoever holds them keeps other such orders waiting.
    pub(crate) async fn locks(&self) -> OwnedMutexGuard<Locks> {
        Arc::clone(&self.0.locks).lock_owned().await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn state(&self) -> &StateFolder {
        &self.0.state
    }

    pub(crate) fn project(&self) -> &Path {
        &self.0.project
    }

    /// Reads the environment's file anew.
    pub(crate) fn read_environment(&self) -> Result<Environment, Failure> {
        Environment::read(&self.0.project, &self.0.environment)
    }

    /// Reads the environment's file anew, sees to its accessories, and hands what each
    /// service gets to the engine.
    async fn configure(&self) -> Result<Environment, No> {
        let inner = &self.0;
        let environment = self.read_environment()?;
        inner.accessories.ensure(&environment).await;
        if let Some((name, why)) = inner.accessories.problems().into_iter().next() {
            let failure = Failure::refused(format!("{name} does not run: {why}"))
                .hint("nothing was changed; `slipway doctor` looks for the cause, and it is tried again every few seconds");
            return Err(failure.into());
        }
        let services = settings::resolve(&environment, &inner.accessories)?;
        inner.engine.configure(services).await;
        Ok(environment)
    }

    pub(crate) async fn live_release(&self, service: &ServiceName) -> Result<ReleaseId, No> {
        let table = Client::new(self.0.state.proxy_socket()).table().await;
        let table = table.map_err(|error| No::Broken(error.into()))?;
        let live = table
            .routes
            .get(service.as_str())
            .and_then(|route| route.pools.get(&route.live))
            .and_then(|pool| pool.release.parse().ok());
        live.ok_or_else(|| {
            Failure::refused(format!("no release of {service} is live"))
                .hint("`slipway ship` makes one and deploys it")
                .into()
        })
    }
}

/// `GET /v1/ready`
pub(crate) async fn ready(State(Desk(desk)): State<Desk>) -> Json<Ready> {
    let problems = desk.accessories.problems().into_iter();
    Json(Ready {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        problems: problems.map(|(name, why)| (name.to_owned(), why)).collect(),
    })
}

/// `POST /v1/deploy`
pub(crate) async fn deploy(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<DeployOrder>,
) -> Result<(StatusCode, Json<Accepted>), No> {
    let Json(order) = order?;
    let environment = desk.configure().await?;
    if !environment.service.contains_key(&order.service) {
        return Err(Failure::usage(format!(
            "the environment {} has no service {}",
            desk.0.environment, order.service
        ))
        .hint(format!(
            "add [service.{}] to delivery/environments/{}.toml",
            order.service, desk.0.environment
        ))
        .into());
    }
    let asked = admission::asked(&desk, &environment, &actor, &order).await?;
    // Held until the order is in the journal, so that no lock slips in between.
    let locks = desk.locks().await;
    admission::check_lock(&desk, &locks, &order.service)?;
    let order = Order {
        service: order.service,
        release: order.release,
        force: order.force,
    };
    let engine = &desk.0.engine;
    let rollout = match asked {
        Some(asked) => engine.propose(actor, order, asked).await??,
        None => engine.deploy(actor, order).await??,
    };
    Ok((StatusCode::ACCEPTED, Json(Accepted { rollout })))
}

/// `POST /v1/rollback`: works with whatever settings the engine has; nothing that is
/// broken elsewhere may stand in its way.
pub(crate) async fn rollback(
    State(Desk(desk)): State<Desk>,
    Caller(actor): Caller,
    order: Body<RollbackOrder>,
) -> Result<(StatusCode, Json<Accepted>), No> {
    let Json(order) = order?;
    let asked = desk
        .engine
        .rollback(actor, &order.service, reason::kept(&order.reason));
    let rollout = asked.await??;
    Ok((StatusCode::ACCEPTED, Json(Accepted { rollout })))
}

/// `POST /v1/cancel`
pub(crate) async fn cancel(
    State(Desk(desk)): State<Desk>,
    Caller(actor): Caller,
    order: Body<CancelOrder>,
) -> Result<Json<Accepted>, No> {
    let Json(order) = order?;
    let rollout = order.rollout;
    desk.engine
        .cancel(actor, rollout, reason::kept(&order.reason))
        .await??;
    Ok(Json(Accepted { rollout }))
}

/// `POST /v1/steer`
pub(crate) async fn steer(
    State(Desk(desk)): State<Desk>,
    Caller(actor): Caller,
    order: Body<SteerOrder>,
) -> Result<Json<Accepted>, No> {
    let Json(order) = order?;
    let rollout = order.rollout;
    let said = (order.order, order.seen);
    let asked = desk
        .engine
        .steer(actor, rollout, said, reason::kept(&order.reason));
    asked.await??;
    Ok(Json(Accepted { rollout }))
}

/// `POST /v1/sign-in`: the kernel said who asks, so the console may believe it.
pub(crate) async fn sign_in(
    State(Desk(desk)): State<Desk>,
    Caller(actor): Caller,
) -> Result<Json<SignInLink>, No> {
    let Some((address, sessions)) = &desk.console else {
        return Err(Failure::refused("this control has no console")
            .hint("set [console] in the environment's file, then `slipway down` and `slipway up`")
            .into());
    };
    let event = Event::Control(ControlEvent::SignInLinkGiven);
    let noted = desk.journal.append(actor.clone(), vec![event]).await;
    noted.map_err(|error| No::Broken(error.into()))?;
    let code = sessions.invite(actor);
    Ok(Json(SignInLink {
        url: format!(
            "http://{}:{}/sign-in?code={code}",
            sessions.host(),
            address.port()
        ),
        seconds: session::LINK.as_secs(),
    }))
}

/// Which service is asked about.
#[derive(Debug, Deserialize)]
pub(crate) struct OfService {
    service: ServiceName,
}

/// `GET /v1/rollback-plan?service=S`
pub(crate) async fn rollback_plan(
    State(Desk(desk)): State<Desk>,
    Query(of): Query<OfService>,
) -> Json<Plan> {
    Json(plan(desk.engine.rollback_plan(&of.service).await))
}

fn plan(plan: RollbackPlan) -> Plan {
    match plan {
        RollbackPlan::Warm { to, words } => Plan {
            kind: PlanKind::Warm,
            to: Some(to),
            words,
        },
        RollbackPlan::Slow { to, words } => Plan {
            kind: PlanKind::Slow,
            to: Some(to),
            words,
        },
        RollbackPlan::Impossible { why } => Plan {
            kind: PlanKind::Impossible,
            to: None,
            words: why,
        },
    }
}

/// `GET /v1/status`
pub(crate) async fn status(State(Desk(desk)): State<Desk>) -> Result<Response, No> {
    let entries = desk.journal.replay().await;
    let reading = Reading::of(&entries.map_err(|error| No::Broken(error.into()))?);
    let gathered = status::gather(&desk.state, &reading).await;
    let mut status = gathered.map_err(No::Broken)?;
    let environment = Environment::read(&desk.project, &desk.environment).ok();
    status.see(&reading, environment.as_ref(), desk.clock.now());
    for service in &mut status.services {
        service.rollback = Some(plan(desk.engine.rollback_plan(&service.service).await));
    }
    Ok(Json(status).into_response())
}

/// `POST /v1/exec`: the variables of a service, for a program that the caller runs. The
/// journal notes it first, because the values may be secret.
pub(crate) async fn exec(
    State(desk): State<Desk>,
    Caller(actor): Caller,
    order: Body<ExecOrder>,
) -> Result<Json<Variables>, No> {
    let Json(order) = order?;
    let environment = desk.configure().await?;
    let mut services = settings::resolve(&environment, &desk.0.accessories)?;
    let release = desk.live_release(&order.service).await?;
    let settings = services.remove(&order.service).unwrap_or_default();
    let event = ControlEvent::ProgramRun {
        service: order.service,
        release: release.clone(),
        program: order.program,
    };
    let noted = desk
        .0
        .journal
        .append(actor, vec![Event::Control(event)])
        .await;
    noted.map_err(|error| No::Broken(error.into()))?;
    let mut variables = std::collections::BTreeMap::new();
    for (name, value) in settings.env {
        // The program answers nobody, so its port is left to the system.
        let known = |name: &str| Ok((name == "internal_port").then(|| "0".to_owned()));
        let value = environment::filled(value.expose_secret(), known)?;
        variables.insert(name, value);
    }
    Ok(Json(Variables { release, variables }))
}

/// `POST /v1/events`: events of the pipeline. Those of rollouts and of control are written
/// by control alone, from what it saw itself.
pub(crate) async fn append(
    State(Desk(desk)): State<Desk>,
    Caller(actor): Caller,
    events: Body<Vec<Event>>,
) -> Result<Response, No> {
    let Json(events) = events?;
    if !events.iter().all(|e| matches!(e, Event::Pipeline(_))) {
        return Err(Failure::refused("only events of the pipeline are taken").into());
    }
    let written = desk.journal.append(actor, events).await;
    let entries = written.map_err(|error| No::Broken(error.into()))?;
    let last = entries.last().map(|e| e.seq).unwrap_or_default();
    Ok(Json(json!({ "last": last })).into_response())
}

//! Instances as processes of this machine: a session of their own, another user when root, a
//! clean environment, found again by number, start and boot after control was killed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chassis::{ExposeSecret as _, Random};
use futures_util::future::BoxFuture;
use rustix::process::Signal;
use slipway_journal::InstanceId;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::account::{self, Account};
use crate::http::{self, Answer, Get};
use crate::process::{Ending, ProcessIdentity};
use crate::runtime::clues::{self, Clues};
use crate::runtime::mask::{Mask, Masks};
use crate::runtime::ports::Ports;
use crate::runtime::record::{Folder, PidFile, carriers, prune};
use crate::runtime::{Running, Runtime, Spec};

/// The accounts that instances run as when control is root: the first that exists.
const ACCOUNTS: [&str; 2] = ["slipway", "nobody"];
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What is written between two looks is the most that a log grows beyond its limit.
const LOG_LOOK_EVERY: Duration = Duration::from_secs(5);
/// The wait before it is tried again to watch an instance.
const WATCH_AGAIN: Duration = Duration::from_secs(1);
/// What a command that ran out of time gets to end in order.
const COMMAND_GRACE: Duration = Duration::from_secs(10);

/// Runs instances as processes.
#[derive(Debug)]
pub(crate) struct Processes {
    folder: PathBuf,
    launcher: Vec<OsString>,
    account: Option<Account>,
    ports: Mutex<Ports>,
    watched: Mutex<BTreeMap<InstanceId, watch::Receiver<Option<String>>>>,
    masks: Masks,
}

impl Processes {
    /// Instances live in `folder`; `launcher` starts them.
    pub(crate) fn new(
        folder: PathBuf,
        launcher: Vec<OsString>,
        random: Random,
    ) -> io::Result<Self> {
        Ok(Self {
            folder,
            launcher,
            account: account::unprivileged(&ACCOUNTS)?,
            ports: Mutex::new(Ports::new(random)),
            watched: Mutex::new(BTreeMap::new()),
            masks: Masks::default(),
        })
    }

    fn folder(&self, instance: InstanceId) -> Folder {
        Folder::of(&self.folder, instance)
    }

    fn port(&self) -> io::Result<u16> {
        self.ports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .free()
    }

    fn command(&self, spec: &Spec, port: Option<u16>) -> io::Result<Command> {
        let (program, arguments) = self
            .launcher
            .split_first()
            .ok_or_else(|| io::Error::other("no launcher is set"))?;
        let folder = self.folder(spec.instance);
        let log = folder.prepare(self.account.as_ref())?;
        let mut command = Command::new(program);
        command.args(arguments);
        if let Some(account) = &self.account {
            command.arg("--uid").arg(account.uid.to_string());
            command.arg("--gid").arg(account.gid.to_string());
        }
        command.arg("--folder").arg(&spec.content).arg("--");
        command.args(argv(&spec.content, &spec.argv));
        command.env_clear();
        command.env("PATH", PATH);
        command.env("HOME", folder.home());
        command.env("LANG", "C.UTF-8");
        command.env("RELEASE", spec.release.as_str());
        command.env("INSTANCE", spec.instance.to_string());
        if let Some(port) = port {
            command.env("PORT", port.to_string());
        }
        for (name, value) in self.variables(spec)? {
            command.env(name, value);
        }
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    /// The service's variables, `{internal_port}` filled with one free port.
    fn variables(&self, spec: &Spec) -> io::Result<Vec<(String, String)>> {
        const INTERNAL: &str = "{internal_port}";
        let mut internal = None;
        let mut variables = Vec::new();
        for (name, value) in &spec.env {
            let mut value = value.expose_secret().to_owned();
            if value.contains(INTERNAL) {
                let port = match internal {
                    Some(port) => port,
                    None => *internal.insert(self.port()?),
                };
                value = value.replace(INTERNAL, &port.to_string());
            }
            variables.push((name.clone(), value));
        }
        Ok(variables)
    }

    async fn find_or_start(&self, spec: Spec) -> Result<Running, String> {
        let instance = spec.instance;
        self.masks.keep(instance, Mask::of(&spec.env));
        if let Some(running) = self.look(instance).await? {
            return Ok(running);
        }
        let said = |error: io::Error| format!("the instance cannot be started: {error}");
        end_rest(instance, COMMAND_GRACE).await.map_err(said)?;
        self.prune().await;
        let port = self.port().map_err(said)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let child = self
            .command(&spec, Some(port))
            .and_then(|mut c| c.spawn())
            .map_err(said)?;
        let Some(identity) = identity(&child).map_err(said)? else {
            let how = self.watch_child(instance, child);
            let how = until_ended(how).await;
            let clues = self.clues_of(instance, None);
            return Err(clues.explain(&format!("the instance ended at once: {how}"), port));
        };
        let file = PidFile {
            identity: identity.clone(),
            instance,
            release: spec.release,
            service: spec.service,
            address,
            role: spec.role,
        };
        let folder = self.folder(instance);
        drop(self.watch_child(instance, child));
        if let Err(error) = blocking(move || folder.write(&file)).await {
            // Nobody could find it again.
            let ended = blocking(move || identity.stop(Signal::KILL, COMMAND_GRACE)).await;
            ended.map_err(said)?;
            return Err(said(error));
        }
        Ok(Running { identity, address })
    }

    /// An instance that dies again and again leaves a folder each time.
    async fn prune(&self) {
        let instances = self.folder.clone();
        if let Err(error) = blocking(move || prune(&instances)).await {
            tracing::warn!(%error, "folders of earlier instances cannot be removed");
        }
    }

    async fn look(&self, instance: InstanceId) -> Result<Option<Running>, String> {
        let folder = self.folder(instance);
        let look = move || {
            let Some(file) = folder.read()? else {
                return Ok(None);
            };
            Ok(file.identity.runs()?.then_some(Running {
                identity: file.identity,
                address: file.address,
            }))
        };
        blocking(look)
            .await
            .map_err(|error| format!("it is not known whether {instance} runs: {error}"))
    }

    /// Waits for a child in a task of its own, which also keeps its log short.
    fn watch_child(
        &self,
        instance: InstanceId,
        mut child: Child,
    ) -> watch::Receiver<Option<String>> {
        let (tell, told) = watch::channel(None);
        let folder = self.folder(instance);
        tokio::spawn(async move {
            let how = loop {
                tokio::select! {
                    ended = child.wait() => break match ended {
                        Ok(status) => status.to_string(),
                        Err(error) => format!("nobody knows how: {error}"),
                    },
                    () = tokio::time::sleep(LOG_LOOK_EVERY) => bound(&folder).await,
                }
            };
            tell.send_replace(Some(how));
            end_rest_of_dead(instance).await;
        });
        self.remember(instance, told.clone());
        told
    }

    /// Waits for the end of a process that an earlier control started.
    fn watch_adopted(
        &self,
        instance: InstanceId,
        identity: &ProcessIdentity,
    ) -> io::Result<watch::Receiver<Option<String>>> {
        const UNKNOWN: &str = "it ended; its exit status went to nobody, because control was \
                               restarted since it was started";
        let (tell, told) = watch::channel(None);
        let Some(handle) = identity.handle()? else {
            tell.send_replace(Some(UNKNOWN.to_owned()));
            return Ok(told);
        };
        #[expect(
            deprecated,
            reason = "what replaces it asks for an unsafe block; the handle is owned and never closed behind its back"
        )]
        let handle = AsyncFd::with_interest(handle, Interest::READABLE)?;
        let folder = self.folder(instance);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    ended = handle.readable() => {
                        let how = ended.map_or_else(|e| e.to_string(), |_| UNKNOWN.to_owned());
                        tell.send_replace(Some(how));
                        break end_rest_of_dead(instance).await;
                    }
                    () = tokio::time::sleep(LOG_LOOK_EVERY) => bound(&folder).await,
                }
            }
        });
        self.remember(instance, told.clone());
        Ok(told)
    }

    fn remember(&self, instance: InstanceId, told: watch::Receiver<Option<String>>) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.insert(instance, told);
    }

    fn known(&self, instance: InstanceId) -> Option<watch::Receiver<Option<String>>> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.get(&instance).cloned()
    }

    /// What cannot be watched has not ended: it is tried again.
    async fn how_ended(&self, instance: InstanceId) -> String {
        loop {
            match self.watched(instance).await {
                Ok(Some(told)) => return until_ended(told).await,
                Ok(None) => return "it was not running any more".to_owned(),
                Err(reason) => {
                    tracing::warn!(%instance, reason, "an instance cannot be watched");
                    tokio::time::sleep(WATCH_AGAIN).await;
                }
            }
        }
    }

    /// What tells of an instance's end; none where it does not run.
    async fn watched(
        &self,
        instance: InstanceId,
    ) -> Result<Option<watch::Receiver<Option<String>>>, String> {
        if let Some(told) = self.known(instance) {
            return Ok(Some(told));
        }
        let Some(running) = self.look(instance).await? else {
            return Ok(None);
        };
        let told = self.watch_adopted(instance, &running.identity);
        told.map(Some).map_err(|error| error.to_string())
    }

    fn clues_of(&self, instance: InstanceId, pid: Option<i32>) -> Clues {
        let log = self.folder(instance).log();
        Clues {
            log: self.masks.of(instance).map(|m| clues::tail(&log, &m)),
            ports: pid.map(clues::listening).unwrap_or_default(),
            log_path: log.display().to_string(),
        }
    }

    async fn run_to_end(&self, spec: Spec, within: Duration) -> Result<String, String> {
        let instance = spec.instance;
        let said = |error: io::Error| format!("it cannot be started: {error}");
        // One that a killed control left behind would run beside the new one.
        end_rest(instance, COMMAND_GRACE).await.map_err(said)?;
        let mut child = self
            .command(&spec, None)
            .and_then(|mut c| c.spawn())
            .map_err(said)?;
        let identity = identity(&child).map_err(said)?;
        let ended = tokio::time::timeout(within, child.wait()).await;
        let said = |error: io::Error| format!("it cannot be ended: {error}");
        if let (Err(_), Some(identity)) = (&ended, identity) {
            let stop = move || identity.stop(Signal::TERM, COMMAND_GRACE);
            blocking(stop).await.map_err(said)?;
        }
        // Whatever it started itself.
        end_rest(instance, COMMAND_GRACE).await.map_err(said)?;
        let path = self.folder(instance).log();
        let log = clues::tail(&path, &Mask::of(&spec.env)).join("\n  ");
        let how = match ended {
            Ok(Ok(status)) if status.success() => return Ok(log),
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it was stopped after {} s", within.as_secs()),
        };
        Err(format!(
            "{how}; it ends with:\n  {log}\nwhole log: {}",
            path.display()
        ))
    }

    async fn end(&self, instance: InstanceId, grace: Duration) -> Result<String, String> {
        let said = |error: io::Error| format!("{instance} cannot be stopped: {error}");
        let ending = match self.look(instance).await? {
            Some(running) => blocking(move || running.identity.stop(Signal::TERM, grace))
                .await
                .map_err(said)?,
            None => Ending::Gone,
        };
        // What it started itself, or what was started for it and never written down.
        end_rest(instance, grace).await.map_err(said)?;
        Ok(match ending {
            Ending::Gone => "it was not running any more".to_owned(),
            Ending::Asked => "ended when asked".to_owned(),
            Ending::Killed => format!(
                "killed, because it did not end within {} s of being asked",
                grace.as_secs()
            ),
        })
    }
}

impl Runtime for Processes {
    fn start(&self, spec: Spec) -> BoxFuture<'_, Result<Running, String>> {
        Box::pin(self.find_or_start(spec))
    }

    fn find(&self, instance: InstanceId) -> BoxFuture<'_, Result<Option<Running>, String>> {
        Box::pin(self.look(instance))
    }

    fn stop(&self, instance: InstanceId, grace: Duration) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(self.end(instance, grace))
    }

    fn ended(&self, instance: InstanceId) -> BoxFuture<'_, String> {
        Box::pin(self.how_ended(instance))
    }

    fn run(&self, spec: Spec, within: Duration) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(self.run_to_end(spec, within))
    }

    fn probe<'a>(
        &'a self,
        address: SocketAddr,
        path: &'a str,
        within: Duration,
    ) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let host = address.to_string();
            let get = Get {
                address,
                host: &host,
                path,
                token: None,
                is_announced: false,
            };
            http::get(&get, within).await
        })
    }

    fn holds(&self, instance: InstanceId, address: SocketAddr) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let Ok(Some(running)) = self.look(instance).await else {
                return false;
            };
            let leader = running.identity.pid;
            let held = blocking(move || Ok(clues::holds_alone(leader, address.port()))).await;
            held.unwrap_or(false)
        })
    }

    fn clues(&self, instance: InstanceId) -> BoxFuture<'_, Clues> {
        Box::pin(async move {
            let running = self.look(instance).await.ok().flatten();
            self.clues_of(instance, running.map(|r| r.identity.pid))
        })
    }

    fn room(&self) -> Result<u64, String> {
        let said = |error: io::Error| format!("{}: {error}", self.folder.display());
        let seen = rustix::fs::statvfs(&self.folder).map_err(|e| said(e.into()))?;
        Ok(seen.f_bavail.saturating_mul(seen.f_frsize))
    }
}

/// The command with its program found: one with a slash is the release's own.
fn argv(content: &Path, argv: &[String]) -> Vec<OsString> {
    let program = |word: &String| {
        if word.contains('/') {
            content.join(word.trim_start_matches("./")).into_os_string()
        } else {
            OsString::from(word)
        }
    };
    let first = argv.iter().take(1).map(program);
    first
        .chain(argv.iter().skip(1).map(OsString::from))
        .collect()
}

fn identity(child: &Child) -> io::Result<Option<ProcessIdentity>> {
    match child.id().and_then(|pid| i32::try_from(pid).ok()) {
        Some(pid) => ProcessIdentity::of(pid),
        None => Ok(None),
    }
}

/// Ends every process that was started for an instance and still runs.
async fn end_rest(instance: InstanceId, grace: Duration) -> io::Result<()> {
    blocking(move || {
        // In the middle of its `exec` a process shows no environment: the second look finds it.
        for _ in 0..2 {
            for identity in carriers(instance)? {
                tracing::info!(%instance, pid = identity.pid, "ends what is left of an instance");
                identity.stop(Signal::TERM, grace)?;
            }
        }
        Ok(())
    })
    .await
}

/// The same for one that ended by itself.
async fn end_rest_of_dead(instance: InstanceId) {
    if let Err(error) = end_rest(instance, COMMAND_GRACE).await {
        tracing::warn!(%instance, %error, "what is left of an instance cannot be ended");
    }
}

async fn until_ended(mut told: watch::Receiver<Option<String>>) -> String {
    match told.wait_for(Option::is_some).await {
        Ok(how) => how.clone().unwrap_or_default(),
        Err(_) => "nobody knows how: the watch over it ended".to_owned(),
    }
}

async fn bound(folder: &Folder) {
    let folder = folder.clone();
    if let Err(error) = blocking(move || folder.bound_log()).await {
        tracing::warn!(%error, "the log of an instance cannot be cut");
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests;

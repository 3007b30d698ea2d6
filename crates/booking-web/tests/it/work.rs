//! A running `booking worker` for one test: the real program, with a life of its own.

use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::site::{World, booking, collect, until};

pub(crate) const FROM: &str = "bookings@karoo.example";
pub(crate) const PUBLIC: &str = "https://booking.example";

/// The program, where it is watched, and what it logged.
pub(crate) struct Worker {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    internal: String,
}

impl Worker {
    /// Starts a worker on `world` that sends mail to `smtp`.
    pub(crate) async fn start(world: &World, smtp: &str, more: &[(&str, &str)]) -> Self {
        let mut worker = Self::spawn(world, smtp, more);
        let working = until("the worker works", async || worker.logged("working")).await;
        let internal = working["internal"].as_str().unwrap();
        worker.internal = format!("http://{internal}");
        worker
    }

    /// Starts a worker and does not wait for anything.
    pub(crate) fn spawn(world: &World, smtp: &str, more: &[(&str, &str)]) -> Self {
        let mut child = booking("worker")
            .envs([
                ("DATABASE_URL", world.database.url().as_str()),
                ("REDIS_URL", &world.redis),
                ("SMTP_URL", smtp),
                ("MAIL_FROM", FROM),
                ("PUBLIC_URL", PUBLIC),
                ("INTERNAL_PORT", "0"),
                ("RELEASE", "worker-1"),
                ("LOG", "debug,hyper=info,sqlx=info"),
            ])
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            lines: collect(&mut child),
            child,
            internal: String::new(),
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The first log line with that message.
    pub(crate) fn logged(&self, message: &str) -> Option<Value> {
        self.lines()
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["message"] == message)
    }

    /// What it says on its internal port.
    pub(crate) async fn says(&self, path: &str) -> String {
        let answer = reqwest::get(format!("{}{path}", self.internal))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// SIGKILL: it can do nothing about it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub(crate) async fn end(mut self) -> (ExitStatus, Vec<String>) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let child = &mut self.child;
        let status = until("the worker ends", async || child.try_wait().unwrap()).await;
        (status, self.lines())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("the worker could not be ended: {error}");
        }
    }
}

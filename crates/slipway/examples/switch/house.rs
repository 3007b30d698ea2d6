//! One Slipway with its folders, its commands and two releases of the small application.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use slipway_journal::{Manifest, ReleaseFile};
use tempfile::TempDir;
use testkit::visitor::Visitor;

use crate::number;

/// As it comes, but for what would only make the measurement last longer: how long a release is
/// watched before its command ends, and how long requests in flight are waited for.
const ENVIRONMENT: &str = r#"
[proxy]
listen = "127.0.0.1:0"

[console]
listen = "127.0.0.1:0"

[service.shop.policy]
observe = "200ms"
drain_window = "5s"
"#;

/// One Slipway.
pub(crate) struct House {
    slipway: PathBuf,
    app: PathBuf,
    folder: TempDir,
    address: Option<SocketAddr>,
}

/// What the proxy counted.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) served: u64,
    pub(crate) failed: u64,
    pub(crate) retried: u64,
    pub(crate) unrouted: u64,
}

impl House {
    pub(crate) fn new(slipway: &Path, app: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("switch").tempdir()?;
        // Instances run as another user and must pass through here.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let house = Self {
            slipway: slipway.to_owned(),
            app: app.to_owned(),
            folder,
            address: None,
        };
        let environments = house.project().join("delivery/environments");
        fs::create_dir_all(&environments)?;
        fs::write(environments.join("production.toml"), ENVIRONMENT)?;
        fs::create_dir_all(house.state().join("releases"))?;
        Ok(house)
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// How long the application takes until it answers, started by itself: the median of five.
    pub(crate) fn app_start(&self) -> anyhow::Result<Duration> {
        let mut all = Vec::new();
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let began = Instant::now();
            let mut child = Command::new(&self.app)
                .args(["serve", "normal"])
                .env("PORT", port.to_string())
                .stderr(Stdio::null())
                .spawn()
                .context("starting the application")?;
            let answered = await_answer(SocketAddr::from(([127, 0, 0, 1], port)));
            all.push(began.elapsed());
            child.kill()?;
            child.wait()?;
            answered?;
        }
        all.sort();
        Ok(all[2])
    }

    /// Writes a release of the application as the pipeline would.
    pub(crate) fn release(&self, name: &str) -> anyhow::Result<String> {
        let releases = self.state().join("releases");
        let aside = releases.join(format!(".{name}"));
        let content = aside.join("content");
        fs::create_dir_all(&content)?;
        fs::copy(&self.app, content.join("app"))?;
        fs::write(content.join("name"), name)?;
        let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        let manifest = Manifest {
            service: "shop".parse().map_err(anyhow::Error::msg)?,
            start: words(&["./app", "serve", "normal"]),
            migrate: None,
            workers: BTreeMap::new(),
            health: "/health".to_owned(),
            preview: words(&["/"]),
            files: vec![file(&content, "app", true)?, file(&content, "name", false)?],
        };
        fs::write(aside.join("manifest.json"), serde_json::to_vec(&manifest)?)?;
        fs::write(
            aside.join("provenance.json"),
            json!({ "verdicts": [] }).to_string(),
        )?;
        for path in [&aside, &content] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        }
        fs::rename(&aside, releases.join(manifest.id().as_str()))?;
        Ok(manifest.id().to_string())
    }

    pub(crate) fn up(&mut self) -> anyhow::Result<()> {
        let up = self.json(&["up", "--json"])?;
        let listen = up["listen"][0].as_str().context("it listens somewhere")?;
        self.address = Some(listen.trim_start_matches("http://").parse()?);
        Ok(())
    }

    pub(crate) fn down(&self) -> anyhow::Result<()> {
        let output = self.command(&["down"]).output()?;
        ensure!(output.status.success(), "slipway down: {output:?}");
        Ok(())
    }

    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.context("it was started")
    }

    /// Deploys, also what was taken back before.
    pub(crate) fn deploy(&self, release: &str) -> anyhow::Result<Value> {
        self.json(&["deploy", release, "--force", "--json"])
    }

    pub(crate) fn roll_back(&self) -> anyhow::Result<Value> {
        self.json(&["rollback", "--reason", "measured", "--json"])
    }

    pub(crate) fn counted(&self) -> anyhow::Result<Counted> {
        let status = self.json(&["status", "--json"])?;
        let stats = &status["proxy"]["stats"];
        let mut counted = Counted::default();
        for pool in stats["pools"].as_array().context("the proxy's counts")? {
            counted.served += number(pool, "served");
            counted.failed += number(pool, "failed");
            counted.retried += number(pool, "retried");
        }
        for one in stats["unrouted"].as_array().into_iter().flatten() {
            counted.unrouted += number(one, "requests");
        }
        Ok(counted)
    }

    fn json(&self, words: &[&str]) -> anyhow::Result<Value> {
        let output = self.command(words).output()?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("slipway {} ended so: {output:?}", words.join(" ")))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.slipway);
        command
            .arg("--state")
            .arg(self.state())
            .arg("--project")
            .arg(self.project())
            .args(words)
            .stdin(Stdio::null());
        command
    }
}

fn file(content: &Path, name: &str, executable: bool) -> anyhow::Result<ReleaseFile> {
    let bytes = fs::read(content.join(name))?;
    Ok(ReleaseFile {
        path: name.to_owned(),
        executable,
        bytes: bytes.len() as u64,
        digest: blake3::hash(&bytes).to_hex().to_string(),
    })
}

fn await_answer(address: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let deadline = Instant::now() + Duration::from_secs(10);
    runtime.block_on(async {
        while Visitor::new(address, "bench")
            .get("/health")
            .await
            .is_failed()
        {
            ensure!(Instant::now() < deadline, "nothing answers at {address}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

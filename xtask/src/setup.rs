//! Installs the programs that tests, demo and benchmarks use, from Debian's packages,
//! as root; otherwise names the exact command. Never starts or changes a service.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// What the programs are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Everything below.
    All,
    /// `cargo xtask test`: the services and a browser.
    Test,
    /// `cargo xtask contract`: the services, and Python with its environments.
    Contract,
    /// `cargo xtask demo`: the services.
    Demo,
    /// `cargo xtask bench`: the services and the peers that are measured beside.
    Bench,
}

/// A program that must be there, and the package that brings it.
struct Need {
    package: &'static str,
    /// One of these paths must exist; `*` stands for a version number.
    paths: &'static [&'static str],
    /// The commands that use it; none means all.
    by: &'static [Purpose],
}

const NEEDS: &[Need] = &[
    Need {
        package: "postgresql",
        paths: &["/usr/lib/postgresql/*/bin/postgres"],
        by: &[],
    },
    Need {
        package: "redis-server",
        paths: &["/usr/bin/redis-server"],
        by: &[],
    },
    Need {
        package: "python3-aiosmtpd",
        paths: &["/usr/bin/aiosmtpd"],
        by: &[Purpose::Test],
    },
    Need {
        package: "chromium",
        paths: &["/usr/bin/chromium"],
        by: &[Purpose::Test],
    },
    Need {
        package: "fonts-dejavu-core",
        paths: &["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
        by: &[Purpose::Test],
    },
    Need {
        package: "nodejs",
        paths: &["/usr/bin/node", "/usr/local/bin/node"],
        by: &[Purpose::Test],
    },
    Need {
        package: "npm",
        paths: &["/usr/bin/npm", "/usr/local/bin/npm"],
        by: &[Purpose::Test],
    },
    Need {
        package: "python3-venv",
        paths: &["/usr/lib/*/ensurepip"],
        by: &[Purpose::Contract],
    },
    Need {
        package: "nginx-light",
        paths: &["/usr/sbin/nginx"],
        by: &[Purpose::Bench],
    },
    Need {
        package: "wrk",
        paths: &["/usr/bin/wrk"],
        by: &[Purpose::Bench],
    },
];

/// Programs without which less is measured.
const OPTIONAL: &[Need] = &[
    Need {
        package: "haproxy",
        paths: &["/usr/sbin/haproxy"],
        by: &[Purpose::Bench],
    },
    Need {
        package: "nghttp2-client",
        paths: &["/usr/bin/h2load"],
        by: &[Purpose::Bench],
    },
];

/// Installs what is missing for `purpose`, or says how.
pub(crate) fn run(purpose: Purpose) -> anyhow::Result<()> {
    Missing::look(purpose)?.install()
}

/// Packages that are missing, and can be installed here.
pub(crate) struct Missing(Vec<&'static str>);

impl Missing {
    /// Looks what is missing for `purpose`. An error, with the exact command, where this account
    /// cannot install it.
    pub(crate) fn look(purpose: Purpose) -> anyhow::Result<Self> {
        let (mut missing, optional) = (lacking(NEEDS, purpose), lacking(OPTIONAL, purpose));
        let may_install = rustix::process::geteuid().is_root();
        if may_install {
            missing.0.extend(optional.0);
        } else if !optional.0.is_empty() {
            eprintln!("more is measured with\n\n  sudo {}\n", optional.command());
        }
        if missing.0.is_empty() {
            return Ok(missing);
        }
        if !Path::new("/usr/bin/apt-get").exists() {
            bail!(
                "these programs are missing, and there is no apt here: {}",
                missing.0.join(", ")
            );
        }
        if !may_install {
            bail!(
                "these packages are missing; install them by\n\n  sudo apt-get update && sudo {}\n",
                missing.command()
            );
        }
        Ok(missing)
    }

    fn command(&self) -> String {
        let packages = self.0.join(" ");
        format!("apt-get install -y --no-install-recommends {packages}")
    }

    /// Installs it. The services that come with it are not started.
    pub(crate) fn install(self) -> anyhow::Result<()> {
        if self.0.is_empty() {
            eprintln!("every system package is there");
            return Ok(());
        }
        let quiet = Quiet::new()?;
        let updated = apt(&["update", "-q"]);
        let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
        arguments.extend(&self.0);
        let installed = updated.and_then(|()| apt(&arguments));
        drop(quiet);
        installed.with_context(|| format!("installing; by hand: {}", self.command()))
    }
}

fn lacking(needs: &[Need], purpose: Purpose) -> Missing {
    let is_for =
        |need: &&Need| purpose == Purpose::All || need.by.is_empty() || need.by.contains(&purpose);
    let missing = needs.iter().filter(is_for).filter(|need| !is_there(need));
    Missing(missing.map(|need| need.package).collect())
}

fn is_there(need: &Need) -> bool {
    need.paths.iter().any(|path| match path.split_once('*') {
        None => Path::new(path).exists(),
        Some((folder, rest)) => std::fs::read_dir(folder).is_ok_and(|mut versions| {
            versions.any(|v| v.is_ok_and(|v| v.path().join(rest.trim_start_matches('/')).exists()))
        }),
    })
}

fn apt(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .context("starting apt-get")?;
    anyhow::ensure!(
        status.success(),
        "apt-get {} ended with {status}",
        arguments.join(" ")
    );
    Ok(())
}

/// While it lives, packages do not start their services: the tests start their own.
struct Quiet {
    is_ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Says whose it is, so that one that an interrupted run left behind is removed by the next.
const REFUSE: &str = "#!/bin/sh\n# Left by `cargo xtask setup`; may be removed.\nexit 101\n";

impl Quiet {
    fn new() -> anyhow::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        if Path::new(POLICY).exists() {
            let is_ours = std::fs::read(POLICY).is_ok_and(|text| text == REFUSE.as_bytes());
            return Ok(Self { is_ours });
        }
        std::fs::write(POLICY, REFUSE).context("writing the policy of services")?;
        std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))
            .context("making the policy of services executable")?;
        Ok(Self { is_ours: true })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !self.is_ours {
            return;
        }
        match std::fs::remove_file(POLICY) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                eprintln!("{POLICY} could not be removed ({error}); remove it by hand");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_is_met_by_any_version_of_its_program() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("15/bin");
        std::fs::create_dir_all(&program).unwrap();
        let pattern: &'static str = format!("{}/*/bin/postgres", folder.path().display()).leak();
        let need = Need {
            package: "postgresql",
            paths: vec![pattern].leak(),
            by: &[],
        };
        assert!(!is_there(&need));
        std::fs::write(program.join("postgres"), "").unwrap();
        assert!(is_there(&need));
    }
}

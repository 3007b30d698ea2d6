//! `slipway launch`: becomes another program in a session of its own, as another user
//! where asked, with sockets announced as systemd does and no other file of whoever called.
//! Used by Slipway itself.

mod inherited;

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;

/// The first file behind standard input, output and error.
const FIRST_FD: i32 = 3;

/// Becomes another program: own session, other user, announced sockets.
#[derive(Debug, Args)]
pub(crate) struct Launch {
    /// How many inherited sockets, from file descriptor 3 on, to announce
    #[arg(long, value_name = "N")]
    listen_fds: Option<u32>,
    /// What they are called, with colons between
    #[arg(long, value_name = "NAMES", requires = "listen_fds")]
    listen_names: Option<String>,
    /// The user id to become
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// The group id to become
    #[arg(long, requires = "uid")]
    gid: Option<u32>,
    /// The folder to work in
    #[arg(long, value_name = "DIR")]
    folder: Option<std::path::PathBuf>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "ARGV")]
    argv: Vec<String>,
}

impl Launch {
    /// Never returns when it succeeds.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        // Fails only for a group's leader, which then has its own group already.
        if let Err(error) = rustix::process::setsid() {
            tracing::debug!(%error, "keeps its session");
        }
        // What a shell or a build server has open is nothing to a server or an instance.
        let announced = i32::try_from(self.listen_fds.unwrap_or(0))?;
        inherited::close_at_exec(FIRST_FD.saturating_add(announced))
            .context("closing what was inherited")?;
        let (program, arguments) = self.argv.split_first().context("there is no program")?;
        let mut command = Command::new(program);
        command.args(arguments);
        if let Some(count) = self.listen_fds {
            command.env("LISTEN_FDS", count.to_string());
            command.env("LISTEN_PID", std::process::id().to_string());
        }
        if let Some(names) = &self.listen_names {
            command.env("LISTEN_FDNAMES", names);
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if let (Some(uid), Some(gid)) = (self.uid, self.gid) {
            // With a user set, supplementary groups are dropped as well.
            command.uid(uid).gid(gid);
        }
        Err(command.exec()).with_context(|| format!("starting {program}"))
    }
}

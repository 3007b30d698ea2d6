//! Listening sockets: bound with an error that says who has the port, or taken over
//! from a proxy that outlived its keeper.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use chassis::Env;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind as bind_socket, listen, socket_with, sockopt};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

use crate::cli::failure::Failure;
use slipway_rollout::process::{ProcessIdentity, command_of};

/// The name of a socket without TLS, of one with it and of the console's, in `LISTEN_FDNAMES`.
const HTTP: &str = "http";
const HTTPS: &str = "https";
pub(crate) const CONSOLE: &str = "console";
/// Connections that may wait while a child is started again.
const BACKLOG: i32 = 4096;

/// The sockets where visitors come in.
#[derive(Debug, Default)]
pub(crate) struct Public {
    pub(crate) plain: Vec<TcpListener>,
    /// Those on which they begin with TLS.
    pub(crate) secure: Vec<TcpListener>,
}

impl Public {
    /// All of them, the first `plain` without TLS.
    pub(crate) fn of(mut all: Vec<TcpListener>, plain: usize) -> Self {
        let secure = all.split_off(plain.min(all.len()));
        Self { plain: all, secure }
    }

    /// These and those.
    pub(crate) fn and(mut self, those: Self) -> Self {
        self.plain.extend(those.plain);
        self.secure.extend(those.secure);
        self
    }

    /// Each with the name that tells the proxy which it is, as systemd gives names.
    pub(crate) fn named(self) -> Vec<(&'static str, TcpListener)> {
        let plain = self.plain.into_iter().map(|socket| (HTTP, socket));
        let secure = self.secure.into_iter().map(|socket| (HTTPS, socket));
        plain.chain(secure).collect()
    }
}

/// The sockets that this process was handed from descriptor 3 on, as systemd does
/// (`sd_listen_fds`): by their names, and without a name for visitors without TLS.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    pub(crate) public: Public,
    pub(crate) console: Option<TcpListener>,
}

impl Handed {
    /// Takes them; nothing where they are for another process, or there are none.
    pub(crate) fn of(env: &Env) -> anyhow::Result<Self> {
        let names = env.get("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut announced = listenfd::ListenFd::from_env();
        let mut handed = Self::default();
        for number in 0..announced.len() {
            let listener = announced
                .take_tcp_listener(number)
                .with_context(|| format!("taking the inherited socket {number}"))?;
            match names.next() {
                Some(HTTPS) => handed.public.secure.extend(listener),
                Some(CONSOLE) => handed.console = listener,
                _ => handed.public.plain.extend(listener),
            }
        }
        Ok(handed)
    }
}

/// Listens on `wanted`; where that leaves the port to the system, on the port of an
/// earlier keeper if it is free, so that addresses people know stay true.
pub(crate) fn bind_again(
    wanted: SocketAddr,
    earlier: &[SocketAddr],
) -> Result<TcpListener, Failure> {
    if wanted.port() == 0 {
        let same = earlier.iter().filter(|e| e.ip() == wanted.ip());
        if let Some(socket) = same.copied().find_map(|address| open(address).ok()) {
            return Ok(socket);
        }
    }
    bind(wanted)
}

/// Listens on one address.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    open(address).map_err(|error| match error {
        Errno::ADDRINUSE => {
            let who = holder_of(address).map_or_else(String::new, |(pid, command)| {
                format!(" by process {pid} ({command})")
            });
            Failure::usage(format!("the address {address} is taken{who}"))
                .hint("stop that process, or choose another address: --listen, --console, or delivery/environments/")
        }
        Errno::ACCESS => Failure::usage(format!("this account may not listen on {address}"))
            .hint("ports below 1024 need root; choose a higher one in delivery/environments/"),
        error => Failure::usage(format!("cannot listen on {address}: {error}"))
            .hint("check the address in delivery/environments/ against `ip address`"),
    })
}

fn open(address: SocketAddr) -> Result<TcpListener, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = rustix::net::SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // Connections of an earlier keeper may linger in TIME_WAIT; a listener is still refused.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind_socket(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// The listening sockets of a proxy that still runs, where it has all the wanted ones.
/// It may hold them under any number, so all of its sockets are looked at.
pub(crate) fn take_over(
    proxy: &ProcessIdentity,
    wanted: &[SocketAddr],
) -> io::Result<Option<Vec<TcpListener>>> {
    let Some(handle) = proxy.handle()? else {
        return Ok(None);
    };
    let mut found: Vec<TcpListener> = Vec::new();
    for number in socket_numbers(proxy.pid)? {
        // It may have been closed since it was listed.
        let Ok(copy) = pidfd_getfd(&handle, number, PidfdGetfdFlags::empty()) else {
            continue;
        };
        if sockopt::socket_acceptconn(&copy).unwrap_or(false) {
            found.push(TcpListener::from(copy));
        }
    }
    let mut taken = Vec::new();
    for address in wanted {
        let fits = |socket: &TcpListener| {
            socket.local_addr().is_ok_and(|local| {
                local.ip() == address.ip()
                    && (address.port() == 0 || local.port() == address.port())
            })
        };
        match found.iter().position(fits) {
            Some(place) => taken.push(found.swap_remove(place)),
            None => return Ok(None),
        }
    }
    Ok(Some(taken))
}

/// The numbers under which a process holds sockets.
fn socket_numbers(pid: i32) -> io::Result<Vec<i32>> {
    let numbers = fs::read_dir(format!("/proc/{pid}/fd"))?
        .flatten()
        .filter(|fd| {
            fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
        })
        .filter_map(|fd| fd.file_name().to_str()?.parse().ok());
    Ok(numbers.collect())
}

/// The process that listens on `address`, as far as `/proc` tells this account.
pub(crate) fn holder_of(address: SocketAddr) -> Option<(i32, String)> {
    let inode = listening_inode(address)?;
    let wanted = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|n| n.parse::<i32>().ok())
        else {
            continue;
        };
        let Ok(fds) = fs::read_dir(entry.path().join("fd")) else {
            continue;
        };
        let holds = fds
            .flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str()));
        if holds {
            return Some((pid, command_of(pid)));
        }
    }
    None
}

/// The inode of the listening socket on the port of `address`, out of `/proc/net`.
fn listening_inode(address: SocketAddr) -> Option<u64> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|text| inode_in(&text, address.port()))
}

fn inode_in(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (_, hex) = local.rsplit_once(':')?;
        (*state == LISTEN && u16::from_str_radix(hex, 16) == Ok(port))
            .then(|| inode.parse().ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_the_address_and_its_holder() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap();
        let failure = bind(address).unwrap_err();
        let own = std::process::id();
        let message = failure.to_string();
        assert!(
            message.starts_with(&format!(
                "the address {address} is taken by process {own} ("
            )),
            "{message}"
        );
    }

    #[test]
    fn sockets_of_a_living_process_can_be_taken_over() {
        let held = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        assert!(held.local_addr().unwrap().port() > 0);
        let own = ProcessIdentity::own().unwrap();
        let address = held.local_addr().unwrap();
        let taken = take_over(&own, &[address]).unwrap().unwrap();
        assert_eq!(taken[0].local_addr().unwrap(), address);
        let other = SocketAddr::from(([127, 0, 0, 2], 1));
        assert!(take_over(&own, &[address, other]).unwrap().is_none());
    }
}

//! Sockets of a service manager, handed over the way systemd does: from descriptor 3 on, with their
//! number, their names and whose they are in the environment (`sd_listen_fds`).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use command_fds::{CommandFdExt as _, FdMapping};

use crate::ground::{Ground, WITHIN};
use crate::release::draft;

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n";

/// A service manager that holds the sockets, and starts the keeper with them.
struct Manager {
    ground: Ground,
    visitors: TcpListener,
    console: TcpListener,
    keeper: Option<Child>,
}

impl Manager {
    fn new() -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        // What the file says cannot be bound by anybody here, and need not be.
        let environment = Ground::environment().replace("127.0.0.1:0", "192.0.2.1:80");
        let ground = Ground::with_environment(&environment.replacen(
            "[console]\nlisten = \"192.0.2.1:80\"",
            "[console]\nlisten = \"127.0.0.1:1\"",
            1,
        ));
        Self {
            ground,
            visitors: listen(),
            console: listen(),
            keeper: None,
        }
    }

    fn start(&mut self) {
        let keep = self.ground.command(&["keep"]);
        // The number of the process is known to itself only.
        let script = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=http:console exec \"$@\"";
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script, "sh"])
            .arg(keep.get_program())
            .args(keep.get_args())
            .env_remove("SLIPWAY_STATE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mapping = |socket: &TcpListener, child_fd| FdMapping {
            parent_fd: OwnedFd::from(socket.try_clone().unwrap()),
            child_fd,
        };
        let mappings = vec![mapping(&self.visitors, 3), mapping(&self.console, 4)];
        command.fd_mappings(mappings).unwrap();
        self.keeper = Some(command.spawn().unwrap());
        // The journal is being made at first, and cannot be read.
        self.ground.wait_for("control", || {
            let status = self.ground.run(&["status", "--json"]);
            status.code == Some(0) && status.json()["processes"]["control"]["answers"] == true
        });
    }

    fn kill(&mut self) {
        let mut keeper = self.keeper.take().unwrap();
        keeper.kill().unwrap();
        keeper.wait().unwrap();
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.ground.run(&["down"]).with(0);
        if let Some(mut keeper) = self.keeper.take() {
            keeper.wait().unwrap();
        }
    }
}

/// What is answered; who is refused or reset fails the test.
fn visit(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WITHIN)).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn sockets_that_are_handed_over_take_the_place_of_addresses_and_outlive_the_keeper() {
    let mut manager = Manager::new();
    manager.start();
    let address = manager.visitors.local_addr().unwrap();
    let status = manager.ground.status();
    assert_eq!(status["listen"][0], format!("http://{address}"));
    let console = manager.console.local_addr().unwrap();
    assert_eq!(status["console"], format!("http://{console}"));
    let one = draft("normal", "one").make(&manager.ground.state());
    manager.ground.deploy(one.as_str()).with(0);
    assert!(visit(address).starts_with("HTTP/1.1 200 "));
    // The keeper is gone: its proxy serves on, and the next one takes over on the same socket.
    let before = manager.ground.pid("proxy");
    manager.kill();
    assert!(visit(address).starts_with("HTTP/1.1 200 "));
    manager.start();
    assert!(manager.ground.pid("proxy") != before);
    assert!(visit(address).starts_with("HTTP/1.1 200 "));
    // Everything is gone: who comes now waits in the socket, and is answered by the next one.
    manager.ground.run(&["down"]).with(0);
    if let Some(mut keeper) = manager.keeper.take() {
        keeper.wait().unwrap();
    }
    let waiting = std::thread::spawn(move || visit(address));
    manager.start();
    let live = || visit(address).starts_with("HTTP/1.1 200 ");
    manager
        .ground
        .wait_for("what was live to be live again", live);
    let said = waiting.join().unwrap();
    assert!(said.starts_with("HTTP/1.1 "), "{said}");
}

//! Our own programs, and what runs any program.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::certs::file;
use super::process::Running;

/// A server that listens on 127.0.0.1.
pub struct Server {
    pub process: Running,
    pub port: u16,
}

impl Server {
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// As our client wants it.
    pub fn localhost(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

/// One of the example programs, built like this test.
fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        // target/PROFILE/deps/interop-HASH
        let this = std::env::current_exe().unwrap();
        let profile = this.ancestors().nth(2).unwrap().to_owned();
        let mut build = Command::new(env!("CARGO"));
        // The features of this test, so that the library is built once.
        let features = [
            ("interop", true),
            ("tokio", cfg!(feature = "tokio")),
            ("redis", cfg!(feature = "redis")),
            ("http", cfg!(feature = "http")),
            ("native-roots", cfg!(feature = "native-roots")),
            ("watch", cfg!(feature = "watch")),
        ];
        let features: Vec<&str> = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--features", &features.join(",")]);
        build.args(["--example", "tlsserver", "--example", "tlsclient", "--target-dir"]);
        build.arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "the example programs do not build");
        profile.join("examples")
    });
    dir.join(name)
}

pub fn command(name: impl Into<PathBuf>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name.into());
    command.args(arguments).env_remove("SSLKEYLOGFILE");
    command
}

/// Our client.
pub fn tlsclient(arguments: &[&str]) -> Running {
    Running::start(tlsclient_command(arguments))
}

pub fn tlsclient_command(arguments: &[&str]) -> Command {
    command(program("tlsclient"), arguments)
}

/// Our client, which trusts the tests' CA.
pub fn trusting(server: &Server, arguments: &[&str]) -> Running {
    let (localhost, ca) = (server.localhost(), file("ca.pem"));
    tlsclient(&[&[&localhost, "--ca", &ca], arguments].concat())
}

pub fn tlsserver_command(arguments: &[&str]) -> Command {
    command(program("tlsserver"), &[&["--listen", "127.0.0.1:0"], arguments].concat())
}

/// Our server.
pub fn tlsserver(arguments: &[&str]) -> Server {
    started(tlsserver_command(arguments))
}

pub fn started(command: Command) -> Server {
    let process = Running::start(command);
    let port = process.number_after("listening on 127.0.0.1:");
    Server { process, port }
}

/// Our server with certificates of these names.
pub fn serving(names: &[&str], arguments: &[&str]) -> Server {
    let files: Vec<String> = names
        .iter()
        .flat_map(|name| {
            ["--cert".into(), file(&format!("{name}.pem")), "--key".into(), file(&format!("{name}.key"))]
        })
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    tlsserver(&[&files[..], arguments].concat())
}

/// A script or a source of the matrix.
pub fn source(name: &str) -> String {
    format!("{}/tests/interop/programs/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Where peers are installed that no package of the system brings: `interop` beside the build.
pub fn installed(path: &str) -> PathBuf {
    // target/PROFILE/deps/interop-HASH
    let this = std::env::current_exe().unwrap();
    let path = this.ancestors().nth(3).unwrap().join("interop").join(path);
    assert!(path.exists(), "{} is missing: tests/interop/install.sh brings it", path.display());
    path
}

//! The programs of OpenSSL and GnuTLS, with what they need to run.

use std::net::TcpListener;

use super::certs::file;
use super::ours::{Server, command};
use super::process::Running;

/// A suite by its standard name.
pub struct Suite {
    pub name: &'static str,
}

pub const SUITES: [Suite; 3] = [
    Suite { name: "TLS_AES_128_GCM_SHA256" },
    Suite { name: "TLS_AES_256_GCM_SHA384" },
    Suite { name: "TLS_CHACHA20_POLY1305_SHA256" },
];

/// OpenSSL's client, which trusts the tests' CA and asks for `localhost` unless told otherwise.
pub fn s_client(server: &Server, arguments: &[&str]) -> Running {
    let (address, ca) = (server.address(), file("ca.pem"));
    let common = ["s_client", "-connect", &address, "-CAfile", &ca, "-verify_return_error"];
    Running::start(command("openssl", &[&common, arguments].concat()))
}

/// OpenSSL's client, which verifies the name as well.
pub fn s_client_to_localhost(server: &Server, arguments: &[&str]) -> Running {
    s_client(server, &[&["-servername", "localhost", "-verify_hostname", "localhost"], arguments].concat())
}

/// OpenSSL's server with the certificate of this name.
pub fn s_server(name: &str, arguments: &[&str]) -> Server {
    let (cert, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
    s_server_with(&[&["-cert", &cert, "-key", &key], arguments].concat())
}

/// OpenSSL's server, which authenticates as the arguments say.
pub fn s_server_with(arguments: &[&str]) -> Server {
    let common = ["s_server", "-accept", "127.0.0.1:0"];
    let process = Running::start(command("openssl", &[&common, arguments].concat()));
    let port = process.number_after("ACCEPT 127.0.0.1:");
    Server { process, port }
}

/// GnuTLS's client, which trusts the tests' CA and verifies `localhost`.
pub fn gnutls_cli(server: &Server, arguments: &[&str]) -> Running {
    gnutls_cli_for("localhost", "ca.pem", server, arguments)
}

pub fn gnutls_cli_for(name: &str, ca: &str, server: &Server, arguments: &[&str]) -> Running {
    let (port, ca) = (server.port.to_string(), file(ca));
    let common = ["--port", &port, "--x509cafile", &ca, "--sni-hostname", name, "--verify-hostname", name];
    Running::start(command("gnutls-cli", &[&common, arguments, &["127.0.0.1"]].concat()))
}

/// GnuTLS's server with the certificate of this name. It has no way to tell a port that it was free to choose.
pub fn gnutls_serv(name: &str, arguments: &[&str]) -> Server {
    let (cert, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
    for _ in 0..10 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let number = port.to_string();
        let common = ["--port", &number, "--x509certfile", &cert, "--x509keyfile", &key];
        // Its stdout is a pipe, which it would fill before it writes.
        let line_by_line = &["-oL", "gnutls-serv"][..];
        let process = Running::start(command("stdbuf", &[line_by_line, &common, arguments].concat()));
        if process.comes(&format!("IPv4 0.0.0.0 port {port}...done")) {
            return Server { process, port };
        }
    }
    panic!("gnutls-serv found no free port");
}

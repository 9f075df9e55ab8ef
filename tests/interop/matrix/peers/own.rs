//! The command line that the programs share which this repository has for peers without programs of their own.
//!
//! `PROGRAM client port=N ca=FILE [suite=NAME] [groups=A,B] [cert=FILE key=FILE] [alpn=A,B] [psk=ID:HEX] [resume=1]
//! [early=FILE] [rekey=1]`: connects to `localhost`, copies stdin to the server and what comes to stdout, and closes at the end
//! of stdin; with `resume` or `early` it was there once before. `PROGRAM server cert=FILE key=FILE [groups=A,B]
//! [client-ca=FILE] [alpn=A,B] [psk=ID:HEX] [early=N] [rekey=1]`: says `listening on N.` and echoes. `PROGRAM version`.

use std::process::Command;

use crate::certs::file;
use crate::ours::Server;
use crate::peer::{Asked, PSK_HEX, PSK_IDENTITY, Wish};
use crate::process::Running;

/// What both roles are told.
fn common(program: &mut Command, asked: &Asked) {
    program.env_remove("SSLKEYLOGFILE");
    if let Some(suite) = asked.suite {
        program.arg(format!("suite={suite}"));
    }
    if !asked.groups.is_empty() {
        program.arg(format!("groups={}", asked.groups.join(",")));
    }
    match &asked.wish {
        Wish::Alpn => program.arg("alpn=h2,http/1.1"),
        Wish::Rekey => program.arg("rekey=1"),
        Wish::Psk => program.arg(format!("psk={PSK_IDENTITY}:{PSK_HEX}")),
        _ => program,
    };
}

fn pair(program: &mut Command, kind: &str) {
    program.arg(format!("cert={}", file(&format!("{kind}.pem"))));
    program.arg(format!("key={}", file(&format!("{kind}.key"))));
}

pub fn client(mut program: Command, asked: &Asked, server: &Server) -> Running {
    program.arg("client").arg(format!("port={}", server.port)).arg(format!("ca={}", file("ca.pem")));
    common(&mut program, asked);
    match &asked.wish {
        Wish::Resume => drop(program.arg("resume=1")),
        Wish::Early(path) => drop(program.arg(format!("early={path}"))),
        Wish::Authenticate(kind) => pair(&mut program, kind),
        _ => {}
    }
    Running::start(program)
}

pub fn server(mut program: Command, asked: &Asked) -> Server {
    program.arg("server");
    pair(&mut program, asked.kind);
    common(&mut program, asked);
    match &asked.wish {
        Wish::Early(_) => drop(program.arg("early=4096")),
        Wish::Authenticate(_) => drop(program.arg(format!("client-ca={}", file("ca.pem")))),
        _ => {}
    }
    let process = Running::start(program);
    let port = process.number_after("listening on ");
    Server { process, port }
}

//! A fleet of servers behind a balancer, with one ticket secret and one replay guard on Redis, and everything that can
//! happen to it: a load of resuming clients, replays of captured first flights to every server, a server restarted, Redis
//! killed and restarted, the ticket key rotated and revoked. Prints what came of it, and fails if an early byte was
//! accepted twice or a connection lost.
//!
//! `cargo run --release --features tokio,redis --example fleet` (needs the program `redis-server`)

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/fleet/mod.rs"]
mod fleet;
#[path = "support/redis.rs"]
mod redis;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A fleet of servers with a common ticket secret and a common replay guard, under load and under attack.
#[derive(Parser)]
struct Arguments {
    /// How many servers.
    #[arg(long, default_value_t = 3)]
    servers: usize,
    /// How many clients at a time.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// How many connections each client makes in each phase.
    #[arg(long, default_value_t = 25)]
    connections: usize,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// One server of the fleet; started by the program itself.
    #[command(hide = true)]
    Serve(fleet::server::Settings),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(error),
    };
    let outcome = match arguments.role {
        Some(Role::Serve(settings)) => runtime.block_on(fleet::server::serve(settings)),
        None => {
            let size = fleet::Size {
                servers: arguments.servers.clamp(1, 16),
                clients: arguments.clients.clamp(1, 256),
                connections: arguments.connections.clamp(1, 10_000),
            };
            runtime.block_on(fleet::story::tell(size))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

fn failed(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("fleet: {error}");
    ExitCode::FAILURE
}

//! The program that BoringSSL's protocol test runner drives: a client or a server over symbolon, as its flags say.
#![forbid(unsafe_code)]

mod answers;
mod compliance;
mod credentials;
mod drive;
mod endpoint;
mod errors;
mod expect;
mod failure;
mod flags;
mod groups;
mod leaf;
mod link;
mod options;
mod refusals;
mod setup;
mod world;

use std::process::ExitCode;

use crate::credentials::Wallet;
use crate::drive::Turn;
use crate::failure::{BROKEN, Failure, UNIMPLEMENTED};
use crate::flags::{Rejected, Wanted};
use crate::options::Options;
use crate::setup::Role;
use crate::world::World;

fn main() -> ExitCode {
    // A panic must not pass for an error that a test expects.
    std::panic::set_hook(Box::new(|info| {
        eprintln!("{info}");
        std::process::exit(BROKEN.into());
    }));
    match flags::parse(std::env::args().skip(1)) {
        Ok(Wanted::HandshakerSupport) => {
            println!("No");
            ExitCode::SUCCESS
        }
        Ok(Wanted::Test(options)) => match test(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("{failure}");
                failure.status().into()
            }
        },
        Err(rejected) => {
            eprintln!("{rejected}");
            match rejected {
                Rejected::Unimplemented(_) => UNIMPLEMENTED.into(),
                Rejected::Malformed(_) => BROKEN.into(),
            }
        }
    }
}

/// All connections of a test, one after another.
fn test(options: &Options) -> Result<(), Failure> {
    let mut world = World::new()?;
    let role = if options.server { Role::Server } else { Role::Client };
    let wallets = [
        Wallet::load(&options.initial, &world.provider, role)?,
        Wallet::load(&options.resume, &world.provider, role)?,
    ];
    drive::run(options, Turn::First, &wallets, &mut world)?;
    for _ in 0..options.resume_count {
        world.pass(options.initial.resumption_delay);
        drive::run(options, Turn::Later, &wallets, &mut world)?;
    }
    Ok(())
}

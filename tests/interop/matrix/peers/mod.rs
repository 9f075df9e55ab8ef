//! The table of peers, a file each, and what their files have in common.

mod botan;
mod browsers;
mod bssl;
mod curl;
mod gnutls;
mod go;
mod java;
mod node;
mod nss;
mod openssl;
mod own;
mod python;
mod rust;
mod wolfssl;

use std::process::Command;

use crate::peer::Peer;

pub const ALL: &[&Peer] = &[
    &openssl::DEBIAN,
    &python::PYOPENSSL,
    &gnutls::DEBIAN,
    &nss::DEBIAN,
    &rust::BORINGSSL,
    &rust::RUSTLS,
    &rust::S2N,
    &go::NEWEST,
    &java::JSSE,
    &browsers::CHROMIUM,
    &browsers::FIREFOX,
    &curl::DEBIAN,
    &curl::CHROME,
    &node::SYSTEM,
    &node::NEWEST,
    &python::SSL,
    &python::TLSLITE,
    &openssl::FOUR,
    &openssl::SID,
    &gnutls::SID,
    &nss::SID,
    &botan::SID,
    &wolfssl::CRATE,
    &bssl::CRATE,
];

/// The first line that a program prints, on either output.
pub fn first_line(program: &mut Command) -> String {
    let output = program.output().unwrap_or_else(|error| panic!("{program:?}: {error}; is it installed?"));
    let all = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&all).lines().next().unwrap_or_default().trim().to_owned()
}

/// The first word of a line that begins with a digit, without the `v` that some have before it.
pub fn version(line: &str) -> String {
    let words = line
        .split(|c: char| c.is_whitespace() || "\",/".contains(c))
        .map(|word| word.trim_start_matches(['v', 'o', 'g']));
    let mut numbers = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    numbers.next().unwrap_or_else(|| panic!("no version in {line:?}")).to_owned()
}

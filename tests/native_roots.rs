//! The operating system's roots, in whole: those of the package `ca-certificates`, and of places that the environment
//! names. The environment is a process's own, so that each look at it is a child's.
#![cfg(all(feature = "native-roots", feature = "rustcrypto", target_os = "linux"))]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use symbolon::crypto::rustcrypto::provider;
use symbolon::pki::{Chain, Expected, NativeRoots, Profile, Purpose, Rule, Verifier, VerifyError};

const STORE: &str = "/etc/ssl/certs";

/// Runs the test `reports` of this file in a process with this environment; what it reports, line by line.
fn report(environment: &[(&str, &Path)]) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "reports", "--nocapture"]);
    child.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR").envs(environment.iter().copied());
    let output = child.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = lines
        .lines()
        .filter_map(|line| line.split_once("REPORT "))
        .map(|(_, line)| line.to_owned())
        .collect();
    assert!(!lines.is_empty(), "nothing was reported");
    lines
}

/// What [`NativeRoots`] gives here, for [`report`]: the count and the place, or the error, and what was rejected.
#[test]
fn reports() {
    let native = NativeRoots::new();
    match native.roots() {
        Ok(roots) => println!("\nREPORT {} of {}", roots.len(), roots.description().unwrap()),
        Err(why) => println!("\nREPORT {why}"),
    }
    for why in native.rejected() {
        println!("\nREPORT rejected: {why}");
    }
}

/// The roots of the system's store, each once, read without the library.
fn stored() -> BTreeSet<Vec<u8>> {
    let entries = fs::read_dir(STORE).unwrap_or_else(|why| panic!("{STORE}: {why}; install ca-certificates"));
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let certificates = files.flat_map(|path| CertificateDer::pem_file_iter(path).unwrap());
    certificates.map(|certificate| certificate.unwrap().to_vec()).collect()
}

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testvectors/pki").join(name)
}

/// A folder for this process and test alone.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("symbolon-native-roots-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_whole_store_of_the_system_is_loaded() {
    let count = stored().len();
    assert!(count > 100, "{STORE} has only {count} roots; install ca-certificates");
    let lines = report(&[]);
    println!("{lines:#?}");
    assert_eq!(lines, [format!("{count} of the system's roots in the system's own place")]);
}

/// Not after a certificate's last second and not before its first, as far as the store says.
fn expiry(verifier: &Verifier) -> UnixTime {
    verifier.roots().expiries().next().unwrap().1
}

#[test]
fn every_root_of_the_system_verifies_as_its_own_anchor() {
    let mut verified = 0;
    for der in stored() {
        let der = [CertificateDer::from(der)];
        // A root signs no handshake.
        let profile = Profile::private_pki().without(Rule::DigitalSignature);
        let verifier = Verifier::new(provider(), der.clone()).unwrap().profile(profile);
        let chain = Chain::of(&der).unwrap();
        let verify = |now| verifier.verify(&chain, Purpose::Server, &Expected::Anyone, now);
        let last = expiry(&verifier);
        let path = verify(last).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((path.chain.len(), path.expires), (1, last), "{}", path.subject);
        let after = UnixTime::since_unix_epoch(Duration::from_secs(last.as_secs() + 1));
        assert!(matches!(verify(after), Err(VerifyError::Time { .. })), "{}", path.subject);
        verified += 1;
    }
    println!("{verified} roots verified");
    assert!(verified > 100, "{verified}");
}

#[test]
fn the_store_has_roots_alone_and_no_intermediate_to_verify() {
    for der in stored() {
        let all = [CertificateDer::from(der)];
        let other = CertificateDer::from_pem_file(repository("root.pem")).unwrap();
        let profile = Profile::private_pki().without(Rule::DigitalSignature);
        let verifier = Verifier::new(provider(), [other]).unwrap().profile(profile);
        let last = expiry(&Verifier::new(provider(), all.clone()).unwrap());
        let chain = Chain::of(&all).unwrap();
        match verifier.verify(&chain, Purpose::Server, &Expected::Anyone, last) {
            // It names itself as its issuer.
            Err(VerifyError::NoPath(no_path)) => assert!(no_path.self_signed, "{}", no_path.subject),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ssl_cert_file_names_the_only_roots() {
    let root = repository("root.pem");
    let place = format!("1 of the system's roots in SSL_CERT_FILE={}", root.display());
    assert_eq!(report(&[("SSL_CERT_FILE", &root)]), [place]);
}

#[test]
fn ssl_cert_dir_names_the_only_roots() {
    let folder = Folder::new("dir");
    for name in ["root.pem", "other-root.pem"] {
        fs::copy(repository(name), folder.0.join(name)).unwrap();
    }
    let place = format!("2 of the system's roots in SSL_CERT_DIR={}", folder.0.display());
    assert_eq!(report(&[("SSL_CERT_DIR", &folder.0)]), [place]);
}

#[test]
fn both_places_count_and_what_is_in_both_counts_once() {
    let folder = Folder::new("both");
    fs::copy(repository("root.pem"), folder.0.join("root.pem")).unwrap();
    fs::copy(repository("rsa-root.pem"), folder.0.join("rsa-root.pem")).unwrap();
    let root = repository("root.pem");
    let lines = report(&[("SSL_CERT_FILE", &root), ("SSL_CERT_DIR", &folder.0)]);
    let place = format!("SSL_CERT_FILE={} and SSL_CERT_DIR={}", root.display(), folder.0.display());
    assert_eq!(lines, [format!("2 of the system's roots in {place}")]);
}

#[test]
fn a_root_that_is_malformed_is_told_and_the_others_are_used() {
    let folder = Folder::new("malformed");
    let good = fs::read_to_string(repository("root.pem")).unwrap();
    let bad = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let file = folder.0.join("roots.pem");
    fs::write(&file, format!("{bad}{good}")).unwrap();
    let lines = report(&[("SSL_CERT_FILE", &file)]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("1 of ") && lines[0].ends_with(", without 1 that could not be used"));
    assert!(lines[1].contains("it is not the DER of an X.509 certificate"), "{}", lines[1]);
}

#[test]
fn an_empty_place_and_a_missing_one_say_what_to_do() {
    let folder = Folder::new("empty");
    let missing = folder.0.join("missing.pem");
    let empty = folder.0.join("empty.pem");
    fs::write(&empty, "").unwrap();
    let nothing = report(&[("SSL_CERT_DIR", &folder.0.join("."))]);
    assert!(nothing[0].starts_with("no root certificate was found in SSL_CERT_DIR="), "{nothing:#?}");
    for file in [&missing, &empty] {
        let lines = report(&[("SSL_CERT_FILE", file)]);
        let found = format!("no root certificate was found in SSL_CERT_FILE={}", file.display());
        assert!(lines[0].starts_with(&found), "{lines:#?}");
        assert!(lines[0].contains("install the system's"), "{lines:#?}");
        assert!(lines[0].contains("or name a CA file"), "{lines:#?}");
    }
    assert!(report(&[("SSL_CERT_FILE", &missing)])[0].contains("missing.pem"));
}

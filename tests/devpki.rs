//! The development PKI: its files are whole, its keys are its owner's alone, and nothing is written over by accident.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;
#[path = "../examples/support/devpki_files.rs"]
mod files;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use devpki::{Authority, DevPki, Key, Leaf, Validity, certificate_pem};
use files::{Existing, Found, Pair};
use rustls_pki_types::CertificateDer;
use symbolon::crypto::{Provider, rustcrypto};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// A folder that is gone with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(provider: &Provider) -> Self {
        let mut random = [0; 8];
        provider.rng.fill(&mut random).unwrap();
        let name = format!("symbolon-devpki-{:016x}", u64::from_ne_bytes(random));
        let path = std::env::temp_dir().join(name);
        files::make_folder(&path).unwrap();
        Self(path)
    }

    fn pair(&self) -> Pair {
        Pair::new(&self.0, "a.pem", "a.key.pem")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A root's certificate, and its key in PEM.
fn root(provider: &Provider) -> (CertificateDer<'static>, String) {
    let key = Key::generate(provider).unwrap();
    let pem = key.pem();
    let validity = Validity::lasting(std::time::Duration::from_secs(60));
    (Authority::root("root", validity, key).unwrap().certificate, pem)
}

#[test]
fn a_pair_is_found_as_it_was_written_and_leaves_nothing_else_behind() {
    let provider = rustcrypto::provider();
    let folder = Folder::new(&provider);
    let (certificate, key) = root(&provider);
    assert!(matches!(folder.pair().find(&provider).unwrap(), Found::Nothing));
    folder.pair().write(&provider, &certificate_pem(&certificate), Some(&key), Existing::Kept).unwrap();
    let Found::Both(chain, found) = folder.pair().find(&provider).unwrap() else { panic!("not found") };
    assert_eq!((chain, found.pem()), (vec![certificate], key));
    assert_eq!(folder.names(), ["a.key.pem", "a.pem"]);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let provider = rustcrypto::provider();
    let folder = Folder::new(&provider);
    let (certificate, key) = root(&provider);
    for existing in [Existing::Kept, Existing::Replaced] {
        folder.pair().write(&provider, &certificate_pem(&certificate), Some(&key), existing).unwrap();
        let mode = fs::metadata(&folder.pair().key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_is_there_is_kept_unless_it_is_to_be_replaced() {
    let provider = rustcrypto::provider();
    let folder = Folder::new(&provider);
    let ((first, first_key), (second, second_key)) = (root(&provider), root(&provider));
    let write = |certificate, key: &str, existing| {
        folder.pair().write(&provider, &certificate_pem(certificate), Some(key), existing)
    };
    write(&first, &first_key, Existing::Kept).unwrap();
    write(&second, &second_key, Existing::Kept).unwrap_err();
    assert_eq!(fs::read_to_string(folder.pair().key).unwrap(), first_key);
    assert_eq!(fs::read_to_string(folder.pair().certificates).unwrap(), certificate_pem(&first));
    write(&second, &second_key, Existing::Replaced).unwrap();
    assert_eq!(fs::read_to_string(folder.pair().key).unwrap(), second_key);
    assert_eq!(folder.names(), ["a.key.pem", "a.pem"], "nothing is left of the attempt that failed");
}

#[test]
fn a_key_whose_certificate_was_not_written_any_more_is_used() {
    let provider = rustcrypto::provider();
    let folder = Folder::new(&provider);
    let (certificate, key) = root(&provider);
    fs::write(folder.pair().key, &key).unwrap();
    let Found::Key(found) = folder.pair().find(&provider).unwrap() else { panic!("not found") };
    assert_eq!(found.pem(), key);
    folder.pair().write(&provider, &certificate_pem(&certificate), None, Existing::Kept).unwrap();
    assert!(matches!(folder.pair().find(&provider).unwrap(), Found::Both(..)));
}

#[test]
fn a_certificate_without_its_key_and_a_key_of_another_one_are_refused() {
    let provider = rustcrypto::provider();
    let folder = Folder::new(&provider);
    let ((certificate, _), (_, other)) = (root(&provider), root(&provider));
    fs::write(folder.pair().certificates, certificate_pem(&certificate)).unwrap();
    let why = folder.pair().find(&provider).err().unwrap().to_string();
    assert!(why.contains("its key") && why.contains("is not"), "{why}");
    fs::write(folder.pair().key, other).unwrap();
    let why = folder.pair().find(&provider).err().unwrap().to_string();
    assert!(why.contains("does not belong"), "{why}");
}

#[test]
fn a_folder_that_is_none_is_named() {
    let provider = rustcrypto::provider();
    let folder = Folder::new(&provider);
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    let why = files::make_folder(&file.join("below")).unwrap_err().to_string();
    assert!(why.contains("file/below") && why.contains("cannot be made"), "{why}");
    let why = Pair::new(&folder.0.join("nowhere"), "a", "b").write(&provider, "", None, Existing::Kept);
    assert!(why.unwrap_err().to_string().contains("cannot be written"));
}

#[test]
fn what_cannot_stand_in_a_certificate_is_refused() {
    let pki = DevPki::new(&rustcrypto::provider()).unwrap();
    let why = pki.issue_leaf(&Leaf::for_subject("a").uri("spiffe://é/a")).err().unwrap().to_string();
    assert!(why.contains("cannot stand in a certificate"), "{why}");
}

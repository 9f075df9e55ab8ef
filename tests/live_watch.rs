//! Files that change under a watch. Every wait has an end, and none is for time to pass.
#![cfg(all(feature = "rustcrypto", feature = "watch"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use devpki::{DevPki, Leaf};
use symbolon::crypto::rustcrypto::provider;
use symbolon::pki::Verifier;
use symbolon::policy::watch::{Reloaded, Watch, WatchBuilder};
use symbolon::policy::{CredentialStore, EntryFiles, TrustStore, certificates_from_pem};

/// No test waits this long unless it fails.
const BOUND: Duration = Duration::from_secs(30);

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);

/// A directory that goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("symbolon-watch-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A chain and a key, as texts.
fn pair(pki: &DevPki) -> (String, String) {
    pki.issue_pem(&["localhost"]).unwrap()
}

/// Replaces a file as programs do that care: by renaming.
fn rename_over(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(fresh, path).unwrap();
}

fn write_pair(directory: &Directory, (chain, key): &(String, String)) {
    rename_over(&directory.at("tls.crt"), chain);
    rename_over(&directory.at("tls.key"), key);
}

fn leaf_of(chain: &str) -> Vec<u8> {
    certificates_from_pem(chain.as_bytes()).unwrap()[0].to_vec()
}

fn served(store: &CredentialStore) -> Vec<u8> {
    store.entries()[0].credential().chain()[0].to_vec()
}

/// A store of two files, and what its watch reports.
struct Watched {
    directory: Directory,
    pki: DevPki,
    store: CredentialStore,
    reports: Receiver<Reloaded>,
    watch: Watch,
}

impl Watched {
    fn new(change: impl FnOnce(WatchBuilder) -> WatchBuilder) -> Self {
        let directory = Directory::new();
        let pki = DevPki::new(&provider()).unwrap();
        write_pair(&directory, &pair(&pki));
        Self::of(directory, pki, change)
    }

    fn of(directory: Directory, pki: DevPki, change: impl FnOnce(WatchBuilder) -> WatchBuilder) -> Self {
        let files = EntryFiles::new(directory.at("tls.crt"), directory.at("tls.key"));
        let store = CredentialStore::new(provider(), [files.load(&provider()).unwrap()]).unwrap();
        let (sender, reports) = channel();
        let builder = Watch::builder()
            .credentials(&store, [files], provider())
            .quiet(Duration::from_millis(20))
            .poll_every(NEVER)
            .report(move |reloaded| drop(sender.send(reloaded)));
        let watch = change(builder).start().unwrap();
        let watched = Self { directory, pki, store, reports, watch };
        assert_eq!(watched.reported(), Ok(2), "it begins with a reload");
        watched
    }

    fn reported(&self) -> Result<u64, String> {
        let reloaded = self.reports.recv_timeout(BOUND).expect("a report in time");
        reloaded.result.map_err(|error| error.to_string())
    }

    /// Until this leaf is served; halves of pairs may be refused on the way.
    fn until_served(&self, chain: &str) {
        while served(&self.store) != leaf_of(chain) {
            let _ = self.reported();
        }
    }
}

#[test]
fn files_that_are_replaced_by_renaming_are_loaded() {
    let watched = Watched::new(|builder| builder);
    for _ in 0..2 {
        let fresh = pair(&watched.pki);
        write_pair(&watched.directory, &fresh);
        watched.until_served(&fresh.0);
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_directory_that_is_exchanged_is_followed() {
    use std::os::unix::fs::symlink;
    let (directory, pki) = (Directory::new(), DevPki::new(&provider()).unwrap());
    let path = directory.0.clone();
    // As Kubernetes mounts secrets: tls.crt -> ..data/tls.crt, ..data -> ..1
    let exchange = |name: &str, (chain, key): &(String, String)| {
        let folder = path.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("tls.crt"), chain).unwrap();
        fs::write(folder.join("tls.key"), key).unwrap();
        symlink(name, path.join("..data_tmp")).unwrap();
        fs::rename(path.join("..data_tmp"), path.join("..data")).unwrap();
    };
    exchange("..1", &pair(&pki));
    for file in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(file), path.join(file)).unwrap();
    }
    let watched = Watched::of(directory, pki, |builder| builder);
    for (name, old) in [("..2", "..1"), ("..3", "..2")] {
        let fresh = pair(&watched.pki);
        exchange(name, &fresh);
        fs::remove_dir_all(path.join(old)).unwrap();
        watched.until_served(&fresh.0);
    }
}

#[test]
fn a_half_written_file_is_refused_until_it_is_whole() {
    let watched = Watched::new(|builder| builder);
    let before = served(&watched.store);
    let (chain, key) = pair(&watched.pki);
    let half = &chain[..chain.len() / 3];
    rename_over(&watched.directory.at("tls.crt"), half);
    let error = watched.reported().unwrap_err();
    assert!(error.contains("tls.crt"), "{error}");
    assert_eq!((served(&watched.store), watched.store.generation()), (before, 2));
    write_pair(&watched.directory, &(chain.clone(), key));
    watched.until_served(&chain);
}

#[test]
fn a_file_that_is_deleted_leaves_the_last_good_state_and_may_come_back() {
    let watched = Watched::new(|builder| builder);
    let before = served(&watched.store);
    fs::remove_file(watched.directory.at("tls.crt")).unwrap();
    let error = watched.reported().unwrap_err();
    assert!(error.contains("tls.crt: cannot be read"), "{error}");
    assert_eq!(served(&watched.store), before);
    let fresh = pair(&watched.pki);
    write_pair(&watched.directory, &fresh);
    watched.until_served(&fresh.0);
}

#[test]
fn a_failure_is_told_once_and_tried_again_at_every_look() {
    let watched = Watched::new(|builder| builder);
    let (chain, key) = pair(&watched.pki);
    rename_over(&watched.directory.at("tls.crt"), &chain);
    assert!(watched.reported().unwrap_err().contains("does not belong to the leaf"));
    watched.watch.look();
    watched.watch.look();
    rename_over(&watched.directory.at("tls.key"), &key);
    assert_eq!(watched.reported(), Ok(3), "nothing was told in between");
}

#[test]
fn without_events_changes_are_found_by_looking() {
    let watched = Watched::new(|builder| builder.polling_only().poll_every(Duration::from_millis(5)));
    let fresh = pair(&watched.pki);
    write_pair(&watched.directory, &fresh);
    watched.until_served(&fresh.0);
}

#[test]
fn dropping_the_watch_ends_its_thread() {
    let watched = Watched::new(|builder| builder);
    let Watched { watch, reports, .. } = watched;
    drop(watch);
    assert!(reports.recv().is_err(), "who would report is gone");
}

#[test]
fn a_bundle_of_roots_is_reloaded_and_a_broken_one_refused() {
    let directory = Directory::new();
    let [old, new] = ["Old", "New"].map(|name| DevPki::named(&provider(), name).unwrap());
    let file = directory.at("roots.pem");
    fs::write(&file, old.ca_pem()).unwrap();
    let trust = TrustStore::new(Verifier::new(provider(), [old.root().clone()]).unwrap());
    let (sender, reports) = channel();
    let _watch = Watch::builder()
        .roots(&trust, [&file], |roots| Verifier::new(provider(), roots))
        .quiet(Duration::from_millis(20))
        .poll_every(NEVER)
        .report(move |reloaded: Reloaded| drop(sender.send(reloaded.result)))
        .start()
        .unwrap();
    let reported = || reports.recv_timeout(BOUND).expect("a report in time");
    assert_eq!(reported(), Ok(0));
    rename_over(&file, &(old.ca_pem() + &new.ca_pem()));
    assert_eq!(reported(), Ok(0));
    rename_over(&file, "nothing");
    assert!(reported().unwrap_err().to_string().contains("neither PEM nor DER"));
    let leaf = new.issue_leaf(&Leaf::named(&["x"])).unwrap();
    let verifies = || trust.verifier_for(leaf.chain()).unwrap().roots().len();
    assert_eq!(verifies(), 2);
    rename_over(&file, &new.ca_pem());
    assert_eq!((reported(), verifies()), (Ok(1), 1));
}

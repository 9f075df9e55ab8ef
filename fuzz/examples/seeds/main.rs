//! Makes the first inputs of every target, `seeds/TARGET/NAME`, from honest scripts and from the library's test vectors.
//! Nothing here is random: the same inputs come out each time.

mod machines;
mod messages;
mod pki;
mod sessions;

use std::fs;
use std::path::{Path, PathBuf};

/// Writes one input.
pub fn seed(target: &str, name: &str, input: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder).expect("the folder can be made");
    fs::write(folder.join(name), input).expect("the input can be written");
}

/// The files of a folder of the library's test vectors whose names end so, by name.
pub fn vectors(folder: &str, suffix: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../testvectors", folder].iter().collect();
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("the test vectors are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("it can be read"))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn main() {
    machines::make();
    messages::make();
    pki::make();
    sessions::make();
}

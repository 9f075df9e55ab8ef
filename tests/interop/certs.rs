//! Keys and certificates for the tests, made by OpenSSL in a directory of the build, once a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The kinds of certificates that every peer is tried with.
pub const KINDS: [&str; 5] = ["rsa", "p256", "p384", "p521", "ed25519"];

/// How many bytes the comment in the certificate `long` has, so that its message needs two records.
const LONG: usize = 18_000;

/// Where a file of the tests is, such as `ca.pem`, `rsa.pem`, `rsa.key` and its public half `rsa.pub`.
pub fn file(name: &str) -> String {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let path = MADE.get_or_init(make).join(name);
    path.to_str().unwrap().to_owned()
}

/// A path for a file that a test writes.
pub fn scratch(name: &str) -> String {
    let path = file(&format!("scratch-{name}"));
    let _ = fs::remove_file(&path);
    path
}

const CONFIG: &str = "
[ca]
default_ca = test
[test]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
policy = any
copy_extensions = none
email_in_dn = no
crlnumber = crlnumber
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[localhost]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1
[signing]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1
[other]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:other.test
[workload]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = URI:spiffe://interop.test/api
[long]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1
nsComment = COMMENT
[stapled]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost
tlsfeature = status_request
[responder]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = none
[none]
";

fn make() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("interop-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("config"), CONFIG.replace("COMMENT", &"x".repeat(LONG))).unwrap();
    fs::write(dir.join("index"), "").unwrap();
    fs::write(dir.join("crlnumber"), "01\n").unwrap();
    for authority in ["ca", "wrong-ca"] {
        key(&dir, authority, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        let (key, pem, subject) =
            (format!("{authority}.key"), format!("{authority}.pem"), format!("/CN=Interop {authority}"));
        let tail = ["-subj", &subject, "-extensions", "authority", "-config", "config", "-days", "30"];
        openssl(&dir, &[&["req", "-x509", "-new", "-key", &key, "-out", &pem][..], &tail].concat());
    }
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for (name, options, extensions) in [
        ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..], "localhost"),
        ("p256", &p256, "signing"),
        ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "signing"),
        ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "signing"),
        ("ed25519", &["-algorithm", "ED25519"], "signing"),
        ("other", &p256, "other"),
        ("expired", &p256, "signing"),
        ("revoked", &p256, "signing"),
        ("workload", &p256, "workload"),
        ("long", &p256, "long"),
        ("stapled", &p256, "stapled"),
        ("responder", &p256, "responder"),
    ] {
        key(&dir, name, options);
        issue(&dir, name, extensions);
        let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
        openssl(&dir, &["pkey", "-in", &private, "-pubout", "-out", &public]);
    }
    // Nobody's: it speaks for itself alone.
    key(&dir, "stranger", &p256);
    let stranger =
        ["req", "-x509", "-new", "-key", "stranger.key", "-out", "stranger.pem", "-subj", "/CN=stranger"];
    let tail = ["-extensions", "other", "-config", "config", "-days", "30"];
    openssl(&dir, &[&stranger[..], &tail].concat());
    let authority = ["-config", "config", "-cert", "ca.pem", "-keyfile", "ca.key", "-md", "sha256"];
    openssl(&dir, &[&["ca", "-revoke", "revoked.pem"], &authority[..]].concat());
    openssl(&dir, &[&["ca", "-gencrl", "-crldays", "7", "-out", "crl.pem"], &authority[..]].concat());
    for name in ["p256", "revoked", "stapled"] {
        staple(&dir, name);
    }
    dir
}

/// An OCSP response about a certificate, `NAME.ocsp`, by a responder that the CA made one.
fn staple(dir: &Path, name: &str) {
    let (pem, response) = (format!("{name}.pem"), format!("{name}.ocsp"));
    let request = format!("{name}.ocsp-request");
    openssl(dir, &["ocsp", "-issuer", "ca.pem", "-cert", &pem, "-no_nonce", "-reqout", &request]);
    let responder = ["-rsigner", "responder.pem", "-rkey", "responder.key", "-ndays", "7", "-no_nonce"];
    let files = ["ocsp", "-index", "index", "-CA", "ca.pem", "-reqin", &request, "-respout", &response];
    openssl(dir, &[&files[..], &responder].concat());
}

fn key(dir: &Path, name: &str, options: &[&str]) {
    let out = format!("{name}.key");
    openssl(dir, &[&["genpkey", "-out", &out][..], options].concat());
}

fn issue(dir: &Path, name: &str, extensions: &str) {
    let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    openssl(dir, &["req", "-new", "-key", &key, "-subj", &subject, "-config", "config", "-out", "csr"]);
    let days = match name {
        "expired" => ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"],
        _ => ["-days", "30", "-md", "sha256"],
    };
    let mut arguments = vec!["ca", "-batch", "-notext", "-config", "config", "-in", "csr", "-out", &pem];
    arguments.extend(["-cert", "ca.pem", "-keyfile", "ca.key", "-md", "sha256", "-extensions", extensions]);
    arguments.extend(days);
    openssl(dir, &arguments);
}

fn openssl(dir: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("openssl: {error}; is it installed?"));
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

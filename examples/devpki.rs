//! Writes a development PKI, as a script around `openssl` would: a root, an intermediate authority, a server's leaf and a
//! client's. Run again, it goes on with the authorities that are there.
//!
//! `cargo run --example devpki -- --out pki --name localhost --spiffe spiffe://dev.example/api --client alice`

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/devpki_files.rs"]
mod files;

use std::error::Error;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use rustls_pki_types::{CertificateDer, DnsName, ServerName, UnixTime};
use symbolon::crypto::{Provider, rustcrypto};
use symbolon::identity::{Fingerprint, SpiffeId};
use symbolon::pki::{Chain, Expected, Purpose, Verifier};

use devpki::{Authority, Key, LONGEST_COMMON_NAME, Leaf, Validity, certificate_pem, sha256};
use files::{Existing, Found, Pair};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Authorities last longer than what they vouch for.
const ROOT: Kind = Kind { name: "Symbolon devpki root", days: 3_650 };
const INTERMEDIATE: Kind = Kind { name: "Symbolon devpki intermediate", days: 1_825 };
const LONGEST_LEAF: i64 = 825;

/// Writes a root, an intermediate authority, and leaves for a server and a client; ECDSA P-256, PEM.
///
/// Files that are there stay as they are: another run issues what is missing, by the same authorities.
#[derive(Parser)]
struct Arguments {
    /// The folder to write to; made if it is not there
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,

    /// A DNS name or an IP address of the server, may be repeated [default: localhost 127.0.0.1 ::1]
    #[arg(long = "name", value_name = "NAME", value_parser = host_name)]
    names: Vec<String>,

    /// A SPIFFE ID of the server, which may then authenticate as a client, too
    #[arg(long, value_name = "ID", value_parser = spiffe_id)]
    spiffe: Option<String>,

    /// Issues for a client, too: a SPIFFE ID, a mailbox, or a name for its subject
    #[arg(long, value_name = "NAME", value_parser = client_name)]
    client: Option<String>,

    /// How long leaves are good for, in days
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=LONGEST_LEAF))]
    days: u32,

    /// What the server's files are called, before .chain.pem and .key.pem
    #[arg(long, value_name = "NAME", default_value = "server", value_parser = file_name)]
    server_file: String,

    /// What the client's files are called
    #[arg(long, value_name = "NAME", default_value = "client", value_parser = file_name)]
    client_file: String,

    /// Issues anew what is there already: the leaves, or the authorities as well
    #[arg(long, value_name = "WHAT", num_args = 0..=1, default_missing_value = "leaves")]
    force: Option<Force>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Force {
    Leaves,
    All,
}

/// What kind of authority.
struct Kind {
    name: &'static str,
    days: u32,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devpki: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Fallible<()> {
    let (authorities, leaves) = match arguments.force {
        None => (Existing::Kept, Existing::Kept),
        Some(Force::Leaves) => (Existing::Kept, Existing::Replaced),
        Some(Force::All) => (Existing::Replaced, Existing::Replaced),
    };
    if arguments.client.is_some() && arguments.server_file == arguments.client_file {
        return Err("the files of server and client must have different names".into());
    }
    files::make_folder(&arguments.out)?;
    let provider = rustcrypto::provider();
    let pair = |certificates: &str, key: &str| Pair::new(&arguments.out, certificates, key);
    let leaf_pair = |name: &str| pair(&format!("{name}.chain.pem"), &format!("{name}.key.pem"));

    let root_files = pair("root.pem", "root.key.pem");
    let root = authority(&provider, &root_files, &ROOT, None, authorities)?;
    let intermediate_files = pair("intermediate.pem", "intermediate.key.pem");
    let intermediate = authority(&provider, &intermediate_files, &INTERMEDIATE, Some(&root), authorities)?;
    let issuing = Issuing {
        verifier: Verifier::new(provider.clone(), [root.certificate.clone()])?,
        provider,
        intermediate,
        validity: Validity::lasting(days(arguments.days)),
        existing: leaves,
    };
    let mut written = vec![leaf_pair(&arguments.server_file)];
    let asked = |chain: &[CertificateDer<'static>]| issuing.check_server(chain, arguments);
    issuing.leaf(&written[0], &server_leaf(arguments), &asked)?;
    if let Some(client) = &arguments.client {
        let files = leaf_pair(&arguments.client_file);
        issuing.leaf(&files, &client_leaf(client), &|chain| {
            issuing.check(chain, Purpose::Client, &Expected::Anyone)
        })?;
        written.push(files);
    }
    tell_commands(&root_files.certificates, &intermediate_files.certificates, &written)
}

/// Goes on with the authority that is there, or makes one.
fn authority(
    provider: &Provider,
    files: &Pair,
    kind: &Kind,
    issuer: Option<&Authority>,
    existing: Existing,
) -> Fallible<Authority> {
    let found = match existing {
        Existing::Kept => files.find(provider).map_err(|error| {
            format!("{error}\nMend that, or make new authorities and leaves with --force all.")
        })?,
        Existing::Replaced => Found::Nothing,
    };
    let (key, new_key) = match found {
        Found::Both(certificates, key) => {
            let certificate = certificates.into_iter().next().ok_or("there is no certificate")?;
            tell(provider, "kept", &files.certificates, &certificate, key.spki())?;
            return Authority::again(kind.name, certificate, key);
        }
        Found::Key(key) => (key, None),
        Found::Nothing => {
            let key = Key::generate(provider)?;
            let pem = key.pem();
            (key, Some(pem))
        }
    };
    let (validity, spki) = (Validity::lasting(days(kind.days)), key.spki().to_vec());
    let made = match issuer {
        Some(issuer) => issuer.intermediate(kind.name, validity, key)?,
        None => Authority::root(kind.name, validity, key)?,
    };
    files.write(provider, &certificate_pem(&made.certificate), new_key.as_deref(), existing)?;
    tell(provider, "wrote", &files.certificates, &made.certificate, &spki)?;
    Ok(made)
}

/// What leaves are issued with.
struct Issuing {
    provider: Provider,
    intermediate: Authority,
    verifier: Verifier,
    validity: Validity,
    existing: Existing,
}

impl Issuing {
    /// Goes on with the leaf that is there, or issues one; either must pass `check`.
    fn leaf(
        &self,
        files: &Pair,
        leaf: &Leaf,
        check: &dyn Fn(&[CertificateDer<'static>]) -> Fallible<()>,
    ) -> Fallible<()> {
        let anew = |error: &dyn std::fmt::Display| {
            let file = files.certificates.display();
            format!("{file} cannot be gone on with: {error}\nIssue it anew with --force.")
        };
        let found = match self.existing {
            Existing::Kept => files.find(&self.provider).map_err(|error| anew(&error))?,
            Existing::Replaced => Found::Nothing,
        };
        let (key, new_key) = match found {
            Found::Both(chain, key) => {
                check(&chain).map_err(|error| anew(&error))?;
                let certificate = chain.first().ok_or("there is no certificate")?;
                return tell(&self.provider, "kept", &files.certificates, certificate, key.spki());
            }
            Found::Key(key) => (key, None),
            Found::Nothing => {
                let key = Key::generate(&self.provider)?;
                let pem = key.pem();
                (key, Some(pem))
            }
        };
        let certificate = self.intermediate.issue(&leaf.clone().valid(self.validity), &key)?;
        let chain = [certificate, self.intermediate.certificate.clone()];
        check(&chain).map_err(|error| {
            format!("these authorities cannot issue any more: {error}\nMake new ones with --force all.")
        })?;
        let pem: String = chain.iter().map(certificate_pem).collect();
        files.write(&self.provider, &pem, new_key.as_deref(), self.existing)?;
        tell(&self.provider, "wrote", &files.certificates, &chain[0], key.spki())
    }

    /// Whether a server of every name that was asked for would be believed.
    fn check_server(&self, chain: &[CertificateDer<'static>], arguments: &Arguments) -> Fallible<()> {
        for name in &arguments.names {
            // One host stands for all that a wildcard covers.
            let name = name.replacen("*.", "any.", 1);
            let name = ServerName::try_from(name.as_str())?;
            self.check(chain, Purpose::Server, &name.into())?;
        }
        Ok(())
    }

    fn check(
        &self,
        chain: &[CertificateDer<'static>],
        purpose: Purpose,
        expected: &Expected,
    ) -> Fallible<()> {
        let chain = Chain::of(chain).ok_or("there is no certificate")?;
        self.verifier.verify(&chain, purpose, expected, UnixTime::now())?;
        Ok(())
    }
}

fn server_leaf(arguments: &Arguments) -> Leaf {
    let usual = ["localhost", "127.0.0.1", "::1"];
    let leaf = match &arguments.names[..] {
        [] => Leaf::named(&usual),
        names => Leaf::named(names),
    };
    match &arguments.spiffe {
        Some(id) => leaf.uri(id),
        None => leaf.server_only(),
    }
}

fn client_leaf(name: &str) -> Leaf {
    let leaf = match name {
        id if id.starts_with("spiffe://") => Leaf::workload(id),
        mailbox if mailbox.contains('@') => Leaf::for_subject(mailbox).mailbox(mailbox),
        name => Leaf::for_subject(name),
    };
    leaf.client_only()
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}

fn tell(
    provider: &Provider,
    done: &str,
    path: &Path,
    certificate: &CertificateDer<'static>,
    spki: &[u8],
) -> Fallible<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{done} {}", path.display())?;
    writeln!(out, "      certificate  SHA-256 {}", Fingerprint(sha256(provider, certificate)?))?;
    writeln!(out, "      public key   SHA-256 {}", Fingerprint(sha256(provider, spki)?))?;
    Ok(())
}

fn tell_commands(root: &Path, intermediate: &Path, leaves: &[Pair]) -> Fallible<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\nEach has its key beside it, in a file that ends in .key.pem. To look at them:\n")?;
    let (root, intermediate) = (quoted(root), quoted(intermediate));
    for leaf in leaves {
        let chain = quoted(&leaf.certificates);
        writeln!(out, "  openssl x509 -noout -text -in {chain}")?;
        writeln!(out, "  openssl verify -x509_strict -CAfile {root} -untrusted {intermediate} {chain}")?;
    }
    Ok(())
}

/// As a shell reads it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    match path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

fn host_name(name: &str) -> Result<String, &'static str> {
    let dns = name.strip_prefix("*.").unwrap_or(name);
    match name.parse::<IpAddr>().is_ok() || (DnsName::try_from(dns).is_ok() && !dns.ends_with('.')) {
        true => Ok(name.to_ascii_lowercase()),
        false => Err("neither an IP address nor a DNS name; a name in another script goes in its xn-- form"),
    }
}

fn spiffe_id(id: &str) -> Result<String, String> {
    let parsed: SpiffeId = id.parse().map_err(|error: symbolon::identity::NotSpiffe| error.to_string())?;
    match parsed.path() {
        "" => Err("the ID of a workload has a path after its trust domain".into()),
        _ => Ok(parsed.to_string()),
    }
}

fn client_name(name: &str) -> Result<String, String> {
    if name.starts_with("spiffe:") {
        return spiffe_id(name);
    }
    if name.contains('@') && !name.is_ascii() {
        return Err("only mailboxes of ASCII characters are issued for here".into());
    }
    let printable = !name.trim().is_empty() && !name.contains(char::is_control);
    match printable && name.chars().count() <= LONGEST_COMMON_NAME {
        true => Ok(name.into()),
        false => Err(format!("a subject's name has 1 to {LONGEST_COMMON_NAME} printable characters")),
    }
}

fn file_name(name: &str) -> Result<String, &'static str> {
    match name {
        "" | "root" | "intermediate" => Err("this name is taken"),
        name if name.starts_with('.') || name.contains(['/', '\\']) => {
            Err("a file's name alone, without folders")
        }
        name => Ok(name.into()),
    }
}

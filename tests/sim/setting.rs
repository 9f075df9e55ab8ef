//! What a seed's clients and servers are configured with, and what must come of it.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use symbolon::AlertCode;
use symbolon::codepoint::{CertificateType, CipherSuite, NamedGroup, SignatureScheme};
use symbolon::config::{
    ClientAuth, ClientConfig, ClientConfigBuilder, Credential, Reach, ServerConfig, ServerConfigBuilder,
    StatelessRetry,
};
use symbolon::conn::Padding;
use symbolon::crypto::{Provider, SigningKey};
use symbolon::policy::replay::{Guard, ReplayGuard};
use symbolon::psk::{ExternalPsk, PskHash};

use super::dice::{Dice, Drawing};
use super::fleet::{Guarding, Ledger, Server, Vault};
use super::support::{self, Key};
use super::toy;

pub const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
];

pub const GROUPS: [NamedGroup; 4] =
    [NamedGroup::X25519MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1];

const X509: CertificateType = CertificateType::X509;
const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;

/// How much early data servers accept, in bytes.
pub const MAX_EARLY: u32 = 1000;

/// How long cookies live, in seconds: longer than any handshake here.
const COOKIE_LIFE: u64 = 60;

/// Whose primitives are at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitives {
    Toy,
    Real,
}

/// What the two sides do not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Suites,
    Groups,
    Protocols,
    Schemes,
    ServerTypes,
    ClientTypes,
    ClientCertificate,
    Keys,
}

const FLAWS: [Flaw; 8] = [
    Flaw::Suites,
    Flaw::Groups,
    Flaw::Protocols,
    Flaw::Schemes,
    Flaw::ServerTypes,
    Flaw::ClientTypes,
    Flaw::ClientCertificate,
    Flaw::Keys,
];

impl Flaw {
    /// The alert with which the server says so.
    pub fn alert(self) -> AlertCode {
        match self {
            Self::Suites | Self::Groups | Self::Schemes => AlertCode::HANDSHAKE_FAILURE,
            Self::Protocols => AlertCode::NO_APPLICATION_PROTOCOL,
            Self::ServerTypes | Self::ClientTypes => AlertCode::UNSUPPORTED_CERTIFICATE,
            Self::ClientCertificate => AlertCode::CERTIFICATE_REQUIRED,
            Self::Keys => AlertCode::UNKNOWN_PSK_IDENTITY,
        }
    }
}

/// How servers authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presents {
    Certificate,
    RawKey,
    /// Pre-shared keys alone.
    Nothing,
}

/// The setting of a story.
pub struct Setting {
    pub provider: Provider,
    pub guarding: Guarding,
    pub flaw: Option<Flaw>,
    pub client: Arc<ClientConfig>,
    pub servers: Vec<Server>,
    /// With what clients authenticate, for each type of certificate.
    pub own: Vec<Arc<Credential>>,
    /// With what servers do.
    pub serving: Option<Arc<Credential>>,
    /// External keys that clients offer.
    pub psks: Vec<Arc<ExternalPsk>>,
    /// How much a protected record may hold that servers and clients send, where that was agreed on.
    pub limits: Option<[usize; 2]>,
    /// How the two sides authenticate, for the tally.
    pub authentication: String,
}

/// What is drawn before anything is built.
struct Draft {
    presents: Presents,
    auth: ClientAuth,
    flaw: Option<Flaw>,
    client_limit: Option<u16>,
    server_limit: Option<u16>,
    server_suites: Vec<CipherSuite>,
    server_groups: Vec<NamedGroup>,
    suite: CipherSuite,
    group: NamedGroup,
    client_types: Vec<CertificateType>,
    psk_ke: bool,
    /// No group in common; keys without a key exchange may do all the same.
    apart: bool,
    verify_again: bool,
}

impl Setting {
    pub fn draw(seed: u64, primitives: Primitives, dice: &mut Dice) -> Self {
        let rng = seed ^ 0x5EED;
        let provider = match primitives {
            Primitives::Toy => toy::provider(rng),
            Primitives::Real => Provider { rng: Arc::new(Drawing::new(rng)), ..support::provider() },
        };
        let draft = Draft::draw(dice);
        let psks = match draft.presents {
            Presents::Nothing => keys(dice, &provider),
            _ if draft.flaw.is_none() && dice.once_in(4) => keys(dice, &provider),
            _ => Vec::new(),
        };
        let key = match primitives {
            Primitives::Toy => toy_key,
            Primitives::Real => real_key,
        };
        let serving = match draft.presents {
            Presents::Certificate => Some(chain(key(dice, "server"), dice)),
            Presents::RawKey => Some(Arc::new(Credential::raw_public_key(key(dice, "server")).unwrap())),
            Presents::Nothing => None,
        };
        let own = match draft.flaw {
            Some(Flaw::ClientCertificate) => Vec::new(),
            _ if !matches!(draft.auth, ClientAuth::Required { .. }) && dice.once_in(2) => Vec::new(),
            _ => vec![
                chain(key(dice, "client"), dice),
                Arc::new(Credential::raw_public_key(key(dice, "client, raw")).unwrap()),
            ],
        };
        let stateless = dice.once_in(3);
        let guarding = if dice.once_in(2) { Guarding::Common } else { Guarding::Each };
        let known = if draft.flaw == Some(Flaw::Keys) { Vec::new() } else { psks.clone() };
        let servers = draft.servers(dice, &provider, guarding, serving.as_ref(), stateless, &known);
        let schemes = serving.iter().flat_map(|credential| credential.schemes().to_vec()).collect();
        let client = draft.client(dice, &provider, schemes);
        let limits = match (draft.server_limit, draft.client_limit) {
            (Some(server), Some(client)) => Some([usize::from(client), usize::from(server)]),
            _ => None,
        };
        let authentication = draft.authentication();
        let flaw = draft.flaw;
        Self { provider, guarding, flaw, client, servers, own, serving, psks, limits, authentication }
    }
}

impl Draft {
    fn draw(dice: &mut Dice) -> Self {
        let flaw = dice.once_in(8).then(|| *dice.one_of(&FLAWS));
        let presents = match flaw {
            Some(Flaw::Keys) => Presents::Nothing,
            Some(_) => Presents::Certificate,
            None => *dice.one_of(&[
                Presents::Certificate,
                Presents::Certificate,
                Presents::RawKey,
                Presents::Nothing,
            ]),
        };
        let authorities = if dice.once_in(3) { vec![b"an authority".to_vec()] } else { Vec::new() };
        let auth = match (flaw, presents) {
            (Some(Flaw::ClientTypes | Flaw::ClientCertificate), _) => ClientAuth::Required { authorities },
            (_, Presents::Nothing) => ClientAuth::Off,
            _ => match dice.within(0..6) {
                0 => ClientAuth::Optional { authorities },
                1 => ClientAuth::Migrating { authorities },
                2 => ClientAuth::Required { authorities },
                _ => ClientAuth::Off,
            },
        };
        let limit = |dice: &mut Dice| match dice.within(0..6) {
            0 => Some(64),
            1 => Some(dice.within(64..16_385) as u16),
            2 => Some(16_385),
            _ => None,
        };
        let (suite, group) = (*dice.one_of(&SUITES), *dice.one_of(&GROUPS));
        let mut server_suites = dice.some_of(&SUITES, suite);
        let mut server_groups = dice.some_of(&GROUPS, group);
        let psk_ke = dice.once_in(4);
        let apart = flaw == Some(Flaw::Groups)
            || (flaw.is_none() && presents == Presents::Nothing && psk_ke && dice.once_in(2));
        if apart {
            server_groups = vec![group];
        }
        match flaw {
            Some(Flaw::Suites) => server_suites = vec![suite],
            // Keys of each hash must be of use.
            _ if presents == Presents::Nothing => server_suites = SUITES.to_vec(),
            _ => {}
        }
        Self {
            presents,
            auth,
            flaw,
            client_limit: limit(dice),
            server_limit: limit(dice),
            server_suites,
            server_groups,
            suite,
            group,
            client_types: match dice.within(0..4) {
                0 => vec![RAW],
                1 => vec![RAW, X509],
                _ => vec![X509],
            },
            psk_ke,
            apart,
            verify_again: dice.once_in(4),
        }
    }

    fn authentication(&self) -> String {
        let auth = match self.auth {
            ClientAuth::Off => "off",
            ClientAuth::Optional { .. } => "optional",
            ClientAuth::Migrating { .. } => "migrating",
            ClientAuth::Required { .. } => "required",
        };
        format!("server: {:?}, client: {auth}", self.presents)
    }

    fn client(
        &self,
        dice: &mut Dice,
        provider: &Provider,
        schemes: Vec<SignatureScheme>,
    ) -> Arc<ClientConfig> {
        let suites = match self.flaw {
            Some(Flaw::Suites) => SUITES.into_iter().filter(|suite| *suite != self.suite).collect(),
            _ if self.presents == Presents::Nothing => SUITES.to_vec(),
            _ => dice.some_of(&SUITES, self.suite),
        };
        let groups: Vec<NamedGroup> = match self.apart {
            true => GROUPS.into_iter().filter(|group| *group != self.group).collect(),
            false => dice.some_of(&GROUPS, self.group),
        };
        let mut builder = ClientConfig::builder(provider.clone())
            .suites(&suites)
            .groups(&groups)
            .padding(padding(dice))
            .max_sent_content(sent(dice))
            .client_certificate_types(match self.flaw {
                Some(Flaw::ClientTypes) => vec![X509],
                _ => vec![X509, RAW],
            })
            .reveal_secrets()
            .report_messages();
        builder = match (self.flaw, self.presents) {
            (Some(Flaw::ServerTypes), _) => builder.server_certificate_types([RAW]),
            (_, Presents::RawKey) if dice.once_in(2) => builder.server_certificate_types([RAW]),
            (_, Presents::RawKey) => builder.server_certificate_types([X509, RAW]),
            _ if dice.once_in(4) => builder.server_certificate_types([RAW, X509]),
            _ => builder,
        };
        builder = match self.flaw {
            Some(Flaw::Protocols) => builder.alpn(["other"]),
            _ => match dice.within(0..4) {
                0 => builder,
                1 => builder.alpn(["first"]),
                2 => builder.alpn(["third"]),
                _ => builder.alpn(["first", "second"]),
            },
        };
        if self.flaw == Some(Flaw::Schemes) {
            let others = [
                SignatureScheme::ED25519,
                SignatureScheme::ECDSA_SECP256R1_SHA256,
                SignatureScheme::RSA_PSS_RSAE_SHA256,
            ];
            let others: Vec<_> = others.into_iter().filter(|scheme| !schemes.contains(scheme)).collect();
            builder = builder.signature_schemes(&others);
        }
        builder = if dice.once_in(3) { builder.without_middlebox_compatibility() } else { builder };
        builder = if dice.once_in(6) { builder.ask_for_tickets(2, 1) } else { builder };
        self.client_in_common(builder).build().unwrap()
    }

    fn client_in_common(&self, mut builder: ClientConfigBuilder) -> ClientConfigBuilder {
        if let Some(limit) = self.client_limit {
            builder = builder.record_size_limit(limit);
        }
        builder = if self.psk_ke { builder.psk_ke() } else { builder };
        if self.verify_again { builder.verify_resumed_peers() } else { builder }
    }

    fn server_in_common(&self, mut builder: ServerConfigBuilder) -> ServerConfigBuilder {
        if let Some(limit) = self.server_limit {
            builder = builder.record_size_limit(limit);
        }
        builder = if self.psk_ke { builder.psk_ke() } else { builder };
        if self.verify_again { builder.verify_resumed_peers() } else { builder }
    }

    fn servers(
        &self,
        dice: &mut Dice,
        provider: &Provider,
        guarding: Guarding,
        serving: Option<&Arc<Credential>>,
        stateless: bool,
        psks: &[Arc<ExternalPsk>],
    ) -> Vec<Server> {
        let (common, vault) = (Ledger::default(), Vault::default());
        let window = Duration::from_secs(10);
        let (count, tickets, early) = (dice.within(1..4), dice.within(0..4) as u8, !dice.once_in(4));
        let (pads, sends) = (padding(dice), sent(dice));
        let (asks, alpn) = (dice.once_in(3), !dice.once_in(3));
        let one = |number| {
            let ledger = match guarding {
                Guarding::Common => common.clone(),
                Guarding::Each => Ledger::default(),
            };
            let guard: Arc<Guard<dyn ReplayGuard>> = Arc::new(Guard::vouched(ledger, Reach::Fleet, window));
            let mut builder = ServerConfig::builder(provider.clone())
                .suites(&self.server_suites)
                .groups(&self.server_groups)
                .padding(pads)
                .max_sent_content(sends)
                .tickets(tickets)
                .client_auth(self.auth.clone())
                .client_certificate_types(match self.flaw {
                    Some(Flaw::ClientTypes) => vec![RAW],
                    _ => self.client_types.clone(),
                })
                .reveal_secrets()
                .report_messages();
            builder = match serving {
                None => builder.psk_only(),
                // Each connection asks.
                Some(_) if asks => builder,
                Some(credential) => builder.credential(Arc::clone(credential)),
            };
            let protocols = alpn || self.flaw == Some(Flaw::Protocols);
            builder = if protocols { builder.alpn(["second", "third", "first"]) } else { builder };
            builder = if early { builder.early_data(MAX_EARLY, guard.proof().clone()) } else { builder };
            if stateless {
                builder = builder.stateless_retry(StatelessRetry::new([7; 32], COOKIE_LIFE));
            }
            let config = self.server_in_common(builder).build().unwrap();
            Server { number, config, guard, vault: vault.clone(), psks: psks.to_vec() }
        };
        (0..count).map(one).collect()
    }
}

fn padding(dice: &mut Dice) -> Padding {
    match dice.within(0..6) {
        0 => Padding::Multiple(64),
        1 => Padding::Multiple(dice.within(0..2000) as u16),
        _ => Padding::None,
    }
}

/// The most that a record carries.
fn sent(dice: &mut Dice) -> u16 {
    if dice.once_in(4) { dice.within(64..3000) as u16 } else { 16_384 }
}

/// A chain as long as chains are; what stands behind the leaf is of no meaning.
fn chain(key: Arc<dyn SigningKey>, dice: &mut Dice) -> Arc<Credential> {
    let mut chain = vec![CertificateDer::from(key.public_key().to_vec())];
    for _ in 0..dice.within(0..3) {
        chain.push(CertificateDer::from(vec![0x30; dice.within(1..2500)]));
    }
    match dice.once_in(4) {
        true => Arc::new(Credential::new(chain, key).unwrap().with_staple(vec![0x31; 200])),
        false => Arc::new(Credential::new(chain, key).unwrap()),
    }
}

fn toy_key(dice: &mut Dice, name: &str) -> Arc<dyn SigningKey> {
    let schemes = [
        SignatureScheme::ED25519,
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA256,
    ];
    toy::signing_key(name.as_bytes(), *dice.one_of(&schemes))
}

/// RSA is slow, and therefore rare.
fn real_key(dice: &mut Dice, _: &str) -> Arc<dyn SigningKey> {
    let kinds = [Key::Ed25519, Key::P256, Key::Ed25519, Key::P256, Key::P384, Key::Rsa2048];
    support::signing_key(*dice.one_of(&kinds))
}

/// External keys, as provisioned or imported.
fn keys(dice: &mut Dice, provider: &Provider) -> Vec<Arc<ExternalPsk>> {
    let hash = *dice.one_of(&[PskHash::Sha256, PskHash::Sha384]);
    let key = toy::marked_key(dice.roll());
    let keys = match dice.once_in(2) {
        true => ExternalPsk::import(provider, b"imported", &key, b"context", hash).unwrap(),
        false => vec![ExternalPsk::new(b"external", &key, hash).unwrap()],
    };
    keys.into_iter().map(Arc::new).collect()
}

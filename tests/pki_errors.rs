//! What a person reads when a peer or a file is refused, what a program finds inside, and what the peer is told.
//!
//! `cargo test --test pki_errors -- --nocapture` prints every text.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "support/issue.rs"]
mod issue;
#[path = "support/linked.rs"]
mod linked;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/refused.rs"]
mod refused;
mod support;

use std::path::PathBuf;
use std::sync::Arc;

use issue::{Authority, Key as P256};
use linked::Link;
use pki::{DAY, Dial, Issued, Says, issue, issue_with, issuer_at, lasting, must_staple};
use rcgen::{GeneralSubtree, NameConstraints, PublicKeyData};
use refused::{Case, Cause, HOST, by, no_path, revoking, verifier};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use support::{Key, provider, signing_key};
use symbolon::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use symbolon::identity::{Fingerprint, SpiffeId};
use symbolon::pki::{Budget, Expected, Extent, Profile, Revocation, RevocationPolicy, VerifyError};
use symbolon::policy::{
    ClientPolicy, Completeness, CredentialStore, Denied, Entry, NotPinned, Pin, Pins, ServerPolicy,
    TrustStore, Verification, credential_from_files,
};
use symbolon::{AlertCode, Error};

/// Asks what a cause is: `is!(VerifyError::Time { now, .. } if *now > 0)`.
macro_rules! is {
    ($($pattern:tt)*) => {
        |cause: &Cause| cause.downcast_ref::<VerifyError>().is_some_and(|error| matches!(error, $($pattern)*))
    };
}

/// Whose leaf needs information.
fn leaf_only() -> Revocation {
    Revocation::new(RevocationPolicy { extent: Extent::LeafOnly, ..RevocationPolicy::hard_fail() })
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testvectors", "pki", name].iter().collect()
}

fn stored(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(name)).unwrap()
}

/// Certificates whose key nobody has: they are refused before it is used.
fn without_key(names: &[&str]) -> Credential {
    Credential::new(names.iter().map(|name| stored(name)).collect(), signing_key(Key::P256)).unwrap()
}

fn chain(certificates: &[&CertificateDer<'static>], of: &Issued) -> Credential {
    let certificates = certificates.iter().map(|certificate| (*certificate).clone()).collect();
    Credential::new(certificates, of.credential.key().unwrap().clone()).unwrap()
}

const DAYS: i64 = DAY as i64;

#[test]
fn a_path_that_is_missing_names_the_issuer_and_the_trust_store() {
    let root = Authority::root("Root");
    let between = root.intermediate("Intermediate", |_| {});
    let other = Authority::root("Other root");
    let namesake = Authority::root("Root");
    let leaf = issue_with(&between, &[HOST], issuer_at("http://ca.example.test/i.crt"));
    let alone = leaf.alone();
    Case::server("an intermediate that was not sent", alone, verifier(&root))
        .gets(
            AlertCode::UNKNOWN_CA,
            &[
                "the peer sent only its leaf",
                "its issuer \"CN=Intermediate\" was not sent",
                "trusted: 1 root of ca.pem",
                "http://ca.example.test/i.crt",
                "have the peer send the missing intermediate",
            ],
            |cause| {
                no_path(cause).is_some_and(|no_path| {
                    (no_path.sent, no_path.roots, no_path.self_signed) == (0, 1, false)
                        && (no_path.issuer.as_str(), no_path.below.as_str())
                            == ("CN=Intermediate", "CN=web.example.test")
                        && no_path.issuer_url.as_deref() == Some("http://ca.example.test/i.crt")
                        && no_path.store.as_deref() == Some("ca.pem")
                        && no_path.rejected.is_empty()
                })
            },
        )
        .check();
    Case::server("an authority that is not known", leaf, verifier(&other))
        .gets(
            AlertCode::UNKNOWN_CA,
            &["the issuer \"CN=Root\" of \"CN=Intermediate\" was not sent", "trust that issuer", "of ca.pem"],
            |cause| no_path(cause).is_some_and(|no_path| no_path.issuer == "CN=Root" && no_path.sent == 1),
        )
        .check();
    let self_signed = without_key(&["self-signed.pem"]);
    Case::server("a certificate that signed itself", self_signed, verifier(&root))
        .asked("localhost")
        .gets(
            AlertCode::UNKNOWN_CA,
            &["it is self-signed and not trusted (trusted: 1 root of ca.pem)", "trust it by itself"],
            |cause| no_path(cause).is_some_and(|no_path| no_path.self_signed),
        )
        .check();
    Case::server("a root that is not known", issue(&other, &[HOST]), verifier(&root))
        .gets(
            AlertCode::UNKNOWN_CA,
            &[
                "what was sent ends with \"CN=Other root\", which is its own issuer",
                "(trusted: 1 root of ca.pem)",
            ],
            |cause| no_path(cause).is_some_and(|no_path| no_path.below == "CN=Other root"),
        )
        .check();
    let twins = issue(&root.intermediate("Intermediate", |_| {}), &[HOST]);
    let both = chain(
        &[&twins.credential.chain()[0], &between.certificate, &namesake.certificate, &vec![0x30, 0].into()],
        &twins,
    );
    Case::server("two candidates, and one that is malformed", both, verifier(&namesake))
        .gets(
            AlertCode::BAD_CERTIFICATE,
            &[
                "candidate \"CN=Intermediate\": the signature on \"CN=web.example.test\" is not by this",
                "trusted: 1 root of ca.pem",
                "certificate 4 of those sent was passed over: a certificate is malformed",
            ],
            |cause| {
                no_path(cause).is_some_and(|no_path| {
                    matches!(*no_path.rejected[0].why, VerifyError::NotSignedBy { .. })
                        && no_path.skipped.len() == 1
                })
            },
        )
        .check();
    let crowd: Vec<_> = (0..9).map(|_| root.intermediate("Intermediate", |_| {})).collect();
    let mut sent = vec![&twins.credential.chain()[0]];
    sent.extend(crowd.iter().map(|authority| &authority.certificate));
    let maze = verifier(&root).budget(Budget { signatures: 3, ..Budget::default() });
    Case::server("a maze", chain(&sent, &twins), maze)
        .gets(
            AlertCode::CERTIFICATE_UNKNOWN,
            &["the chain needs more signature checks than"],
            is!(VerifyError::Budget("signature checks")),
        )
        .check();
}

#[test]
fn a_wrong_name_is_told_beside_the_right_ones() {
    let root = Authority::root("Root");
    let leaf = || issue(&root, &["api.example.test", "*.shop.example.test"]);
    for asked in ["web.example.test", "192.0.2.7"] {
        Case::server("another host", leaf(), verifier(&root))
            .asked(asked)
            .gets(
                AlertCode::BAD_CERTIFICATE,
                &[asked, "it is for: api.example.test, *.shop.example.test"],
                is!(VerifyError::WrongName { presented, .. } if presented.contains("api.example.test")),
            )
            .check();
    }
    Case::server("a name in the subject alone", without_key(&["no-san.pem"]), by(&stored("root.pem")))
        .asked("localhost")
        .gets(
            AlertCode::BAD_CERTIFICATE,
            &["is not for \"localhost\"; it is for: no DNS name and no IP address"],
            is!(VerifyError::WrongName { .. }),
        )
        .check();
}

#[test]
fn a_time_is_told_with_ours_and_how_far_they_are_apart() {
    let root = Authority::root("Root");
    let expired = issue_with(&root, &[HOST], lasting(-30 * DAYS, -3 * DAYS));
    Case::server("an expired leaf", expired, verifier(&root))
        .gets(
            AlertCode::CERTIFICATE_EXPIRED,
            &["was valid only until 2026-05-29", "3 days ago", "our clock says 2026-06-01", "renew"],
            is!(VerifyError::Time { not_after, now, .. } if now - not_after == 3 * DAYS),
        )
        .check();
    let early = issue_with(&root, &[HOST], lasting(7_200, DAYS));
    Case::server("a leaf that is not valid yet", early, verifier(&root))
        .gets(
            AlertCode::CERTIFICATE_EXPIRED,
            &["is not valid before 2026-06-01 02:00:00", "2 hours from now"],
            is!(VerifyError::Time { not_before, now, .. } if not_before - now == 7_200),
        )
        .check();
    let key = P256::generate();
    let itself =
        pki::leaf(&key, &[HOST], lasting(-30 * DAYS, -3 * DAYS)).self_signed(&key).unwrap().der().clone();
    let shown = Credential::new(vec![itself.clone()], key.signer).unwrap();
    Case::server("a leaf that is its own root, expired", shown, by(&itself))
        .gets(
            AlertCode::CERTIFICATE_EXPIRED,
            &["was valid only until 2026-05-29"],
            is!(VerifyError::Time { .. }),
        )
        .check();
    let old = root.intermediate("Old", lasting(-30 * DAYS, -2 * DAYS));
    Case::server("an intermediate that expired", issue(&old, &[HOST]), verifier(&root))
        .gets(AlertCode::CERTIFICATE_EXPIRED, &["candidate \"CN=Old\"", "2 days"], |cause| {
            no_path(cause).is_some_and(|no_path| matches!(*no_path.rejected[0].why, VerifyError::Time { .. }))
        })
        .check();
    for (what, seconds, year) in
        [("a clock of long ago", -500 * DAYS, "2025"), ("a clock ahead", 500 * DAYS, "2027")]
    {
        Case::server(what, issue(&root, &[HOST]), verifier(&root))
            .at(seconds)
            .gets(
                AlertCode::CERTIFICATE_EXPIRED,
                &["the clock looks wrong, set it: it says ", year, "all 2 certificates"],
                is!(VerifyError::Clock { certificates: 2, why, .. } if matches!(**why, VerifyError::Time { .. })),
            )
            .check();
    }
}

#[test]
fn what_a_certificate_is_not_for_is_told() {
    let root = stored("root.pem");
    let unsupported = AlertCode::UNSUPPORTED_CERTIFICATE;
    for (names, text) in [
        (&["wrong-eku.pem"][..], "is not for servers: its extended key usage lacks serverAuth"),
        (&["client-only.pem"], "is not for servers"),
        (&["no-signing.pem"], "lacks digitalSignature"),
    ] {
        Case::server(names[0], without_key(names), by(&root))
            .asked("localhost")
            .gets(unsupported, &[text], is!(VerifyError::Usage { .. }))
            .check();
    }
    for (names, text) in [
        (&["under-fake.pem", "fake-ca.pem"][..], "is no certification authority"),
        (&["under-no-cert-sign.pem", "no-cert-sign.pem"], "lacks keyCertSign"),
        (&["under-second.pem", "second.pem", "intermediate.pem"], "permits fewer intermediate certificates"),
    ] {
        Case::server(names[0], without_key(names), by(&root))
            .asked("localhost")
            .gets(unsupported, &[text, "candidate"], |cause| no_path(cause).is_some())
            .check();
    }
    Case::server("a critical extension", without_key(&["critical.pem"]), by(&root))
        .asked("localhost")
        .gets(
            unsupported,
            &["demands the critical extension 1.3.6.1.4.1.55555.1, which is not evaluated"],
            is!(VerifyError::NotEvaluated { .. }),
        )
        .check();
    let server_only = issue_with(&Authority::root("Root"), &["caller"], |params| {
        params.extended_key_usages.pop();
    });
    let its_root = server_only.credential.chain()[1].clone();
    Case::client("a client with a server's certificate", server_only, by(&its_root))
        .gets(
            unsupported,
            &["\"CN=caller\" is not for clients: its extended key usage lacks clientAuth"],
            is!(VerifyError::Usage { .. }),
        )
        .check();
}

#[test]
fn broken_hashes_weak_keys_and_broken_rules_are_told() {
    for (name, hash) in [("md5.pem", "MD5"), ("sha1.pem", "SHA-1")] {
        Case::server(name, without_key(&[name]), by(&stored("rsa-root.pem")))
            .asked("localhost")
            .gets(AlertCode::BAD_CERTIFICATE, &[hash, "which is broken; have it issued anew"], |cause| {
                no_path(cause)
                    .is_some_and(|no_path| matches!(*no_path.rejected[0].why, VerifyError::BrokenHash { .. }))
            })
            .check();
    }
    let root = Authority::root("Root");
    let modulus = [&[0][..], &[0xC3; 128]].concat();
    let weak = Rsa(pki::der(0x30, &[&pki::der(2, &[&modulus]), &[2, 3, 1, 0, 1]]));
    let params = pki::leaf(&P256::generate(), &[HOST], |_| {});
    let leaf = params.signed_by(&weak, &root.issuer).unwrap().der().clone();
    Case::server(
        "a short key",
        Credential::new(vec![leaf], signing_key(Key::P256)).unwrap(),
        verifier(&root),
    )
    .gets(
        AlertCode::UNSUPPORTED_CERTIFICATE,
        &["RSA of 1024 bits", "is too short; RSA is relied on from 2048 bits", "another key"],
        is!(VerifyError::Key { .. }),
    )
    .check();
    let nameless = issue_with(&root, &[HOST], |params| params.use_authority_key_identifier_extension = false);
    Case::server("no authority key identifier", nameless, verifier(&root).profile(Profile::rfc5280()))
        .gets(AlertCode::CERTIFICATE_UNKNOWN, &["authority key identifier", "have it issued anew"], |cause| {
            no_path(cause).is_some_and(|no_path| matches!(*no_path.rejected[0].why, VerifyError::Rule { .. }))
        })
        .check();
    let junk = Credential::new(vec![vec![0x30, 0].into()], signing_key(Key::P256)).unwrap();
    Case::server("no certificate at all", junk, verifier(&root))
        .gets(AlertCode::BAD_CERTIFICATE, &["a certificate is malformed"], is!(VerifyError::Malformed(_)))
        .check();
}

/// A public key of which there is no private one.
struct Rsa(Vec<u8>);

impl PublicKeyData for Rsa {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

#[test]
fn names_that_an_authority_may_not_vouch_for_are_told() {
    let root = Authority::root("Root");
    let shop = root.intermediate("Shop", |params| {
        let permitted_subtrees = vec![GeneralSubtree::DnsName("shop.example.test".into())];
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    });
    Case::server("a name beyond the constraints", issue(&shop, &[HOST]), verifier(&root))
        .gets(
            AlertCode::BAD_CERTIFICATE,
            &["\"CN=Shop\" may not vouch for", "web.example.test is not within the permitted subtrees"],
            |cause| {
                no_path(cause).is_some_and(|no_path| {
                    matches!(*no_path.rejected[0].why, VerifyError::NotPermitted { .. })
                })
            },
        )
        .check();
}

//= testvectors/requirements/rfc9846.txt#section-4.3.3
//= type=test
//# The keys found in certificates MUST also be of appropriate type for the signature algorithms they are
//# used with.
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# the signature algorithm MUST be compatible with the key in the sender's end-entity certificate
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# The receiver of a CertificateVerify message MUST verify the signature field.
//= testvectors/requirements/rfc9846.txt#section-4.5.2
//= type=test
//# If the verification fails, the receiver MUST terminate the handshake with a "decrypt_error" alert.
#[test]
fn a_key_that_is_not_the_certificates_is_told_to_whoever_is_connected() {
    let root = Authority::root("Root");
    let (leaf, other) = (issue(&root, &[HOST]), issue(&root, &[HOST]));
    let mixed =
        Credential::new(leaf.credential.chain().to_vec(), other.credential.key().unwrap().clone()).unwrap();
    Case::server("another key of the same kind", mixed, verifier(&root))
        .gets(
            AlertCode::DECRYPT_ERROR,
            &["the handshake's signature is not by the certificate's key", "the peer"],
            is!(VerifyError::BadSignature),
        )
        .check();
    let kind = Credential::new(leaf.credential.chain().to_vec(), signing_key(Key::Ed25519)).unwrap();
    Case::server("a key of another kind", kind, verifier(&root))
        .gets(
            AlertCode::ILLEGAL_PARAMETER,
            &["ed25519", "does not fit the certificate's key, ECDSA P-256"],
            is!(VerifyError::SchemeMismatch { .. }),
        )
        .check();
}

#[test]
fn revocation_is_told_with_its_source_and_what_is_wanting() {
    let root = Authority::root("Root");
    let leaf = issue(&root, &[HOST]);
    let revoked = AlertCode::CERTIFICATE_REVOKED;
    let list = |made, revoked: &[&Issued]| {
        Revocation::new(RevocationPolicy::hard_fail()).crls([pki::crl(&root, 1, made, revoked)])
    };
    Case::server("on a CRL", leaf.clone(), revoking(&root, list(0, &[&leaf])))
        .gets(revoked, &["was revoked on 2026-05-31", "according to CRL", "keyCompromise (1)"], |cause| {
            no_path(cause).is_some_and(|no_path| {
                matches!(
                    *no_path.rejected[0].why,
                    VerifyError::Revoked { reason: Some(1), source: "CRL", .. }
                )
            })
        })
        .check();
    let stapled = leaf.credential.clone().with_staple(pki::ocsp(&root, &leaf, Says::Revoked, 0));
    Case::server("by its own staple", stapled, verifier(&root))
        .gets(revoked, &["was revoked on 2026-05-31", "according to OCSP"], |cause| no_path(cause).is_some())
        .check();
    let unknown = |what, revocation, says: &[&str]| {
        Case::server(what, leaf.clone(), revoking(&root, revocation))
            .gets(AlertCode::CERTIFICATE_UNKNOWN, says, |cause| {
                no_path(cause).is_some_and(|no_path| {
                    matches!(*no_path.rejected[0].why, VerifyError::RevocationUnknown { .. })
                })
            })
            .check();
    };
    unknown(
        "no information",
        leaf_only().expect_staples(),
        &["neither a CRL that covers it nor an OCSP response"],
    );
    unknown(
        "a stale CRL",
        list(-10 * DAYS, &[]),
        &["was good until 2026-05-22", "our clock says 2026-06-01"],
    );
    let unreachable = leaf_only().unreachable("http://ca.example.test/r.crl: timed out".into());
    unknown("an unreachable source", unreachable, &["http://ca.example.test/r.crl: timed out"]);
    let demanding = issue_with(&root, &[HOST], must_staple);
    Case::server("a leaf that demands a staple", demanding.clone(), verifier(&root))
        .gets(
            AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE,
            &["the certificate demands one, and none came; have the server staple it"],
            |cause| no_path(cause).is_some(),
        )
        .check();
    let foreign = demanding.credential.with_staple(pki::ocsp(&root, &leaf, Says::Good, 0));
    Case::server("another leaf's staple", foreign, verifier(&root))
        .gets(AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE, &["it is about another certificate"], |cause| {
            no_path(cause)
                .is_some_and(|no_path| matches!(*no_path.rejected[0].why, VerifyError::BadStaple { .. }))
        })
        .check();
}

#[test]
fn whom_the_operator_does_not_want_is_told_why() {
    let root = Authority::root("Root");
    let leaf = issue(&root, &[HOST]);
    let pins = Pins::without_backup([Pin::Spki(Fingerprint([7; 32]))]);
    Case::server("no pin", leaf.clone(), Verification::by(verifier(&root)).pins(Arc::new(pins)))
        .gets(AlertCode::CERTIFICATE_UNKNOWN, &["spki:0707", "pin"], |cause| cause.is::<NotPinned>())
        .check();
    let denying = |_: &symbolon::identity::Peer| Err(Denied::because("it is not billing"));
    Case::client("not permitted", leaf, Verification::by(verifier(&root)).authorize(denying))
        .gets(
            AlertCode::ACCESS_DENIED,
            &["is who it claims to be, and may not connect: it is not billing"],
            |cause| cause.is::<Denied>(),
        )
        .check();
}

#[test]
fn spiffe_ids_are_told_with_the_rule_that_they_break() {
    let root = Authority::root("Root");
    let id = |text: &str| Expected::Spiffe(text.parse::<SpiffeId>().unwrap());
    let only = |expected| Verification::by(verifier(&root)).expecting(expected);
    let api = "spiffe://mesh.example/api";
    Case::client("another workload", issue(&root, &["spiffe://mesh.example/web"]), only(id(api)))
        .gets(
            AlertCode::BAD_CERTIFICATE,
            &["is not for \"spiffe://mesh.example/api\"; it is for: uri:spiffe://mesh.example/web"],
            is!(VerifyError::WrongName { .. }),
        )
        .check();
    let elsewhere = Expected::TrustDomain("mesh.example".parse().unwrap());
    Case::client("another trust domain", issue(&root, &["spiffe://other.example/api"]), only(elsewhere))
        .gets(
            AlertCode::BAD_CERTIFICATE,
            &["any workload of spiffe://mesh.example", "spiffe://other.example/api"],
            is!(VerifyError::WrongName { .. }),
        )
        .check();
    Case::client("two URIs", issue(&root, &[api, "spiffe://mesh.example/web"]), only(id(api)))
        .gets(
            AlertCode::UNSUPPORTED_CERTIFICATE,
            &["is no X.509-SVID: it must have exactly one URI"],
            is!(VerifyError::Usage { .. }),
        )
        .check();
    let domains = || TrustStore::by_trust_domain([("mesh.example".parse().unwrap(), verifier(&root))]);
    Case::client("a trust domain without a bundle", issue(&root, &["spiffe://other.example/api"]), domains())
        .gets(
            AlertCode::UNKNOWN_CA,
            &["trust domain other.example", "mesh.example", "add"],
            is!(VerifyError::UnknownTrustDomain { domain: Some(_), trusted, bundles: 1, .. } if trusted.len() == 1),
        )
        .check();
    Case::client("no SPIFFE ID", issue(&root, &["caller.example.test"]), domains())
        .gets(
            AlertCode::UNKNOWN_CA,
            &["exactly one URI", "mesh.example"],
            is!(VerifyError::UnknownTrustDomain { domain: None, .. }),
        )
        .check();
}

//= testvectors/requirements/rfc9846.txt#appendix-C.5
//= type=test
//# applications MUST NOT use TLS in such a way absent explicit configuration or a specific application
//# profile
#[test]
fn raw_public_keys_and_missing_roots_are_told() {
    let raw = Credential::raw_public_key(signing_key(Key::P256)).unwrap();
    let nobody = || Verification::by_raw_public_keys(Vec::<Vec<u8>>::new());
    for case in [Case::server, Case::client] {
        case("a raw public key of a stranger", raw.clone(), nobody())
            .gets(
                AlertCode::CERTIFICATE_UNKNOWN,
                &["raw public key is none of those that are trusted"],
                is!(VerifyError::UnknownKey),
            )
            .check();
    }
    let leaf = issue(&Authority::root("Root"), &[HOST]);
    Case::server("a certificate without any root", leaf, nobody())
        .gets(
            AlertCode::INTERNAL_ERROR,
            &["no root certificate is trusted; name a CA file"],
            is!(VerifyError::NoRoots),
        )
        .check();
}

#[test]
fn a_client_without_a_certificate_is_told_that_one_is_required() {
    let root = Authority::root("Root");
    let client = ClientConfig::builder(provider()).build().unwrap();
    let server = ServerConfig::builder(provider())
        .credential(issue(&root, &[HOST]).credential)
        .client_auth(ClientAuth::Required { authorities: Vec::new() })
        .build()
        .unwrap();
    let serving = ServerPolicy::serving(server.clone()).clients(verifier(&root)).build().unwrap();
    let trusting = ClientPolicy::verifying(provider(), verifier(&root)).clock(Dial::right()).build();
    let [client, server] = Link::begin((&client, trusting), (&server, serving), HOST, None).run_apart();
    // Whoever asks a verifier with nothing at all, and not over TLS, is told the same.
    assert_eq!(VerifyError::NoCertificate.to_string(), "the peer sent no certificate");
    let error = server.unwrap_err();
    println!("a client without a certificate\n    {error}\n    [{}]", client.as_ref().unwrap_err());
    assert_eq!(error.alert(), Some(AlertCode::CERTIFICATE_REQUIRED));
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(client, Err(Error::Alert(AlertCode::CERTIFICATE_REQUIRED)));
}

#[test]
fn files_that_do_not_load_say_what_they_are_and_how_to_mend_them() {
    for (chain, key, texts) in [
        ("chain.pem", "missing.pem", &["missing.pem", "cannot be read"][..]),
        ("p256.key.pem", "p256.key.pem", &["a certificate was expected, but there is a private key"]),
        ("chain.pem", "p256.encrypted.pem", &["p256.encrypted.pem", "openssl pkey"]),
        ("request.pem", "p256.key.pem", &["a certificate request; have it signed first"]),
        ("chain-reversed.pem", "p256.key.pem", &["put the leaf first"]),
        ("chain.pem", "p384.key.pem", &["(ECDSA P-384) does not belong to the leaf", "(ECDSA P-256)"]),
    ] {
        let error = credential_from_files(&provider(), file(chain), file(key)).unwrap_err().to_string();
        println!("{chain} with {key}\n    {error}");
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
    }
}

#[test]
fn a_store_that_refuses_an_entry_says_which_and_why() {
    let root = Authority::root("Root");
    let between = root.intermediate("Intermediate", |_| {});
    let (leaf, other) = (issue(&between, &[HOST]), issue(&between, &[HOST]));
    let swapped = chain(&[&leaf.credential.chain()[0], &between.certificate], &other);
    let expired = issue_with(&between, &[HOST], lasting(-30 * DAYS, -3 * DAYS));
    let fetched = issue_with(&between, &[HOST], issuer_at("http://ca.example.test/i.crt"));
    let astray = chain(&[&leaf.credential.chain()[0], &root.certificate], &leaf);
    let load = |completeness, credential| {
        let store = CredentialStore::builder(provider()).clock(Dial::right()).completeness(completeness);
        store.build([Entry::new("web", credential)]).unwrap_err().to_string()
    };
    let trusted = || Completeness::Trusted(TrustStore::new(verifier(&root)));
    for (what, completeness, credential, texts) in [
        ("another key", Completeness::Linked, swapped, &["does not belong to the leaf"][..]),
        ("expired", Completeness::Linked, expired.credential, &["was valid only until 2026-05-29", "3 days"]),
        ("a leaf alone", Completeness::Linked, fetched.alone(), &["http://ca.example.test/i.crt", "append"]),
        (
            "another issuer",
            Completeness::Linked,
            astray,
            &["was issued by \"CN=Intermediate\", which does not follow"],
        ),
        ("a leaf that leads nowhere", trusted(), leaf.alone(), &["of ca.pem", "\"CN=Intermediate\""]),
    ] {
        let error = load(completeness, credential);
        println!("{what}\n    {error}");
        assert!(error.starts_with("web: ") && texts.iter().all(|text| error.contains(text)), "{error}");
    }
}

//! A peer that is refused by certificates: how it is set up, and how both sides are asked about it.

use std::error::Error as StdError;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use symbolon::AlertCode;
use symbolon::Error;
use symbolon::config::{ClientAuth, ClientConfig, Credential, ServerConfig};
use symbolon::pki::{NoPath, Revocation, Roots, Verifier, VerifyError};
use symbolon::policy::{Answerer, ClientPolicy, ServerPolicy, Verification};

use super::issue::Authority;
use super::linked::Link;
use super::pki::{Dial, Issued, issue};
use super::support::provider;

pub const HOST: &str = "web.example.test";

/// What a refusal goes back to.
pub type Cause = dyn StdError + Send + Sync + 'static;

/// Who refuses whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Server,
    Client,
}

/// A peer that is refused.
pub struct Case {
    what: &'static str,
    refused: Refused,
    shown: Credential,
    by: Verification,
    asked: &'static str,
    clock: Dial,
    alert: AlertCode,
    says: Vec<String>,
    is: fn(&Cause) -> bool,
}

impl Case {
    pub fn server(what: &'static str, shown: impl Into<Credential>, by: impl Into<Verification>) -> Self {
        let (refused, by, clock) = (Refused::Server, by.into(), Dial::right());
        let (alert, is) = (AlertCode::INTERNAL_ERROR, (|_| false) as fn(&Cause) -> bool);
        Self { what, refused, shown: shown.into(), by, asked: HOST, clock, alert, says: Vec::new(), is }
    }

    pub fn client(what: &'static str, shown: impl Into<Credential>, by: impl Into<Verification>) -> Self {
        Self { refused: Refused::Client, ..Self::server(what, shown, by) }
    }

    pub fn asked(self, asked: &'static str) -> Self {
        Self { asked, ..self }
    }

    pub fn at(self, seconds: i64) -> Self {
        self.clock.set(seconds);
        self
    }

    pub fn gets<S: AsRef<str>>(self, alert: AlertCode, says: &[S], is: fn(&Cause) -> bool) -> Self {
        Self { alert, says: says.iter().map(|text| text.as_ref().to_owned()).collect(), is, ..self }
    }

    /// Connects, and looks at what both sides make of it.
    pub fn check(self) {
        let root = Authority::root("Own root");
        let own = issue(&root, &[HOST]).credential;
        let types = [self.shown.certificate_type()];
        let client = ClientConfig::builder(provider());
        let server = ServerConfig::builder(provider());
        let trusting = |by| ClientPolicy::verifying(provider(), by);
        let (client, policy, server, clients) = match self.refused {
            Refused::Server => (
                client.server_certificate_types(types),
                trusting(self.by).clock(self.clock.clone()),
                server.credential(self.shown),
                None,
            ),
            Refused::Client => (
                client.client_certificate_types(types),
                trusting(Verification::by(verifier(&root))).clock(Dial::right()).credential(self.shown),
                server
                    .credential(own)
                    .client_auth(ClientAuth::Required { authorities: Vec::new() })
                    .client_certificate_types(types),
                Some(self.by),
            ),
        };
        let server = server.build().unwrap();
        let serving = ServerPolicy::serving(server.clone()).clock(self.clock);
        let serving = match clients {
            Some(by) => serving.clients(by),
            None => serving,
        };
        let client = (&client.build().unwrap(), policy.build() as Arc<dyn Answerer>);
        let server = (&server, serving.build().unwrap() as Arc<dyn Answerer>);
        let mut ends = Link::begin(client, server, self.asked, None).run_apart();
        if self.refused == Refused::Client {
            ends.reverse();
        }
        let [Err(Error::Refused(refusal)), Err(peer)] = &ends else { panic!("{}: {ends:?}", self.what) };
        println!("{}\n    {refusal}\n    [{peer}]", self.what);
        assert_eq!(
            (refusal.alert(), peer),
            (self.alert, &Error::Alert(self.alert)),
            "{}: {refusal}",
            self.what
        );
        for text in &self.says {
            assert!(
                refusal.to_string().contains(text.as_str()),
                "{}: {text:?} is not in: {refusal}",
                self.what
            );
        }
        assert!((self.is)(refusal.cause()), "{}: {:?}", self.what, refusal.cause());
    }
}

impl From<Issued> for Credential {
    fn from(issued: Issued) -> Self {
        issued.credential
    }
}

pub fn no_path(cause: &Cause) -> Option<&NoPath> {
    match cause.downcast_ref() {
        Some(VerifyError::NoPath(no_path)) => Some(no_path),
        _ => None,
    }
}

/// By `root` alone, which is told to be in a file.
pub fn verifier(root: &Authority) -> Verifier {
    by(&root.certificate)
}

pub fn by(root: &CertificateDer<'static>) -> Verifier {
    let roots = Roots::new([root.clone()]).unwrap().described("ca.pem");
    Verifier::with_roots(provider(), Arc::new(roots)).unwrap()
}

pub fn revoking(root: &Authority, revocation: Revocation) -> Verifier {
    verifier(root).revocation(Arc::new(revocation))
}

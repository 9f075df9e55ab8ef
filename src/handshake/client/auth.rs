//! EncryptedExtensions to CertificateVerify (RFC 9846 sections 4.4 and 4.5): who the server is.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::finish::WaitFinished;
use super::server_hello::{Authentication, Early};
use super::{ClientNext, Context, Facts, Flight, Request, State};
use crate::codepoint::{CertificateType, SignatureScheme};
use crate::config::CertificateTypes;
use crate::error::{Error, Fault};
use crate::handshake::auth::{Credentials, Signer};
use crate::handshake::{EarlyVerdict, Next, OUT_OF_ORDER};
use crate::psk::{NoEarlyData, NotResumed};
use crate::question::{Question, Tag, Verified, VerifyPeer};
use crate::record::{Message, SizeLimit};
use crate::wire::certificate_request::CertificateRequest;
use crate::wire::encrypted_extensions::EncryptedExtensions;

/// Waits for EncryptedExtensions.
pub(crate) struct WaitEncryptedExtensions {
    pub(super) flight: Flight,
    pub(super) authentication: Authentication,
    pub(super) early: Early,
}

impl WaitEncryptedExtensions {
    pub(super) fn on_encrypted_extensions(
        self,
        message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ClientNext, Error> {
        let Self { mut flight, authentication, early } = self;
        let extensions = EncryptedExtensions::parse(message.body, flight.facts.sent)?;
        if let Some(selected) = extensions.alpn {
            if !cx.config.common.alpn.iter().any(|offered| offered == selected) {
                return Err(
                    Fault::illegal_parameter("the server chose a protocol that was not offered").into()
                );
            }
            flight.facts.alpn = Some(selected.to_vec());
        }
        if let Some(limit) = extensions.record_size_limit {
            cx.carrier.limit_records(cx.config.common.own_record_limit(), Some(SizeLimit::negotiated(limit)));
        }
        let types = Types {
            server: agreed(extensions.server_certificate_type, &cx.config.server_certificate_types)?,
            client: agreed(extensions.client_certificate_type, &cx.config.client_certificate_types)?,
        };
        let early_data = settle(early, extensions.early_data, &flight.facts, cx)?;
        flight.transcript.absorb(message.raw);
        match authentication {
            Authentication::Certificate(not_resumed) => {
                if !cx.config.server_certificate_types.contains(types.server) {
                    return Err(Fault::unsupported_certificate(
                        "the server authenticates with X.509 certificates, of which none is accepted",
                    )
                    .into());
                }
                Ok(Next::Wait(State::Auth(WaitAuth {
                    flight,
                    not_resumed,
                    early_data,
                    types,
                    request: None,
                })))
            }
            Authentication::Key { resumed, peer } => {
                let wait = WaitFinished {
                    flight,
                    early_data,
                    resumed: Ok(resumed),
                    signature: None,
                    request: None,
                    peer,
                };
                Ok(wait.verify_again(cx))
            }
        }
    }
}

/// Which types of certificates were agreed on (RFC 7250 section 4.2).
struct Types {
    server: CertificateType,
    client: CertificateType,
}

/// RFC 7250 section 4.2: the answer "MUST be selected from one of the values provided in the .. extension sent in the client
/// hello"; without an answer "each CertificateEntry contains a DER-encoded X.509 certificate" (RFC 9846 section 4.5.1).
fn agreed(answer: Option<CertificateType>, offered: &CertificateTypes) -> Result<CertificateType, Fault> {
    match answer {
        Some(chosen) if !offered.contains(chosen) => {
            Err(Fault::illegal_parameter("the server chose a type of certificate that was not offered"))
        }
        chosen => Ok(chosen.unwrap_or(CertificateType::X509)),
    }
}

/// What becomes of early data (RFC 9846 section 4.3.10).
fn settle(
    early: Early,
    accepted: bool,
    facts: &Facts,
    cx: &mut Context<'_>,
) -> Result<Result<(), NoEarlyData>, Error> {
    match (early, accepted) {
        //= testvectors/requirements/rfc9846.txt#section-4.3.11
        //# If the server supplies an "early_data" extension, the client MUST verify that the server's
        //# selected_identity is 0.
        //= testvectors/requirements/rfc9846.txt#section-4.3.11
        //# If any other value is returned, the client MUST abort the handshake with an
        //# "illegal_parameter" alert.
        // The rest of what it was sent for must hold too.
        (Early::Settled(_), true) => {
            Err(Fault::illegal_parameter("the server accepted early data that was not for it").into())
        }
        (Early::Offered(offer), true) if offer.suite != facts.suite.id => {
            Err(Fault::illegal_parameter("the server accepted early data of another cipher suite").into())
        }
        (Early::Offered(offer), true) if offer.alpn != facts.alpn => {
            Err(Fault::illegal_parameter("the server accepted early data of another protocol").into())
        }
        (Early::Offered(_), true) => {
            cx.carrier.early_verdict(EarlyVerdict::Accepted);
            Ok(Ok(()))
        }
        (Early::Offered(_), false) => {
            cx.carrier.change_write()?;
            cx.carrier.early_verdict(EarlyVerdict::Refused);
            Ok(Err(NoEarlyData::Declined))
        }
        (Early::Settled(settled), false) => Ok(settled),
    }
}

/// Waits for CertificateRequest, once, or for Certificate.
pub(crate) struct WaitAuth {
    flight: Flight,
    not_resumed: NotResumed,
    early_data: Result<(), NoEarlyData>,
    types: Types,
    request: Option<Request>,
}

impl WaitAuth {
    pub(super) fn on_certificate_request(mut self, message: Message<'_>) -> Result<ClientNext, Error> {
        if self.request.is_some() {
            return Err(OUT_OF_ORDER.into());
        }
        let request = CertificateRequest::parse(message.body)?;
        //= testvectors/requirements/rfc9846.txt#section-4.4.2
        //# This field SHALL be zero length unless used for the post-handshake authentication exchanges
        //# described in Section 4.7.2.
        if !request.context.is_empty() {
            return Err(Fault::illegal_parameter(
                "certificate_request_context must be empty in the handshake",
            )
            .into());
        }
        let schemes: Vec<SignatureScheme> = request.signature_algorithms.iter().collect();
        self.request = Some(Request {
            certificate_schemes: match request.signature_algorithms_cert {
                Some(list) => list.iter().collect(),
                None => schemes.clone(),
            },
            schemes,
            authorities: request
                .certificate_authorities
                .map(|names| names.iter().map(<[u8]>::to_vec).collect())
                .unwrap_or_default(),
            certificate_type: self.types.client,
            wanted: request.wanted(),
        });
        self.flight.transcript.absorb(message.raw);
        Ok(Next::Wait(State::Auth(self)))
    }

    pub(super) fn on_certificate(mut self, message: Message<'_>) -> Result<ClientNext, Error> {
        let credentials = Credentials::read(message.body, self.types.server, self.flight.facts.sent)?;
        //= testvectors/requirements/rfc9846.txt#section-4.5.1.3
        //# If the server supplies an empty Certificate message, the client MUST abort the handshake with a
        //# "decode_error" alert.
        let credentials =
            //= testvectors/requirements/rfc9846.txt#section-4.5.1
            //# The server's certificate_list MUST always be non-empty.
            credentials.ok_or(Fault::decode_error("a server's Certificate must hold a certificate"))?;
        self.flight.transcript.absorb(message.raw);
        Ok(Next::Wait(State::CertificateVerify(WaitCertificateVerify { auth: self, credentials })))
    }
}

/// Waits for CertificateVerify.
pub(crate) struct WaitCertificateVerify {
    auth: WaitAuth,
    credentials: Credentials,
}

impl WaitCertificateVerify {
    pub(super) fn on_certificate_verify(
        self,
        message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<ClientNext, Error> {
        let Self { mut auth, credentials } = self;
        let flight = &mut auth.flight;
        let schemes = &cx.config.common.schemes;
        let (evidence, signature) =
            credentials.with_signature(message.body, Signer::Server, schemes, &flight.transcript)?;
        flight.transcript.absorb(message.raw);
        let tag = cx.tags.next();
        let question = VerifyPeer { tag, name: Some(flight.facts.name.clone()), evidence };
        let state = WaitPeerVerdict { auth, signature, tag };
        Ok(Next::Ask(State::PeerVerdict(state), Question::VerifyPeer(Box::new(question))))
    }
}

/// Waits for the verdict on the server's certificates and signature.
pub struct WaitPeerVerdict {
    auth: WaitAuth,
    signature: SignatureScheme,
    pub(super) tag: Tag,
}

impl WaitPeerVerdict {
    pub fn on_verified(self, peer: Verified) -> WaitFinished {
        let Self { auth: WaitAuth { flight, not_resumed, early_data, request, .. }, signature, .. } = self;
        WaitFinished {
            flight,
            early_data,
            resumed: Err(not_resumed),
            signature: Some(signature),
            request,
            peer,
        }
    }
}

//! A verified peer, as sessions and tickets remember it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};

use super::session::{DAMAGED, some, text};
use crate::error::{Fault, Misuse};
use crate::identity::{Fingerprint, Fingerprints, Identity, Peer};
use crate::wire::{Reader, U8, U16, U24, Writer};

/// Whether the client's certificates are part of a sealed session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChainInTicket {
    /// Its identity alone.
    #[default]
    Left,
    /// The whole chain, which may exceed what a ticket should hold.
    Kept,
}

/// Writes a peer. Signed certificate timestamps are for the handshake that brought them, and are left out.
pub(super) fn write_peer(w: &mut Writer<'_>, peer: &Peer, chain: ChainInTicket) -> Result<(), Misuse> {
    write_identity(w, &peer.identity)?;
    w.bytes(&peer.expires.as_secs().to_be_bytes());
    w.vec::<U16>(peer.subject.as_bytes())?;
    w.vec::<U8>(&peer.serial)?;
    w.block::<U8>(|w| {
        if let Some(fingerprints) = &peer.fingerprints {
            w.bytes(&fingerprints.certificate.0);
            w.bytes(&fingerprints.spki.0);
        }
        Ok(())
    })?;
    let ips: Vec<String> = peer.names.ips.iter().map(ToString::to_string).collect();
    for names in [&peer.names.dns, &ips, &peer.names.uris, &peer.names.emails] {
        w.block::<U24>(|w| names.iter().try_for_each(|name| w.vec::<U16>(name.as_bytes())))?;
    }
    let kept = match chain {
        ChainInTicket::Left => &[][..],
        ChainInTicket::Kept => &peer.chain,
    };
    w.block::<U24>(|w| kept.iter().try_for_each(|der| w.vec::<U24>(der)))
}

/// An identity by its number in the encoding.
fn write_identity(w: &mut Writer<'_>, identity: &Identity) -> Result<(), Misuse> {
    let printed;
    let (number, bytes) = match identity {
        Identity::Dns { name } => (1, name.as_bytes()),
        Identity::Ip { address } => {
            printed = address.to_string();
            (2, printed.as_bytes())
        }
        Identity::Subject { name } => (3, name.as_bytes()),
        Identity::Psk { name } => (4, &**name),
        Identity::Spiffe { id } => {
            printed = id.to_string();
            (5, printed.as_bytes())
        }
        Identity::Uri { uri } => (6, uri.as_bytes()),
        Identity::Email { mailbox } => (7, mailbox.as_bytes()),
        Identity::RawPublicKey { spki } => (8, &**spki),
        Identity::Anonymous => (9, &[][..]),
    };
    w.u8(number);
    w.vec::<U16>(bytes)
}

/// At least as many bytes as a peer takes without its chain.
pub(super) fn peer_len(peer: &Peer) -> usize {
    let identity = match &peer.identity {
        Identity::Dns { name }
        | Identity::Subject { name }
        | Identity::Uri { uri: name }
        | Identity::Email { mailbox: name } => name.len(),
        Identity::Spiffe { id } => {
            id.path().len().saturating_add(id.trust_domain().as_str().len()).saturating_add(16)
        }
        Identity::Psk { name: bytes } | Identity::RawPublicKey { spki: bytes } => bytes.len(),
        Identity::Ip { .. } | Identity::Anonymous => 64,
    };
    let texts = [&peer.names.dns, &peer.names.uris, &peer.names.emails].into_iter().flatten();
    let ips = peer.names.ips.len().saturating_mul(64);
    texts
        .fold(identity.saturating_add(ips), |sum, name| sum.saturating_add(name.len()).saturating_add(2))
        .saturating_add(peer.subject.len())
        .saturating_add(peer.serial.len())
        .saturating_add(128)
}

/// Reads what [`write_peer`] wrote.
pub(super) fn read_peer(r: &mut Reader<'_>) -> Result<Peer, Fault> {
    let identity = read_identity(r.u8()?, r.vec::<U16>()?)?;
    let expires = UnixTime::since_unix_epoch(Duration::from_secs(u64::from_be_bytes(*r.array()?)));
    let subject = text(r.vec::<U16>()?)?;
    let serial = r.vec::<U8>()?.to_vec();
    let fingerprints = some(r.vec::<U8>()?).map(read_fingerprints).transpose()?;
    let (dns, ips) = (read_names(r)?, read_names(r)?);
    let (uris, emails) = (read_names(r)?, read_names(r)?);
    let ips = ips.iter().map(|ip| ip.parse().map_err(|_| DAMAGED)).collect::<Result<_, _>>()?;
    let mut certificates = Reader::new(r.vec::<U24>()?);
    let mut chain = Vec::new();
    while !certificates.is_empty() {
        chain.push(CertificateDer::from(certificates.vec::<U24>()?.to_vec()));
    }
    if !r.is_empty() {
        return Err(DAMAGED);
    }
    let mut peer = Peer::new(identity, chain, expires);
    (peer.names.dns, peer.names.ips, peer.names.uris, peer.names.emails) = (dns, ips, uris, emails);
    (peer.subject, peer.serial, peer.fingerprints) = (subject, serial, fingerprints);
    Ok(peer)
}

fn read_identity(number: u8, bytes: &[u8]) -> Result<Identity, Fault> {
    Ok(match number {
        1 => Identity::Dns { name: text(bytes)? },
        2 => Identity::Ip { address: text(bytes)?.parse().map_err(|_| DAMAGED)? },
        3 => Identity::Subject { name: text(bytes)? },
        4 => Identity::Psk { name: bytes.to_vec() },
        5 => Identity::Spiffe { id: text(bytes)?.parse().map_err(|_| DAMAGED)? },
        6 => Identity::Uri { uri: text(bytes)? },
        7 => Identity::Email { mailbox: text(bytes)? },
        8 => Identity::RawPublicKey { spki: bytes.to_vec() },
        9 if bytes.is_empty() => Identity::Anonymous,
        _ => return Err(DAMAGED),
    })
}

fn read_fingerprints(bytes: &[u8]) -> Result<Fingerprints, Fault> {
    let mut r = Reader::new(bytes);
    let (certificate, spki) = (Fingerprint(*r.array()?), Fingerprint(*r.array()?));
    if r.is_empty() { Ok(Fingerprints { certificate, spki }) } else { Err(DAMAGED) }
}

fn read_names(r: &mut Reader<'_>) -> Result<Vec<String>, Fault> {
    let mut list = Reader::new(r.vec::<U24>()?);
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(text(list.vec::<U16>()?)?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(identity: Identity) -> Peer {
        Peer::new(identity, Vec::new(), UnixTime::since_unix_epoch(Duration::from_secs(1)))
    }

    fn written(peer: &Peer) -> Vec<u8> {
        let mut out = Vec::new();
        write_peer(&mut Writer::new(&mut out), peer, ChainInTicket::Left).unwrap();
        assert!(out.len() <= peer_len(peer), "{peer:?}");
        out
    }

    #[test]
    fn every_identity_is_read_back() {
        for identity in [
            Identity::Dns { name: "a.example".into() },
            Identity::Ip { address: "::1".parse().unwrap() },
            Identity::Ip { address: "192.0.2.1".parse().unwrap() },
            Identity::Subject { name: "CN=x".into() },
            Identity::Psk { name: b"\xFFkey".to_vec() },
            Identity::Spiffe { id: "spiffe://prod.example/a".parse().unwrap() },
            Identity::Uri { uri: "https://a.example/".into() },
            Identity::Email { mailbox: "a@b.example".into() },
            Identity::RawPublicKey { spki: b"\x30\x00".to_vec() },
            Identity::Anonymous,
        ] {
            let encoded = written(&peer(identity.clone()));
            assert_eq!(read_peer(&mut Reader::new(&encoded)).unwrap().identity, identity);
        }
    }

    #[test]
    fn what_its_certificate_said_is_read_back() {
        let mut peer = peer(Identity::Subject { name: "CN=x".into() });
        peer.subject = "CN=x".into();
        peer.serial = [1, 2, 3].into();
        let (certificate, spki) = (Fingerprint([4; 32]), Fingerprint([5; 32]));
        peer.fingerprints = Some(Fingerprints { certificate, spki });
        peer.names.dns = ["a.example".into(), "*.b.example".into()].into();
        peer.names.ips = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()].into();
        peer.names.uris = ["spiffe://a/b".into()].into();
        peer.names.emails = ["a@b.example".into()].into();
        let encoded = written(&peer);
        let read = read_peer(&mut Reader::new(&encoded)).unwrap();
        assert_eq!((&read.names, &read.fingerprints), (&peer.names, &peer.fingerprints));
        assert_eq!((&read.subject, &read.serial), (&peer.subject, &peer.serial));
        for len in 0..encoded.len() {
            assert!(read_peer(&mut Reader::new(&encoded[..len])).is_err(), "{len}");
        }
    }
}

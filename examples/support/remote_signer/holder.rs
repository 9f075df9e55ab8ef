//! The process that has the key.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use symbolon::codepoint::SignatureScheme;
use symbolon::crypto::rustcrypto;

use super::devpki::DevPki;

/// The longest request: a scheme and what CertificateVerify signs, which has 64 + 33 + 1 + 48 bytes at most.
pub const MOST: usize = 256;

/// Makes the key if it is not there, tells the chain and the root, then signs what stdin asks for until it ends.
///
/// A request is its length in two bytes, the scheme in two, and the message; an answer is 0 for a signature or 1 for a
/// refusal, a length in two bytes, and that many bytes.
pub fn hold(folder: &Path) -> Result<(), Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let [chain, root, key] = ["chain.pem", "root.pem", "key.pem"].map(|name| folder.join(name));
    if !key.exists() {
        let pki = DevPki::new(&provider)?;
        let (chain_pem, key_pem) = pki.issue_pem(&["localhost"])?;
        std::fs::write(&chain, chain_pem)?;
        std::fs::write(&root, pki.ca_pem())?;
        write_secret(&key, &key_pem)?;
    }
    let signer = (provider.load_key)(&PrivateKeyDer::from_pem_file(&key)?)?;
    let (mut stdin, mut stdout) = (io::stdin().lock(), io::stdout().lock());
    for part in [std::fs::read(&chain)?, std::fs::read(&root)?, signer.public_key().to_vec()] {
        stdout.write_all(&u16::try_from(part.len())?.to_be_bytes())?;
        stdout.write_all(&part)?;
    }
    stdout.flush()?;
    loop {
        let Some(request) = read_request(&mut stdin)? else { return Ok(()) };
        let signed = match request.split_first_chunk() {
            Some((scheme, message)) if is_certificate_verify(message) => {
                let scheme = SignatureScheme(u16::from_be_bytes(*scheme));
                signer.sign(&*provider.rng, scheme, message).map_err(|failed| failed.to_string())
            }
            _ => Err("this key signs CertificateVerify inputs of TLS 1.3 servers and nothing else".into()),
        };
        let (kind, bytes) = match &signed {
            Ok(signature) => (0, signature.as_slice()),
            Err(why) => (1, why.as_bytes()),
        };
        stdout.write_all(&[kind])?;
        stdout.write_all(&u16::try_from(bytes.len())?.to_be_bytes())?;
        stdout.write_all(bytes)?;
        stdout.flush()?;
    }
}

/// RFC 9846 section 4.5.2: 64 spaces, the context string, a zero byte, the transcript hash.
fn is_certificate_verify(message: &[u8]) -> bool {
    let context = [&[b' '; 64][..], b"TLS 1.3, server CertificateVerify\0"].concat();
    message.strip_prefix(&*context).is_some_and(|hash| matches!(hash.len(), 32 | 48))
}

fn read_request(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 2];
    match from.read_exact(&mut len) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let len = usize::from(u16::from_be_bytes(len));
    if len > MOST {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("a request of {len} bytes")));
    }
    let mut request = vec![0; len];
    from.read_exact(&mut request)?;
    Ok(Some(request))
}

fn write_secret(path: &Path, pem: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(pem.as_bytes())
}

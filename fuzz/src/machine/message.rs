//! Handshake messages as structures, and how a script changes them before they are written.

use crate::Script;

/// Extensions in order.
pub type Block = Vec<(u16, Vec<u8>)>;

/// How a message is to differ from the honest one: the first byte of each message in a script, zero for not at all.
///
/// The low three bits count changes to its extensions, the next one asks for a change to its bytes, and the upper four are
/// the message's own.
#[derive(Clone, Copy, Debug)]
pub struct Change(pub u8);

impl Change {
    pub fn own(self, bit: u8) -> bool {
        self.0 & (0x10 << bit) != 0
    }

    /// Changes to extensions, each a byte that says what, and where.
    pub fn block(self, script: &mut Script<'_>, block: &mut Block) {
        for _ in 0..self.0 & 7 {
            let what = script.byte();
            let at = usize::from(script.byte());
            if block.is_empty() && !what.is_multiple_of(8) {
                continue;
            }
            let len = block.len().max(1);
            match what % 8 {
                0 => {
                    let kind = if what < 128 { u16::from(script.byte()) } else { script.u16() };
                    block.insert(at % (block.len() + 1), (kind, script.block().to_vec()));
                }
                1 => drop(block.remove(at % len)),
                2 => block.push(block[at % len].clone()),
                3 => block.swap(at % len, usize::from(script.byte()) % len),
                4 => block[at % len].1 = script.block().to_vec(),
                5 => block[at % len].1.truncate(usize::from(script.byte())),
                6 => {
                    let data = &mut block[at % len].1;
                    let place = script.place(data.len());
                    let byte = script.byte();
                    match data.get_mut(place) {
                        Some(found) => *found = byte,
                        None => data.push(byte),
                    }
                }
                _ => block[at % len].0 = script.byte().into(),
            }
        }
    }

    /// Changes to the bytes of a message.
    pub fn bytes(self, script: &mut Script<'_>, message: &mut Vec<u8>) {
        if self.0 & 8 == 0 {
            return;
        }
        let what = script.byte();
        let place = script.place(message.len());
        match what % 5 {
            0 => {
                let byte = script.byte();
                if let Some(found) = message.get_mut(place) {
                    *found = byte;
                }
            }
            1 => {
                message.truncate(place);
                lengthen(message);
            }
            2 => {
                message.splice(place..place, script.block().iter().copied());
                lengthen(message);
            }
            3 => {
                let len = usize::from(script.byte());
                message.drain(place..(place + len).min(message.len()));
                lengthen(message);
            }
            _ => {
                // Large, without being spelled out.
                let len = usize::from(script.u16());
                message.resize(message.len() + len, script.byte());
                lengthen(message);
            }
        }
    }
}

/// Sets the length in the header of a message to what follows.
fn lengthen(message: &mut [u8]) {
    let len = (message.len().saturating_sub(4) as u32).to_be_bytes();
    if let Some(field) = message.get_mut(1..4) {
        field.copy_from_slice(&len[1..]);
    }
}

/// A handshake message.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0];
    message.extend(body);
    lengthen(&mut message);
    message
}

/// A vector with a length of `width` bytes; a longer one is cut.
pub fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let most = (1_usize << (8 * width)) - 1;
    let content = &content[..content.len().min(most)];
    [&(content.len() as u32).to_be_bytes()[4 - width..], content].concat()
}

/// A block of extensions with its length.
pub fn written(block: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let bytes: Vec<u8> =
        block.iter().flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &vector(2, data)].concat()).collect();
    vector(2, &bytes)
}

/// The messages at the front of a stream that are whole.
pub fn whole_messages(stream: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut rest) = (Vec::new(), stream);
    while let Some([_, a, b, c]) = rest.first_chunk() {
        let len = 4 + u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((message, behind)) = rest.split_at_checked(len) else { break };
        found.push(message);
        rest = behind;
    }
    found
}

/// The data of an extension in a ClientHello or a ServerHello of this library.
pub fn extension(hello: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = hello.get(4 + 34..)?;
    let (len, tail) = rest.split_first()?;
    rest = tail.get(usize::from(*len)..)?;
    if hello[0] == 1 {
        let suites = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        rest = rest.get(2 + suites..)?;
        let compression = usize::from(*rest.first()?);
        rest = rest.get(1 + compression..)?;
    } else {
        rest = rest.get(3..)?;
    }
    rest = rest.get(2..)?;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if u16::from_be_bytes([head[0], head[1]]) == kind {
            return tail.get(..len);
        }
        rest = tail.get(len..)?;
    }
    None
}

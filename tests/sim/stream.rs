//! What applications send: bytes that tell of which stream and which place they are.

/// Early data begins with the number of its connection.
pub const EARLY_HEAD: usize = 2;

/// Which way a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// The data of a connection, one way.
pub fn data(connection: usize, way: Way, from: usize, len: usize) -> Vec<u8> {
    let seed = connection * 2 + usize::from(way == Way::Down);
    (from..from + len).map(|at| byte(seed, at)).collect()
}

/// The early data of a connection.
pub fn early(connection: usize, from: usize, len: usize) -> Vec<u8> {
    (from..from + len)
        .map(|at| match at {
            0 => (connection >> 7) as u8 & 0x7F,
            1 => connection as u8 & 0x7F,
            _ => byte(connection.wrapping_mul(7) + 3, at),
        })
        .collect()
}

/// Whose early data this is the beginning of.
pub fn owner(early: &[u8]) -> usize {
    assert!(early.len() >= EARLY_HEAD, "early data came in part: {early:?}");
    usize::from(early[0]) << 7 | usize::from(early[1])
}

/// Never the mark of a secret.
fn byte(seed: usize, at: usize) -> u8 {
    (seed.wrapping_mul(31) + at * 7 + (at >> 6) * 3) as u8 & 0x7F
}

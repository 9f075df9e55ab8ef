//! An input as a script: what is to be done, read from the front. Behind its end there are zeros, which mean the honest
//! course everywhere, so that any beginning of a script is a script.

/// Reads a script.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    bytes: &'a [u8],
}

impl<'a> Script<'a> {
    /// From the beginning.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether only zeros follow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// Four bytes.
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// At most `len` bytes: fewer where the script ends before.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (front, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        self.bytes = rest;
        front
    }

    /// Bytes behind their length: one byte, or 255 and two more.
    pub fn block(&mut self) -> &'a [u8] {
        let len = match self.byte() {
            255 => usize::from(self.u16()),
            len => usize::from(len),
        };
        self.take(len)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// One of these.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[usize::from(self.byte()) % of.len()]
    }

    /// A place in something of this length, or right behind it.
    pub fn place(&mut self, len: usize) -> usize {
        usize::from(self.u16()) % (len + 1)
    }
}

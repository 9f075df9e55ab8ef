//! Every call that a connection's surface has, for either side, by name.

use symbolon::conn::{
    Ask, Client, EarlyWriter, Frame, HalfRttWriter, Kernel, RecvHalf, SendBuf, SendHalf, Server, Unsplit,
    Updated, frame,
};
use symbolon::{Error, Refusal};

use crate::scene::Scene;
use crate::support::Endpoint;
use crate::support::forge::{Puppet, Role};

/// What a writer before the end of the handshake says.
pub type Written = Option<Result<usize, Error>>;

pub trait Conn: Endpoint + Sized {
    const ROLE: Role;

    fn start(scene: Scene) -> Puppet<Self>;
    fn eof(&mut self) -> Result<(), Error>;
    fn is_established(&self) -> bool;
    fn close(&mut self, out: &mut SendBuf);
    fn abort(&mut self, refusal: Refusal, out: &mut SendBuf);
    fn seal_frame<'f>(&mut self, frame: &'f mut [u8], out: &mut SendBuf) -> Result<Frame<'f>, Error>;
    fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error>;
    fn exporter(&self, okm: &mut [u8]) -> Result<(), Error>;
    fn early_exporter(&self, okm: &mut [u8]) -> Result<(), Error>;
    fn channel_binding(&self) -> Result<[u8; 32], Error>;
    fn split(self) -> Result<(RecvHalf, SendHalf), Unsplit<Self>>;
    fn into_kernel(self, out: &SendBuf) -> Result<Kernel, Unsplit<Self>>;

    /// `early_writer` of a client, `half_rtt_writer` of a server.
    fn write_before(&mut self, bytes: &[u8], out: &mut SendBuf) -> Written;
    /// The same, to whoever reads it.
    fn write_to_anyone(&mut self, bytes: &[u8], out: &mut SendBuf) -> Written;
}

macro_rules! conn {
    ($type:ident, $start:ident, $writer:ident, $to_anyone:expr) => {
        impl Conn for $type {
            const ROLE: Role = Role::$type;

            fn start(scene: Scene) -> Puppet<Self> {
                scene.$start()
            }
            fn eof(&mut self) -> Result<(), Error> {
                self.eof()
            }
            fn is_established(&self) -> bool {
                self.is_established()
            }
            fn close(&mut self, out: &mut SendBuf) {
                self.close(out);
            }
            fn abort(&mut self, refusal: Refusal, out: &mut SendBuf) {
                self.abort(refusal, out);
            }
            fn seal_frame<'f>(&mut self, bytes: &'f mut [u8], out: &mut SendBuf) -> Result<Frame<'f>, Error> {
                let content = bytes.len() - frame::HEAD - frame::TAIL;
                self.seal_frame(bytes, content, out)
            }
            fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
                self.update_keys(ask, out)
            }
            fn exporter(&self, okm: &mut [u8]) -> Result<(), Error> {
                self.exporter(b"label", b"context", okm)
            }
            fn early_exporter(&self, okm: &mut [u8]) -> Result<(), Error> {
                self.early_exporter(b"label", b"context", okm)
            }
            fn channel_binding(&self) -> Result<[u8; 32], Error> {
                self.channel_binding()
            }
            fn split(self) -> Result<(RecvHalf, SendHalf), Unsplit<Self>> {
                self.split()
            }
            fn into_kernel(self, out: &SendBuf) -> Result<Kernel, Unsplit<Self>> {
                self.into_kernel(out)
            }
            fn write_before(&mut self, bytes: &[u8], out: &mut SendBuf) -> Written {
                Some(self.$writer()?.write(&[bytes], out))
            }
            fn write_to_anyone(&mut self, bytes: &[u8], out: &mut SendBuf) -> Written {
                Some($to_anyone(self.$writer()?).write(&[bytes], out))
            }
        }
    };
}
conn!(Client, client, early_writer, std::convert::identity::<EarlyWriter<'_>>);
conn!(Server, server, half_rtt_writer, HalfRttWriter::to_unauthenticated);

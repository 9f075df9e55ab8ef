//! The methods that both kinds of connection have, written once.

/// Gives `$connection`, which wraps a `core`, its public methods.
macro_rules! connection_methods {
    ($connection:ident) => {
        impl $connection {
            /// Takes one step on the received bytes in `input`: an event that waits, one message, or one record.
            ///
            /// Records are opened where they lie. What is to be sent, alerts included, is appended to `out`.
            ///
            /// # Errors
            ///
            /// Every error ends the connection and is given again by every later call, once the events that wait were
            /// told; the alert that is due is in `out` already.
            pub fn process<'b>(&mut self, input: &'b mut [u8], out: &mut SendBuf) -> Result<Step<'b>, Error> {
                self.core.process(input, out)
            }

            /// Takes the answer to a question.
            ///
            /// # Errors
            ///
            /// [`Error::Misuse`] for an answer to anything but the question that is out: nothing is harmed. Other
            /// errors end the connection.
            ///
            /// ```compile_fail,E0308
            /// # use symbolon::question::Sign;
            #[doc = concat!("# use symbolon::conn::{", stringify!($connection), ", SendBuf};")]
            #[doc = concat!("fn unanswered(connection: &mut ", stringify!($connection), ", sign: Sign, out: &mut SendBuf) {")]
            ///     connection.resume(sign, out);
            /// }
            /// ```
            /// ```
            /// # use symbolon::question::Sign;
            #[doc = concat!("# use symbolon::conn::{", stringify!($connection), ", SendBuf};")]
            #[doc = concat!("fn answered(connection: &mut ", stringify!($connection), ", sign: Sign, out: &mut SendBuf) {")]
            ///     connection.resume(sign.signed(vec![1, 2, 3]), out);
            /// }
            /// ```
            pub fn resume(&mut self, answer: Answer, out: &mut SendBuf) -> Result<(), Error> {
                self.core.resume(answer, out)
            }

            /// The transport ended. `Ok` only after the peer's close_notify (RFC 9846 section 6.1).
            ///
            /// # Errors
            ///
            /// [`Error::Truncated`] without close_notify, or the error that ended the connection before.
            pub fn eof(&mut self) -> Result<(), Error> {
                self.core.eof(&mut SendBuf::default())
            }

            /// Whether the handshake is complete and nothing has failed.
            //= testvectors/requirements/rfc9846.txt#appendix-F.5
            //# TLS implementations MUST provide a way for the application to determine if the handshake has
            //# completed
            #[must_use]
            pub fn is_established(&self) -> bool {
                self.core.open().is_ok()
            }

            /// Seals the concatenation of `parts` into `out`, as much of it as fits below the limit of `out`, and
            /// gives the number of bytes taken.
            ///
            /// # Errors
            ///
            /// [`Misuse::NotEstablished`](crate::Misuse::NotEstablished),
            /// [`Misuse::WriteClosed`](crate::Misuse::WriteClosed), or the error that ended the connection.
            pub fn write(&mut self, parts: &[&[u8]], out: &mut SendBuf) -> Result<usize, Error> {
                self.core.command(out, |writing, out| writing.write(parts, out))
            }

            /// Seals `content` bytes where they lie in `frame`, behind [`frame::HEAD`](super::frame::HEAD) bytes and
            /// before at least [`frame::TAIL`](super::frame::TAIL); a longer tail becomes padding.
            ///
            /// # Errors
            ///
            /// As [`write`](Self::write), and [`Misuse::FrameSize`](crate::Misuse::FrameSize).
            pub fn seal_frame<'f>(
                &mut self,
                frame: &'f mut [u8],
                content: usize,
                out: &mut SendBuf,
            ) -> Result<Frame<'f>, Error> {
                self.core.command(out, |writing, out| writing.seal_frame(frame, content, out))
            }

            /// Changes our sending keys, and asks the peer to change its own if wanted (RFC 9846 section 4.7.3).
            ///
            /// # Errors
            ///
            /// As [`write`](Self::write).
            pub fn update_keys(&mut self, ask: Ask, out: &mut SendBuf) -> Result<Updated, Error> {
                self.core.command(out, |writing, out| writing.update_keys(ask, out))
            }

            /// Closes our side: close_notify, once (RFC 9846 section 6.1). Reading goes on. Before the handshake is
            /// complete it is canceled: user_canceled, then close_notify, and nothing more is read or sent.
            pub fn close(&mut self, out: &mut SendBuf) {
                self.core.close(out);
            }

            /// Ends the connection for a reason of the application's own, at any time: the peer gets the alert of `refusal`
            /// (RFC 9846 section 6.2), for example `access_denied`, and every later call gives the refusal as its error.
            /// Does nothing on a connection that has ended.
            pub fn abort(&mut self, refusal: Refusal, out: &mut SendBuf) {
                self.core.abort(refusal, out);
            }

            /// `TLS-Exporter(label, context, out.len())` (RFC 9846 section 7.5).
            ///
            /// # Errors
            ///
            /// [`Misuse::NotEstablished`](crate::Misuse::NotEstablished), or
            /// [`Misuse::ExporterLength`](crate::Misuse::ExporterLength) when `label` exceeds 249 bytes or `out` 255
            /// hash lengths.
            //= testvectors/requirements/rfc9846.txt#section-7.5
            //# Implementations MUST use the exporter_secret unless explicitly specified by the application.
            pub fn exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
                self.core.open()?.exporter.export(label, context, out)
            }

            /// The same from the early exporter secret, on a connection with early data: what it gives does not depend on the
            /// server having answered, and repeats when the first flight is replayed.
            ///
            /// # Errors
            ///
            /// [`Misuse::NoEarlyData`](crate::Misuse::NoEarlyData) without early data, and as
            /// [`exporter`](Self::exporter).
            pub fn early_exporter(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), Error> {
                self.core.early_exporter()?.export(label, context, out)
            }

            /// The `tls-exporter` channel binding (RFC 9266 section 2).
            ///
            /// # Errors
            ///
            /// [`Misuse::NotEstablished`](crate::Misuse::NotEstablished).
            pub fn channel_binding(&self) -> Result<[u8; 32], Error> {
                let mut binding = [0; 32];
                self.exporter(b"EXPORTER-Channel-Binding", b"", &mut binding)?;
                Ok(binding)
            }

            /// Takes the connection apart for full duplex use, on two threads for example.
            ///
            /// # Errors
            ///
            /// [`Unsplit`] gives the connection back: before the handshake is complete, or while an event waits.
            ///
            /// ```compile_fail,E0382
            #[doc = concat!("# use symbolon::conn::{", stringify!($connection), ", SendBuf};")]
            #[doc = concat!("fn after(mut connection: ", stringify!($connection), ", out: &mut SendBuf) {")]
            ///     let halves = connection.split();
            ///     connection.write(&[b"twice under one nonce"], out);
            /// }
            /// ```
            /// ```
            #[doc = concat!("# use symbolon::conn::{", stringify!($connection), ", SendBuf};")]
            #[doc = concat!("fn before(mut connection: ", stringify!($connection), ", out: &mut SendBuf) {")]
            ///     connection.write(&[b"once"], out);
            ///     let halves = connection.split();
            /// }
            /// ```
            pub fn split(self) -> Result<(RecvHalf, SendHalf), Unsplit<Self>> {
                self.core.split().map_err(|unsplit| unsplit.map(|core| Self { core }))
            }

            /// Hands the keys to the kernel or to hardware. `out` must be flushed, no handshake bytes waiting, our side
            /// not closed, and no KeyUpdate owed to the peer: [`update_keys`](Self::update_keys) with
            /// [`Ask::Nobody`] pays it.
            ///
            /// # Errors
            ///
            /// [`Unsplit`] gives the connection back.
            ///
            /// ```compile_fail,E0382
            #[doc = concat!("# use symbolon::conn::{", stringify!($connection), ", SendBuf};")]
            #[doc = concat!("fn after(connection: ", stringify!($connection), ", out: &mut SendBuf) {")]
            ///     let kernel = connection.into_kernel(out);
            ///     connection.process(&mut [], out);
            /// }
            /// ```
            /// ```
            #[doc = concat!("# use symbolon::conn::{", stringify!($connection), ", SendBuf};")]
            #[doc = concat!("fn before(mut connection: ", stringify!($connection), ", out: &mut SendBuf) {")]
            ///     connection.process(&mut [], out);
            ///     let kernel = connection.into_kernel(out);
            /// }
            /// ```
            pub fn into_kernel(self, out: &SendBuf) -> Result<Kernel, Unsplit<Self>> {
                self.core.into_kernel(out).map_err(|unsplit| unsplit.map(|core| Self { core }))
            }
        }

        impl core::fmt::Debug for $connection {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($connection))
                    .field("established", &self.is_established())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use connection_methods;

//! Programs that run beside a test: their input, their output so far, their end. Dropping one ends it, by its id.

use std::fmt;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long any wait lasts at most.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A program that runs.
pub struct Running {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Output,
    stderr: Output,
}

/// What a program has left.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let name = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}; is it installed?"));
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        Self { name, stdin: child.stdin.take(), child, stdout, stderr }
    }

    /// Writes to the program's stdin, from a thread of its own: pipes are short.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        let bytes = bytes.into();
        if bytes.len() < 4096 {
            // A program that has ended already has said why.
            let _ = self.stdin.as_mut().unwrap().write_all(&bytes);
            return self;
        }
        let mut stdin = self.stdin.take().unwrap();
        let writer = thread::spawn(move || {
            let _ = stdin.write_all(&bytes);
            stdin
        });
        let until = Instant::now() + DEADLINE;
        while !writer.is_finished() {
            assert!(Instant::now() < until, "{self}does not read its stdin");
            thread::yield_now();
        }
        self.stdin = writer.join().ok();
        self
    }

    /// Sends a line to an echo and waits for it.
    pub fn send_and_expect(&mut self, line: &str) -> &mut Self {
        self.send(line).wait_out(line);
        self
    }

    /// Ends the program's stdin.
    pub fn end_input(&mut self) -> &mut Self {
        self.stdin = None;
        self
    }

    /// Waits for this text on stdout.
    pub fn wait_out(&mut self, text: &str) -> &mut Self {
        assert!(self.stdout.wait(|bytes| contains(bytes, text)), "{self}no {text:?} on stdout");
        self
    }

    /// Waits for this text on stderr.
    pub fn wait_err(&self, text: &str) -> &Self {
        assert!(self.stderr.wait(|bytes| contains(bytes, text)), "{self}no {text:?} on stderr");
        self
    }

    /// Waits for this text on either.
    pub fn wait_any(&self, texts: &[&str]) -> &Self {
        let until = Instant::now() + DEADLINE;
        loop {
            let silent = self.is_silent();
            let said = format!("{}{}", self.stdout.text(), self.stderr.text());
            if texts.iter().any(|text| said.contains(text)) {
                return self;
            }
            assert!(Instant::now() < until && !silent, "{self}none of {texts:?}");
            self.stdout.pause();
        }
    }

    /// Whether this text comes on either output before the program ends.
    pub fn comes(&self, text: &str) -> bool {
        let until = Instant::now() + DEADLINE;
        loop {
            let silent = self.is_silent();
            let said = format!("{}{}", self.stdout.text(), self.stderr.text());
            if said.contains(text) {
                return true;
            }
            if silent || Instant::now() > until {
                return false;
            }
            self.stdout.pause();
        }
    }

    /// Whether it has said all that it ever will.
    pub fn is_silent(&self) -> bool {
        self.stdout.has_ended() && self.stderr.has_ended()
    }

    /// Waits until stdout holds so many bytes.
    pub fn wait_len(&self, len: usize) -> Vec<u8> {
        assert!(self.stdout.wait(|bytes| bytes.len() >= len), "{self}fewer than {len} bytes on stdout");
        self.stdout.bytes()
    }

    /// Waits until stdout ends with these bytes.
    pub fn wait_for_suffix(&self, suffix: &[u8]) -> bool {
        self.stdout.wait(|bytes| bytes.ends_with(suffix))
    }

    /// The number that follows the last `before` on either output.
    pub fn number_after(&self, before: &str) -> u16 {
        self.wait_any(&[before]);
        let until = Instant::now() + DEADLINE;
        loop {
            let silent = self.is_silent();
            let said = format!("{}{}", self.stdout.text(), self.stderr.text());
            let rest = said.rsplit_once(before).map_or("", |(_, rest)| rest);
            // Only a number that something follows is whole.
            if let Some((digits, _)) = rest.split_once(|c: char| !c.is_ascii_digit()) {
                return digits.parse().unwrap_or_else(|_| panic!("{self}no port after {before:?}"));
            }
            assert!(Instant::now() < until && !silent, "{self}no number after {before:?}");
            self.stdout.pause();
        }
    }

    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Ends the program at once, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the program's own end. Its stdin stays as it is.
    pub fn wait(&mut self) -> Finished {
        assert!(self.stdout.wait_end() && self.stderr.wait_end(), "{self}does not end");
        let until = Instant::now() + DEADLINE;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < until, "{self}does not end"),
            }
            thread::yield_now();
        };
        Finished { status, stdout: self.stdout.bytes(), stderr: self.stderr.text() }
    }

    /// Ends stdin and waits for the end.
    pub fn finish(&mut self) -> Finished {
        self.end_input().wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program and all that it said, for messages of failure.
impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail =
            |text: String| text.chars().rev().take(4000).collect::<Vec<_>>().into_iter().rev().collect();
        let (out, err): (String, String) = (tail(self.stdout.text()), tail(self.stderr.text()));
        write!(f, "{}\n-- stdout\n{out}\n-- stderr\n{err}\n-- ", self.name)
    }
}

impl Finished {
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        let code = self.status.code();
        assert_eq!(code, Some(status), "{}\n{}", self.stderr, String::from_utf8_lossy(&self.stdout));
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in: {}", self.stderr);
        self
    }

    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(contains(&self.stdout, text), "no {text:?} in: {}", String::from_utf8_lossy(&self.stdout));
        self
    }
}

/// What a program has said so far, collected by a thread.
#[derive(Clone)]
struct Output(Arc<(Mutex<Said>, Condvar)>);

#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    ended: bool,
}

impl Output {
    fn of(mut from: impl Read + Send + 'static) -> Self {
        let output = Self(Arc::default());
        let to = output.clone();
        thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            loop {
                let n = from.read(&mut bytes).unwrap_or(0);
                let (said, changed) = &*to.0;
                let mut said = said.lock().unwrap();
                said.bytes.extend_from_slice(&bytes[..n]);
                said.ended = n == 0;
                changed.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        output
    }

    /// Waits until what was said is as wanted; false when it ended, or the time, before.
    fn wait(&self, wanted: impl Fn(&[u8]) -> bool) -> bool {
        let (said, changed) = &*self.0;
        let (said, _) = changed
            .wait_timeout_while(said.lock().unwrap(), DEADLINE, |said| !said.ended && !wanted(&said.bytes))
            .unwrap();
        wanted(&said.bytes)
    }

    fn wait_end(&self) -> bool {
        let (said, changed) = &*self.0;
        changed.wait_timeout_while(said.lock().unwrap(), DEADLINE, |said| !said.ended).unwrap().0.ended
    }

    fn has_ended(&self) -> bool {
        self.0.0.lock().unwrap().ended
    }

    /// Waits a moment for more.
    fn pause(&self) {
        let (said, changed) = &*self.0;
        let _ = changed.wait_timeout(said.lock().unwrap(), Duration::from_millis(5)).unwrap();
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().bytes.clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

//! Client requests to valgrind's memcheck: instructions of which a processor takes no notice.
//!
//! Memcheck knows of every bit whether it is defined. A secret is memory that is marked as undefined: it keeps its value,
//! whatever is computed from it is undefined too, and each branch and each address that depends on it is reported.

use std::arch::asm;
use std::mem::size_of;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("these are the client requests of x86_64");

const RUNNING_ON_VALGRIND: u64 = 0x1001;
const CHANGE_ERR_DISABLEMENT: u64 = 0x1801;
/// Memcheck's own requests are numbered from its initials.
const MEMCHECK: u64 = 0x4D43_0000;
const MAKE_MEM_UNDEFINED: u64 = MEMCHECK + 1;
const MAKE_MEM_DEFINED: u64 = MEMCHECK + 2;
const GET_VBITS: u64 = MEMCHECK + 8;

/// Makes a request; the answer is 0 outside valgrind.
fn request(number: u64, arguments: [u64; 3]) -> u64 {
    let [first, second, third] = arguments;
    let block: [u64; 6] = [number, first, second, third, 0, 0];
    let mut answer = 0_u64;
    // SAFETY: the rotations add up to 128 bits and the exchange is one of a register with itself, so that a processor
    // changes nothing. Valgrind reads the block and sets `rdx`; it changes its own notes, or fills the buffer that
    // `secret_bytes` hands in.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") block.as_ptr(),
            inlateout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

/// Whether this process runs on valgrind.
pub fn is_here() -> bool {
    request(RUNNING_ON_VALGRIND, [0; 3]) != 0
}

/// Makes `bytes` secret. They are lent mutably so that the compiler forgets what it knows of them.
pub fn make_secret(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, [bytes.as_mut_ptr() as u64, bytes.len() as u64, 0]);
}

/// Makes `bytes` public: what is sent, or what the protocol tells everyone.
pub fn make_public(bytes: &[u8]) {
    request(MAKE_MEM_DEFINED, [bytes.as_ptr() as u64, bytes.len() as u64, 0]);
}

/// Makes a verdict public, such as whether a tag was right; not what it points to.
pub fn publish<T>(verdict: T) -> T {
    let mut verdict = verdict;
    request(MAKE_MEM_DEFINED, [&raw mut verdict as u64, size_of::<T>() as u64, 0]);
    verdict
}

/// How many of `bytes` depend on secrets.
pub fn secret_bytes(bytes: &[u8]) -> usize {
    let mut undefined = vec![0_u8; bytes.len()];
    request(GET_VBITS, [bytes.as_ptr() as u64, undefined.as_mut_ptr() as u64, bytes.len() as u64]);
    undefined.iter().filter(|bits| **bits != 0).count()
}

/// Whether all of `bytes` depend on secrets, of which there are some. A case that ends without it may have lost its
/// secret on the way, and prove nothing.
pub fn is_secret(bytes: &[u8]) -> bool {
    !bytes.is_empty() && secret_bytes(bytes) == bytes.len()
}

/// Does what another case is about; nothing is reported meanwhile.
pub fn unreported<T>(work: impl FnOnce() -> T) -> T {
    request(CHANGE_ERR_DISABLEMENT, [1, 0, 0]);
    let done = work();
    request(CHANGE_ERR_DISABLEMENT, [u64::MAX, 0, 0]);
    done
}

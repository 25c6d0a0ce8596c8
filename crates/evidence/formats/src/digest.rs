//! The two digests of the trade: SHA-256 (FIPS 180-4) and BLAKE2b-512 (RFC 7693, unkeyed).

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use sha2::Digest as _;

use crate::progress::{ProgressSink, Unit};
use crate::source::Source;

/// A text that is not the lower-case hex of a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error("not {expected} lower-case hex digits")]
pub struct DigestParseError {
    /// Digits the digest has.
    pub expected: usize,
}

impl DigestParseError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        "digest_parse"
    }
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Wraps digest bytes.
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The digest's bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = DigestParseError;

            /// Exactly the text that `Display` writes.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let error = DigestParseError { expected: 2 * $len };
                if text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(error);
                }
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| error)?;
                Ok(Self(bytes))
            }
        }
    };
}

digest_type!(
    /// SHA-256 of some bytes.
    Sha256Digest,
    32
);
digest_type!(
    /// BLAKE2b-512 of some bytes, without key, salt or personalisation.
    Blake2b512Digest,
    64
);

impl Sha256Digest {
    /// Hashes bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl Blake2b512Digest {
    /// Hashes bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake2b_simd::blake2b(bytes).as_array())
    }
}

/// Size and digests of one byte string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigests {
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of all bytes.
    pub sha256: Sha256Digest,
    /// BLAKE2b-512 of all bytes.
    pub blake2b512: Blake2b512Digest,
}

/// Computes both digests of a byte stream as it comes.
pub struct DigestState {
    size: u64,
    sha256: sha2::Sha256,
    blake2b512: blake2b_simd::State,
}

impl Default for DigestState {
    fn default() -> Self {
        Self {
            size: 0,
            sha256: sha2::Sha256::new(),
            blake2b512: blake2b_simd::State::new(),
        }
    }
}

impl DigestState {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size = self
            .size
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.sha256.update(bytes);
        self.blake2b512.update(bytes);
    }

    /// The digests of everything taken so far.
    pub fn finish(self) -> FileDigests {
        FileDigests {
            size: self.size,
            sha256: Sha256Digest(self.sha256.finalize().into()),
            blake2b512: Blake2b512Digest(*self.blake2b512.finalize().as_array()),
        }
    }
}

/// Writes through to `W` and hashes what was written.
pub struct HashingWriter<W> {
    inner: W,
    state: DigestState,
}

impl<W: Write> HashingWriter<W> {
    /// Starts with nothing written.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            state: DigestState::default(),
        }
    }

    /// The writer and the digests of what went through it.
    pub fn finish(self) -> (W, FileDigests) {
        (self.inner, self.state.finish())
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.state.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Hashes a whole source in one pass with a fixed buffer.
///
/// Fails with `Interrupted` when the sink cancels, else only when reading fails.
pub fn hash_source<S: Source + ?Sized>(
    source: &S,
    progress: &dyn ProgressSink,
) -> io::Result<FileDigests> {
    const CHUNK: u64 = 1 << 20;
    let total = source.len();
    progress.step("hash", Unit::Bytes, Some(total));
    let mut state = DigestState::default();
    let mut buffer = Vec::new();
    let mut offset = 0;
    while offset < total {
        if progress.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "cancelled"));
        }
        let n = (total - offset).min(CHUNK);
        buffer.resize(usize::try_from(n).map_err(io::Error::other)?, 0);
        source.read_exact_at(&mut buffer, offset)?;
        state.update(&buffer);
        offset += n;
        progress.advance(n);
    }
    Ok(state.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::NoProgress;

    #[test]
    fn known_answers() {
        // FIPS 180-4 and RFC 7693 appendix A, both of "abc".
        let digests = hash_source(&b"abc".to_vec(), &NoProgress).unwrap();
        assert_eq!(digests.size, 3);
        assert_eq!(
            digests.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(
            digests
                .blake2b512
                .to_string()
                .starts_with("ba80a53f981c4d0d6a2797b69f12f6e9")
        );
        assert_eq!(digests.sha256, Sha256Digest::of(b"abc"));
        assert_eq!(digests.blake2b512, Blake2b512Digest::of(b"abc"));
    }

    #[test]
    fn a_hashing_writer_sees_what_the_file_sees() {
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"ab").unwrap();
        writer.write_all(b"c").unwrap();
        let (bytes, digests) = writer.finish();
        assert_eq!(bytes, b"abc");
        assert_eq!(digests.sha256, Sha256Digest::of(b"abc"));
    }

    #[test]
    fn only_the_canonical_text_is_a_digest() {
        let digest = Sha256Digest::of(b"");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let error = DigestParseError { expected: 64 };
        assert_eq!(
            digest.to_string().to_uppercase().parse::<Sha256Digest>(),
            Err(error)
        );
        assert!(format!("{digest}0").parse::<Sha256Digest>().is_err());
        assert!("".parse::<Sha256Digest>().is_err());
    }
}

//! What one compilation may use.

use std::time::Duration;

/// Limits of one compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the compiler's memory. It starts with 32 MiB.
    pub memory_bytes: u32,
    /// Longest time on the clock.
    pub time: Duration,
}

impl Default for Limits {
    /// 128 MiB and two minutes: a hundred times what a verifier contract takes.
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            time: Duration::from_mins(2),
        }
    }
}

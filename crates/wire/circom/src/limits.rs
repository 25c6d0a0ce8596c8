//! What one compilation may use.

use std::time::Duration;

/// Limits of one compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the compiler's memory. A WebAssembly memory ends at 4 GiB anyway.
    pub memory_bytes: u64,
    /// Longest time on the clock.
    pub time: Duration,
    /// Most bytes of each output file.
    pub output_bytes: u64,
}

impl Default for Limits {
    /// 4 GiB of memory, one hour, 16 GiB per output.
    fn default() -> Self {
        Self {
            memory_bytes: 4 << 30,
            time: Duration::from_hours(1),
            output_bytes: 16 << 30,
        }
    }
}

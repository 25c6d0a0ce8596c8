//! Positions in memory, which the crate keeps in 32 bits where there are many, and as indices.

/// A position as an index; one that no slice has where it does not fit.
pub(crate) fn index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// An index as a position; the last one where it does not fit.
pub(crate) fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

//! A value with its past: readers see it as it was a while ago.

/// A value with its past.
#[derive(Debug, Clone)]
pub(crate) struct Seen<T> {
    /// Ascending by time, never empty after the first `set`.
    past: Vec<(u64, T)>,
}

impl<T: Clone> Seen<T> {
    pub(crate) fn new(now_ms: u64, value: T) -> Self {
        Self {
            past: vec![(now_ms, value)],
        }
    }

    pub(crate) fn set(&mut self, now_ms: u64, value: T) {
        self.past.push((now_ms, value));
    }

    /// The value as it was at `ms`; `None` before it was there.
    pub(crate) fn at(&self, ms: u64) -> Option<T> {
        let past = self.past.iter().rev().find(|(since, _)| *since <= ms);
        past.map(|(_, value)| value.clone())
    }

    /// The value now.
    pub(crate) fn now(&self) -> Option<T> {
        self.past.last().map(|(_, value)| value.clone())
    }

    /// Since when the value is what it is.
    pub(crate) fn since(&self) -> u64 {
        self.past.last().map_or(0, |(since, _)| *since)
    }
}

//! What happened, for `Watch`: the last events with their sequence numbers, and a bell.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::pb;
use tokio::sync::watch;

use crate::clock::now_ms;

/// Events that are kept. Older ones are forgotten: a late watcher starts with the oldest kept.
const KEPT: usize = 1024;

/// The event log.
#[derive(Debug)]
pub struct Events {
    ring: Mutex<Ring>,
    bell: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<pb::Event>,
    /// Sequence number of the next event; the first has 1.
    next: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            ring: Mutex::new(Ring {
                events: VecDeque::new(),
                next: 1,
            }),
            bell: watch::Sender::new(0),
        }
    }
}

impl Events {
    /// Adds an event.
    pub fn push(&self, kind: pb::event::Kind) {
        let sequence = {
            let mut ring = self.lock();
            let sequence = ring.next;
            ring.next = sequence.saturating_add(1);
            if ring.events.len() >= KEPT {
                ring.events.pop_front();
            }
            ring.events.push_back(pb::Event {
                sequence,
                time_ms: now_ms(),
                kind: Some(kind),
            });
            sequence
        };
        self.bell.send_replace(sequence);
    }

    /// The kept events from `sequence` on, at most `limit`.
    pub fn from(&self, sequence: u64, limit: usize) -> Vec<pb::Event> {
        self.lock()
            .events
            .iter()
            .filter(|event| event.sequence >= sequence)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Rings with the latest sequence number.
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // A panic elsewhere leaves the ring whole: each push is one step.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_events_are_forgotten_and_numbers_go_on() {
        let events = Events::default();
        for _ in 0..KEPT + 10 {
            events.push(pb::event::Kind::Note("x".into()));
        }
        let kept = events.from(0, usize::MAX);
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept[0].sequence, 11);
        assert_eq!(events.from(1034, 100).len(), 1);
    }

    #[test]
    fn the_bell_rings_with_the_number() {
        let events = Events::default();
        let bell = events.bell();
        events.push(pb::event::Kind::Note("x".into()));
        assert_eq!(*bell.borrow(), 1);
    }
}

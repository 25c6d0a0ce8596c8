//! The phase-2 engine: initial key, rescaling, beacon, and the checks that mint evidence.

//! drand beacons: pinned chains, round arithmetic, BLS verification.

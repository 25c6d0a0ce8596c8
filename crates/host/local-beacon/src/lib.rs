//! A local drand-shaped beacon chain with its own BLS key: for simulation only.

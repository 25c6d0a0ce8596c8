//! SIMULATED trust parts for one machine: an NSM with its own certificate chain. Never in an image.

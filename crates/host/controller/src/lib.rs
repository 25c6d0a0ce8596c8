//! The command line: run a ceremony, verify a bundle, check a key.

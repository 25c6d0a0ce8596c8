//! Development powers-of-tau files with a KNOWN tau: for tests and simulation only.

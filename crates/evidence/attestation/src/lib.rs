//! AWS Nitro attestation documents: strict parsing, chain to a pinned root, evidence.

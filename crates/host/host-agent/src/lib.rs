//! The service on the untrusted host: inputs, initial key, enclave start, feeding, relay.

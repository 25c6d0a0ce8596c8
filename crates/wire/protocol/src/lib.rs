//! The gRPC protocol between host and enclave: generated types, conversions, transports.

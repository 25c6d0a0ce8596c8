//! The ceremony as a sans-I/O machine of typed stages.

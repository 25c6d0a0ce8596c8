//! The offline verifier: a bundle in, a checklist out.

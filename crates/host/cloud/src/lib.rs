//! Object store and compute behind traits; the local folder store.

//! What anyone gets who asks an address.

use std::time::Duration;

use manifest::report::Href;

/// From the first byte asked for to the last.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks `url`, follows no redirect, and takes at most `limit` bytes. The text says why nothing came.
pub(crate) fn get(url: &Href, limit: usize) -> Result<Vec<u8>, String> {
    // TLS by ring; another provider installed before would be as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        match tokio::time::timeout(PATIENCE, ask(url, limit)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    })
}

async fn ask(url: &Href, limit: usize) -> Result<Vec<u8>, String> {
    let words = |error: reqwest::Error| crate::words::chain(&error);
    let client = reqwest::Client::builder()
        .user_agent(concat!("attested-ceremony/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true)
        .build()
        .map_err(words)?;
    let mut answer = client.get(url.reveal()).send().await.map_err(words)?;
    if !answer.status().is_success() {
        return Err(format!("the answer is {}", answer.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(words)? {
        if chunk.len() > limit.saturating_sub(bytes.len()) {
            return Err(format!("the answer has more than {limit} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

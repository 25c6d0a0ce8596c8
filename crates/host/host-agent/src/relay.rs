//! Fetches a drand round from relays. Nothing they say is believed: the first answer whose signature
//! verifies under the pinned chain is taken.

use std::time::Duration;

use drand::{ChainInfo, RawBeacon, Round};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Relays of the League of Entropy.
pub const PUBLIC_RELAYS: [&str; 4] = [
    "https://api.drand.sh",
    "https://api2.drand.sh",
    "https://api3.drand.sh",
    "https://drand.cloudflare.com",
];

/// An answer holds a few hundred bytes.
const ANSWER_LIMIT: usize = 8192;
/// Between two attempts at the same relay.
const PAUSE: Duration = Duration::from_secs(2);
/// For one answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Why no relay gave the round.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
    /// No relay gave a round that verifies before the deadline.
    #[error("no relay gave round {round} within {seconds} s; last answers: {}", answers.join("; "))]
    Deadline {
        /// The round wanted.
        round: u64,
        /// Seconds waited.
        seconds: u64,
        /// The last refusal of each relay.
        answers: Vec<String>,
    },
}

/// An HTTP client that follows few redirects and never waits for ever.
pub fn http_client() -> Result<reqwest::Client, RelayError> {
    // TLS by ring; another provider installed before would be as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(concat!("attested-ceremony/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(Duration::from_mins(1))
        .redirect(reqwest::redirect::Policy::limited(5))
        .build()
        .map_err(RelayError::Client)
}

/// Asks every relay until one gives the round or the deadline passes.
pub async fn fetch(
    client: &reqwest::Client,
    relays: &[String],
    chain: &ChainInfo,
    round: Round,
    patience: Duration,
) -> Result<RawBeacon, RelayError> {
    let deadline = Instant::now() + patience;
    let mut asking = JoinSet::new();
    for relay in relays {
        let url = round_url(relay, chain, round);
        asking.spawn(ask_until(
            client.clone(),
            url,
            chain.clone(),
            round,
            deadline,
        ));
    }
    let mut answers = Vec::new();
    while let Some(joined) = asking.join_next().await {
        match joined {
            // Dropping the set stops the others.
            Ok(Ok(beacon)) => return Ok(beacon),
            Ok(Err(refusal)) => answers.push(refusal),
            Err(error) => answers.push(error.to_string()),
        }
    }
    Err(RelayError::Deadline {
        round: round.get(),
        seconds: patience.as_secs(),
        answers,
    })
}

async fn ask_until(
    client: reqwest::Client,
    url: String,
    chain: ChainInfo,
    round: Round,
    deadline: Instant,
) -> Result<RawBeacon, String> {
    let mut last = format!("{url}: not asked");
    while Instant::now() < deadline {
        let limit = ANSWER_TIME.min(deadline.saturating_duration_since(Instant::now()));
        last = match tokio::time::timeout(limit, ask(&client, &url, &chain, round)).await {
            Ok(Ok(beacon)) => return Ok(beacon),
            Ok(Err(refusal)) => format!("{url}: {refusal}"),
            Err(_) => format!("{url}: no answer"),
        };
        tracing::debug!("{last}");
        tokio::time::sleep_until(deadline.min(Instant::now() + PAUSE)).await;
    }
    Err(last)
}

async fn ask(
    client: &reqwest::Client,
    url: &str,
    chain: &ChainInfo,
    round: Round,
) -> Result<RawBeacon, String> {
    let mut response = client
        .get(url)
        .send()
        .await
        .map_err(|e| e.without_url().to_string())?;
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()));
    }
    let mut body = Vec::new();
    while let Some(part) = response
        .chunk()
        .await
        .map_err(|e| e.without_url().to_string())?
    {
        if body.len().saturating_add(part.len()) > ANSWER_LIMIT {
            return Err(format!("answer of more than {ANSWER_LIMIT} bytes"));
        }
        body.extend_from_slice(&part);
    }
    let beacon = parse_round(&body)?;
    if beacon.round != round.get() {
        return Err(format!("round {} instead of {}", beacon.round, round.get()));
    }
    beacon.clone().validate(chain).map_err(|e| e.to_string())?;
    Ok(beacon)
}

fn round_url(relay: &str, chain: &ChainInfo, round: Round) -> String {
    let relay = relay.trim_end_matches('/');
    format!(
        "{relay}/{}/public/{}",
        hex::encode(chain.hash()),
        round.get()
    )
}

/// A relay's answer: `round`, `signature` and, on chained chains, `previous_signature`. The relay's
/// `randomness` is not read: it is computed from the signature.
fn parse_round(body: &[u8]) -> Result<RawBeacon, String> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    let bytes = |field: &str| -> Result<Vec<u8>, String> {
        let text = value
            .get(field)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        hex::decode(text).map_err(|e| format!("{field}: {e}"))
    };
    let number = value
        .get("round")
        .and_then(serde_json::Value::as_u64)
        .ok_or("no round")?;
    Ok(RawBeacon {
        round: number,
        signature: bytes("signature")?,
        previous_signature: bytes("previous_signature")?,
    })
}

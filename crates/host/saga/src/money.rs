//! Money, in whole numbers.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Usd(pub u64);

impl Usd {
    /// What `duration` costs at this price an hour, rounded up to a millionth.
    #[must_use]
    pub fn per_hour_for(self, duration: Duration) -> Self {
        Self(self.0.saturating_mul(duration.as_secs()).div_ceil(3600))
    }

    /// How long this much lasts at a price an hour; `None` if it costs nothing.
    pub fn lasts_at(self, hourly: Self) -> Option<Duration> {
        let seconds = self.0.saturating_mul(3600).checked_div(hourly.0)?;
        Some(Duration::from_secs(seconds))
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Usd {
    /// Dollars and cents, rounded up to a cent: a price is never shown as less than it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.div_ceil(10_000);
        write!(f, "{}.{:02}", cents / 100, cents % 100)
    }
}

impl FromStr for Usd {
    type Err = &'static str;

    /// Reads `12`, `12.5` or `0.000001`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not an amount of dollars such as 2.50";
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
            return Err(WRONG);
        }
        let whole: u64 = whole.parse().map_err(|_| WRONG)?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| WRONG)?;
        whole
            .checked_mul(1_000_000)
            .and_then(|micro| micro.checked_add(part))
            .map(Self)
            .ok_or(WRONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_written_and_spent() {
        assert_eq!("2.5".parse(), Ok(Usd(2_500_000)));
        assert_eq!("0.000001".parse(), Ok(Usd(1)));
        assert_eq!(Usd(1).to_string(), "0.01");
        assert_eq!(Usd(2_500_000).to_string(), "2.50");
        for bad in [
            "",
            ".5",
            "-1",
            "1e3",
            "1.0000001",
            "99999999999999999999",
            "1,5",
        ] {
            assert!(bad.parse::<Usd>().is_err(), "{bad}");
        }
        let hourly = Usd(940_000);
        assert_eq!(hourly.per_hour_for(Duration::from_mins(30)), Usd(470_000));
        assert_eq!(hourly.per_hour_for(Duration::from_secs(1)), Usd(262));
        let lasts = Usd(470_000).lasts_at(hourly);
        assert_eq!(lasts, Some(Duration::from_mins(30)));
        assert_eq!(Usd(1).lasts_at(Usd(0)), None);
    }
}

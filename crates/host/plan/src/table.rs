//! The table of `docs/scale.md`.

use std::fmt::Write as _;

use crate::{Circuit, Estimate, OnInstance, estimate};

/// Domains of the table.
const POWERS: [u32; 6] = [15, 17, 20, 23, 26, 28];

/// What ceremonies of growing circuits take, as Markdown: sizes first, then time and cost by instance type.
#[must_use]
pub fn table() -> String {
    let estimates = POWERS.map(|power| estimate(&Circuit::typical(power)));
    let mut text = String::from(
        "| domain | r1cs | powers of tau | proving key | enclave memory | host memory | host disk |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for estimate in &estimates {
        let Estimate {
            power,
            sizes,
            memory,
            disk,
            ..
        } = estimate;
        let cells = [
            sizes.r1cs,
            sizes.ptau,
            sizes.zkey,
            memory.enclave,
            memory.host,
            *disk,
        ];
        let cells = cells.map(size).join(" | ");
        // Writing to a String cannot fail.
        writeln!(text, "| 2^{power} | {cells} |").unwrap_or_default();
    }
    let [smallest, ..] = &estimates;
    let names: Vec<&str> = smallest.instances.iter().map(|on| on.instance).collect();
    writeln!(text, "\n| domain | {} |", names.join(" | ")).unwrap_or_default();
    writeln!(text, "|---{}|", "|---".repeat(names.len())).unwrap_or_default();
    for estimate in &estimates {
        let cells: Vec<String> = names
            .iter()
            .map(|name| {
                let on = estimate.instances.iter().find(|on| on.instance == *name);
                on.map_or_else(|| "–".to_owned(), cell)
            })
            .collect();
        writeln!(text, "| 2^{} | {} |", estimate.power, cells.join(" | ")).unwrap_or_default();
    }
    text
}

fn cell(on: &OnInstance) -> String {
    let minutes = on.seconds / 60.0;
    if minutes < 100.0 {
        format!("{minutes:.0} min, {:.2} $", on.usd)
    } else {
        format!("{:.1} h, {:.2} $", minutes / 60.0, on.usd)
    }
}

/// Bytes in decimal units, as disks are sold; three digits.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes / (unit / 10);
            return if tenths < 1000 {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            } else {
                format!("{} {name}", tenths / 10)
            };
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo run -p plan --example table` prints it anew.
    #[test]
    fn the_documentation_shows_this_table() {
        let path = testkit::workspace_root().join("docs/scale.md");
        let text = std::fs::read_to_string(path).unwrap();
        for line in table().lines() {
            assert!(
                text.lines().any(|own| own == line),
                "missing in docs/scale.md: {line}"
            );
        }
    }
}

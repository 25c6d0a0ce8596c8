//! CloudWatch's embedded metric format: a line of the log that CloudWatch also reads as metrics.
//!
//! Source: "Specification: Embedded metric format" of the Amazon CloudWatch user guide.

use serde_json::{Map, Value, json};

/// Namespace of every metric.
const NAMESPACE: &str = "Ceremony";

/// One line, without its newline: metrics of a run at a time in milliseconds since 1970. Units are CloudWatch's (`Count`, `Seconds`).
pub fn line(run: &str, time_ms: u64, metrics: &[(&str, &str, u64)]) -> String {
    let names: Vec<Value> = metrics
        .iter()
        .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
        .collect();
    let mut object = Map::new();
    object.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": time_ms,
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Run"]], "Metrics": names}],
        }),
    );
    object.insert("Run".to_owned(), run.into());
    for (name, _, value) in metrics {
        object.insert((*name).to_owned(), (*value).into());
    }
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_what_it_announces() {
        let line = line(
            "run-1",
            1_795_694_400_000,
            &[("Heartbeat", "Count", 1), ("Uptime", "Seconds", 60)],
        );
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        let directive = &value["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(value["_aws"]["Timestamp"], 1_795_694_400_000_u64);
        // The alarm of infra/run.yaml watches this namespace, this metric, this dimension.
        assert_eq!(directive["Namespace"], "Ceremony");
        assert_eq!(directive["Dimensions"], json!([["Run"]]));
        for dimension in directive["Dimensions"][0].as_array().unwrap() {
            assert!(value[dimension.as_str().unwrap()].is_string());
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert_eq!(metrics[0]["Name"], "Heartbeat");
        for metric in metrics {
            assert!(value[metric["Name"].as_str().unwrap()].is_u64());
            assert!(["Count", "Seconds"].contains(&metric["Unit"].as_str().unwrap()));
        }
    }
}

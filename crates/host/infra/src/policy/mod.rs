//! IAM policies as data, and what they allow. As much of the language as our policies use; anything else is refused when a policy
//! is read, so that a policy is never judged by half of what it says.
//!
//! Source: "Policy evaluation logic" and "IAM JSON policy elements" of the AWS Identity and Access Management user guide.

mod condition;
mod pattern;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use condition::Condition;
use pattern::{expand, matches};

/// Values of condition keys in a request, by lower-case key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// A context of these keys, one value each.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let mut context = Self::default();
        for (key, value) in pairs {
            context.add(key, value);
        }
        context
    }

    /// Adds a value to a key.
    pub fn add(&mut self, key: &str, value: &str) {
        let values = self.0.entry(key.to_ascii_lowercase()).or_default();
        values.push(value.to_owned());
    }

    fn values(&self, key: &str) -> &[String] {
        self.0
            .get(&key.to_ascii_lowercase())
            .map_or(&[], Vec::as_slice)
    }
}

/// One call of a service, as IAM sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `service:Operation`.
    pub action: String,
    /// ARN, or `*` where the action knows no resource.
    pub resource: String,
    /// Condition keys.
    pub context: Context,
}

impl Call {
    /// A call without conditions.
    pub fn new(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: Context::default(),
        }
    }

    /// The same call with these condition keys.
    #[must_use]
    pub fn with(mut self, pairs: &[(&str, &str)]) -> Self {
        for (key, value) in pairs {
            self.context.add(key, value);
        }
        self
    }
}

/// What policies say to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed {
        /// The statement, by its `Sid`.
        by: String,
    },
    /// A statement denies it.
    Denied {
        /// The statement, by its `Sid`.
        by: String,
    },
    /// No statement speaks of it: refused.
    NotAllowed,
}

impl Decision {
    /// Whether the call goes through.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Why a policy cannot be judged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
#[error("policy, statement {statement}: {problem}: {what}")]
pub struct PolicyError {
    /// Its place in the list, from 0 on.
    pub statement: usize,
    /// What is wrong.
    pub problem: &'static str,
    /// With which part.
    pub what: String,
}

/// A policy, read.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    name: String,
    denies: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

impl Policy {
    /// Reads a policy document. The principal of a bucket's or an endpoint's policy is not judged: every principal is meant.
    pub fn read(document: &Value) -> Result<Self, PolicyError> {
        let list = document
            .get("Statement")
            .and_then(Value::as_array)
            .ok_or_else(|| PolicyError {
                statement: 0,
                problem: "no list of statements",
                what: String::new(),
            })?;
        let statements: Result<Vec<Statement>, PolicyError> = list
            .iter()
            .enumerate()
            .map(|(number, value)| {
                statement(number, value).map_err(|(problem, what)| PolicyError {
                    statement: number,
                    problem,
                    what,
                })
            })
            .collect();
        Ok(Self {
            statements: statements?,
        })
    }

    /// What this policy alone says.
    pub fn decide(&self, call: &Call) -> Decision {
        let mut allowed = None;
        for statement in self.statements.iter().filter(|s| s.applies(call)) {
            let by = statement.name.clone();
            if statement.denies {
                return Decision::Denied { by };
            }
            allowed.get_or_insert(by);
        }
        allowed.map_or(Decision::NotAllowed, |by| Decision::Allowed { by })
    }
}

impl Statement {
    fn applies(&self, call: &Call) -> bool {
        let action = call.action.to_ascii_lowercase();
        self.actions
            .iter()
            .any(|pattern| matches(&pattern.to_ascii_lowercase(), &action))
            && self.resources.iter().any(|pattern| {
                pattern == "*"
                    || expand(pattern, &call.context)
                        .is_some_and(|pattern| matches(&pattern, &call.resource))
            })
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(&call.context))
    }
}

type Problem = (&'static str, String);

fn statement(number: usize, value: &Value) -> Result<Statement, Problem> {
    let object = value
        .as_object()
        .ok_or_else(|| ("not an object", String::new()))?;
    let known = [
        "Sid",
        "Effect",
        "Action",
        "Resource",
        "Condition",
        "Principal",
    ];
    if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(("an element that is not judged", key.clone()));
    }
    let denies = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => false,
        Some("Deny") => true,
        other => return Err(("no effect", other.unwrap_or_default().to_owned())),
    };
    let conditions = match object.get("Condition") {
        None => Vec::new(),
        Some(Value::Object(operators)) => conditions(operators)?,
        Some(other) => return Err(("not a condition", other.to_string())),
    };
    Ok(Statement {
        name: object
            .get("Sid")
            .and_then(Value::as_str)
            .map_or_else(|| format!("#{number}"), str::to_owned),
        denies,
        actions: texts(object.get("Action"))?,
        resources: texts(object.get("Resource"))?,
        conditions,
    })
}

fn conditions(operators: &Map<String, Value>) -> Result<Vec<Condition>, Problem> {
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let keys = keys
            .as_object()
            .ok_or_else(|| ("not a condition", operator.clone()))?;
        for (key, values) in keys {
            let condition = Condition::new(operator, key, texts(Some(values))?)
                .ok_or_else(|| ("an operator that is not judged", operator.clone()))?;
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

/// One text or a list of texts.
fn texts(value: Option<&Value>) -> Result<Vec<String>, Problem> {
    match value {
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(list)) if !list.is_empty() => list
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| ("not a text", value.to_string()))
            })
            .collect(),
        other => Err((
            "neither a text nor a list of texts",
            other.map(Value::to_string).unwrap_or_default(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(statements: &Value) -> Policy {
        Policy::read(&json!({ "Statement": statements })).unwrap()
    }

    #[test]
    fn a_denial_outweighs_every_permission() {
        let policy = policy(&json!([
            {"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Sid": "Not", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::b/*"},
        ]));
        let get = policy.decide(&Call::new("s3:GetObject", "arn:aws:s3:::b/k"));
        assert_eq!(get, Decision::Allowed { by: "All".into() });
        let delete = policy.decide(&Call::new("S3:deleteobject", "arn:aws:s3:::b/k"));
        assert_eq!(delete, Decision::Denied { by: "Not".into() });
        let other = policy.decide(&Call::new("ec2:RunInstances", "*"));
        assert_eq!(other, Decision::NotAllowed);
    }

    #[test]
    fn resources_take_wildcards_and_variables() {
        let policy = policy(&json!([
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:*:s3:::b/runs/?1/*"]},
            {"Effect": "Allow", "Action": "iam:Get", "Resource": "arn:aws:iam::${aws:PrincipalAccount}:role/x"},
        ]));
        let allowed = |action, resource, context: &[(&str, &str)]| {
            policy
                .decide(&Call::new(action, resource).with(context))
                .is_allowed()
        };
        assert!(allowed("s3:GetObject", "arn:aws:s3:::b/runs/r1/a/b", &[]));
        assert!(!allowed("s3:GetObject", "arn:aws:s3:::b/runs/r2/a", &[]));
        assert!(!allowed("s3:GetObject", "arn:aws:s3:::B/runs/r1/a", &[]));
        let account = [("aws:PrincipalAccount", "1")];
        assert!(allowed("iam:Get", "arn:aws:iam::1:role/x", &account));
        assert!(!allowed("iam:Get", "arn:aws:iam::2:role/x", &account));
        assert!(!allowed("iam:Get", "arn:aws:iam::1:role/x", &[]));
    }

    #[test]
    fn conditions_hold_as_iam_says() {
        let holds = |condition: &Value, context: &[(&str, &str)]| {
            policy(&json!([{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": condition}]))
                .decide(&Call::new("a:b", "*").with(context))
                .is_allowed()
        };
        let equals = json!({"StringEquals": {"k:x": ["1", "2"]}});
        assert!(holds(&equals, &[("K:X", "2")]));
        assert!(!holds(&equals, &[("k:x", "3")]));
        assert!(!holds(&equals, &[]));
        let not = json!({"StringNotEquals": {"k:x": ["1", "2"]}});
        assert!(!holds(&not, &[("k:x", "2")]));
        assert!(holds(&not, &[("k:x", "3")]));
        assert!(holds(&not, &[]));
        let like = json!({"StringLike": {"k:x": "runs/r/*"}});
        assert!(holds(&like, &[("k:x", "runs/r/a")]));
        assert!(!holds(&like, &[("k:x", "runs/s/a")]));
        let null = json!({"Null": {"k:x": "true"}});
        assert!(holds(&null, &[]));
        assert!(!holds(&null, &[("k:x", "1")]));
        let flag = json!({"Bool": {"k:x": "false"}});
        assert!(holds(&flag, &[("k:x", "false")]));
        assert!(!holds(&flag, &[("k:x", "true")]));
        assert!(!holds(&flag, &[]));
        let less = json!({"NumericLessThan": {"k:x": "1.2"}});
        assert!(holds(&less, &[("k:x", "1.1")]));
        assert!(!holds(&less, &[("k:x", "1.2")]));
        assert!(!holds(&less, &[("k:x", "one")]));
        let any = json!({"ForAnyValue:StringEquals": {"k:x": "b"}});
        assert!(holds(&any, &[("k:x", "a"), ("k:x", "b")]));
        assert!(!holds(&any, &[("k:x", "a")]));
        assert!(!holds(&any, &[]));
        let both = json!({"Null": {"k:x": "true"}, "Bool": {"k:y": "true"}});
        assert!(holds(&both, &[("k:y", "true")]));
        assert!(!holds(&both, &[]));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let refused = |statement: &Value| {
            Policy::read(&json!({ "Statement": [statement] }))
                .unwrap_err()
                .problem
        };
        for (statement, problem) in [
            (
                json!({"Effect": "Allow", "NotAction": "a:b", "Resource": "*"}),
                "an element that is not judged",
            ),
            (
                json!({"Effect": "Allow", "Action": "a:b", "NotResource": "*"}),
                "an element that is not judged",
            ),
            (
                json!({"Effect": "Perhaps", "Action": "a:b", "Resource": "*"}),
                "no effect",
            ),
            (
                json!({"Effect": "Allow", "Action": [], "Resource": "*"}),
                "neither a text nor a list of texts",
            ),
            (
                json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"IpAddress": {"k": "1"}}}),
                "an operator that is not judged",
            ),
            (
                json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"k": "1"}}}),
                "an operator that is not judged",
            ),
        ] {
            assert_eq!(refused(&statement), problem, "{statement}");
        }
    }
}

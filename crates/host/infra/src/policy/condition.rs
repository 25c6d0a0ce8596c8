//! The condition operators that our policies use.

use super::Context;
use super::pattern::{expand, matches};

/// One operator on one key.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringNotEquals,
    StringLike,
    Bool,
    Null,
    NumericLessThan,
    /// `ForAnyValue:StringEquals`: one of the call's values is one of the policy's.
    AnyStringEquals,
}

impl Condition {
    /// `None`: an operator that is not known here.
    pub(super) fn new(operator: &str, key: &str, values: Vec<String>) -> Option<Self> {
        let operator = match operator {
            "StringEquals" => Operator::StringEquals,
            "StringNotEquals" => Operator::StringNotEquals,
            "StringLike" => Operator::StringLike,
            "Bool" => Operator::Bool,
            "Null" => Operator::Null,
            "NumericLessThan" => Operator::NumericLessThan,
            "ForAnyValue:StringEquals" => Operator::AnyStringEquals,
            _ => return None,
        };
        Some(Self {
            operator,
            key: key.to_owned(),
            values,
        })
    }

    /// Whether it holds. A key that the call does not have fails every operator but the negated one and `Null`.
    pub(super) fn holds(&self, context: &Context) -> bool {
        let got = context.values(&self.key);
        let wanted = || {
            self.values
                .iter()
                .filter_map(|value| expand(value, context))
        };
        let one = |holds: &dyn Fn(&str, &str) -> bool| matches!(got, [got] if wanted().any(|wanted| holds(&wanted, got)));
        match self.operator {
            Operator::StringEquals => one(&|wanted, got| wanted == got),
            Operator::StringNotEquals => !one(&|wanted, got| wanted == got),
            Operator::StringLike => one(&matches),
            Operator::Bool => one(&|wanted, got| wanted.eq_ignore_ascii_case(got)),
            Operator::Null => wanted().any(|wanted| (wanted == "true") == got.is_empty()),
            Operator::NumericLessThan => one(&|wanted, got| match (
                got.parse::<f64>(),
                wanted.parse::<f64>(),
            ) {
                (Ok(got), Ok(wanted)) => got < wanted,
                _ => false,
            }),
            Operator::AnyStringEquals => {
                got.iter().any(|got| wanted().any(|wanted| &wanted == got))
            }
        }
    }
}

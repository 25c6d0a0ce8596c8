//! A template with its parameters filled in: `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::If` and the conditions. What only AWS knows (ids,
//! ARNs) stands as `<Resource>` or `<Resource.Attribute>`, unless the caller gives it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A template and the values it is looked at with.
#[derive(Debug, Clone)]
pub struct Template<'t> {
    root: &'t Value,
    values: BTreeMap<String, String>,
}

impl<'t> Template<'t> {
    /// The template with these values: names of parameters, `AWS::…`, `Resource` or `Resource.Attribute`. Parameters that are not
    /// given have their defaults.
    pub fn new(root: &'t Value, values: &[(&str, &str)]) -> Self {
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        if let Some(parameters) = root.get("Parameters").and_then(Value::as_object) {
            for (name, parameter) in parameters {
                if let Some(default) = parameter.get("Default") {
                    all.insert(name.clone(), text(default));
                }
            }
        }
        for (name, value) in values {
            all.insert((*name).to_owned(), (*value).to_owned());
        }
        Self { root, values: all }
    }

    /// Resources of this type whose condition holds: name, whole resource with values filled in.
    pub fn resources(&self, kind: &str) -> Vec<(String, Value)> {
        let Some(resources) = self.root.get("Resources").and_then(Value::as_object) else {
            return Vec::new();
        };
        resources
            .iter()
            .filter(|(_, resource)| resource.get("Type").and_then(Value::as_str) == Some(kind))
            .filter(|(_, resource)| {
                resource
                    .get("Condition")
                    .and_then(Value::as_str)
                    .is_none_or(|name| self.condition(name))
            })
            .map(|(name, resource)| {
                let resolved = self.resolve(resource).unwrap_or(Value::Null);
                (name.clone(), resolved)
            })
            .collect()
    }

    /// The types of all resources, each once per resource.
    pub fn types(&self) -> Vec<&str> {
        self.root
            .get("Resources")
            .and_then(Value::as_object)
            .map(|resources| {
                resources
                    .values()
                    .filter_map(|resource| resource.get("Type").and_then(Value::as_str))
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The one resource of this type.
    pub fn only(&self, kind: &str) -> Result<(String, Value), String> {
        let mut found = self.resources(kind);
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (None, _) => Err(format!("no {kind}")),
            (Some(_), false) => Err(format!("more than one {kind}")),
        }
    }

    /// A value with everything filled in; `None` is `AWS::NoValue`.
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(list) => Some(Value::Array(
                list.iter()
                    .filter_map(|value| self.resolve(value))
                    .collect(),
            )),
            Value::Object(object) => match function(object) {
                Some((name, argument)) => self.call(name, argument),
                None => Some(Value::Object(
                    object
                        .iter()
                        .filter_map(|(key, value)| Some((key.clone(), self.resolve(value)?)))
                        .collect(),
                )),
            },
            other => Some(other.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        match name {
            "Ref" => {
                let name = argument.as_str().unwrap_or_default();
                (name != "AWS::NoValue").then(|| self.value(name).into())
            }
            "Fn::GetAtt" => {
                let path = match argument {
                    Value::Array(parts) => parts.iter().map(text).collect::<Vec<_>>().join("."),
                    other => text(other),
                };
                Some(self.value(&path).into())
            }
            "Fn::Sub" => Some(
                self.substitute(argument.as_str().unwrap_or_default())
                    .into(),
            ),
            "Fn::If" => {
                let [condition, yes, no] = argument.as_array().map(Vec::as_slice)? else {
                    return None;
                };
                let holds = self.condition(condition.as_str().unwrap_or_default());
                self.resolve(if holds { yes } else { no })
            }
            // A function that is not filled in stays as it stands.
            _ => {
                let mut object = Map::new();
                object.insert(name.to_owned(), self.resolve(argument)?);
                Some(Value::Object(object))
            }
        }
    }

    fn substitute(&self, pattern: &str) -> String {
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            out.push_str(before);
            out.push_str(&self.value(name));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str) -> String {
        self.values
            .get(name)
            .cloned()
            .unwrap_or_else(|| format!("<{name}>"))
    }

    fn condition(&self, name: &str) -> bool {
        self.root
            .get("Conditions")
            .and_then(|conditions| conditions.get(name))
            .is_some_and(|condition| self.test(condition))
    }

    fn test(&self, condition: &Value) -> bool {
        let Some((name, argument)) = condition.as_object().and_then(function) else {
            return false;
        };
        let list = argument.as_array().map_or(&[][..], Vec::as_slice);
        match name {
            "Condition" => self.condition(argument.as_str().unwrap_or_default()),
            "Fn::Equals" => match list {
                [a, b] => self.resolve(a).map(|a| text(&a)) == self.resolve(b).map(|b| text(&b)),
                _ => false,
            },
            "Fn::Not" => matches!(list, [one] if !self.test(one)),
            "Fn::And" => list.iter().all(|one| self.test(one)),
            "Fn::Or" => list.iter().any(|one| self.test(one)),
            _ => false,
        }
    }
}

/// The intrinsic function that an object with one key is.
fn function(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut fields = object.iter();
    match (fields.next(), fields.next()) {
        (Some((key, value)), None)
            if key == "Ref"
                || key == "Condition" && value.is_string()
                || key.starts_with("Fn::") =>
        {
            Some((key, value))
        }
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_and_conditions_are_filled_in() {
        let root = json!({
            "Parameters": {"A": {"Default": ""}, "B": {"Default": 3}},
            "Conditions": {"Has": {"Fn::Not": [{"Fn::Equals": [{"Ref": "A"}, ""]}]}},
            "Resources": {
                "X": {"Type": "T", "Properties": {
                    "Name": {"Fn::Sub": "n-${A}-${B}-${Y.Arn}"},
                    "List": [1, {"Fn::If": ["Has", "yes", {"Ref": "AWS::NoValue"}]}],
                    "Arn": {"Fn::GetAtt": ["Y", "Arn"]},
                }},
                "Z": {"Type": "T", "Condition": "Has"},
            },
        });
        let without = Template::new(&root, &[("Y.Arn", "arn")]);
        let (name, x) = without.only("T").unwrap();
        assert_eq!(name, "X");
        assert_eq!(
            x["Properties"],
            json!({"Name": "n--3-arn", "List": [1], "Arn": "arn"})
        );
        let with = Template::new(&root, &[("A", "a")]);
        let all = with.resources("T");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].1["Properties"]["List"], json!([1, "yes"]));
        assert_eq!(all[0].1["Properties"]["Arn"], json!("<Y.Arn>"));
        assert_eq!(with.only("T").unwrap_err(), "more than one T");
    }
}

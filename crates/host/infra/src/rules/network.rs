//! Who can reach the machine, and where it reaches.

use serde_json::Value;

use super::{at, need, sample, text_at};
use crate::policy::{Call, Policy};

pub(super) fn nothing_in(template: &Value) -> Result<(), String> {
    let template = sample(template);
    let groups = template.resources("AWS::EC2::SecurityGroup");
    need(!groups.is_empty(), "no security group")?;
    for (name, group) in groups {
        let ingress = at(&group, "/Properties/SecurityGroupIngress");
        need(
            ingress.is_null() || ingress.as_array().is_some_and(Vec::is_empty),
            format!("{name} lets something in"),
        )?;
    }
    let separate = [
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::NetworkAclEntry",
    ];
    need(
        !template.types().iter().any(|kind| separate.contains(kind)),
        "a rule beside the security group",
    )
}

pub(super) fn https_out(template: &Value) -> Result<(), String> {
    let template = sample(template);
    let (_, group) = template.only("AWS::EC2::SecurityGroup")?;
    // Without any rule of its own a group lets everything out.
    let rules = at(&group, "/Properties/SecurityGroupEgress").as_array();
    need(
        rules.is_some_and(|rules| !rules.is_empty()),
        "no rule for what goes out",
    )?;
    for rule in rules.into_iter().flatten() {
        let ports = (at(rule, "/FromPort").as_u64(), at(rule, "/ToPort").as_u64());
        need(
            text_at(rule, "/IpProtocol") == "tcp" && ports == (Some(443), Some(443)),
            format!("goes out: {rule}"),
        )?;
    }
    need(
        !template.types().contains(&"AWS::EC2::SecurityGroupEgress"),
        "a rule beside the security group",
    )
}

pub(super) fn endpoint(template: &Value) -> Result<(), String> {
    let (_, endpoint) = sample(template).only("AWS::EC2::VPCEndpoint")?;
    need(
        text_at(&endpoint, "/Properties/VpcEndpointType") == "Gateway"
            && text_at(&endpoint, "/Properties/ServiceName") == "com.amazonaws.eu-central-1.s3",
        "no gateway endpoint of S3",
    )?;
    let policy =
        Policy::read(at(&endpoint, "/Properties/PolicyDocument")).map_err(|e| e.to_string())?;
    let own = "arn:aws:s3:::attested-ceremony-123456789012-run-0123456789abcdef/runs/run-0123456789abcdef/status/0000000000";
    need(
        policy.decide(&Call::new("s3:PutObject", own)).is_allowed(),
        "the run's own results are refused",
    )?;
    for foreign in [
        "arn:aws:s3:::somebody-elses/x",
        "arn:aws:s3:::attested-ceremony-123456789012-run-0123456789abcdef/runs/other/commit",
    ] {
        for action in ["s3:PutObject", "s3:DeleteObject"] {
            need(
                !policy.decide(&Call::new(action, foreign)).is_allowed(),
                format!("{action} on {foreign} goes through"),
            )?;
        }
    }
    Ok(())
}

pub(super) fn zones(template: &Value) -> Result<(), String> {
    let template = sample(template);
    let subnets = template.resources("AWS::EC2::Subnet");
    let zones: Vec<&str> = subnets
        .iter()
        .map(|(_, subnet)| text_at(subnet, "/Properties/AvailabilityZone"))
        .collect();
    for zone in ["eu-central-1a", "eu-central-1b", "eu-central-1c"] {
        need(zones.contains(&zone), format!("no subnet in {zone}"))?;
    }
    let routed = template
        .resources("AWS::EC2::SubnetRouteTableAssociation")
        .len();
    need(routed == subnets.len(), "a subnet has no route")
}

pub(super) fn nothing_billing(template: &Value) -> Result<(), String> {
    let billing = [
        "AWS::EC2::NatGateway",
        "AWS::EC2::EIP",
        "AWS::EC2::TransitGateway",
        "AWS::EC2::TransitGatewayAttachment",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::EC2::VPNGateway",
    ];
    let template = sample(template);
    match template.types().iter().find(|kind| billing.contains(kind)) {
        Some(kind) => Err(format!("{kind} bills by the hour")),
        None => Ok(()),
    }
}

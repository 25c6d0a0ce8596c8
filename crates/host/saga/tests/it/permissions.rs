//! Every call that the controller makes is allowed by the policy that is published for it.

use std::collections::BTreeSet;

use infra::policy::{Call, Policy};

use crate::scene::{HOUR, Scene};

/// The calls of whole runs, one of them forgotten and reaped.
fn recorded() -> BTreeSet<(&'static str, String)> {
    let mut calls = BTreeSet::new();
    let mut record = |scene: &Scene| {
        let made = scene.cloud.calls();
        calls.extend(made.into_iter().map(|call| (call.action, call.resource)));
    };
    let scene = Scene::new(|settings| settings.volumes_survive = true);
    scene.cloud.arm(None);
    assert_eq!(scene.run().unwrap().exit_code(), 0);
    record(&scene);
    let scene = Scene::new(|settings| {
        settings.layers = cloud_fake::Layers::NONE;
        settings.agent.behaviour = cloud_fake::Behaviour::Hangs;
    });
    scene.cloud.arm(None);
    assert_eq!(scene.run().unwrap().exit_code(), 3);
    record(&scene);
    let mut scene = Scene::new(|settings| {
        settings.agent.work = HOUR;
        settings.volumes_survive = true;
        settings.layers = cloud_fake::Layers::NONE;
    });
    scene
        .watcher
        .stop_after
        .store(9, std::sync::atomic::Ordering::Relaxed);
    scene.cloud.arm(None);
    assert_eq!(scene.run().unwrap().exit_code(), 4);
    scene
        .watcher
        .stop_after
        .store(0, std::sync::atomic::Ordering::Relaxed);
    scene.move_away();
    saga::extend(&mut scene.saga().unwrap(), HOUR).unwrap();
    saga::abort(&mut scene.saga().unwrap()).unwrap();
    scene.cloud.advance(4 * HOUR);
    assert_eq!(scene.reap().exit_code(), 0);
    record(&scene);
    calls
}

#[test]
fn r48_every_call_of_a_run_is_allowed_and_nothing_foreign_is() {
    let document = serde_json::from_str(infra::CONTROLLER_POLICY).unwrap();
    let policy = Policy::read(&document).unwrap();
    let run = Scene::run_id();
    let context = [
        ("aws:PrincipalAccount", "123456789012"),
        ("s3:ResourceAccount", "123456789012"),
        ("aws:ResourceTag/attested-ceremony-run", run.as_str()),
    ];
    let calls = recorded();
    let actions: BTreeSet<_> = calls.iter().map(|(action, _)| *action).collect();
    assert!(
        actions.len() > 25,
        "{actions:?}: the test has lost its subject"
    );
    let refused: Vec<_> = calls
        .iter()
        .filter(|(action, resource)| {
            let call = Call::new(action, resource).with(&context);
            !policy.decide(&call).is_allowed()
        })
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    // The same calls about what is not ours.
    let foreign = [
        ("aws:PrincipalAccount", "123456789012"),
        ("s3:ResourceAccount", "210987654321"),
    ];
    for (action, resource) in [
        (
            "ec2:TerminateInstances",
            "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0",
        ),
        (
            "s3:DeleteObject",
            "arn:aws:s3:::attested-ceremony-123456789012-run-1/runs/run-1/job",
        ),
        ("s3:DeleteBucket", "arn:aws:s3:::somebody-s-bucket"),
        (
            "cloudformation:DeleteStack",
            "arn:aws:cloudformation:eu-central-1:123456789012:stack/production/1",
        ),
    ] {
        let call = Call::new(action, resource).with(&foreign);
        assert!(!policy.decide(&call).is_allowed(), "{action} {resource}");
    }
}

//! Each way to find something again, or to notice that it is missing, where it is the only one left.

use std::time::Duration;

use cloud::ErrorClass;
use cloud_fake::{Behaviour, Effect, Fault, When};
use saga::End;

use crate::scene::Scene;

/// After this long everybody sees what was made.
const SEEN: Duration = Duration::from_secs(30);

fn at(action: &'static str, call: usize, when: When, effect: Effect) -> Fault {
    Fault {
        call,
        times: 1,
        action: Some(action),
        when,
        effect,
    }
}

fn nowhere() -> Scene {
    Scene::new(|settings| {
        let types = ["r7i.2xlarge", "m7i.2xlarge"];
        let zones = ["a", "b", "c"].map(|z| format!("eu-central-1{z}"));
        settings.no_capacity = types
            .iter()
            .flat_map(|t| {
                let each = zones
                    .iter()
                    .map(|z| (t.parse().unwrap(), z.parse().unwrap()));
                each.collect::<Vec<_>>()
            })
            .collect();
    })
}

fn has(scene: &Scene, kind: &str) -> bool {
    let left = scene.cloud.leftovers();
    left.iter().any(|thing| thing.starts_with(kind))
}

#[test]
fn r43_a_stack_whose_id_nobody_noted_is_found_by_its_name() {
    let mut scene = Scene::new(|settings| settings.tags_are_blind = true);
    let fault = at("cloudformation:CreateStack", 0, When::After, Effect::Die);
    scene.cloud.arm(Some(fault));
    assert!(scene.until_death(|| scene.run()).is_none());
    assert!(has(&scene, "stack"));
    scene.cloud.advance(SEEN);
    // On another machine there is no journal, in the bucket no note, and lists by tag are empty.
    scene.move_away();
    let outcome = scene.destroy(false).unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn r43_a_stack_that_was_made_without_an_answer_is_adopted() {
    let scene = Scene::new(|_| {});
    let unanswered = Effect::Fail(ErrorClass::Transient);
    let fault = at("cloudformation:CreateStack", 0, When::After, unanswered);
    scene.cloud.arm(Some(fault));
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    let calls = scene.cloud.calls();
    let made = calls
        .iter()
        .filter(|call| call.action == "cloudformation:CreateStack");
    assert_eq!(made.count(), 2, "asked again, and not for another one");
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn r43_a_run_that_cannot_start_is_removed_by_whoever_resumes_it() {
    let mut scene = nowhere();
    let fault = at("cloudformation:CreateStack", 2, When::After, Effect::Die);
    scene.cloud.arm(Some(fault));
    assert!(scene.until_death(|| scene.run()).is_none());
    assert!(has(&scene, "bucket"));
    scene.move_away();
    let outcome = scene.resume().unwrap();
    assert!(
        matches!(&outcome.end, End::Error(error) if error.code() == "run_no_capacity"),
        "{outcome:?}"
    );
    assert_eq!(outcome.exit_code(), 3, "{outcome:?}");
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn r43_what_may_still_start_is_left_alone_by_whoever_did_not_see_it() {
    let scene = Scene::new(|_| {});
    let fault = at("cloudformation:CreateStack", 0, When::After, Effect::Die);
    scene.cloud.arm(Some(fault));
    assert!(scene.until_death(|| scene.run()).is_none());
    // Refused once: whoever tore down now would find the stack.
    let denied = Effect::Fail(ErrorClass::Denied);
    let fault = at("cloudformation:DescribeStacks", 0, When::Before, denied);
    scene.cloud.arm(Some(fault));
    let outcome = scene.resume().unwrap();
    assert_eq!(outcome.exit_code(), 4, "{outcome:?}");
    let calls = scene.cloud.calls();
    assert!(
        !calls.iter().any(|call| call.action.contains(":Delete")),
        "{calls:?}"
    );
    scene.cloud.arm(None);
    assert_eq!(scene.resume().unwrap().exit_code(), 0);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn r46_an_artifact_that_never_arrived_is_noticed_before_anything_is_fetched() {
    let scene = Scene::new(|settings| settings.agent.behaviour = Behaviour::Loses);
    let outcome = scene.run().unwrap();
    let End::Error(error) = &outcome.end else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.code(), "run_upload", "{error}");
    assert_eq!(outcome.exit_code(), 3);
    assert!(outcome.proof.kept.is_some());
    let said = scene.watcher.said.lock().unwrap();
    assert!(!said.iter().any(|event| event.contains("download")));
}

#[test]
fn r45_a_refusal_does_not_keep_the_rest_from_being_removed() {
    for action in ["ec2:DescribeVolumes", "ec2:DescribeInstances"] {
        let scene = Scene::new(|_| {});
        scene.cloud.arm(Some(Fault {
            call: 0,
            times: usize::MAX,
            action: Some(action),
            when: When::Before,
            effect: Effect::Fail(ErrorClass::Denied),
        }));
        let outcome = scene.run().unwrap();
        assert_eq!(outcome.exit_code(), 4, "{action}");
        let left = &outcome.proof.left;
        assert!(
            left.iter().all(|left| left.kind == "unknown"),
            "{action}: {left:?}"
        );
        assert!(!has(&scene, "stack"), "{action}");
    }
}

#[test]
fn r43_a_run_that_was_ended_elsewhere_is_not_begun_again() {
    let mut scene = Scene::new(|_| {});
    let fault = at("cloudformation:CreateStack", 0, When::Before, Effect::Die);
    scene.cloud.arm(Some(fault));
    assert!(scene.until_death(|| scene.run()).is_none());
    scene.cloud.advance(SEEN);
    scene.move_away();
    assert_eq!(scene.destroy(true).unwrap().exit_code(), 0);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
    // Where it was begun, the journal says that the job was written.
    scene.move_back();
    let outcome = scene.resume().unwrap();
    assert!(
        matches!(&outcome.end, End::Error(error) if error.code() == "run_over"),
        "{outcome:?}"
    );
    assert_eq!(outcome.exit_code(), 3);
    assert_eq!(scene.cloud.spent_micro_usd(), 0);
}

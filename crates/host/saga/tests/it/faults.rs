//! Every crash point and every single error of a whole run: in the end nothing is left, nothing is lost, and
//! the exit code told the truth.

use std::time::Duration;

use cloud::ErrorClass;
use cloud_fake::{Effect, Fault, When};

use crate::scene::{HOUR, Scene};

const BOTH: [When; 2] = [When::Before, When::After];

fn scene() -> Scene {
    Scene::new(|_| {})
}

fn fault(call: usize, when: When, effect: Effect) -> Fault {
    Fault {
        call,
        times: 1,
        action: None,
        when,
        effect,
    }
}

/// How many calls a whole run makes.
fn calls_of_a_run() -> usize {
    let scene = scene();
    scene.cloud.arm(None);
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    scene.assert_truthful(&outcome, "without a fault");
    let calls = scene.cloud.calls().len();
    assert!(calls > 60, "{calls} calls: the test has lost its subject");
    calls
}

/// Nothing is left anywhere, and what was finished is at home.
fn assert_over(scene: &Scene, context: &str) {
    assert_eq!(scene.cloud.leftovers(), [""; 0], "{context}");
    let committed = scene.cloud.was_committed(&Scene::run_id());
    assert!(!committed || scene.home().holds(), "{context}: not at home");
    let spent = scene.cloud.spent_micro_usd();
    // Two hours of the dearest machine and the minute that it takes to end.
    assert!(spent <= 1_080_000, "{context}: {spent}");
}

/// Resumes until it is over; the truth is told each time.
fn resume_until_over(scene: &Scene, context: &str) {
    for _ in 0..3 {
        match scene.resume() {
            Ok(outcome) => {
                scene.assert_truthful(&outcome, context);
                if outcome.exit_code() == 0 {
                    break;
                }
            }
            // Nothing of it is known: nothing may be there.
            Err(error) => {
                assert!(
                    matches!(error.code(), "run_unknown" | "run_never_started"),
                    "{context}: {error}"
                );
                break;
            }
        }
    }
}

/// Time passes, nobody cares, and then somebody reaps.
fn forget_and_reap(scene: &Scene, context: &str) {
    scene.cloud.advance(27 * HOUR);
    let machines = scene.cloud.leftovers();
    assert!(
        !machines.iter().any(|left| left.starts_with("instance")),
        "{context}: {machines:?}"
    );
    let reaped = scene.reap();
    let left = scene.cloud.leftovers();
    assert_eq!(
        reaped.exit_code() == 4,
        !left.is_empty(),
        "{context}: {left:?} {reaped:?}"
    );
    assert!(
        left.iter().all(|left| left.starts_with("bucket")),
        "{context}: {left:?}"
    );
    assert!(scene.nothing_is_lost(), "{context}");
}

#[test]
fn r43_after_every_crash_the_same_machine_resumes() {
    for call in 0..calls_of_a_run() {
        for when in BOTH {
            let context = format!("died {when:?} call {call}");
            let scene = scene();
            scene.cloud.arm(Some(fault(call, when, Effect::Die)));
            assert!(scene.until_death(|| scene.run()).is_none(), "{context}");
            resume_until_over(&scene, &context);
            assert_over(&scene, &context);
        }
    }
}

#[test]
fn r43_after_every_crash_another_machine_resumes_or_reaps() {
    for call in 0..calls_of_a_run() {
        for when in BOTH {
            let context = format!("died {when:?} call {call}, another machine");
            let mut scene = scene();
            scene.cloud.arm(Some(fault(call, when, Effect::Die)));
            assert!(scene.until_death(|| scene.run()).is_none(), "{context}");
            // The bundle of the first machine does not count.
            let at_home = scene.home().holds();
            scene.move_away();
            scene.cloud.advance(Duration::from_secs(30));
            resume_until_over(&scene, &context);
            if !scene.cloud.leftovers().is_empty() {
                // Only a run that nobody else can start, or that was being removed, is left to its deadline.
                let committed = scene.cloud.was_committed(&Scene::run_id());
                assert!(!committed || at_home, "{context}");
                forget_and_reap(&scene, &context);
            }
            assert_eq!(scene.cloud.leftovers(), [""; 0], "{context}");
            let committed = scene.cloud.was_committed(&Scene::run_id());
            assert!(!committed || at_home || scene.home().holds(), "{context}");
        }
    }
}

#[test]
fn r43_after_every_crash_tags_and_deadlines_are_enough() {
    for call in 0..calls_of_a_run() {
        for when in BOTH {
            let context = format!("died {when:?} call {call}, forgotten");
            let scene = scene();
            scene.cloud.arm(Some(fault(call, when, Effect::Die)));
            assert!(scene.until_death(|| scene.run()).is_none(), "{context}");
            forget_and_reap(&scene, &context);
            // What reap would not throw away can still be fetched.
            if !scene.cloud.leftovers().is_empty() {
                assert!(scene.cloud.was_committed(&Scene::run_id()), "{context}");
                resume_until_over(&scene, &context);
            }
            assert_over(&scene, &context);
        }
    }
}

#[test]
fn r43_r45_after_every_error_the_exit_code_is_true_and_nothing_is_left() {
    for call in 0..calls_of_a_run() {
        for when in BOTH {
            for class in ErrorClass::ALL {
                let context = format!("{class:?} {when:?} call {call}");
                let scene = scene();
                scene
                    .cloud
                    .arm(Some(fault(call, when, Effect::Fail(class))));
                match scene.run() {
                    Ok(outcome) => {
                        scene.assert_truthful(&outcome, &context);
                        // What may pass is not even noticed.
                        let passes = class.is_passing();
                        assert!(
                            !passes || outcome.exit_code() == 0,
                            "{context}: {outcome:?}"
                        );
                        if outcome.exit_code() != 0 && !scene.cloud.leftovers().is_empty() {
                            resume_until_over(&scene, &context);
                        }
                    }
                    // Before anything was made.
                    Err(error) => {
                        assert!(!class.is_passing(), "{context}: {error}");
                        assert!(call < 10, "{context}: {error}");
                    }
                }
                assert_over(&scene, &context);
            }
        }
    }
}

/// An error that stays: the code is 4, and it says what is left.
#[test]
fn r45_a_refusal_that_stays_is_told() {
    for action in [
        "cloudformation:DeleteStack",
        "s3:DeleteBucket",
        "s3:DeleteObject",
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "cloudformation:DescribeStacks",
        "s3:ListBucket",
    ] {
        for class in ErrorClass::ALL {
            let context = format!("{action} stays {class:?}");
            let scene = scene();
            let (when, effect) = (When::Before, Effect::Fail(class));
            let always = Fault {
                call: 0,
                times: usize::MAX,
                action: Some(action),
                when,
                effect,
            };
            scene.cloud.arm(Some(always));
            let outcome = scene.run().unwrap();
            scene.assert_truthful(&outcome, &context);
            assert_ne!(outcome.exit_code(), 0, "{context}");
            if !scene.cloud.leftovers().is_empty() && outcome.proof.kept.is_none() {
                assert!(!outcome.proof.left.is_empty(), "{context}");
            }
            scene.cloud.arm(None);
            if !scene.cloud.leftovers().is_empty() {
                resume_until_over(&scene, &context);
                let left = scene.destroy(false).unwrap();
                scene.assert_truthful(&left, &context);
            }
            assert_over(&scene, &context);
        }
    }
}

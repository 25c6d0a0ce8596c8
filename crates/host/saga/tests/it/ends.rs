//! How runs end: one thing goes wrong at a time, and the outcome names it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cloud_fake::Behaviour;
use saga::{End, Limits, Usd};

use crate::scene::Scene;

fn behaves(behaviour: Behaviour) -> Scene {
    Scene::new(|settings| settings.agent.behaviour = behaviour)
}

#[test]
fn a_run_ends_verified_and_with_nothing_left() {
    let scene = Scene::new(|_| {});
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert!(matches!(outcome.end, End::Verified));
    scene.assert_truthful(&outcome, "");
    // A second resume says that it is over, and finds nothing.
    let again = scene.resume().unwrap();
    assert!(
        matches!(&again.end, End::Error(error) if error.code() == "run_over"),
        "{again:?}"
    );
    assert!(again.proof.is_clean());
}

#[test]
fn a_failed_run_says_why_and_keeps_its_bucket() {
    let scene = behaves(Behaviour::Fails);
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 3);
    assert!(matches!(&outcome.end, End::Failed(failure) if failure.code == "ptau_hash"));
    let kept = outcome.proof.kept.clone().unwrap();
    assert_eq!(scene.cloud.leftovers(), [format!("bucket {kept}")]);
    let removed = scene.destroy(false).unwrap();
    assert_eq!(removed.exit_code(), 0, "{removed:?}");
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn a_silent_host_agent_is_asked_after_and_given_up_long_before_the_deadline() {
    for behaviour in [Behaviour::Hangs, Behaviour::NeverStarts] {
        let scene = behaves(behaviour);
        let outcome = scene.run().unwrap();
        assert_eq!(outcome.exit_code(), 3, "{behaviour:?}");
        let End::Lost(diagnosis) = &outcome.end else {
            panic!("{outcome:?}")
        };
        assert!(diagnosis.console.is_some());
        assert!(
            diagnosis.finding.contains("nothing was heard"),
            "{}",
            diagnosis.finding
        );
        let said = scene.watcher.said.lock().unwrap();
        let silent = said
            .iter()
            .filter(|event| event.contains("is running"))
            .count();
        assert!(silent > 3, "{behaviour:?}: {silent}");
        drop(said);
        // Two hours of it were allowed.
        let spent = scene.cloud.spent_micro_usd();
        assert!(spent < 530_000, "{behaviour:?}: {spent}");
        scene.assert_truthful(&outcome, "");
    }
}

#[test]
fn a_lost_machine_is_noticed() {
    let scene = behaves(Behaviour::MachineLost);
    let outcome = scene.run().unwrap();
    let End::Lost(diagnosis) = &outcome.end else {
        panic!("{outcome:?}")
    };
    assert!(
        diagnosis.finding.contains("Server.InternalError"),
        "{}",
        diagnosis.finding
    );
    assert_eq!(outcome.exit_code(), 3);
    scene.assert_truthful(&outcome, "");
}

#[test]
fn r46_artifacts_that_are_not_what_was_committed_stay_in_the_bucket() {
    let scene = behaves(Behaviour::Lies);
    let outcome = scene.run().unwrap();
    assert!(matches!(&outcome.end, End::Error(error) if error.code() == "artifact_digest"));
    assert_eq!(outcome.exit_code(), 3);
    assert!(scene.cloud.holds_artifacts(&Scene::run_id()));
    let refused = scene.destroy(false).unwrap();
    assert_eq!(
        refused.exit_code(),
        4,
        "results are not thrown away unasked"
    );
    assert!(scene.cloud.holds_artifacts(&Scene::run_id()));
    assert_eq!(scene.destroy(true).unwrap().exit_code(), 0);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn without_capacity_the_next_place_is_taken() {
    let zone = |letter: &str| format!("eu-central-1{letter}").parse().unwrap();
    let big = "r7i.2xlarge";
    let scene = Scene::new(|settings| {
        settings.no_capacity = ["a", "b", "c"]
            .map(|z| (big.parse().unwrap(), zone(z)))
            .to_vec();
    });
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    let said = scene.watcher.said.lock().unwrap();
    assert_eq!(
        said.iter()
            .filter(|event| event.starts_with("NextPlace"))
            .count(),
        3
    );
    drop(said);
    let scene = Scene::new(|settings| {
        let all = ["a", "b", "c"];
        let both = [big, "m7i.2xlarge"];
        settings.no_capacity = both
            .iter()
            .flat_map(|t| all.map(|z| (t.parse().unwrap(), zone(z))))
            .collect();
    });
    let outcome = scene.run().unwrap();
    assert!(matches!(&outcome.end, End::Error(error) if error.code() == "run_no_capacity"));
    assert_eq!(outcome.exit_code(), 3);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn disks_that_stay_are_removed() {
    let scene = Scene::new(|settings| settings.volumes_survive = true);
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn a_stack_that_cannot_be_removed_is_named_with_its_price() {
    let scene = Scene::new(|settings| {
        settings.stack_delete_failures = u32::MAX;
        settings.agent.behaviour = Behaviour::Hangs;
        settings.layers = cloud_fake::Layers::NONE;
    });
    let outcome = scene.run().unwrap();
    assert_eq!(outcome.exit_code(), 4);
    assert!(
        outcome.proof.left.iter().any(|left| left.kind == "stack"),
        "{outcome:?}"
    );
    // The machine at least was ended directly.
    assert!(
        !scene
            .cloud
            .leftovers()
            .iter()
            .any(|left| left.starts_with("instance"))
    );
    scene
        .cloud
        .set(|settings| settings.stack_delete_failures = 1);
    assert_eq!(scene.destroy(false).unwrap().exit_code(), 0);
}

#[test]
fn whoever_stops_watching_is_told_what_goes_on() {
    let scene = Scene::new(|_| {});
    scene.watcher.stop_after.store(8, Ordering::Relaxed);
    let outcome = scene.run().unwrap();
    assert!(matches!(outcome.end, End::Detached), "{outcome:?}");
    assert_eq!(outcome.exit_code(), 4);
    assert!(!outcome.proof.left.is_empty());
    scene.watcher.stop_after.store(0, Ordering::Relaxed);
    assert_eq!(scene.resume().unwrap().exit_code(), 0);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn whoever_stops_before_there_is_a_machine_gets_none() {
    let scene = Scene::new(|_| {});
    // The bucket, and the first of two inputs.
    scene.watcher.stop_after.store(2, Ordering::Relaxed);
    let outcome = scene.run().unwrap();
    assert!(matches!(outcome.end, End::Detached), "{outcome:?}");
    let left = scene.cloud.leftovers();
    assert!(left.len() == 1 && left[0].starts_with("bucket"), "{left:?}");
    assert_eq!(outcome.exit_code(), 4);
    assert_eq!(scene.cloud.spent_micro_usd(), 0);
    scene.watcher.stop_after.store(0, Ordering::Relaxed);
    assert_eq!(scene.resume().unwrap().exit_code(), 0);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

#[test]
fn r44_nothing_is_made_when_it_may_be_too_dear_or_too_long() {
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    for (limits, code) in [
        (
            Limits {
                max_usd: Some(Usd(100_000)),
                max: None,
            },
            "run_too_dear",
        ),
        (
            Limits {
                max_usd: None,
                max: minutes(19),
            },
            "run_too_long",
        ),
    ] {
        let mut scene = Scene::new(|_| {});
        scene.limits = limits;
        scene.cloud.arm(None);
        assert_eq!(scene.run().unwrap_err().code(), code);
        let calls = scene.cloud.calls();
        assert!(
            calls.iter().all(|call| !call.action.contains(":Create")),
            "{calls:?}"
        );
        assert_eq!(scene.cloud.leftovers(), [""; 0]);
    }
}

#[test]
fn r44_money_ends_a_run_that_takes_too_long() {
    let mut scene = behaves(Behaviour::Hangs);
    // Enough for the expected 20 minutes, and for 24 in all.
    scene.limits = Limits {
        max_usd: Some(Usd(222_000)),
        max: None,
    };
    let outcome = scene.run().unwrap();
    assert!(matches!(outcome.end, End::Lost(_)), "{outcome:?}");
    assert!(scene.cloud.spent_micro_usd() <= 222_000);
}

#[test]
fn r46_a_bundle_that_does_not_verify_keeps_its_bucket() {
    let mut scene = Scene::new(|_| {});
    scene.distrusts = true;
    let outcome = scene.run().unwrap();
    assert!(matches!(outcome.end, End::Refused), "{outcome:?}");
    assert_eq!(outcome.exit_code(), 1);
    assert!(scene.cloud.holds_artifacts(&Scene::run_id()));
    assert!(outcome.proof.kept.is_some());
    scene.assert_truthful(&outcome, "");
    scene.distrusts = false;
    assert_eq!(scene.resume().unwrap().exit_code(), 0);
}

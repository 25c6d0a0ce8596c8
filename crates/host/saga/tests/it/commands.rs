//! Commands that need nothing but the run's id.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cloud::{Account, Timestamp, tags};
use cloud_fake::{Behaviour, Effect, Fault, When};
use saga::{End, Limits, Usd, abort, extend, look};

use crate::scene::{HOUR, Scene};

/// A run that goes on while nobody watches, seen from another machine.
fn running(behaviour: Behaviour, work: Duration) -> Scene {
    let mut scene = Scene::new(|settings| {
        settings.agent.behaviour = behaviour;
        settings.agent.work = work;
    });
    scene.watcher.stop_after.store(9, Ordering::Relaxed);
    let outcome = scene.run().unwrap();
    assert!(matches!(outcome.end, End::Detached), "{outcome:?}");
    scene.watcher.stop_after.store(0, Ordering::Relaxed);
    scene.move_away();
    scene
}

#[test]
fn a_look_says_where_the_run_stands() {
    let scene = running(Behaviour::Works, HOUR);
    scene.cloud.advance(Duration::from_mins(10));
    let standing = look(&scene.saga().unwrap()).unwrap();
    assert!(!standing.is_silent && !standing.is_committed);
    assert!(standing.age.unwrap() < Duration::from_mins(1));
    assert!(
        standing.machine.finding.contains("is running"),
        "{}",
        standing.machine.finding
    );
    let spent = scene.cloud.spent_micro_usd();
    assert!(
        standing.spent.0 >= spent && standing.spent.0 < spent + 10_000,
        "{:?} {spent}",
        standing.spent
    );
}

#[test]
fn a_look_says_that_the_host_agent_is_silent() {
    let scene = running(Behaviour::Hangs, Duration::from_mins(1));
    scene.cloud.advance(Duration::from_mins(10));
    assert!(look(&scene.saga().unwrap()).unwrap().is_silent);
}

#[test]
fn an_aborted_run_stops_and_can_be_removed() {
    let scene = running(Behaviour::Works, HOUR);
    abort(&mut scene.saga().unwrap()).unwrap();
    let outcome = scene.resume().unwrap();
    assert!(
        matches!(&outcome.end, End::Failed(failure) if failure.code == "stopped"),
        "{outcome:?}"
    );
    assert_eq!(outcome.exit_code(), 3);
    assert_eq!(scene.destroy(false).unwrap().exit_code(), 0);
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
}

/// The work takes longer than the deadline allows.
#[test]
fn a_later_deadline_counts_in_every_layer() {
    let work = Duration::from_hours(3);
    let scene = running(Behaviour::Works, work);
    assert_eq!(
        scene.resume().unwrap().exit_code(),
        3,
        "the deadline is kept"
    );
    let scene = running(Behaviour::Works, work);
    let deadline = extend(&mut scene.saga().unwrap(), 2 * HOUR).unwrap();
    assert_eq!(
        deadline,
        scene.plan().unwrap().started.after(4 * HOUR).min(deadline)
    );
    let outcome = scene.resume().unwrap();
    assert_eq!(outcome.exit_code(), 0, "{outcome:?}");
}

/// Deadlines of the bucket and of the stack, as their tags say once everybody sees them.
fn deadlines(scene: &Scene) -> [Timestamp; 2] {
    scene.cloud.advance(Duration::from_mins(2));
    let services = scene.cloud.services(&Scene::region());
    let account = scene.cloud.caller().unwrap().account;
    let bucket = Scene::run_id().bucket(&account).unwrap();
    let bucket = services.buckets.tags(&bucket).unwrap();
    let stacks = services.stacks.list(tags::RUN).unwrap();
    let [stack] = stacks.as_slice() else {
        panic!("{stacks:?}")
    };
    [&bucket, &stack.tags].map(|tags| tags::expires_at(tags).unwrap())
}

#[test]
fn an_extension_that_dies_anywhere_is_completed_by_the_next_command() {
    let begin = || running(Behaviour::Works, Duration::from_hours(3));
    let scene = begin();
    let [before, _] = deadlines(&scene);
    scene.cloud.arm(None);
    let after = extend(&mut scene.saga().unwrap(), 2 * HOUR).unwrap();
    let calls = scene.cloud.calls().len();
    assert!(after > before && calls > 5, "{calls}");
    assert_eq!(deadlines(&scene), [after, after]);
    let (mut unmoved, mut completed) = (0, 0);
    for call in 0..calls {
        for when in [When::Before, When::After] {
            let context = format!("died {when:?} call {call}");
            let die = || {
                let scene = begin();
                let _same_times = deadlines(&scene);
                scene.cloud.arm(Some(Fault {
                    call,
                    times: 1,
                    action: None,
                    when,
                    effect: Effect::Die,
                }));
                let died = scene.until_death(|| extend(&mut scene.saga().unwrap(), 2 * HOUR));
                assert!(died.is_none(), "{context}");
                let [bucket, stack] = deadlines(&scene);
                assert!([before, after].contains(&bucket), "{context}");
                assert!(
                    bucket >= stack,
                    "{context}: the machine outlives its bucket"
                );
                (scene, bucket)
            };
            let (mut scene, _) = die();
            scene.move_away();
            let last_call = call + 1 == calls && when == When::After;
            if !last_call {
                let again = extend(&mut scene.saga().unwrap(), 2 * HOUR).unwrap();
                assert_eq!(again, after, "{context}");
                assert_eq!(deadlines(&scene), [after, after], "{context}");
            }
            let (mut scene, bucket) = die();
            scene.move_away();
            let code = scene.resume().unwrap().exit_code();
            if bucket == after {
                completed += 1;
                assert_eq!(code, 0, "{context}: the later deadline counts");
            } else {
                unmoved += 1;
                assert_eq!(code, 3, "{context}: nothing was moved");
            }
        }
    }
    assert!(unmoved > 0 && completed > 2, "{unmoved} {completed}");
}

#[test]
fn a_later_deadline_of_a_bucket_that_may_not_be_is_not_taken_over() {
    let scene = running(Behaviour::Works, Duration::from_hours(3));
    let [_, stack] = deadlines(&scene);
    let account = scene.cloud.caller().unwrap().account;
    let bucket = Scene::run_id().bucket(&account).unwrap();
    let beyond = tags::of_run(&Scene::run_id(), stack.after(30 * HOUR));
    let buckets = scene.cloud.services(&Scene::region()).buckets;
    buckets.put_tags(&bucket, &beyond).unwrap();
    scene.cloud.advance(Duration::from_mins(1));
    assert_eq!(
        scene.resume().unwrap().exit_code(),
        3,
        "the deadline is kept"
    );
}

#[test]
fn a_deadline_is_not_moved_beyond_money_or_a_day() {
    let scene = running(Behaviour::Works, HOUR);
    for more in [23 * HOUR, 9 * HOUR] {
        let refused = extend(&mut scene.saga().unwrap(), more).unwrap_err();
        assert_eq!(refused.code(), "run_deadline", "{refused}");
    }
    scene.cloud.advance(3 * HOUR);
    let late = extend(&mut scene.saga().unwrap(), HOUR).unwrap_err();
    assert_eq!(late.code(), "run_deadline", "{late}");
}

#[test]
fn r47_another_account_is_not_touched() {
    let scene = running(Behaviour::Works, HOUR);
    scene
        .cloud
        .set(|settings| settings.account = "210987654321".parse().unwrap());
    assert_eq!(scene.saga().unwrap_err().code(), "run_unknown");
    let mut limited = Scene::new(|_| {});
    limited.limits = Limits {
        max_usd: Some(Usd(5_000_000)),
        max: None,
    };
    assert_eq!(limited.saga().unwrap_err().code(), "run_unknown");
}

/// The first machine died before the plan was in the bucket, and is lost.
#[test]
fn a_run_without_a_plan_is_removed_by_its_name_and_its_tags() {
    for when in [When::Before, When::After] {
        let mut scene = Scene::new(|_| {});
        let (action, effect) = (Some("s3:PutBucketTagging"), Effect::Die);
        scene.cloud.arm(Some(Fault {
            call: 0,
            times: 1,
            action,
            when,
            effect,
        }));
        assert!(scene.until_death(|| scene.run()).is_none());
        scene.move_away();
        scene.cloud.advance(Duration::from_mins(1));
        assert_eq!(scene.saga().unwrap_err().code(), "run_never_started");
        let run = Scene::run_id();
        let other = "run-ffffffffffffffff".parse().unwrap();
        let regions = [Scene::region()];
        let nothing = saga::remove_by_tags(scene.desk(), &regions, &other, true).unwrap();
        assert!(nothing.removed.is_empty());
        assert_eq!(scene.cloud.leftovers().len(), 1);
        let removed = saga::remove_by_tags(scene.desk(), &regions, &run, false).unwrap();
        assert_eq!(removed.exit_code(), 0, "{removed:?}");
        assert_eq!(removed.removed.len(), 1);
        assert_eq!(scene.cloud.leftovers(), [""; 0]);
    }
}

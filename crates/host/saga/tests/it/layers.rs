//! Five layers against orphans: each is enough without the other four.

use std::time::Duration;

use cloud_fake::{Behaviour, Effect, Fault, Layers, Settings, When};

use crate::scene::{HOUR, Scene};

/// The controller dies as soon as the stack is ready, and nobody comes back.
fn orphan(change: impl FnOnce(&mut Settings)) -> Scene {
    let scene = Scene::new(change);
    // The first look at the status records after the stack was made.
    let (when, effect) = (When::Before, Effect::Die);
    let action = Some("cloudformation:DescribeStacks");
    scene.cloud.arm(Some(Fault {
        call: 8,
        times: 1,
        action,
        when,
        effect,
    }));
    assert!(scene.until_death(|| scene.run()).is_none());
    assert!(
        machines(&scene) > 0 || {
            scene.cloud.advance(Duration::from_mins(1));
            machines(&scene) > 0
        }
    );
    scene
}

fn machines(scene: &Scene) -> usize {
    let left = scene.cloud.leftovers();
    left.iter()
        .filter(|thing| thing.starts_with("instance") || thing.starts_with("volume"))
        .count()
}

fn hangs(layers: Layers) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.layers = layers;
        settings.agent.behaviour = Behaviour::Hangs;
    }
}

#[test]
fn r43_without_any_layer_a_machine_stays() {
    let scene = orphan(hangs(Layers::NONE));
    scene.cloud.advance(100 * HOUR);
    assert!(machines(&scene) > 0);
}

#[test]
fn r43_the_agent_powers_off() {
    let layers = Layers {
        agent_poweroff: true,
        ..Layers::NONE
    };
    for behaviour in [Behaviour::Works, Behaviour::Fails] {
        let scene = orphan(|settings| {
            settings.layers = layers;
            settings.agent.behaviour = behaviour;
        });
        scene.cloud.advance(Duration::from_mins(5));
        assert_eq!(machines(&scene), 0, "{behaviour:?}");
    }
}

#[test]
fn r43_the_machine_watches_its_deadline() {
    let scene = orphan(hangs(Layers {
        boot_shutdown: true,
        ..Layers::NONE
    }));
    scene.cloud.advance(HOUR);
    assert!(machines(&scene) > 0);
    scene.cloud.advance(HOUR);
    assert_eq!(machines(&scene), 0);
}

#[test]
fn r43_systemd_ends_the_unit() {
    let scene = orphan(hangs(Layers {
        systemd_limit: true,
        ..Layers::NONE
    }));
    scene.cloud.advance(24 * HOUR);
    assert_eq!(machines(&scene), 0);
}

#[test]
fn r43_the_schedule_terminates() {
    let scene = orphan(hangs(Layers {
        schedule: true,
        ..Layers::NONE
    }));
    scene.cloud.advance(HOUR);
    assert!(machines(&scene) > 0);
    scene.cloud.advance(HOUR);
    assert_eq!(machines(&scene), 0);
}

/// No layer in the cloud, and tags that nothing is found by: the journal alone.
#[test]
fn r43_the_journal_knows_what_was_begun() {
    for (call, when) in [(0, When::Before), (0, When::After)] {
        let scene = Scene::new(|settings| {
            settings.layers = Layers::NONE;
            settings.tags_are_blind = true;
            settings.agent.behaviour = Behaviour::NeverStarts;
        });
        let action = Some("cloudformation:CreateStack");
        let effect = Effect::Die;
        scene.cloud.arm(Some(Fault {
            call,
            times: 1,
            action,
            when,
            effect,
        }));
        assert!(scene.until_death(|| scene.run()).is_none());
        scene.cloud.advance(Duration::from_mins(1));
        let outcome = scene.destroy(false).unwrap();
        assert_eq!(outcome.exit_code(), 0, "{when:?} {outcome:?}");
        assert_eq!(scene.cloud.leftovers(), [""; 0], "{when:?}");
    }
}

/// No layer in the cloud, no journal: tags and deadlines alone.
#[test]
fn r43_reap_knows_what_is_due() {
    let mut scene = orphan(hangs(Layers::NONE));
    scene.move_away();
    let early = scene.reap();
    assert!(
        machines(&scene) > 0,
        "a run within its deadline is left alone"
    );
    assert!(
        early.removed.is_empty() && !early.not_due.is_empty(),
        "{early:?}"
    );
    assert_eq!(early.exit_code(), 0);
    scene.cloud.advance(2 * HOUR);
    let late = scene.reap();
    assert_eq!(late.exit_code(), 0, "{late:?}");
    assert_eq!(scene.cloud.leftovers(), [""; 0]);
    assert!(
        late.removed
            .iter()
            .any(|thing| thing.starts_with("instance")),
        "{late:?}"
    );
}

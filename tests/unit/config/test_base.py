"""The base of all sections: settings by their full name, and the settings that only the result depends on."""

from __future__ import annotations

from florence2.config import Configuration, Effect, leaf_paths


def test_leaves_are_named_in_full_and_are_all_of_them() -> None:
    training = Configuration(rank=5, save_minutes=1).training
    leaves = training.leaves("training")
    paths = {".".join(path) for _, path in leaf_paths(Configuration) if path[0] == "training"}
    assert leaves.keys() == paths
    assert (leaves["training.lora.rank"], leaves["training.engine.save_minutes"]) == (5, 1)
    assert leaves.keys() - training.leaves("training", exclude={"engine"}).keys() == {
        path for path in paths if path.startswith("training.engine.")
    }


def test_a_setting_without_effect_on_the_result_has_its_default_where_only_the_result_counts() -> None:
    config = Configuration(loader_workers=3, preview=1, epochs=2, eval_batch_size=5, resamples=7, num_beams=2)
    assert config.training.without(Effect.EXECUTION) == Configuration(epochs=2).training
    assert config.evaluation.without(Effect.EXECUTION) == Configuration(resamples=7, num_beams=2).evaluation
    assert config.evaluation.without(Effect.EXECUTION, Effect.REPORT) == Configuration(num_beams=2).evaluation

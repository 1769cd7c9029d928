"""``mclas-evaluate``: score a trained run on its test set, with the decoding asked for."""

from omegaconf import DictConfig

from mclas_lightning.app import entry
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation import score_run
from mclas_lightning.report.results import Results, headline
from mclas_lightning.settings import read_settings
from mclas_lightning.task import Task


def evaluate(cfg: DictConfig) -> Results | None:
    """Summarize the test set (again), with this configuration's decoding; replaces the results.

    Several processes share the documents; the first returns the results.
    """
    settings, config = read_settings(cfg)
    settings.run.check_identity(config, ("dataset", "scenario", "model", "seed"))
    if isinstance(settings.system, Task) and not settings.run.trained:
        raise InputError(
            f"{settings.run}: no trained run here; train it with the same words after mclas-train"
        )
    results = score_run(settings, config)
    if results is not None:
        print(f"{settings.run}\n  {headline(results)}")
    return results


main = entry("evaluate", evaluate)

if __name__ == "__main__":
    main()

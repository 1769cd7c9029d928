"""A sample of a run's documents, summarized once more: ``mclas verify --deep``."""

from pathlib import Path

from mclas_lightning.config.dataset import read_examples
from mclas_lightning.config.settings import read_settings
from mclas_lightning.errors import InputError
from mclas_lightning.evaluation.run import load_system, summarize_share
from mclas_lightning.evaluation.words import config_for_run
from mclas_lightning.example import Example
from mclas_lightning.inference.environment import machine
from mclas_lightning.runs.identity import resolved_config
from mclas_lightning.runs.predictions import Prediction, read_predictions, shared_documents
from mclas_lightning.runs.results import Results
from mclas_lightning.runs.run import run_folder_of
from mclas_lightning.verification.files import scored_set
from mclas_lightning.verification.finding import Finding, matched, mismatched, unchecked

TOPIC = "decoding"


def decode_again(folder: Path, num: int) -> Finding:
    """Whether the run still writes the summaries in predictions.jsonl, of ``num`` documents.

    The documents are chosen by a hash of their ids. Another machine may round otherwise, so that
    the finding says where it differs from the recorded one.
    """
    try:
        results = Results.read(folder / "results.json")
        written = read_predictions(results)
    except InputError as error:
        return unchecked(TOPIC, str(error))
    run = run_folder_of(folder)
    if not (run / "config.yaml").exists():
        return unchecked(TOPIC, f"{run}: was not made here; nothing can be decoded")
    ids = shared_documents({results.name: written}, seed=0)[:num]
    try:
        again = _summaries(run, results, [written[id] for id in ids])
    except InputError as error:
        return unchecked(TOPIC, str(error))
    unlike = [id for id, new in zip(ids, again, strict=True) if new != written[id].hypotheses]
    if not unlike:
        return matched(TOPIC, f"{len(ids)} documents, decoded again")
    said = f"{len(unlike)} of {len(ids)} documents, first '{unlike[0]}', are summarized otherwise"
    return mismatched(TOPIC, said + _another_machine(results))


def _summaries(run: Path, results: Results, chosen: list[Prediction]) -> list[dict]:
    config = resolved_config(config_for_run(run, (), None))
    config = {key: value for key, value in config.items() if key not in ("scored", "test_file")}
    config["decoding"] = {**config["decoding"], **results.decoding}
    settings, _ = read_settings(config)
    path = scored_set(results)
    if path is not None and path.exists():
        known = {example.id: example for example in read_examples(path, ())}
        examples = [known[one.id] for one in chosen if one.id in known]
    else:
        if lacking := set(settings.system.required).difference(*(p.references for p in chosen)):
            sides = ", ".join(lacking)
            raise InputError(
                f"{path or run}: is not here, and the system reads its {sides} summaries; bring "
                f"it back"
            )
        examples = [Example(id=p.id, document=p.document, **p.references) for p in chosen]
    if len(examples) < len(chosen):
        raise InputError(f"{path}: lacks documents of {results.folder}/predictions.jsonl")
    return list(summarize_share(load_system(settings), examples, settings))


def _another_machine(results: Results) -> str:
    """The properties of this machine that are not those in results.json, as a clause."""
    known = results.provenance
    unlike = [key for key, here in machine().items() if known.get(key, here) != here]
    return f" (scored elsewhere: another {', '.join(unlike)})" if unlike else ""

"""``human.json``: annotators' preferences and agreement in one scenario of one dataset.

    {"format": 1,
     "dataset": "zh2ensum", "scenario": "minimum", "documents": 20, "annotators": 7,
     "preferences": {"mclas": {"informativeness": -0.264, "conciseness": 0.164, "fluency": -0.021},
                     ..., "gold": {...}},
     "agreement": {"kappa": 0.37, "overall": 0.6048},
     "by_perspective": {"informativeness": {"kappa": 0.4, "overall": 0.63}, ...},
     "analysis": {...},
     "provenance": {...}}

A preference is from -1 (always worst) to 1 (always best), ``gold`` is the reference summary,
``overall`` is a share from 0 to 1. ``by_perspective`` and ``analysis`` (``HumanAnalysis``) may be
missing. The file lies in ``<runs>/<dataset>/<scenario>/``. Tables 3 and 4 read only this file, so
that judgements collected by other means enter them as such a file.
"""

import glob
from dataclasses import asdict, dataclass
from pathlib import Path

from mclas_lightning.errors import InputError, check_range, unknown_choice
from mclas_lightning.files import read_versioned, write_json
from mclas_lightning.schema import typed

HUMAN_FORMAT = 1

PERSPECTIVES = ("informativeness", "conciseness", "fluency")

GOLD = "gold"

FEWEST_DOCUMENTS = 10  # for intervals and tests: with fewer, they find too much (docs/human.md)


@dataclass(frozen=True, kw_only=True)
class FleissAgreement:
    """Fleiss' kappa, and the share of pairs of judgements that agree (Table 4)."""

    kappa: float
    overall: float

    def __post_init__(self) -> None:
        check_range("agreement.kappa", self.kappa, -1, 1)
        check_range("agreement.overall", self.overall, 0, 1)


@dataclass(frozen=True, kw_only=True)
class SystemDifference:
    """The preference of ``a`` minus that of ``b``; ``holm`` is p, adjusted for all pairs."""

    perspective: str
    a: str
    b: str
    difference: float
    interval: list[float]
    p: float
    holm: float


@dataclass(frozen=True, kw_only=True)
class AnnotatorSigns:
    """An annotator's agreement with the others, middle time a document, signs of carelessness."""

    annotator: int
    agreement: float
    seconds: float | None
    signs: list[str]


@dataclass(frozen=True, kw_only=True)
class HumanAnalysis:
    """95 % intervals, Krippendorff's alpha, tests of all pairs of systems, and the annotators.

    With fewer than 10 documents, there are no intervals and no tests.
    """

    intervals: dict[str, dict[str, list[float]]]  # of preferences
    kappa_interval: list[float] | None
    alpha: float
    differences: list[SystemDifference]
    annotators: list[AnnotatorSigns]

    def __post_init__(self) -> None:
        ends = {f"{s}.{p}": pair for s, row in self.intervals.items() for p, pair in row.items()}
        for name, pair in {**ends, "kappa": self.kappa_interval}.items():
            if pair is not None and len(pair) != 2:
                raise InputError(f"analysis, interval of {name}: expected two ends, found {pair}")


@dataclass(frozen=True, kw_only=True)
class HumanResults:
    """The human evaluation of one scenario; preferences by system and perspective (Table 3)."""

    dataset: str
    scenario: str
    documents: int
    annotators: int
    preferences: dict[str, dict[str, float]]
    agreement: FleissAgreement
    by_perspective: dict[str, FleissAgreement] | None = None
    analysis: HumanAnalysis | None = None
    provenance: dict

    def __post_init__(self) -> None:
        check_range("documents", self.documents, 1)
        check_range("annotators", self.annotators, 2)
        if not isinstance(missing := self.provenance.get("not_returned") or [], list):
            raise InputError(f"provenance.not_returned: expected a list, found {missing!r}")
        for system, row in self.preferences.items():
            for name in row:
                if name not in PERSPECTIVES:
                    raise unknown_choice(f"preferences.{system}:", name, PERSPECTIVES)
            for name in PERSPECTIVES:
                if name not in row:
                    raise InputError(f"preferences.{system}.{name}: is missing")
                check_range(f"preferences.{system}.{name}", row[name], -1, 1)

    @property
    def simulated(self) -> bool:
        """Whether no person judged (``human.simulated``)."""
        return bool(self.provenance.get("simulated"))

    @property
    def judged(self) -> str:
        """The numbers of documents and annotators; simulated annotators are called so."""
        kind = "simulated annotators" if self.simulated else "annotators"
        return f"{counted_documents(self.documents)}, {self.annotators} {kind}"

    def write(self, path: Path) -> None:
        """Write ``path``, whole or not at all."""
        write_json(path, {"format": HUMAN_FORMAT} | asdict(self))

    @classmethod
    def read(cls, path: Path) -> "HumanResults":
        """Read a ``human.json``; InputError where it has another format or a wrong value."""
        advice = "; score the sheets again with `mclas human score`"
        return read_versioned(path, HUMAN_FORMAT, lambda found: typed("human", cls, found), advice)


def counted_documents(num: int) -> str:
    """``1 document``, ``2 documents``."""
    return f"{num} document{'' if num == 1 else 's'}"


def not_returned_sentence(results: HumanResults) -> str:
    """A sentence on the annotators who returned no sheet; empty where all did."""
    missing = results.provenance.get("not_returned")
    return f"No sheet came back from annotator {', '.join(map(str, missing))}." if missing else ""


def human_results_path(runs: Path, dataset: str, scenario: str) -> Path:
    """The path of a scenario's ``human.json``."""
    return runs / dataset / scenario / "human.json"


def judged_scenarios(runs: Path, dataset: str) -> list[str]:
    """The scenarios of a dataset that have a ``human.json``."""
    pattern = f"{glob.escape(dataset)}/*/human.json"
    return sorted(path.parent.name for path in runs.glob(pattern))


def judged_datasets(runs: Path) -> list[str]:
    """The datasets that have a ``human.json`` in a scenario."""
    return sorted({path.parts[-3] for path in runs.glob("*/*/human.json")})


def find_human_results(runs: Path, dataset: str, scenario: str) -> HumanResults | None:
    """The human evaluation of a scenario, if any; InputError where its file names another one."""
    path = human_results_path(runs, dataset, scenario)
    if not path.exists():
        return None
    found = HumanResults.read(path)
    if (found.dataset, found.scenario) != (dataset, scenario):
        belongs = human_results_path(runs, found.dataset, found.scenario)
        raise InputError(f"{path}: this file belongs at {belongs} by what it says")
    return found

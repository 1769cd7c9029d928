"""Where the numbers come from: of every run its configuration, data, code and packages."""

from collections.abc import Sequence

from mclas_lightning.report.results import Results
from mclas_lightning.report.runs import Aside, in_words
from mclas_lightning.report.sheet import MISSING, Column, Section, Sheet

SHORT = 10  # characters of a hash that are shown
COLUMNS = (
    *("Configuration", "Test set", "Subset", "Commit", "Python", "Packages", "Decoding"),
    "Signatures",
)


def provenance(runs: Sequence[Results], aside: Sequence[Aside] = ()) -> Sheet:
    """A row a run; a note names the files that were set ``aside``."""
    rows = [(_place(run), *_row(run)) for run in runs]
    return Sheet(
        name="runs",
        title=f"The {len(rows)} runs behind these numbers",
        corner="Run",
        columns=tuple(Column("", name) for name in COLUMNS),
        sections=[Section("", list(rows))],
        notes=[
            f"Hashes are SHA-256, their first {SHORT} characters: of config.yaml, of test.jsonl, "
            "of the scenario's subset.json. A + after a commit: there were changes beside it.",
            *([f"{in_words(aside)}."] if aside else []),
        ],
    )


def _place(run: Results) -> str:
    return f"{run.dataset}/{run.scenario}/{run.model}/seed={run.seed}"


def _row(run: Results) -> tuple[str, ...]:
    known = run.provenance
    commit = _short(known.get("git_commit")) + ("+" if known.get("git_changes") else "")
    packages = known.get("packages")
    named = packages.items() if isinstance(packages, dict) else ()
    return (
        *(_short(known.get(f"{name}_sha256")) for name in ("config", "test", "subset")),
        commit,
        str(known.get("python", MISSING)),
        ", ".join(f"{name} {version}" for name, version in named) or MISSING,
        ", ".join(f"{name} {value}" for name, value in run.decoding.items()) or MISSING,
        "; ".join(
            f"{side}: {signature}"
            for side, signatures in run.signatures.items()
            for signature in signatures.values()
        ),
    )


def _short(value: object) -> str:
    return str(value)[:SHORT] if value else MISSING

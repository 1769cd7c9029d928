"""Whether the results in a folder are what its files give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mclas_lightning.errors import InputError
from mclas_lightning.files import read_json
from mclas_lightning.progress import progress_bar
from mclas_lightning.runs.predictions import PREDICTIONS
from mclas_lightning.runs.results import Results, content_fits
from mclas_lightning.verification.files import file_findings
from mclas_lightning.verification.finding import Finding, matched, mismatched, unchecked

LARGE = 5_000_000  # bytes of predictions whose verification shows a progress bar


@dataclass(frozen=True)
class Verification:
    """The findings on the results in ``folder``."""

    folder: Path
    findings: Sequence[Finding]

    def of(self, state: str) -> list[Finding]:
        """The findings of one state."""
        return [finding for finding in self.findings if finding.state == state]

    @property
    def matches(self) -> bool:
        """Whether nothing that could be compared differs."""
        return not self.of("mismatch")

    @property
    def topics(self) -> list[str]:
        """The topics of which all that could be compared is equal."""
        wrong = {finding.topic for finding in self.of("mismatch")}
        return [t for t in dict.fromkeys(f.topic for f in self.of("match")) if t not in wrong]

    @property
    def in_words(self) -> str:
        """``yes``, ``no:`` with the topics that do not match, or ``-``: no other file is there."""
        wrong = dict.fromkeys(finding.topic for finding in self.of("mismatch"))
        others = {*self.topics} - {"results"}  # results.json is compared with its own hash.
        return f"no: {', '.join(wrong)}" if wrong else "yes" if others else "-"

    def plus(self, finding: Finding) -> "Verification":
        """The findings with one more."""
        return replace(self, findings=[*self.findings, finding])

    def record(self) -> dict[str, Any]:
        """The findings, for JSON."""
        return {
            "folder": str(self.folder),
            "matches": self.matches,
            "findings": [vars(finding) for finding in self.findings],
        }


def verify_all(folders: Sequence[Path]) -> list[Verification]:
    """``verify`` each of the folders, with a progress bar."""
    paths = [folder / PREDICTIONS for folder in folders]
    size = sum(path.stat().st_size for path in paths if path.exists())
    with progress_bar(len(folders), "verifying", "runs", disable=size < LARGE) as bar:
        found = []
        for folder in folders:
            found.append(verify(folder))
            bar.update()
    return found


def verify(folder: Path) -> Verification:
    """Hash and score again what the results in ``folder`` are of; nothing is written."""
    try:
        results = Results.read(folder / "results.json")
    except InputError as error:
        return Verification(folder, [mismatched("results", str(error))])
    findings = [_content(folder / "results.json")]
    try:
        findings += file_findings(results)
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        said = f"{folder}/results.json: a value of the provenance has another type ({error})"
        findings.append(mismatched("provenance", said))
    if "predictions_sha256" in results.provenance or (folder / PREDICTIONS).exists():
        # An import of rouge-score, which takes long.
        from mclas_lightning.verification.scores import score_findings

        try:
            findings += score_findings(results)
        except InputError as error:  # such as a language that no score is counted in
            findings.append(unchecked("scores", str(error)))
    else:
        said = f"{folder}: has none, and records no hash of them"
        findings.append(unchecked("predictions", said))
    return Verification(folder, findings)


def _content(path: Path) -> Finding:
    """Whether results.json is as it was written: no other file tells how it was decoded."""
    fits = content_fits(read_json(path, dict))
    if fits is None:
        return unchecked("results", f"{path}: records no hash of its own content")
    if fits:
        return matched("results", str(path))
    return mismatched("results", f"{path}: was edited after it was written")

"""A file of translations, which stands in for a translator."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mclas_lightning.errors import InputError, clear_when_unreadable
from mclas_lightning.files import json_lines, sha256, whole_file


@dataclass(frozen=True)
class TranslationFile:
    """Translations from jsonl lines ``{"text": ..., "translation": ...}``, as a ``Translator``."""

    path: Path
    known: dict[str, str]
    missing: dict[str, None] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "TranslationFile":
        """The translations in ``path``, or no translations where the file does not exist.

        InputError for a broken line, with its number.
        """
        if not path.exists():
            return cls(path, {})
        with clear_when_unreadable(path):
            lines = path.read_bytes().split(b"\n")
        known: dict[str, str] = {}
        for number, line in json_lines(lines):
            try:
                record = json.loads(line.decode("utf-8"))
                text, translation = record["text"], record["translation"]
                if not isinstance(text, str) or not isinstance(translation, str):
                    raise TypeError
                (text + translation).encode()
            except UnicodeEncodeError:
                raise InputError(
                    f"{path}:{number}: a text holds half a character (a lone surrogate)"
                ) from None
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise InputError(
                    f'{path}:{number}: expected a line {{"text": ..., "translation": ...}}'
                ) from error
            if flat := " ".join(translation.split()):  # A newline would end a sentence.
                known[text] = flat
        return cls(path, known)

    @property
    def identity(self) -> str:
        """The file's name and, where it exists, its SHA-256."""
        return f"{self.path} {sha256(self.path)}" if self.path.exists() else str(self.path)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translation of each text; a text without one gets "" and is noted in ``missing``."""
        asked = (text for text in texts if text.strip() and text not in self.known)
        self.missing.update(dict.fromkeys(asked))
        return [self.known.get(text, "") for text in texts]

    def check_complete(self) -> None:
        """InputError where texts are ``missing``, which are written into ``*.missing.jsonl``.

        A ``*.missing.jsonl`` that was filled in stays: its translations are somebody's work.
        """
        if not self.missing:
            return
        todo = self.path.with_suffix(".missing.jsonl")
        if filled := TranslationFile.read(todo).known.keys() - self.known.keys():
            raise InputError(
                f"{todo}: has translations of {len(filled):,} texts that {self.path} lacks; add "
                f"its lines to {self.path}, and start again"
            )
        with whole_file(todo) as file:
            for text in self.missing:
                record = {"text": text, "translation": ""}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        raise InputError(
            f"{self.path}: lacks the translations of {len(self.missing):,} texts; they are in "
            f"{todo}: fill in each 'translation', add the lines to {self.path}, and start again"
        )

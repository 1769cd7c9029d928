"""`mclas score`, in a process of its own where that matters."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mclas_lightning.cli import main as cli
from mclas_lightning.errors import InputError
from mclas_lightning.example import write_jsonl
from mclas_lightning.metrics.rouge import folded_profile, standard_profile
from tests.conftest import examples

REFERENCES = ["Die Polizei sucht Zeugen", "Regen im Norden", "Sturm trifft Köln. Es brennt."]
NEAR = ["Die Polizei sucht", "Regen im Norden", "Sturm trifft Köln. Brand."]
FAR = ["Polizei", "", "Köln"]
CHINESE = ["警方寻找两名证人。", "明天会下雨"]


def write(path: Path, texts: list[str]) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return str(path)


def score(monkeypatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["mclas", "score", *words])
    arguments = cli.parser().parse_args()
    arguments.run(arguments)


@pytest.fixture
def german(tmp_path) -> list[str]:
    """Two systems on three documents, repeated so that they differ for sure."""
    near, far = write(tmp_path / "near.txt", NEAR * 9), write(tmp_path / "far.txt", FAR * 9)
    references = write(tmp_path / "references.txt", REFERENCES * 9)
    return ["--hypotheses", near, far, "--references", references, "--lang", "de"]


def test_json_has_all_scores_intervals_tests_and_signatures(german, monkeypatch, capsys):
    score(monkeypatch, *german, "--json", "--resamples", "500")
    found = json.loads(capsys.readouterr().out)
    assert list(found["systems"]) == ["near", "far"]
    expected = standard_profile("de").scores(FAR, REFERENCES)
    far = found["systems"]["far"]
    for name, column in expected.items():
        assert far["scores"][name] == pytest.approx(column.mean())
        low, high = far["intervals"][name]
        assert low <= far["scores"][name] <= high
    assert (far["scores"]["empty"], far["scores"]["num"]) == (9, 27)
    assert far["signatures"] == {
        "rouge": standard_profile("de").signature,
        "folded_rouge": folded_profile("de").signature,
    }
    tests = {pair["score"]: pair for pair in found["comparisons"]}
    assert list(tests) == ["rouge1_f", "rouge2_f", "rougeL_f"]
    first = tests["rouge1_f"]
    difference = found["systems"]["near"]["scores"]["rouge1_f"] - far["scores"]["rouge1_f"]
    assert (first["first"], first["second"]) == ("near", "far")
    assert first["difference"] == pytest.approx(difference)
    assert first["p"] <= 0.05
    assert first["words"].startswith("near is better than far by ")


def test_the_same_words_give_the_same_numbers(german, monkeypatch, capsys):
    outputs = []
    for seed in ("0", "0", "1"):
        score(monkeypatch, *german, "--json", "--resamples", "500", "--seed", seed)
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_table_shows_scores_lengths_empty_summaries_and_who_is_better(
    german, monkeypatch, capsys
):
    score(monkeypatch, *german)
    shown = capsys.readouterr().out
    total = 100 * standard_profile("de").scores(FAR, REFERENCES)["rougeLsum_f"].mean()
    (row,) = [line for line in shown.splitlines() if line.lstrip().startswith("ROUGE-Lsum")][1:]
    assert f"{total:.2f}" in row.split()
    assert "far: 27 documents, 0.7 words each (-3.3 to the references), 9 empty" in shown
    assert "near is better than far by" in shown
    assert "ROUGE-2 points" in shown
    assert f"Signature: {standard_profile('de').signature}" in shown.replace("\n", "")


def test_one_system_needs_no_other(tmp_path, monkeypatch, capsys, tokenizer):
    tokenizer.save(tmp_path / "tokenizer")
    file = write(tmp_path / "zh.txt", CHINESE)
    words = ["--hypotheses", file, "--references", file, "--lang", "zh"]
    for more, unit in ([], "characters"), (["--profile", "paper"], "characters"):
        vocabulary = ["--vocabulary", str(tmp_path / "tokenizer")] if more else []
        score(monkeypatch, *words, *more, *vocabulary)
        shown = capsys.readouterr().out
        assert shown.count("100.00 to 100.00") == 4
        assert f"6.5 {unit} each (+0.0 to the references), 0 empty" in shown
        assert ("|profile:paper|" in shown.replace("\n", "")) == bool(more)


def test_neither_torch_nor_a_run_is_needed(german, tmp_path):
    code = (
        "import sys; from mclas_lightning.cli.main import main; main(); "
        "sys.exit(sorted({'torch', 'transformers', 'hydra'} & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", code, "score", *german]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"near.txt", "far.txt", "references.txt"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lang", "german"], "language 'german' is not supported"),
        (["--profile", "papr"], "profile 'papr' does not exist; did you mean 'paper'"),
        (["--lang", "zh", "--profile", "paper"], "give it with --vocabulary"),
        (["--lang", "zh", "--profile", "paper", "--vocabulary", "x"], "x: expected a folder with"),
        (["--vocabulary", "x"], "--vocabulary x: the word pieces are for Chinese in the profile"),
        (["--vocabulary", "x", "--profile", "paper"], "found --lang de --profile paper; leave"),
        (["--documents", "nowhere.txt"], "--documents: is for --similarity alone"),
        (["--references", "nowhere.txt"], "nowhere.txt: cannot be read"),
        (["--hypotheses", "a.txt", "a.txt"], "given more than once"),
    ],
)
def test_a_mistake_is_one_line(german, monkeypatch, words, message):
    with pytest.raises(InputError) as caught:
        score(monkeypatch, *german, *words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_parallel_end_with_exit_code_2(tmp_path):
    one, two = write(tmp_path / "one.txt", ["a"]), write(tmp_path / "two.txt", ["a", "b"])
    words = ["score", "--hypotheses", one, "--references", two, "--lang", "en"]
    command = [sys.executable, "-m", "mclas_lightning.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {one} has 1 texts, {two} 2;")
    assert done.stderr.count("\n") == 1


def test_encoders_score_where_they_are_named(german, small_encoder, tmp_path, monkeypatch, capsys):
    documents = write(tmp_path / "documents.txt", [f"Meldung: {text}" for text in REFERENCES * 9])
    words = ["--bertscore", str(small_encoder), "--similarity", str(small_encoder)]
    words += ["--documents", documents, "--resamples", "500"]
    score(monkeypatch, *german, *words, "--json")
    found = json.loads(capsys.readouterr().out)
    near, far = (found["systems"][name] for name in ("near", "far"))
    assert near["scores"]["bertscore_f"] > far["scores"]["bertscore_f"] > 0
    assert near["scores"]["reference_similarity"] == far["scores"]["reference_similarity"]
    assert set(far["signatures"]) == {"rouge", "folded_rouge", "bertscore", "similarity"}
    assert "bertscore_f" in {pair["score"] for pair in found["comparisons"]}
    score(monkeypatch, *german, *words)
    shown = capsys.readouterr().out
    assert "BERTScore" in shown
    assert "similarity to the documents" in shown


def test_options_of_encoders_that_lack_another_are_named(german, small_encoder, monkeypatch):
    with pytest.raises(InputError, match=r"give --documents FILE"):
        score(monkeypatch, *german, "--similarity", str(small_encoder))
    with pytest.raises(InputError, match=r"layer and rescale are BERTScore's"):
        score(monkeypatch, *german, "--layer", "3")


@pytest.mark.parametrize(
    ("language", "hypothesis", "reference", "name", "expected"),
    [
        ("hi", "बालक", "बोलक", "rouge1_f", 0),
        ("ja", "東京で大きな地震があった", "東京で大きな地震がありました", "rouge1_f", 22 / 26),
        ("yue", "佢哋今日喺香港開會", "佢哋尋日喺香港開會", "rouge1_f", 8 / 9),
        ("de", "İmamoğlu gewinnt in İstanbul", "Bei der Wahl", "length", 4),
        ("de", "Bundes\u00adtag", "Bundestag", "rouge1_f", 1),
        ("de", "Der Fluss steigt\nEs brennt", "Es brennt\nDer Fluss steigt", "rougeLsum_f", 1),
    ],
)
def test_scores_are_right_in_every_script(
    tmp_path, monkeypatch, capsys, language, hypothesis, reference, name, expected
):
    files = []
    for file, text in (("hypotheses", hypothesis), ("references", reference)):
        path = tmp_path / f"{file}.jsonl"
        path.write_text(json.dumps({"id": "1", "text": text}) + "\n", encoding="utf-8")
        files += [f"--{file}", str(path)]
    score(monkeypatch, *files, "--lang", language, "--json", "--resamples", "10")
    found = json.loads(capsys.readouterr().out)["systems"]["hypotheses"]["scores"]
    assert found[name] == pytest.approx(expected)


def test_rouge_is_tested_in_the_language_before_anything_is_scored(german, monkeypatch):
    monkeypatch.setattr("mclas_lightning.metrics.rouge.tokens", str.split)
    with pytest.raises(RuntimeError, match="ROUGE self-test failed for 'zh'"):
        score(monkeypatch, *german[:-1], "zh")


def test_beside_a_system_without_accents_all_are_scored_without(tmp_path, monkeypatch, capsys):
    texts = {
        "references": ["Grüße aus Köln", "Die Tür fällt"],
        "cased": ["Grüße aus Köln", "Die Tür steht"],
        "uncased": ["gruße aus koln", "die tur fallt"],
    }
    for name, lines in texts.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["--references", f"{tmp_path}/references.txt", "--lang", "de", "--hypotheses"]
    both = [f"{tmp_path}/cased.txt", f"{tmp_path}/uncased.txt"]
    score(monkeypatch, *words, *both, "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["systems"]["uncased"]["scores"]["rouge1_f"] == pytest.approx(1 / 3)
    assert found["systems"]["uncased"]["scores"]["folded_rouge1_f"] == 1
    assert {pair["score"] for pair in found["comparisons"]} == {
        *("folded_rouge1_f", "folded_rouge2_f", "folded_rougeL_f")
    }
    score(monkeypatch, *words, *both)
    shown = capsys.readouterr().out
    assert "for all (profile folded): uncased never writes an accent" in " ".join(shown.split())
    assert "profile:folded" in shown
    assert "profile:standard" not in shown
    score(monkeypatch, *words, both[0])
    assert "folded" not in capsys.readouterr().out


def test_references_may_be_a_split_of_a_corpus(tmp_path, monkeypatch, capsys):
    write_jsonl(tmp_path / "test.jsonl", examples(3))
    outputs = write(tmp_path / "ours.txt", ["Sturm 0 trifft München", "the storm hits a city", ""])
    words = ["--hypotheses", outputs, "--references", str(tmp_path / "test.jsonl"), "--json"]
    for side, language, wrong in (("cross", "de", 0.5), ("mono", "en", 0.5)):
        score(monkeypatch, *words, "--side", side, "--lang", language, "--resamples", "9")
        found = json.loads(capsys.readouterr().out)["systems"]["ours"]["scores"]
        texts = [getattr(example, side) for example in examples(3)]
        given = ["Sturm 0 trifft München", "the storm hits a city", ""]
        expected = standard_profile(language).scores(given, texts)["rouge1_f"].mean()
        assert found["rouge1_f"] == pytest.approx(expected)
        assert (found["wrong_language"], found["reference_wrong_language"]) == (wrong, 0)


def test_the_share_in_another_language_stands_beside_the_references(german, monkeypatch, capsys):
    score(monkeypatch, *german)
    shown = capsys.readouterr().out
    assert shown.count("in another language 0.0 %, of the references 0.0 %") == 2


def test_a_split_without_the_asked_summaries_is_named(tmp_path, monkeypatch):
    write_jsonl(tmp_path / "test.jsonl", [replace(each, mono=None) for each in examples(2)])
    file = str(tmp_path / "test.jsonl")
    words = ["--hypotheses", file, "--references", file, "--lang", "en", "--side", "mono"]
    with pytest.raises(InputError, match=r'test.jsonl:1: expected {"id": ..., "mono": ...}'):
        score(monkeypatch, *words)

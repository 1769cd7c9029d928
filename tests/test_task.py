from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mclas_lightning.config.compose import compose
from mclas_lightning.errors import InputError
from mclas_lightning.example import Example, Side
from mclas_lightning.task import Baseline, Pipeline, Special, Task, task_from

SPECIAL = Special(pad=0, unk=1, cls=2, sep=3, bos=4, eos=5, lsep=6)
TASKS = [
    Task(name="ms", targets={"decoder": ("mono",)}),
    Task(name="ncls", targets={"decoder": ("cross",)}),
    Task(name="ncls_ms", targets={"mono": ("mono",), "cross": ("cross",)}),
    Task(name="mclas", targets={"decoder": ("mono", "cross")}),
    Task(name="released", targets={"decoder": ("mono", "cross")}, bos_after_lsep=True),
    Task(name="reverse", targets={"decoder": ("cross", "mono")}),
    Task(name="mt", source="mono", targets={"decoder": ("cross",)}),
]
PIECES = st.lists(st.integers(7, 60), max_size=9)


def test_mclas_writes_equation_3():
    ids: dict[Side, list[int]] = {"mono": [11, 12], "cross": [21, 22, 23]}
    assert TASKS[3].target_ids("decoder", ids, SPECIAL) == [4, 11, 12, 6, 21, 22, 23, 5]


def test_the_released_code_wrote_a_second_bos():
    ids: dict[Side, list[int]] = {"mono": [11, 12], "cross": [21, 22, 23]}
    assert TASKS[4].target_ids("decoder", ids, SPECIAL) == [4, 11, 12, 6, 4, 21, 22, 23, 5]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@given(mono=PIECES, cross=PIECES, padding=st.integers(0, 3))
def test_every_task_splits_what_it_joined(task, mono, cross, padding):
    ids: dict[Side, list[int]] = {"mono": mono, "cross": cross}
    for decoder, sides in task.targets.items():
        target = task.target_ids(decoder, ids, SPECIAL) + [SPECIAL.pad] * padding
        assert task.split(decoder, target, SPECIAL) == {side: ids[side] for side in sides}
    targets = [task.target_ids(decoder, ids, SPECIAL) for decoder in task.targets]
    num_pieces = sum(len(ids[side]) for side in task.sides)
    control = sum(task.num_control_tokens(side) for side in task.sides)
    assert sum(len(target) - 1 for target in targets) == num_pieces + control


def test_a_second_bos_belongs_to_the_side_after_lsep():
    released = Task(name="released", targets={"decoder": ("mono", "cross")}, bos_after_lsep=True)
    alone = Task(name="ncls", targets={"decoder": ("cross",)}, bos_after_lsep=True)
    assert [released.num_control_tokens(side) for side in released.sides] == [1, 2]
    assert alone.num_control_tokens("cross") == 1


def test_nothing_after_eos_is_read_and_a_side_never_begun_is_empty():
    assert TASKS[3].split("decoder", [4, 11, 5, 6, 21], SPECIAL) == {"mono": [11], "cross": []}


def test_a_translator_reads_the_mono_summary():
    example = Example(id="1", document="d", mono="m", cross="c")
    assert [task.source_text(example) for task in TASKS[-2:]] == ["d", "m"]
    assert TASKS[-1].source_text(Example(id="1", document="d", mono=None, cross="c")) == ""
    assert TASKS[-1].required == ("mono", "cross")


@pytest.mark.parametrize(
    ("targets", "source"),
    [
        ({}, "document"),
        ({"mono": (), "cross": ("cross",)}, "document"),
        ({"decoder": ("mono", "mono")}, "document"),
        ({"a": ("cross",), "b": ("cross",)}, "document"),
        ({"decoder": ("third",)}, "document"),
        ({"decoder": ("mono",)}, "mono"),
        ({"decoder": ("cross",)}, "title"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(targets, source):
    what = "of mono, cross, each side once; found {" if source == "document" else "source must be"
    with pytest.raises(InputError, match=f"model 'x': .*{what}"):
        Task(name="x", targets=targets, source=source)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"copies": "tail"}, r"model.copies 'tail' does not exist; .*lead, mono, oracle"),
        ({"sentences": 0}, "model.sentences: expected 1 or more"),
        ({"sides": ("third",)}, "model.sides: side 'third' does not exist"),
    ],
)
def test_a_baseline_that_makes_no_sense_is_refused(changes, said):
    words: dict[str, Any] = {"copies": "lead", "sentences": 1, "sides": ("mono",), **changes}
    with pytest.raises(InputError, match=said):
        Baseline(name="x", **words)


def test_a_task_is_what_its_file_says_and_a_pipeline_has_none():
    model = compose("train", ["dataset=toy", "model=ncls"])["model"]
    task = task_from(model)
    assert (task.name, task.source, task.targets) == ("ncls", "document", {"decoder": ("cross",)})
    assert not task.bos_after_lsep
    assert task_from({**model, "bos_after_lsep": True}).bos_after_lsep
    with pytest.raises(
        InputError, match=r"^model 'tltran' is a pipeline and has no network of its"
    ):
        task_from({"name": "tltran"})


def test_a_pipeline_summarizes_and_translates_in_one_order_or_the_other():
    paths = {"summarizer": None, "translator": None}
    assert Pipeline(name="x", steps=("summarize", "translate"), **paths).sides == ("mono", "cross")
    assert Pipeline(name="x", steps=("translate", "summarize"), **paths).sides == ("cross",)
    said = r"model 'x': steps must be \[summarize, translate\] .*; found \['summarize'\]"
    with pytest.raises(InputError, match=said):
        Pipeline(name="x", steps=("summarize",), **paths)

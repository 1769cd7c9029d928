import pytest

from mclas_lightning.cli import main as cli


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("score --hypotheses a --references b --lang de --seed -1", "--seed: expected a whole"),
        ("score --hypotheses a --references b --lang de --resamples 0", "--resamples: expected"),
        (f"score --hypotheses a --references b --lang de --resamples {10**10}", "to 1,000,000,000"),
        ("data toy --seed -1", "--seed: expected"),
        (f"data debian --seed {2**32}", "--seed: expected a whole number from 0 to 4,294,967,295"),
        ("human sheet --dataset a --scenario b --out c --seed 1.5", "found '1.5'"),
        ("data roundtrip a --source en --target de --out b --rouge1 60", "from 0 to 1, found '60'"),
        ("data roundtrip a --source en --target de --out b --rouge2 nan", "from 0 to 1"),
        ("show --dataset a --num 0", "--num: expected"),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args(words.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err

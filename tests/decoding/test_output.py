import pytest
import torch

from mclas_lightning.decoding import output as output_module
from mclas_lightning.decoding.output import (
    END_COLUMN,
    SECOND_BOS_COLUMN,
    OutputLayer,
    shortlists_of,
)

LSEP, EOS, BOS = 0, 1, 2
WRITABLE = [[3, 4, 9, 10], [5, 7]]


def test_only_the_last_summary_may_end_the_target_and_the_others_only_pass_on():
    found = shortlists_of([[3, 4], [5]], 7, lsep_id=LSEP, eos_id=EOS)
    assert found.token_SC.tolist() == [[LSEP, 3, 4], [EOS, 5, -1]]
    assert found.sizes == [3, 2]
    assert found.column_SV.tolist() == [[0, -1, -1, 1, 2, -1, -1], [-1, 0, -1, -1, -1, 1, -1]]
    second = shortlists_of([[3, 4], [5]], 7, lsep_id=LSEP, eos_id=EOS, second_bos=BOS)
    assert second.token_SC.tolist() == [[LSEP, BOS, 3, 4], [EOS, BOS, 5, -1]]


def test_columns_and_tokens_are_each_others_inverse():
    found = shortlists_of(WRITABLE, 11, lsep_id=LSEP, eos_id=EOS, second_bos=BOS)
    assert found.token_SC[:, END_COLUMN].tolist() == [LSEP, EOS]
    assert found.token_SC[:, SECOND_BOS_COLUMN].tolist() == [BOS, BOS]
    for summary, size in enumerate(found.sizes):
        token_C = found.token_SC[summary, :size]
        assert found.column_SV[summary, token_C].tolist() == list(range(size))
        assert (found.column_SV[summary] >= 0).sum() == size


@pytest.mark.parametrize("of_gpu", [False, True])
@pytest.mark.parametrize("segment_N", [[0, 1, 1, 0, 1], [0] * 5, [1] * 5])
@pytest.mark.parametrize("renormalize", [True, False])
def test_scores_are_log_probabilities_over_what_a_summary_may_be_written_with(
    renormalize, segment_N, of_gpu, monkeypatch
):
    if of_gpu:
        monkeypatch.setattr(output_module, "reading_waits", lambda tensor: True)
    torch.manual_seed(0)
    weight_VD, bias_V, hidden_ND = torch.randn(11, 7), torch.randn(11), torch.randn(5, 7)
    found = shortlists_of(WRITABLE, 11, lsep_id=LSEP, eos_id=EOS)
    layer = OutputLayer(weight_VD, bias_V, found, lsep_id=LSEP, renormalize=renormalize)
    scores_NC = layer(hidden_ND, torch.tensor(segment_N))
    for hidden_D, segment, scores_C in zip(hidden_ND, segment_N, scores_NC, strict=True):
        ids = [(LSEP, EOS)[segment], *WRITABLE[segment]]
        logits_V = weight_VD @ hidden_D + bias_V
        expected = logits_V[ids].log_softmax(0) if renormalize else logits_V.log_softmax(0)[ids]
        torch.testing.assert_close(scores_C[: len(ids)], expected)
        assert scores_C[len(ids) :].tolist() == [-torch.inf] * (5 - len(ids))

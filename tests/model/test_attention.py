import pytest
import torch
from torch import nn

from mclas_lightning.model import attention as attention_module
from mclas_lightning.model.attention import Attention, Cache, FixedCache, KeysValues

WIDTH, HEADS = 15, 3


def theirs_of(ours: Attention) -> nn.MultiheadAttention:
    """torch's attention with the weights of ours."""
    theirs = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    parts = (ours.query, ours.key, ours.value)
    theirs.in_proj_weight.data = torch.cat([part.weight for part in parts]).data
    theirs.in_proj_bias.data = torch.cat([part.bias for part in parts]).data
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    return theirs


def test_masked_attention_is_torchs():
    torch.manual_seed(0)
    ours = Attention(WIDTH, HEADS, dropout=0.0)
    query_NTD, memory_BSD = torch.randn(2, 5, WIDTH), torch.randn(2, 7, WIDTH)
    mask_BS = torch.arange(7) < torch.tensor([[7], [4]])
    expected, _ = theirs_of(ours)(query_NTD, memory_BSD, memory_BSD, key_padding_mask=~mask_BS)
    found = ours(query_NTD, ours.keys_values(memory_BSD), mask_BS[:, None, None])
    torch.testing.assert_close(found, expected)


def test_causal_attention_is_torchs():
    torch.manual_seed(0)
    ours, x_NTD = Attention(WIDTH, HEADS, dropout=0.0), torch.randn(2, 5, WIDTH)
    mask_TT = nn.Transformer.generate_square_subsequent_mask(5)
    expected, _ = theirs_of(ours)(x_NTD, x_NTD, x_NTD, attn_mask=mask_TT)
    torch.testing.assert_close(ours(x_NTD, ours.keys_values(x_NTD), causal=True), expected)


def test_beams_of_a_document_attend_as_documents_of_their_own():
    torch.manual_seed(0)
    attention = Attention(WIDTH, HEADS, dropout=0.0)
    query_NTD, memory_BSD = torch.randn(2 * 3, 1, WIDTH), torch.randn(2, 7, WIDTH)
    mask_B11S = (torch.arange(7) < torch.tensor([[7], [4]]))[:, None, None]
    shared = attention(query_NTD, attention.keys_values(memory_BSD), mask_B11S)
    repeated_NSD = memory_BSD.repeat_interleave(3, 0)
    expected = attention(
        query_NTD, attention.keys_values(repeated_NSD), mask_B11S.repeat_interleave(3, 0)
    )
    torch.testing.assert_close(shared, expected)


@pytest.mark.parametrize("fused", [True, False])
def test_dropout_is_for_training_alone(fused):
    attention, x_NTD = Attention(WIDTH, HEADS, dropout=0.5), torch.randn(2, 5, WIDTH)
    attention.fused = fused
    memory = attention.keys_values(x_NTD)
    assert not torch.equal(attention(x_NTD, memory), attention(x_NTD, memory))
    attention.eval()
    assert torch.equal(attention(x_NTD, memory), attention(x_NTD, memory))


@pytest.mark.parametrize("of_gpu", [False, True])
@pytest.mark.parametrize("kept", [[0, 1, 2, 3, 4], [0, 1, 1, 3, 3], [2, 4], [3]])
def test_a_cache_holds_each_rows_own_past_in_every_layer(kept, of_gpu, monkeypatch):
    if of_gpu:
        monkeypatch.setattr(attention_module, "reading_waits", lambda tensor: True)
    torch.manual_seed(0)
    layers, rows, steps = 2, 5, Cache.ROOM + 3
    cache = Cache(layers)
    past: list[list[list[torch.Tensor]]] = [[[], []] for _ in range(layers)]
    for step in range(steps):
        for layer, held in enumerate(past):
            new = KeysValues(*torch.randn(2, rows, HEADS, 1, 4))
            found = cache.append(layer, new)
            for part, new_NH1d, found_NHTd in zip(held, new, found, strict=True):
                part.append(new_NH1d)
                assert torch.equal(found_NHTd, torch.cat(part, 2))
        if step == 1:
            cache.select(torch.tensor(kept))
            past = [[[each[kept] for each in part] for part in held] for held in past]
            rows = len(kept)
    assert cache.length == steps


def test_a_fixed_cache_shows_each_beam_its_own_past_and_moves_nothing_until_documents_leave():
    torch.manual_seed(0)
    layers, documents, beams, room = 2, 3, 4, 5
    like = torch.zeros(documents, HEADS, 1, 4)
    cache = FixedCache(layers, like, beams, room)
    past: list[list[list[torch.Tensor]]] = [[[], []] for _ in range(layers)]
    addresses = set()
    for step in range(room):
        assert cache.places(beams).tolist() == [step]
        for layer, held in enumerate(past):
            new = KeysValues(*torch.randn(2, documents, HEADS, beams, 4))
            found = cache.append(layer, new)
            addresses |= {cache.seen.data_ptr(), *(part.data_ptr() for part in found)}
            seen_BKP = cache.seen[:, 0]
            for part, new_BHKd, found_BHPd in zip(held, new, found, strict=True):
                part.append(new_BHKd.transpose(1, 2).flatten(0, 1))
                expected_NTHd = torch.stack(part, 1)
                for row, expected_THd in enumerate(expected_NTHd):
                    document, beam = divmod(row, beams)
                    kept = found_BHPd[document][:, seen_BKP[document, beam]]
                    assert torch.equal(kept.transpose(0, 1), expected_THd)
        stay = torch.tensor([2, 0]) if step == 2 else torch.arange(documents)
        rows = (stay[:, None] * beams + torch.randint(beams, (len(stay), beams))).flatten()
        if step < room - 1:
            cache.select(rows, stay)
            past = [[[each[rows] for each in part] for part in held] for held in past]
            documents = len(stay)
    assert len(addresses) == 2 * (1 + 2 * layers)  # before and after a document left


@pytest.mark.parametrize("causal", [True, False])
def test_weights_are_those_that_torch_gives(causal):
    torch.manual_seed(0)
    ours, x_BTD = Attention(WIDTH, HEADS, dropout=0.0), torch.randn(2, 5, WIDTH)
    mask_BS = torch.arange(5) < torch.tensor([[5], [4]])
    masks = {"key_padding_mask": ~mask_BS} if not causal else {}
    if causal:
        masks = {"attn_mask": nn.Transformer.generate_square_subsequent_mask(5)}
    _, expected_BHTS = theirs_of(ours)(x_BTD, x_BTD, x_BTD, average_attn_weights=False, **masks)
    mask_B11S = None if causal else mask_BS[:, None, None]
    found_BHTS = ours.weights(x_BTD, ours.keys_values(x_BTD), mask_B11S, causal=causal)
    torch.testing.assert_close(found_BHTS, expected_BHTS)

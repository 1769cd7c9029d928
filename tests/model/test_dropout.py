import pytest
import torch
import torch.nn.functional as F

from mclas_lightning.model.dropout import short_random_numbers


def drawn(seed: int = 0, p: float = 0.1, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    torch.manual_seed(seed)
    return F.dropout(torch.ones(101, 103, 7, dtype=dtype), p)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_a_share_of_the_entries_is_dropped_and_the_others_make_up_for_it(p, dtype):
    with short_random_numbers():
        x = drawn(p=p, dtype=dtype)
    assert (x == 0).double().mean().item() == pytest.approx(p, abs=0.005)
    assert set(x.unique().tolist()) <= {0, torch.tensor(1 / max(1 - p, 1e-9), dtype=dtype).item()}


def test_entries_are_independent():
    with short_random_numbers():
        kept = (drawn(p=0.5) != 0).flatten().double()
    for distance in range(1, 9):  # Four numbers share a random word.
        both = (kept[:-distance] * kept[distance:]).mean().item()
        assert both == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("p", "mean"), [(0.0, 0), (1e-9, 0), (1 - 1e-7, 1), (1.0, 1)])
def test_a_probability_that_16_bits_cannot_tell_from_0_or_1_is_kept(p, mean):
    torch.manual_seed(0)
    with short_random_numbers():
        assert torch.empty(101, 103).bernoulli_(p).mean().item() == mean
        generator = torch.Generator().manual_seed(0)
        assert torch.empty(7).bernoulli_(p, generator=generator).mean().item() == mean


def test_the_seed_decides_inside_and_torchs_own_numbers_are_back_outside():
    own = drawn()
    with short_random_numbers():
        short = drawn()
        torch.testing.assert_close(drawn(), short, rtol=0, atol=0)
        assert not torch.equal(drawn(seed=1), short)
        generator = torch.Generator().manual_seed(0)
        asked = torch.empty(101, 103, 7).bernoulli_(0.9, generator=generator)
        assert torch.equal(asked != 0, short != 0)
    assert not torch.equal(short, own)
    torch.testing.assert_close(drawn(), own, rtol=0, atol=0)


def test_dropout_of_attention_and_its_gradient_use_the_same_numbers():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 1, 2, 40, 8).unbind()
    value.requires_grad_()

    def gradient(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        attended = F.scaled_dot_product_attention(query, key, value, dropout_p=0.5)
        (of_value,) = torch.autograd.grad(attended.sum(), value)
        # The output is linear in the values: the gradient times them is the output's sum.
        torch.testing.assert_close((of_value * value).sum(), attended.sum())
        return of_value

    own = gradient(0)
    with short_random_numbers():
        assert not torch.equal(gradient(0), own)
        assert torch.equal(gradient(0), gradient(0))

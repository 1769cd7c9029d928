import pytest
import torch

from mclas_lightning.training.optim import build_optimizer, build_schedule, noam


@pytest.mark.parametrize(
    ("lr", "warmup", "peak"), [(0.005, 10_000, 5e-5), (0.2, 5_000, 2.828427e-3)]
)
def test_noam_at_its_closed_form_points(lr, warmup, peak):
    rate = noam(warmup)
    assert lr * rate(0) == pytest.approx(lr * warmup**-1.5)  # t = 1
    assert lr * rate(warmup - 1) == pytest.approx(peak)  # t = warmup, section 5.2's peaks
    assert rate(warmup // 2 - 1) == pytest.approx(rate(warmup - 1) / 2)  # linear before
    assert rate(4 * warmup - 1) == pytest.approx(rate(warmup - 1) / 2)  # t^-1/2 after


def _two_layers() -> tuple[torch.nn.Linear, torch.nn.Linear]:
    torch.manual_seed(0)
    return torch.nn.Linear(5, 3), torch.nn.Linear(3, 2)


def _backward(encoder, decoder, step):
    generator = torch.Generator().manual_seed(step)
    decoder(encoder(torch.randn(7, 5, generator=generator))).square().sum().backward()


def test_the_state_goes_through_a_file_and_the_schedule_goes_on(tmp_path):
    def build():
        layers = _two_layers()
        optimizer = build_optimizer(
            layers[0].parameters(), layers[1].parameters(), (0.1, 0.3), betas=(0.9, 0.98), eps=1e-9
        )
        return layers, optimizer, build_schedule(optimizer, (5, 3))

    def advance(layers, optimizer, schedule, steps):
        for step in steps:
            _backward(layers[0], layers[1], step)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()

    whole = build()
    advance(*whole, range(8))
    first = build()
    advance(*first, range(5))
    file = tmp_path / "state.pt"
    torch.save(
        [first[1].state_dict(), first[2].state_dict(), [m.state_dict() for m in first[0]]], file
    )
    second = build()
    optimizer, schedule, layers = torch.load(file, weights_only=True)
    second[1].load_state_dict(optimizer)
    second[2].load_state_dict(schedule)
    for layer, state in zip(second[0], layers, strict=True):
        layer.load_state_dict(state)
    advance(*second, range(5, 8))
    for ours, theirs in zip(second[0], whole[0], strict=True):
        assert torch.equal(ours.weight, theirs.weight)
    rates = [part.param_groups[0]["lr"] for part in second[1].parts.values()]
    assert rates == [group["lr"] for group in whole[1].param_groups]
    assert rates[0] != rates[1]


def test_half_precision_skips_an_update_of_both_parts_or_of_none():
    """What 16-mixed does on a GPU: scale, undo it, skip where a gradient is infinite."""
    layers = _two_layers()
    optimizer = build_optimizer(
        layers[0].parameters(), layers[1].parameters(), (0.1, 0.3), betas=(0.9, 0.98), eps=1e-9
    )
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    before = [layer.weight.clone() for layer in layers]
    for gradient in (float("inf"), 1.0):
        loss = layers[1](layers[0](torch.ones(7, 5))).sum() * gradient
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        moved = [
            not torch.equal(old, layer.weight) for old, layer in zip(before, layers, strict=True)
        ]
        assert moved == [gradient == 1.0] * 2

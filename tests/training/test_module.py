import copy
import math

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from mclas_lightning.config.optim import BatchRecipe, OptimConfig, PartRecipe, UpdateShape
from mclas_lightning.data.batch import make_batch
from mclas_lightning.data.datamodule import LoaderConfig, SummarizationData
from mclas_lightning.data.sampler import MicroBatch
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, Seq2Seq
from mclas_lightning.task import Task
from mclas_lightning.training.divergence import norm_of_weights
from mclas_lightning.training.module import SummarizationModule
from mclas_lightning.training.optim import noam
from tests.conftest import examples
from tests.waits import as_on_a_gpu, host_waits

MCLAS = Task(name="mclas", targets={"decoder": ("mono", "cross")})
NCLS_MS = Task(name="ncls_ms", targets={"mono": ("mono",), "cross": ("cross",)})
RECIPE = OptimConfig(
    encoder=PartRecipe(lr=0.03, warmup=5, dropout=0.0),
    decoder=PartRecipe(lr=0.07, warmup=3, dropout=0.0),
    beta1=0.9,
    beta2=0.98,
    eps=1e-9,
    label_smoothing=0.1,
    gradient_clip=None,
    recipe=BatchRecipe(
        batch_unit="texts", max_tokens=10_000, crowding=None, accumulate=1, devices=1
    ),
    batch_unit="texts",
    max_tokens=10_000,
    crowding=None,
    accumulate=1,
    max_source=None,
    max_summary=None,
    updates={},
    validations=1,
    patience=1,
)


def network(tokenizer, decoders) -> Seq2Seq:
    torch.manual_seed(0)
    encoder = {
        "vocab_size": len(tokenizer), "hidden_size": 24, "num_hidden_layers": 1,
        "num_attention_heads": 3, "intermediate_size": 37, "max_position_embeddings": 41,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip
    decoder = DecoderConfig(layers=1, heads=2, feed_forward=31, dropout=0.0)
    return Seq2Seq(NetworkConfig(encoder=encoder, decoder=decoder, decoders=tuple(decoders)))


def module_of(tokenizer, task) -> SummarizationModule:
    return SummarizationModule(
        network(tokenizer, task.targets), RECIPE, task=task, lsep_id=tokenizer.special.lsep, seed=0
    )


class Gradients(Callback):
    """The gradients of every update."""

    def __init__(self) -> None:
        self.seen: list[dict[str, torch.Tensor]] = []

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        named = pl_module.named_parameters()
        self.seen.append({n: p.grad.clone() for n, p in named if p.grad is not None})


def fit(encode, tokenizer, task, *, accumulate, updates, num=23, max_tokens=10_000, callbacks=()):
    """Train without dropout; the module and its data."""
    module = module_of(tokenizer, task)
    data = SummarizationData(
        encode(examples(num), task),
        encode(examples(7, 100), task),
        LoaderConfig(shape=UpdateShape(max_tokens=max_tokens, accumulate=accumulate), workers=0),
        seed=0,
    )
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=updates, max_epochs=-1, accumulate_grad_batches=accumulate,
        callbacks=list(callbacks), logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
        limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    return module, data


@pytest.fixture(autouse=True)
def _quiet():
    from mclas_lightning.train import quiet_libraries

    quiet_libraries()


@pytest.mark.parametrize("task", [MCLAS, NCLS_MS], ids=lambda task: task.name)
@pytest.mark.parametrize("accumulate", [3, 7, 23])
def test_the_gradient_does_not_depend_on_how_an_update_is_cut(task, accumulate, encode, tokenizer):
    whole, cut = Gradients(), Gradients()
    fit(encode, tokenizer, task, accumulate=1, updates=1, callbacks=[whole])
    fit(encode, tokenizer, task, accumulate=accumulate, updates=1, callbacks=[cut])
    assert len(whole.seen) == len(cut.seen) == 1
    for name, gradient in whole.seen[0].items():
        torch.testing.assert_close(cut.seen[0][name], gradient, rtol=1e-4, atol=1e-7, msg=name)


def test_the_two_optimizers_are_two_hand_stepped_adams_bit_for_bit(encode, tokenizer):
    accumulate, updates, budget = 5, 12, 130
    trained, data = fit(
        encode, tokenizer, MCLAS, accumulate=accumulate, updates=updates, max_tokens=budget
    )
    by_hand = module_of(tokenizer, MCLAS)
    parts = [
        (by_hand.network.encoder_parameters(), RECIPE.encoder),
        (by_hand.network.decoder_parameters(), RECIPE.decoder),
    ]
    adams = [torch.optim.Adam(p, lr=1.0, betas=(0.9, 0.98), eps=1e-9, fused=True) for p, _ in parts]
    loader = data.train_dataloader()
    batches = []
    for epoch in range(50):
        loader.sampler.set_epoch(epoch)  # pyright: ignore[reportAttributeAccessIssue]
        batches += list(loader)
    assert len(loader) < accumulate * updates  # More than one epoch.
    by_hand.train()
    for update in range(updates):
        for batch in batches[update * accumulate : (update + 1) * accumulate]:
            loss = by_hand.loss(batch, RECIPE.label_smoothing)
            (loss / batch.update_tokens * accumulate / accumulate).backward()
        for adam, (_, schedule) in zip(adams, parts, strict=True):
            adam.param_groups[0]["lr"] = schedule.lr * noam(schedule.warmup)(update)
            adam.step()
            adam.zero_grad()
    for (name, ours), theirs in zip(
        trained.network.named_parameters(), by_hand.network.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs), name
    initial = network(tokenizer, MCLAS.targets)
    assert not torch.equal(trained.network.output_bias, initial.output_bias)


@pytest.mark.parametrize("task", [MCLAS, NCLS_MS], ids=lambda task: task.name)
def test_in_a_training_step_the_host_waits_for_nothing(task, encode, tokenizer):
    module = module_of(tokenizer, task).train()
    optimizer = module.configure_optimizers()["optimizer"]
    batch = encode(examples(7), task)[MicroBatch([*range(7)], 97)]
    with as_on_a_gpu(), host_waits() as found:
        (module.loss(batch, 0.1) / batch.update_tokens).backward()
        optimizer.step()
        optimizer.zero_grad()
        norm_of_weights(module)
    assert not found


def test_in_bfloat16_loss_and_gradients_are_those_of_float32_but_for_rounding(encode, tokenizer):
    batch, found = encode(examples(7), MCLAS)[MicroBatch([*range(7)], 97)], []
    for half in (False, True):
        module = module_of(tokenizer, MCLAS).train()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = module.loss(batch, 0.1)
        loss.backward()
        assert loss.dtype == torch.float32
        grads = [p.grad for p in module.network.parameters() if p.grad is not None]
        assert {grad.dtype for grad in grads} == {torch.float32}
        found.append((float(loss.detach()), torch.cat([grad.flatten() for grad in grads])))
    (loss, grad), (loss_half, grad_half) = found
    assert loss_half == pytest.approx(loss, rel=1e-2)
    assert torch.nn.functional.cosine_similarity(grad, grad_half, 0) > 0.99


def test_no_gradient_is_kept_for_the_next_update(encode, tokenizer):
    module, _ = fit(encode, tokenizer, MCLAS, accumulate=3, updates=2)
    assert [name for name, p in module.named_parameters() if p.grad is not None] == []


@pytest.mark.parametrize("task", [MCLAS, NCLS_MS], ids=lambda task: task.name)
def test_validation_is_the_mean_over_all_target_tokens(task, encode, tokenizer):
    module, data = fit(encode, tokenizer, task, accumulate=1, updates=3, max_tokens=90)
    module.eval()
    metrics = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False,
    ).validate(module, datamodule=data, verbose=False)[0]  # fmt: skip
    losses, rights = [], []
    of_sides: dict[str, list[float]] = {side: [] for side in task.sides}
    sources, targets = data.valid.ids(range(len(data.valid)))
    for i, source in enumerate(sources):
        memory = module.network.encode(torch.tensor([source]))
        for decoder, rows in targets.items():
            target = torch.tensor([rows[i]])
            hidden = module.network.hidden(decoder, target[:, :-1], memory)
            log_p = module.network.logits(hidden)[0].log_softmax(1).detach()
            losses += [-float(log_p[t, token]) for t, token in enumerate(rows[i][1:])]
            rights += [int(log_p[t].argmax()) == token for t, token in enumerate(rows[i][1:])]
            side = iter(task.targets[decoder])
            written = next(side)
            for loss, token in zip(losses[1 - len(rows[i]) :], rows[i][1:], strict=True):
                of_sides[written].append(loss)
                written = next(side) if token == tokenizer.special.lsep else written
    assert metrics["val/loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    assert metrics["val/accuracy"] == pytest.approx(sum(rights) / len(rights), rel=1e-4)
    for written, found in of_sides.items():
        mean = sum(found) / len(found)
        assert metrics[f"val/loss_{written}"] == pytest.approx(mean, rel=1e-4)
    expected = torch.tensor(losses).mean().exp().item()
    assert metrics["val/perplexity"] == pytest.approx(expected, rel=1e-3)


def test_losses_of_equations_1_and_2_and_4_are_one_sum(encode, tokenizer):
    module = module_of(tokenizer, NCLS_MS).eval()
    batch = fit(encode, tokenizer, NCLS_MS, accumulate=1, updates=1)[1].train
    from mclas_lightning.data.sampler import MicroBatch

    both = batch[MicroBatch([0, 5, 2], 1)]
    mono, cross = (
        module.loss(both._replace(targets_BT={name: both.targets_BT[name]}), 0.1)
        for name in ("mono", "cross")
    )
    torch.testing.assert_close(module.loss(both, 0.1), mono + cross)


@pytest.mark.parametrize(
    ("task", "bits"),
    [
        # A and B are "storm" and "Sturm Bremen"; a bit is ln 2, the token of 1/2^n costs n of them.
        (Task(name="ms", targets={"decoder": ("mono",)}), [1, 6]),
        (Task(name="ncls", targets={"decoder": ("cross",)}), [2, 3, 6]),  # equation 1
        (NCLS_MS, [1, 6, 2, 3, 6]),  # equation 2
        (MCLAS, [1, 4, 2, 3, 6]),  # equation 4
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_losses_of_the_equations_by_hand(task, bits, tokenizer):
    module = module_of(tokenizer, task).eval()
    mono, cross = ([41], [42, 43])
    special = tokenizer.special
    chances = {41: 1, special.lsep: 4, 42: 2, 43: 3, special.eos: 6}
    with torch.no_grad():  # Every position predicts what the output layer's bias says.
        for decoder in task.targets:
            module.network.decoder(decoder).norm.weight.zero_()
        log_p = torch.full((len(tokenizer),), -torch.inf)
        for token, number in chances.items():
            log_p[token] = -number * math.log(2)
        rest = 1 - sum(0.5**number for number in chances.values())
        log_p[44] = math.log(rest)
        module.network.output_bias.copy_(log_p)
    targets = {
        decoder: torch.tensor([task.target_ids(decoder, {"mono": mono, "cross": cross}, special)])
        for decoder in task.targets
    }
    source = torch.tensor([[special.cls, 45, special.sep]])
    batch = make_batch(source, targets, len(bits), special.pad)
    assert module.loss(batch, 0.0).item() == pytest.approx(sum(bits) * math.log(2), rel=1e-6)
    assert module.validation_step(batch, 0).item() == pytest.approx(sum(bits) * math.log(2))
    of_sides = {"mono": bits[:2], "cross": bits[-3:]}  # A side's end is one of its tokens.
    expected = [[sum(of_sides[s]) * math.log(2), len(of_sides[s])] for s in task.sides]
    found = module.sums.compute()[:, [0, 2]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_dropout_is_seeded_by_place(encode, tokenizer):
    module, _ = fit(encode, tokenizer, MCLAS, accumulate=1, updates=1)
    draws = []
    for index in (0, 1, 0):
        module.on_train_batch_start(copy.copy(None), index)  # pyright: ignore
        draws.append(torch.rand(3))
    assert torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[1])

import torch

from mclas_lightning.decoding.output import OutputLayer, shortlists_of
from mclas_lightning.decoding.step import DecoderStep
from tests.conftest import small_network


def everything(network) -> OutputLayer:
    """An output layer of all tokens but the last, which stands for [LSEP] and [EOS]."""
    size = len(network.output_bias)
    layer = (network.embedding.weight, network.output_bias)
    found = shortlists_of([range(size - 1)], size, lsep_id=-9, eos_id=size - 1)
    return OutputLayer(*layer, found, lsep_id=-9, renormalize=False)


def test_reordered_beams_and_leaving_documents_keep_their_own_past():
    network = small_network()
    torch.manual_seed(0)
    source_BS = torch.randint(1, 53, (3, 13))
    memory = network.encode(source_BS)
    step = DecoderStep(network, "decoder", memory, everything(network))
    first_N, second_N = torch.randint(1, 53, (6,)), torch.randint(1, 53, (4,))
    step(first_N)  # Two beams of each of three documents.
    rows_N = torch.tensor([1, 0, 5, 5])
    step.select(rows_N, torch.tensor([0, 2]))  # Document 1 leaves.
    scores_NC = step(second_N)
    for n, row in enumerate(rows_N.tolist()):
        alone = network.encode(source_BS[row // 2 : row // 2 + 1])
        target = torch.stack((first_N[row], second_N[n]))[None]
        expected_V = network.logits(network.hidden("decoder", target, alone))[0, -1].log_softmax(0)
        torch.testing.assert_close(scores_NC[n, 1:], expected_V[:-1], rtol=1e-4, atol=1e-4)

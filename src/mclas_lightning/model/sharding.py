"""Weights, gradients and optimizer states split over the devices: FSDP, torch's second version."""

from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

from mclas_lightning.model.decoder import DecoderLayer
from mclas_lightning.model.seq2seq import Seq2Seq


def shard(network: Seq2Seq, mesh: DeviceMesh) -> None:
    """Split each layer, then what is left; a layer is whole only while it computes.

    ``mesh`` is nodes x devices of a node: each node holds the whole, its devices a part each.
    """
    for layer in network.layers():
        fully_shard(layer, mesh=mesh)
        if isinstance(layer, DecoderLayer):
            register_fsdp_forward_method(layer, "cross_keys_values")
    fully_shard(network, mesh=mesh)
    for method in ("encode", "hidden", "logits", "loss"):
        register_fsdp_forward_method(network, method)

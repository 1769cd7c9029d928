"""Sizes of a network that is trained, and whether an ms run's weights fit them."""

from mclas_lightning.config.dataset import DatasetConfig
from mclas_lightning.config.settings import Settings
from mclas_lightning.data.tokenizer import Tokenizer
from mclas_lightning.errors import InputError
from mclas_lightning.inference.trained import network_of
from mclas_lightning.model.checkpoint import dropout_of, positions_of, pretrained_config
from mclas_lightning.model.decoder import DecoderConfig
from mclas_lightning.model.seq2seq import NetworkConfig, encoder_config, encoder_settings
from mclas_lightning.runs.run import Run


def network_config(settings: Settings, tokenizer: Tokenizer) -> NetworkConfig:
    """Sizes of the network: a pretrained encoder's own, or those of the settings."""
    asked, decoder = settings.network.encoder, settings.network.decoder
    if asked.pretrained:
        encoder = pretrained_config(asked.pretrained)
        if encoder["vocab_size"] + tokenizer.added < len(tokenizer):
            raise InputError(
                f"tokenizer '{settings.tokenizer}' has {len(tokenizer):,} entries, encoder "
                f"'{asked.pretrained}' only {encoder['vocab_size']:,}; they do not belong together"
            )
    else:
        encoder = {
            "model_type": "bert",
            "vocab_size": len(tokenizer),
            "hidden_size": asked.width,
            "num_hidden_layers": asked.layers,
            "num_attention_heads": asked.heads,
            "intermediate_size": asked.feed_forward,
            "max_position_embeddings": asked.max_positions,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        }
    encoder |= {
        "vocab_size": max(encoder["vocab_size"], len(tokenizer)),
        "pad_token_id": tokenizer.special.pad,
        **dropout_of(encoder, settings.optim.encoder.dropout),
    }
    sizes = encoder_config(encoder)  # Hugging Face's defaults fill in what the mapping leaves out.
    if asked.sentences and getattr(sizes, "type_vocab_size", 0) < 2:
        raise InputError(
            f"network.encoder.sentences: encoder '{asked.pretrained}' has no two kinds of segments "
            f"to tell sentences apart; set it to false"
        )
    encoder_heads = getattr(sizes, "num_attention_heads", 1)  # FNet has no attention.
    for part, heads in (("encoder", encoder_heads), ("decoder", decoder.heads)):
        if sizes.hidden_size % heads:
            raise InputError(
                f"network.{part}: width {sizes.hidden_size} cannot be split into {heads} heads"
            )
    return NetworkConfig(
        encoder=encoder_settings(sizes),
        decoder=DecoderConfig(**vars(decoder), dropout=settings.optim.decoder.dropout),
        decoders=tuple(settings.task.targets),
        sentence_id=tokenizer.special.cls if asked.sentences else None,
    )


def check_source(dataset: DatasetConfig, network: NetworkConfig) -> None:
    """InputError where a source may be longer than the encoder can read."""
    positions = positions_of(network.encoder)
    if dataset.max_source > positions:
        raise InputError(
            f"dataset.max_source={dataset.max_source} is more than the encoder's {positions} "
            f"positions"
        )


def check_initialization(ms: Run, ours: NetworkConfig, tokenizer: Tokenizer) -> None:
    """InputError where the weights of ``ms`` do not fit."""
    where = f"init_from={ms}"
    theirs, vocabulary = network_of(ms)
    if vocabulary != tokenizer.fingerprint:
        raise InputError(f"{where}: was trained with another vocabulary (tokenizer)")
    if theirs.sentence_id != ours.sentence_id:
        raise InputError(
            f"{where}: network.encoder.sentences was {theirs.sentence_id is not None}, here it is "
            f"{ours.sentence_id is not None}; use the same 'network'"
        )
    if not theirs.alternating:
        raise InputError(
            f"{where}: its sentences have no alternating segments (use_interval=False of the "
            f"released code), those of a training here have; it can be scored, and starts no others"
        )
    for part, their, our in (
        ("encoder", dict(theirs.encoder), dict(ours.encoder)),
        ("decoder", vars(theirs.decoder), vars(ours.decoder)),
    ):
        for key in sorted(their.keys() | our.keys()):
            if their.get(key) != our.get(key) and "dropout" not in key:
                raise InputError(
                    f"{where}: its {part} has {key}={their.get(key)}, this network has "
                    f"{our.get(key)}; use the same 'network'"
                )

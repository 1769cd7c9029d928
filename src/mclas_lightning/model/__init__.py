"""The network: one encoder, one or more named decoders. It knows no task, language or file."""

MAX_POSITIONS = 5000  # of the decoder

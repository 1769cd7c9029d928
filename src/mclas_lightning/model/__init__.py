"""The network: one encoder, one or more named decoders. It knows no task, language or file."""

"""Flavours of ZenML's orchestrators that carry what a step asks for to the cluster: GPUs, memory, retries."""

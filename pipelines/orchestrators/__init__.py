"""Flavours of ZenML's orchestrators that carry what a step requests to the cluster: GPUs, memory, retries."""

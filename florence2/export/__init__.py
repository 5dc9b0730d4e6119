"""Models written for others: a folder that plain transformers or onnxruntime loads, with its model card."""

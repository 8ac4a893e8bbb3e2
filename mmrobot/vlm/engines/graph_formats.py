"""Opsets and precisions of exported graphs, for those who only look in the cache: without torch."""

OPSET = 20
"""Newest opset that ONNX Runtime 1.17, TensorRT 10.3 and their successors all read."""
TRACED_OPSET = 17
"""What torch's tracing exporter writes best: later ones it only partly knows."""
FLOATS = ("fp32", "fp16", "bf16")
"""Precisions that weights are cast to; int8 and int4 come from a graph in fp32."""

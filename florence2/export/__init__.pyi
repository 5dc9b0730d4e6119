from .onnx_folder import check_installed as check_installed
from .onnx_folder import export_onnx as export_onnx
from .transformers_folder import export_transformers as export_transformers

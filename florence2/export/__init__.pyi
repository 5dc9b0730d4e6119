from .exportable import Exportable as Exportable
from .exportable import hub_facts as hub_facts
from .exportable import load_exportable as load_exportable
from .microsoft_folder import export_microsoft as export_microsoft
from .onnx_folder import check_installed as check_installed
from .onnx_folder import export_onnx as export_onnx
from .transformers_folder import export_transformers as export_transformers

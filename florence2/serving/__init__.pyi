from .demo.models import named_models as named_models
from .demo.models import registered_models as registered_models
from .demo.page import build_page as build_page
from .demo.page import check_installed as check_installed
from .demo.page import serve_page as serve_page
from .server import serve as serve

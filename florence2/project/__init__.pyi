from .create import Project as Project
from .create import create_project as create_project

"""Which base and which settings a first training uses, by the data, the machine and what can be reached.

A recipe is a YAML file in this folder: one for each kind of data, with the settings of ``training`` for each family of
bases. A setting that the user gives is never changed.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""The whole configuration: one typed, frozen tree. YAML mirrors it; defaults are defined only here.

A function takes the section that concerns it, never the whole tree. In Python and on the command line a setting may be
given without its section, ``Configuration(dataset="my/cards", epochs=10)``, because its name is unique in the tree. The
names that other tools use are accepted, too, such as ``lr`` for ``learning_rate``: see ``florence2.config.synonyms``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""The whole configuration: one typed, frozen tree. YAML mirrors it; a default stands here and nowhere else.

A function takes the section that concerns it, never the whole tree. In Python and on the command line a key
may be given without its section, ``Configuration(dataset="my/cards", epochs=10)``: key names are unique in the tree.
So may the names that other tools have for them, ``lr`` for ``learning_rate``: see ``florence2.config.synonyms``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

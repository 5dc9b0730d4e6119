"""The whole configuration: one typed, frozen tree. YAML mirrors it; a default stands here and nowhere else.

A function takes the section that concerns it, never the whole tree. In Python and on the command line a key
may be given without its section, ``Configuration(dataset="my/cards", epochs=10)``: key names are unique in the tree.
So may the names that other tools have for them, ``lr`` for ``learning_rate``: see ``florence2.config.synonyms``.
"""

from florence2.config.configuration import (
    Configuration,
    PredictionSettings,
    PromotionConfiguration,
    SectionTree,
    leaf_paths,
)
from florence2.config.keywords import AnswerKeywords, Keywords
from florence2.config.promotion import PromotionPolicy
from florence2.config.sections import (
    AugmentationConfig,
    DatasetConfig,
    Effect,
    EngineConfig,
    EvaluationConfig,
    LoraConfig,
    ModelConfig,
    ObjectiveConfig,
    Outcome,
    PicturesConfig,
    RegistrationConfig,
    Section,
    SplitConfig,
    TrainingConfig,
    ValidationConfig,
)
from florence2.config.serving import RequestLimits, ServingConfig, ServingSettings

__all__ = [
    "AnswerKeywords",
    "AugmentationConfig",
    "Configuration",
    "DatasetConfig",
    "Effect",
    "EngineConfig",
    "EvaluationConfig",
    "Keywords",
    "LoraConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "Outcome",
    "PicturesConfig",
    "PredictionSettings",
    "PromotionConfiguration",
    "PromotionPolicy",
    "RegistrationConfig",
    "RequestLimits",
    "Section",
    "SectionTree",
    "ServingConfig",
    "ServingSettings",
    "SplitConfig",
    "TrainingConfig",
    "ValidationConfig",
    "leaf_paths",
]

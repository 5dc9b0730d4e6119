"""The whole configuration: one typed, frozen tree. YAML mirrors it; a default stands here and nowhere else.

A function takes the section that concerns it, never the whole tree. In Python and on the command line a key
may be given without its section, ``Configuration(dataset="my/cards", epochs=10)``: key names are unique in the tree.
"""

from florence2.config.configuration import (
    Configuration,
    PredictionSettings,
    PromotionConfiguration,
    SectionTree,
    leaf_paths,
)
from florence2.config.promotion import PromotionPolicy
from florence2.config.sections import (
    AugmentationConfig,
    DatasetConfig,
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
    "AugmentationConfig",
    "Configuration",
    "DatasetConfig",
    "EngineConfig",
    "EvaluationConfig",
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

from .codec import AnswerKind as AnswerKind
from .codec import Detections as Detections
from .config import Configuration as Configuration
from .errors import Florence2Error as Florence2Error
from .evaluation import ANLSMetric as ANLSMetric
from .evaluation import AnswerMetric as AnswerMetric
from .evaluation import BLEUMetric as BLEUMetric
from .evaluation import CharacterErrorRateMetric as CharacterErrorRateMetric
from .evaluation import ChrFMetric as ChrFMetric
from .evaluation import CIDErMetric as CIDErMetric
from .evaluation import EvaluationReport as EvaluationReport
from .evaluation import ExactAnswerMetric as ExactAnswerMetric
from .evaluation import GroundingAccuracyMetric as GroundingAccuracyMetric
from .evaluation import MeanAveragePrecisionMetric as MeanAveragePrecisionMetric
from .evaluation import MeanIoUMetric as MeanIoUMetric
from .evaluation import Metric as Metric
from .evaluation import ModelEvaluation as ModelEvaluation
from .evaluation import OCRRegionF1Metric as OCRRegionF1Metric
from .evaluation import RelaxedAccuracyMetric as RelaxedAccuracyMetric
from .evaluation import RougeLMetric as RougeLMetric
from .evaluation import Score as Score
from .evaluation import VQAAccuracyMetric as VQAAccuracyMetric
from .evaluation import WordErrorRateMetric as WordErrorRateMetric
from .inference import Prediction as Prediction
from .model import Checkpoint as Checkpoint
from .sdk import Model as Model
from .sdk import TrainingResult as TrainingResult
from .sdk import evaluate as evaluate
from .sdk import load as load
from .sdk import predict as predict
from .sdk import train as train
from .training import EpochRecord as EpochRecord
from .training import StepRecord as StepRecord
from .training import TrainingHistory as TrainingHistory

__all__: list[str]
__version__: str

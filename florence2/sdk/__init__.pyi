from .model import Model as Model
from .models import evaluate as evaluate
from .models import load as load
from .models import predict as predict
from .preparation import Prepared as Prepared
from .preparation import prepare as prepare
from .training import TrainingResult as TrainingResult
from .training import train as train

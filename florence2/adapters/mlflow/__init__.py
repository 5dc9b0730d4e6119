"""MLflow: ``tracking`` while a step runs, ``registry`` for its result, ``pyfunc`` for how the registry runs a model."""

"""The only files that import great_expectations and mlflow."""

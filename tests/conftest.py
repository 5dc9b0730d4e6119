"""Settings of every test process."""

from __future__ import annotations

import os

# Read when torch is loaded. Models this small gain nothing from a second thread, and lose much where it has no core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

"""What is written down about a run: its settings, its model, and what must be equal for it to go on."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mpii_lib._keras import keras
from mpii_lib.training.data import Source
from mpii_lib.training.records import versions


def new_record(
    folder: Path,
    model: keras.Model,
    sources: dict[str, Source],
    settings: dict[str, Any],
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """Begin the record of a run that has not started."""
    return {
        "format": 1,
        "run": folder.resolve().name,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "status": "running",
        "parameters": dict(parameters),
        "settings": settings,
        "model": _describe(model, parameters),
        "data": {name: source.describe() for name, source in sources.items()},
        "scores": {},
        "versions": versions(),
        "machine": {
            "cores": os.cpu_count(),
            "devices": keras.distribution.list_devices(),
            "keras_backend": keras.backend.backend(),
        },
    }


def _describe(model: keras.Model, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the network: its `provenance` (a dict), else what the caller's parameters say; and its size."""
    told = {name.lower(): value for name, value in parameters.items()}
    known = {name: told.get(name) for name in ("backbone", "weights", "head", "freeze")}
    sizes = {"model_parameters": model.count_params()}
    sizes["trainable_parameters"] = int(sum(math.prod(v.shape) for v in model.trainable_variables))
    provenance = dict(getattr(model, "provenance", {}))
    if "weights" in provenance:
        provenance["weights"] = provenance["weights"] or "none"  # random ones, not unknown ones
    return {**known, **provenance, **sizes}


def identity(model: keras.Model, record: dict[str, Any], optimizer: Any) -> dict[str, Any]:
    """Everything that must be equal for a run to go on, flat, in words that an error can repeat."""
    structure: list[tuple] = [(type(layer).__name__, layer.trainable) for layer in model.layers]
    structure += [(list(v.shape), str(v.dtype), v.trainable) for v in model.weights]
    described = {name: record["model"][name] for name in ("backbone", "weights")}
    fingerprints = {f"{name} data": part["fingerprint"][:12] for name, part in record["data"].items()}
    settings = {name: value for name, value in record["settings"].items() if name != "epochs"}
    constants = optimizer.get_config().items()
    constants = {f"optimizer.{name}": value for name, value in constants if name not in ("name", "learning_rate")}
    parameters = {f"parameters.{k}": v for k, v in record["parameters"].items() if k.lower() != "epochs"}
    layers = {"model layers": hashlib.sha256(json.dumps(structure).encode()).hexdigest()[:12]}
    identity = described | layers | fingerprints | settings | constants | parameters
    return json.loads(json.dumps(identity, default=str))

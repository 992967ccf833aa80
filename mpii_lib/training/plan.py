"""What `fit` is asked for, checked before anything starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError
from mpii_lib.training import compiling
from mpii_lib.training.data import Source, as_source


@dataclass(frozen=True)
class Plan:
    """The arguments of `fit` that decide its result, with their meaning there."""

    epochs: int
    optimizer: str | keras.optimizers.Optimizer
    learning_rate: float | None
    loss: compiling.Loss
    metrics: list[Any] | None
    class_weight: Mapping[int, float] | None
    early_stopping: int | None
    monitor: str
    batch: int
    shuffle: bool
    seed: int
    mixed_precision: bool
    jit_compile: bool

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "early_stopping"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or int(value) != value or value < 1):
                raise TrainingError(f"{name} is {value!r}: give a whole number of at least 1")

    def sources(self, model: keras.Model, train: Any, validation: Any) -> dict[str, Source]:
        """Wrap the data as "train" and, where given, "validation"; TrainingError where it does not fit the model."""
        sources: dict[str, Source] = {"train": as_source(train, self.batch, self.shuffle, self.seed, "training")}
        if validation is not None:
            sources["validation"] = as_source(validation, self.batch, False, self.seed, "validation")
        elif self.monitor.startswith("val_"):
            raise TrainingError(f"monitor {self.monitor!r} needs validation data: give validation, or monitor='loss'")
        for what, source in sources.items():
            if source.labels is not None:
                compiling.check_labels(model, source.labels, self.loss, what)
        self.class_weights(model)
        return sources

    def class_weights(self, model: keras.Model) -> dict[int, float] | None:
        """Weights of all classes, or None."""
        return compiling.check_class_weight(self.class_weight, model, self.loss)

    def compile(self, model: keras.Model) -> Any:
        """Compile the model, and return the optimizer that it trains with."""
        with compiling.scope_of(model):
            optimizer = compiling.make_optimizer(self.optimizer, self.learning_rate)
            half, compiled = self._speed()
            compiling.compile_model(model, optimizer, self.loss, self.metrics, half, compiled)
        return optimizer

    def settings(self, optimizer: Any, train: Source) -> dict[str, Any]:
        """What the record says was asked for; 16 bits and compilation only where they were used."""
        rate = optimizer.get_config().get("learning_rate")  # a float32 of Keras: 0.01 comes back as 0.0099999998
        name = self.optimizer if isinstance(self.optimizer, str) else type(optimizer).__name__
        loss = self.loss if isinstance(self.loss, str) else getattr(self.loss, "name", None) or "custom"
        half, compiled = self._speed()
        return {
            "optimizer": name.lower(),
            "learning_rate": float(f"{rate:.6g}") if isinstance(rate, int | float) else json.dumps(rate, default=str),
            "loss": loss,
            **train.settings(),
            "class_weight": None if self.class_weight is None else {str(k): v for k, v in self.class_weight.items()},
            "early_stopping": self.early_stopping,
            "monitor": self.monitor,
            "seed": self.seed,
            "mixed_precision": half,
            "jit_compile": compiled,
            "epochs": self.epochs,
        }

    def _speed(self) -> tuple[bool, bool]:
        fast = compiling.has_accelerator()
        return self.mixed_precision and fast, self.jit_compile and fast

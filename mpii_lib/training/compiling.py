"""Optimizers, losses and precision: what `fit` sets up before the first step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError

# The original report names its optimizers (SGD, SGD with Nesterov, Adam) and no learning rates: these are Keras' own.
LEARNING_RATES = {"sgd": 0.01, "nesterov": 0.01, "adam": 0.001, "rmsprop": 0.001}

Loss = str | Callable[..., Any]


def make_optimizer(optimizer: str | keras.optimizers.Optimizer, learning_rate: float | None) -> Any:
    """Build an optimizer by name, or copy the one that was given, so that no state of another run comes along.

    "sgd" is plain gradient descent, "nesterov" is SGD with momentum 0.9 and Nesterov's look-ahead (Sutskever 2013),
    "adam" (Kingma and Ba 2015) and "rmsprop" (Hinton 2012) have Keras' own constants.
    """
    if isinstance(optimizer, keras.optimizers.Optimizer):
        if learning_rate is not None:
            raise TrainingError("learning_rate is given beside an optimizer object: set it in the object instead")
        return type(optimizer).from_config(optimizer.get_config())
    name = str(optimizer).lower()
    if name not in LEARNING_RATES:
        raise TrainingError(f"optimizer {optimizer!r} is unknown: use one of {', '.join(LEARNING_RATES)}")
    rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
    if not rate > 0:
        raise TrainingError(f"learning_rate is {rate}: give a number above 0, such as {LEARNING_RATES[name]}")
    makers: dict[str, Callable[[], Any]] = {
        "sgd": lambda: keras.optimizers.SGD(rate),
        "nesterov": lambda: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        "adam": lambda: keras.optimizers.Adam(rate),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate),
    }
    return makers[name]()


def default_loss(model: keras.Model) -> Loss:
    """Binary cross-entropy where the output is a sigmoid for each class (multilabel), else sparse categorical."""
    return "binary_crossentropy" if is_multilabel(model) else "sparse_categorical_crossentropy"


def default_metrics(loss: Loss) -> list[Any]:
    """Accuracy. With several labels: the share of single yes-or-no answers that are right.

    Keras' own choice for multi-hot labels would compare the positions of the largest entries, as if there were one
    label an example.
    """
    return [keras.metrics.BinaryAccuracy(name="accuracy")] if loss == "binary_crossentropy" else ["accuracy"]


def is_multilabel(model: keras.Model) -> bool:
    """Whether the model's last layer is a sigmoid."""
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    return getattr(activation, "__name__", "") == "sigmoid"


def check_labels(model: keras.Model, labels: np.ndarray, loss: Loss, what: str) -> None:
    """Labels outside the classes give a NaN loss, or none at all, deep inside the training: say it before."""
    classes: int = model.output_shape[-1] if isinstance(model.output_shape, tuple) else 0
    if loss == "sparse_categorical_crossentropy":
        if labels.ndim == 2:
            raise TrainingError(
                f"{what} labels are multi-hot {labels.shape}, the model gives one class an example: build it with "
                "multilabel=True, or ask the dataset for one column"
            )
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise TrainingError(f"{what} labels have shape {labels.shape} and type {labels.dtype}: give integers (N,)")
        if labels.min() < 0 or labels.max() >= classes:
            raise TrainingError(
                f"{what} labels run from {labels.min()} to {labels.max()}, the model has {classes} classes:"
                f" number the classes from 0 to {classes - 1}"
            )
    elif loss == "binary_crossentropy" and (labels.shape[1:] != (classes,) or not np.isin(labels, (0, 1)).all()):
        raise TrainingError(
            f"{what} labels have shape {labels.shape}, from {labels.min()} to {labels.max()}: a multilabel model needs "
            f"0 and 1 as (N, {classes}), which multi_hot makes"
        )


def check_class_weight(weights: Mapping[int, float] | None, model: keras.Model, loss: Loss) -> dict[int, float] | None:
    """Class weights for every class, 1 where none is given; TrainingError where they cannot apply."""
    if weights is None:
        return None
    if loss != "sparse_categorical_crossentropy":
        raise TrainingError(
            "class_weight is for one label an example: leave it out for this loss; an example of several labels has no "
            "one class to be weighed by"
        )
    classes = model.output_shape[-1]
    wrong = [key for key, value in weights.items() if not 0 <= int(key) < classes or not value >= 0]
    if wrong:
        raise TrainingError(f"class_weight: class {wrong[0]} has no meaning; give weights >= 0 for 0 to {classes - 1}")
    return {index: float(weights.get(index, 1.0)) for index in range(classes)}


def use_mixed_precision(model: keras.Model) -> None:
    """Let every layer but the last compute in 16 bits; variables stay in 32 (Micikevicius 2018)."""
    policy = keras.DTypePolicy("mixed_float16")
    for layer in leaves(model)[:-1]:
        layer.dtype_policy = policy
    last = leaves(model)[-1]
    last.dtype_policy = keras.DTypePolicy("float32")  # a softmax in 16 bits loses small probabilities


def compile_model(
    model: keras.Model, optimizer: Any, loss: Loss, metrics: list[Any] | None, mixed_precision: bool, jit_compile: bool
) -> None:
    """Compile with an optimizer whose variables exist, so that the first checkpoint has them already."""
    if mixed_precision:
        use_mixed_precision(model)
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=default_metrics(loss) if metrics is None else metrics,
        jit_compile=jit_setting(jit_compile),
    )
    model.optimizer.build(model.trainable_variables)


def scope_of(model: keras.Model) -> AbstractContextManager:
    """Where the variables of a model's optimizer have to be made: the scope of its `distribution_strategy`."""
    strategy = getattr(model, "distribute_strategy", None)  # TensorFlow backend only
    return nullcontext() if strategy is None else strategy.scope()


def jit_setting(wanted: bool) -> bool:
    """XLA where it is wanted; JAX is nothing without it.

    Keras' own "auto" also compiles on a CPU under TensorFlow, where it costs minutes and does not pay.
    """
    return wanted or keras.backend.backend() == "jax"


def has_accelerator() -> bool:
    """Whether Keras' backend sees a GPU or a TPU."""
    return any(not str(device).lower().startswith("cpu") for device in keras.distribution.list_devices())


def set_noise(model: keras.Model, seed: int, epoch: int) -> None:
    """Put the model's random generators (dropout, noise) where they stand at the start of an epoch.

    Their state is in no weight file, and it starts from the global generator: both would make a resumed run differ.
    """
    states = [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
    for index, state in enumerate(states):
        words = np.random.SeedSequence([seed, epoch, index]).generate_state(2) & 0x7FFFFFFF
        state.assign(words.astype(str(state.dtype)))


def leaves(layer: Any) -> list[Any]:
    """Return the layers of a model that hold no layers themselves, in order."""
    inner = getattr(layer, "layers", None)
    return [leaf for item in inner for leaf in leaves(item)] if inner else [layer]

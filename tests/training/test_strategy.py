"""Several devices: the same result as one, and plain words about what does not work."""

import subprocess
import sys

import pytest

from mpii_lib.errors import TrainingError
from mpii_lib.training import distribution_strategy

# Devices can only be divided before TensorFlow has started, so this needs a process of its own.
TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import sys
import numpy as np
from mpii_lib._keras import keras
from mpii_lib.training import distribution_strategy, fit
inputs = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
labels = (inputs[:, 0] > 0).astype("int32")
losses = []
for number, devices in enumerate((None, ["CPU:0", "CPU:1"])):
    strategy = distribution_strategy(devices)
    keras.utils.set_random_seed(0)
    for epochs in [1, 2][1 - number :]:  # two devices are also resumed
        with strategy.scope():
            model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, "softmax", kernel_initializer="ones")])
        run = fit(model, (inputs, labels), (inputs, labels), epochs=epochs, folder=f"{sys.argv[1]}/{number}")
    losses.append(run.history[["loss", "val_loss"]].to_numpy())
    print(strategy.num_replicas_in_sync)
np.testing.assert_allclose(*losses, rtol=1e-4)
"""


@pytest.mark.slow
def test_two_devices_give_the_result_of_one(tmp_path):
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["1", "2"]


def test_one_device_gets_the_strategy_that_changes_nothing():
    assert distribution_strategy(["CPU:0"]).num_replicas_in_sync == 1


def test_an_absent_device_is_named():
    with pytest.raises(TrainingError, match="'GPU:7' is not here: use some of CPU:0"):
        distribution_strategy(["GPU:7"])


def test_several_workers_are_refused_with_the_reason(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    with pytest.raises(TrainingError, match="names 2 workers.*JAX"):
        distribution_strategy()

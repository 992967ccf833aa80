"""The road from real files to learned joints: a small network learns fifty real persons by heart."""

import keras
import numpy as np
import pytest

from mpii_lib.annotations import read_coco, read_mpii
from mpii_lib.models import build_hourglass
from mpii_lib.pose import PoseDataset, person_crops, predict_poses
from mpii_lib.training import SpatialCrossEntropy

PERSONS = 50


@pytest.mark.shared
def test_the_real_mpii_images_become_crops(shared_data):
    ann = read_mpii(shared_data / "mpii")
    there = [number for number in ann.images.index if ann.image_path(number).is_file()]
    crops = {crop: person_crops(ann.where(images=there), size=128, crop=crop) for crop in ("mpii", "thesis")}
    assert len(there) == 5 and len(crops["mpii"]) >= 5 and not crops["mpii"].skipped
    for found in crops.values():
        assert found.images.std(axis=(1, 2, 3)).min() > 5 and (found.head_size > 0).all()
        known = ann.joints[ann.people.index.get_indexer(found.person_ids)]
        np.testing.assert_allclose(found.image_joints, known, atol=0.01)
        inside = (found.joints > -0.5) & (found.joints < 127.5)
        assert inside.all(axis=2)[found.visibility > 0].mean() > 0.9


@pytest.mark.slow
@pytest.mark.shared
def test_fifty_real_persons_are_learned_by_heart(shared_data):
    ann = read_coco(shared_data / "coco", split="train")
    many = ann.where(people=((ann.visibility > 0).sum(axis=1) >= 8) & ~ann.people["iscrowd"].to_numpy(bool))
    crops = person_crops(many, size=64, crop="thesis")[:PERSONS]
    assert len(crops) == PERSONS and len(crops.skeleton) == 17
    model = build_hourglass(stacks=1, channels=32, depth=3, joints=17, input_size=64, output_stride=2, seed=0)
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss=SpatialCrossEntropy())
    train = PoseDataset(crops, heatmap_size=32, batch_size=10, shuffle=True)
    losses = model.fit(train, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    found = predict_poses(model, crops)
    distance = np.linalg.norm(found.joints - crops.joints, axis=2)
    # PCK at a tenth of the square: a joint farther away is on another limb.
    right = (distance <= 6.4)[np.isfinite(distance)]
    assert right.mean() > 0.9, f"PCK {right.mean():.3f} of {right.size} joints"

"""Which images a model sees: downloads, splits, labels, and the dataset that reads images from disk.

Names are looked up on first use, so that `import mpii_lib.datasets` stays light: TensorFlow is loaded with the dataset.
"""

from mpii_lib._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "augmentation": "Augmentation",
        "download": "fetch_coco fetch_mpii",
        "image_dataset": "ImageDataset",
        "labels": "clean_name image_labels label_names",
        "shard_writer": "write_shards",
        "shards": "DatasetError Shards open_shards",
        "splits": "class_weights split_images",
    },
)

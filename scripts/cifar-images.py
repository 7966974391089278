"""The images of docs/results/fid.md, from the public CIFAR-10 in its binary form (the archive cifar-10-binary.tar.gz):

  python3 scripts/cifar-images.py cifar-10-batches-bin/test_batch.bin OUT

writes OUT/a and OUT/b, 60 test images each, and OUT/a-mixed and OUT/b-mixed, the same brought to sizes of 8 to 419 pixels a side by
chance (seed 1), every seventh grey. The test images are taken in the order of the SHA-256 of their 3,072 pixel bytes, so that their
order in the file does not matter: a has the first 60, b the next. --count takes another number.
"""
import argparse
import hashlib
import pathlib

import numpy as np
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('records', type=pathlib.Path)
parser.add_argument('out', type=pathlib.Path)
parser.add_argument('--count', type=int, default=60)
args = parser.parse_args()

pixels = np.fromfile(args.records, np.uint8).reshape(10_000, 3073)[:, 1:]
order = sorted(range(len(pixels)), key=lambda i: hashlib.sha256(pixels[i].tobytes()).digest())
random = np.random.RandomState(1)
for name, chosen in [('a', order[: args.count]), ('b', order[args.count : 2 * args.count])]:
    for folder in [name, f'{name}-mixed']:
        (args.out / folder).mkdir(parents=True)
    for rank, index in enumerate(chosen):
        image = Image.fromarray(pixels[index].reshape(3, 32, 32).transpose(1, 2, 0))
        image.save(args.out / name / f'{rank:03d}.png')
        image = image.resize(tuple(random.randint(8, 420, 2)), Image.BICUBIC)
        image = image.convert('L') if rank % 7 == 3 else image
        image.save(args.out / f'{name}-mixed' / f'{rank:03d}.png')

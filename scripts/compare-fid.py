"""Features and scores of two folders of images by bigbigan, torch-fidelity and pytorch-fid, side by side:

  python3 scripts/compare-fid.py REAL FAKE [--weights FILE.pth] [--batch-size 1]

Needs the Python packages of both programs, and a built clone. Without --weights (a state dict, as both read it) the network gets
made-up ones. Images of several sizes need --batch-size 1, which is for the other programs; ours takes them as they are.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pytorch_fid.inception
import torch
from pytorch_fid.fid_score import calculate_frechet_distance, get_activations
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torch_fidelity.utils import create_feature_extractor, extract_featuresdict_from_input_id_cached

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / 'fixtures/inception'))


def ours(*words):
    command = ['node', ROOT / 'bin/bigbigan.js', 'fid', *words, '--json', '--quiet']
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def our_run(real, fake, network, folder):
    """Features of REAL, features and unbiased logits of FAKE, and the scores."""
    part, statistics = folder / 'fake.npz', folder / 'real.npz'
    ours(fake, '--shard', '1/1', '--out', part, '--force', '--metrics', 'is,kid', *network)
    pairs = ['--metrics', 'fid,is,kid,pr', '--kid-subsets', '1', '--kid-subset-size', str(len(np.load(part)['feats']))]
    scores = ours(real, '--merge', part, '--stats-out', statistics, '--force', *pairs, *network)
    return np.load(statistics)['feats'], np.load(part)['feats'], np.load(part)['logits'], scores


def torch_fidelity_run(real, fake, weights, batch_size):
    options = dict(cuda=False, cache=False, verbose=False, batch_size=batch_size, save_cpu_ram=True)
    layers = ['2048', 'logits_unbiased']
    network = create_feature_extractor('inception-v3-compat', layers, feature_extractor_weights_path=weights, **options)

    def run(path):
        found = extract_featuresdict_from_input_id_cached(1, network, input1=str(path), **options)
        return [found[layer] for layer in layers]

    (r, _), (f, logits) = run(real), run(fake)
    # KID of all rows at once, so that chance has no part in it.
    kid = kid_features_to_metric(r.double(), f.double(), kid_subsets=1, kid_subset_size=len(f), verbose=False)
    scores = dict(
        fid=fid_statistics_to_metric(*map(fid_features_to_statistics, (r, f)), False)['frechet_inception_distance'],
        inception_score=isc_features_to_metric(logits, shuffle=False)['inception_score_mean'],
        kid=kid['kernel_inception_distance_mean'],
        **prc_features_to_metric(f.double(), r.double(), verbose=False),
    )
    return r.numpy(), f.numpy(), logits.numpy(), scores


def pytorch_fid_run(real, fake, weights, batch_size):
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: torch.load(weights)
    network = pytorch_fid.inception.InceptionV3()
    r, f = (get_activations(sorted(path.iterdir()), network, batch_size, num_workers=0) for path in (real, fake))
    moments = [m for x in (r, f) for m in (x.mean(0), np.cov(x, rowvar=False))]
    return r.astype(np.float32), f.astype(np.float32), None, dict(fid=calculate_frechet_distance(*moments))


def exact_fid(a, b):
    """From the singular values of the centred features, which have full precision whatever the covariances' rank."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    x, y = ((z - z.mean(0)) / np.sqrt(len(z) - 1) for z in (a, b))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + (x * x).sum() + (y * y).sum() - 2 * np.linalg.svd(x @ y.T, compute_uv=False).sum()


def compare(name, mode, theirs, real, fake, network, folder):
    mine = our_run(real, fake, [*network, '--mode', mode], folder)
    for what, a, b in zip(['features of REAL', 'features of FAKE', 'logits of FAKE'], mine, theirs):
        if b is not None:
            apart = np.abs(a - b)
            print(f'{name:15} {what:18} largest {np.abs(b).max():11.6g}  difference at most {apart.max():9.2g}, mean {apart.mean():9.2g}')
    paths = [folder / 'theirs-real.npy', folder / 'theirs-fake.npy']
    for path, rows in zip(paths, theirs):
        np.save(path, rows)
    same = ours(*paths, '--metrics', 'fid,kid,pr', '--kid-subsets', '1', '--kid-subset-size', str(len(theirs[1])))
    theirs[3]['fid, exactly'] = exact_fid(*theirs[:2])
    for key, wanted in theirs[3].items():
        own = key.split(',')[0]
        if own in mine[3]:
            score = mine[3][own], same.get('frechet_distance' if own == 'fid' else own, float('nan'))
            text = [f'{value:17.12g} ({value / wanted - 1:8.1e})' for value in score]
            print(f'{name:15} {key:18} {wanted:17.12g}  ours {text[0]}, of their features {text[1]}')


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('real', type=pathlib.Path)
parser.add_argument('fake', type=pathlib.Path)
parser.add_argument('--weights')
parser.add_argument('--batch-size', type=int, default=50)
args = parser.parse_args()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    if not args.weights:
        from network import state_dict
        args.weights = str(folder / 'made-up.pth')
        torch.save(state_dict(), args.weights)
    network = ['--inception-weights', args.weights]
    for tool, mode, run in [('torch-fidelity', 'tf', torch_fidelity_run), ('pytorch-fid', 'pytorch', pytorch_fid_run)]:
        compare(tool, mode, run(args.real, args.fake, args.weights, args.batch_size), args.real, args.fake, network, folder)

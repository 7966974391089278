"""The same in PyTorch: images enlarged, then the network of fixtures/inception. One JSON object a line (see child.ts)."""
import json
import pathlib
import resource
import sys
import time

import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fixtures" / "inception"))
from network import Inception, images, state_dict

network = Inception().eval()
batch = None


def start(request):
    global batch
    network.load_state_dict(state_dict(), strict=False)
    batch = torch.from_numpy(images("bench", (request["count"], request["side"], request["side"], 3)))
    return {}


def extract(_):
    begun, used = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        x = batch.permute(0, 3, 1, 2).float()
        x = F.interpolate(x, (299, 299), mode="bilinear", align_corners=False)
        features, logits = network((x - 128) / 128)
        features.numpy(), logits.numpy()
    return dict(ms=(time.perf_counter() - begun) * 1000, cpu_ms=(time.process_time() - used) * 1000)


def memory(_):
    return dict(rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = dict(start=start, extract=extract, memory=memory)[request["do"]](request)
    except Exception as error:
        answer = dict(error=str(error))
    print(json.dumps(answer), flush=True)

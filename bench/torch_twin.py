"""The training step of src/core/train/step/step.ts in PyTorch, for comparison: the same layers, losses and optimizer from
the same config and checkpoint. One JSON object a line on stdin, one answer a line on stdout (see child.ts).

Parameters keep their names. Images are NCHW in the channels_last layout, that is NHWC in memory as ours are.
"""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

AVERAGE = "ema/"


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[start + begin : start + end], np.float32).reshape(entry["shape"])
    return tensors


def to_torch(name, array):
    """Kernels HWIO -> OIHW in channels_last, and [in, out] -> [out, in]; singular vectors [1, n] -> [n]."""
    tensor = torch.from_numpy(array.copy())
    if tensor.dim() == 4:
        return tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    if name.endswith("/u"):
        return tensor.flatten()
    return tensor.t().contiguous() if tensor.dim() == 2 else tensor


class Pass:
    """One pass over one network: its parameters, and its kernels with spectral norm, each computed once."""

    def __init__(self, twin, module, parameters, statistics=None):
        self.parameters = parameters
        self.epsilon = twin.config["model"]["epsilon"]
        self.statistics = statistics
        self.kernels = {}
        updates = statistics is None
        # Outside autocast: power iteration stays in float32.
        for path, u in twin.singular_vectors[module].items():
            kernel = parameters[path + "/kernel"]
            matrix = kernel.permute(0, 2, 3, 1).flatten(1) if kernel.dim() == 4 else kernel
            with torch.no_grad():
                v = self.unit(torch.mv(matrix.t(), u))
            projection = torch.mv(matrix, v)
            next_u = self.unit(projection.detach())
            self.kernels[path] = kernel / torch.dot(projection, next_u)
            if updates:
                u.copy_(next_u)

    def unit(self, x):
        return x / x.norm().clamp_min(self.epsilon["spectralNorm"])

    def kernel(self, path):
        found = self.kernels.get(path)
        return found if found is not None else self.parameters[path + "/kernel"]

    def linear(self, path, x):
        return F.linear(x, self.kernel(path), self.parameters.get(path + "/bias"))

    def conv(self, path, x, stride=1):
        kernel, bias = self.kernel(path), self.parameters.get(path + "/bias")
        size = kernel.shape[2]
        if stride == 2 and size > 1:  # TensorFlow pads an even size after the last row and column only
            return F.conv2d(F.pad(x, (0, 1, 0, 1)), kernel, bias, stride=2)
        return F.conv2d(x, kernel, bias, stride=stride, padding=size // 2)

    def batch_norm(self, path, x):
        scale, offset = self.parameters.get(path + "/scale"), self.parameters.get(path + "/offset")
        mean, variance = None, None
        if self.statistics:
            mean, variance = self.statistics[path + "/standing_mean"], self.statistics[path + "/standing_variance"]
        return F.batch_norm(x, mean, variance, scale, offset, mean is None, 0.0, self.epsilon["batchNorm"])

    def conditional_batch_norm(self, path, x, condition):
        gain, offset = self.linear(path + "/gain", condition), self.linear(path + "/offset", condition)
        return self.batch_norm(path, x) * (1 + gain[:, :, None, None]) + offset[:, :, None, None]


def residual_mlp(p, path, x, width, blocks):
    y = x
    for i in range(blocks):
        block = f"{path}/block{i}"
        inner = F.relu(p.linear(block + "/linear0", y if i == 0 else F.relu(y)), inplace=True)
        outer = p.linear(block + "/linear1", inner)
        y = outer + (y if y.shape[1] == width else p.linear(block + "/skip", y))
    return F.relu(y)


def generate(p, z, model):
    multipliers = model["generator"]["multipliers"]
    start = model["generator"]["channels"] * multipliers[0]
    first, *rest = z.chunk(len(multipliers), 1)
    x = p.linear("generator/linear", first).view(-1, 4, 4, start).permute(0, 3, 1, 2)
    for i, condition in enumerate(rest):
        block = f"generator/block{i}"
        y = F.relu(p.conditional_batch_norm(block + "/batch_norm0", x, condition), inplace=True)
        y = p.conv(block + "/conv0", F.interpolate(y, scale_factor=2, mode="nearest"))
        y = F.relu(p.conditional_batch_norm(block + "/batch_norm1", y, condition), inplace=True)
        y = p.conv(block + "/conv1", y)
        x = y + F.interpolate(p.conv(block + "/conv_skip", x), scale_factor=2, mode="nearest")
    x = F.relu(p.batch_norm("generator/batch_norm", x), inplace=True)
    return torch.tanh(p.conv("generator/to_image", x)).float()


def encode(p, x, model):
    """The trunk's average pool, mu and sigma."""
    config = model["encoder"]
    x = p.conv("encoder/trunk/stem", x, config["stem"]["stride"])
    for stage, multiplier in enumerate(config["multipliers"]):
        filters = config["channels"] * multiplier
        for unit in range(config["units"][stage]):
            path = f"encoder/trunk/stage{stage}/unit{unit}"
            stride = 2 if stage > 0 and unit == 0 else 1
            active = F.relu(p.batch_norm(path + "/batch_norm0", x), inplace=True)
            shortcut = x if stride == 1 and x.shape[1] == filters else p.conv(path + "/conv_skip", active, stride)
            y = F.relu(p.batch_norm(path + "/batch_norm1", p.conv(path + "/conv0", active)), inplace=True)
            y = F.relu(p.batch_norm(path + "/batch_norm2", p.conv(path + "/conv1", y, stride)), inplace=True)
            x = shortcut + p.conv(path + "/conv2", y)
    x = F.relu(p.batch_norm("encoder/trunk/batch_norm", x), inplace=True)
    avepool = x.mean((2, 3))
    output = p.linear("encoder/output", residual_mlp(p, "encoder/head", avepool, config["hidden"], config["blocks"])).float()
    mu, sigma = output.chunk(2, 1)
    return avepool, mu, F.softplus(sigma)


def discriminate(p, x, z, model):
    config = model["discriminator"]
    for i, multiplier in enumerate(config["multipliers"]):
        filters, block = config["channels"] * multiplier, f"discriminator/F/block{i}"
        halves = x.shape[2] > config["smallest"]
        pool = (lambda y: F.avg_pool2d(y, 2)) if halves else (lambda y: y)
        y = F.relu(p.conv(block + "/conv0", x if i == 0 else F.relu(x)), inplace=True)
        y = pool(p.conv(block + "/conv1", y))
        skip = x if not halves and x.shape[1] == filters else p.conv(block + "/conv_skip", pool(x))
        x = y + skip
    x = F.relu(x, inplace=True)
    f = x.sum((2, 3))
    seen = f if config["joint"] == "pooled" else x.permute(0, 2, 3, 1).flatten(1)
    h = residual_mlp(p, "discriminator/H", z, config["hidden"], config["blocks"])
    joined = torch.cat([seen, h.to(seen.dtype)], 1)
    j = residual_mlp(p, "discriminator/J", joined, config["hidden"], config["blocks"])
    features = {"xz": j, "x": f, "z": h}
    return {term: p.linear(f"discriminator/score_{term}", features[term]).float().flatten() for term in config["scores"]}


class Twin:
    def __init__(self, config, checkpoint, precision, compile):
        torch.set_num_threads(os.cpu_count())
        self.config, self.model, self.half = config, config["model"], precision == "bf16"
        assert config["train"]["reuseForward"] and config["train"]["discriminatorSteps"] == 1
        tensors = {name: to_torch(name, array) for name, array in read_safetensors(checkpoint).items()}
        trained = [name[len("adam/m/") :] for name in tensors if name.startswith("adam/m/")]
        self.parameters, self.average, self.standing, self.singular_vectors, self.optimizers = {}, {}, {}, {}, {}
        for module in ("generator", "encoder", "discriminator"):
            names = [name for name in trained if name.startswith(module)]
            self.parameters[module] = {name: tensors[name].requires_grad_() for name in names}
            self.average[module] = {name: tensors[AVERAGE + name] for name in names if AVERAGE + name in tensors}
            self.standing[module] = {
                name[len(AVERAGE) :]: value
                for name, value in tensors.items()
                if name.startswith(f"{AVERAGE}{module}") and "/standing_" in name
            }
            self.singular_vectors[module] = {
                name[: -len("/u")]: value for name, value in tensors.items() if name.startswith(module) and name.endswith("/u")
            }
            adam, rate = config["train"]["adam"], config["train"]["learningRate"][module]
            self.optimizers[module] = torch.optim.Adam(
                self.parameters[module].values(), rate, (float(adam["beta1"]), adam["beta2"]), fused=True
            )
        networks = (generate, encode, discriminate)
        self.generate, self.encode, self.discriminate = [torch.compile(f) for f in networks] if compile else networks

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.half)

    def scores(self, real, encoded, fake, z):
        p = Pass(self, "discriminator", self.parameters["discriminator"])
        with self.autocast():
            both = self.discriminate(p, torch.cat([real, fake]), torch.cat([encoded, z]), self.model)
        return {term: score.chunk(2) for term, score in both.items()}

    def update(self, module, step):
        # TensorFlow adds epsilon before the bias correction of the second moment.
        adam, optimizer = self.config["train"]["adam"], self.optimizers[module]
        optimizer.param_groups[0]["eps"] = adam["epsilon"] / (1 - adam["beta2"] ** (step + 1)) ** 0.5
        optimizer.step()

    def step(self, step, images, z=None, noise=None):
        shape = (images.shape[0], self.model["latent"])
        z = torch.randn(shape) if z is None else z
        noise = torch.randn(shape) if noise is None else noise
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        real = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        passes = [Pass(self, module, self.parameters[module]) for module in ("generator", "encoder")]
        with self.autocast():
            _, mu, sigma = self.encode(passes[1], real, self.model)
            fake = self.generate(passes[0], z, self.model)
        encoded = mu + noise * sigma

        scores = self.scores(real, encoded.detach(), fake.detach(), z)
        loss_d = sum(F.relu(1 - a).mean() + F.relu(1 + b).mean() for a, b in scores.values())
        loss_d.backward()
        self.update("discriminator", step)

        own = self.parameters["discriminator"].values()
        for parameter in own:
            parameter.requires_grad_(False)
        scores = self.scores(real, encoded, fake, z)
        loss_eg = sum(a.mean() - b.mean() for a, b in scores.values())
        loss_eg.backward()
        for parameter in own:
            parameter.requires_grad_(True)
        decay = min(self.config["train"]["averageDecay"], (1 + step) / (10 + step))
        for module in ("generator", "encoder"):
            self.update(module, step)
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average[module].values()), list(self.parameters[module].values()), 1 - decay)
        return loss_d.item(), loss_eg.item()

    def infer(self, module):
        return Pass(self, module, self.average[module], self.standing[module])

    @torch.inference_mode()
    def images_of(self, z):
        p = self.infer("generator")
        with self.autocast():
            images = self.generate(p, z, self.model)
        return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()

    @torch.inference_mode()
    def features_of(self, images):
        p = self.infer("encoder")
        real = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        with self.autocast():
            avepool, mu, sigma = self.encode(p, real, self.model)
            normalised = p.batch_norm("encoder/feature_norm", avepool)
            crelu = torch.cat([F.relu(normalised), F.relu(-normalised)], 1)
        return [tensor.float().numpy() for tensor in (avepool, crelu, mu, sigma)]


def relative_difference(ours, pairs):
    """Over all pairs of a name in our checkpoint and a tensor here."""
    apart, norm = 0.0, 0.0
    for name, tensor in pairs:
        reference = to_torch(name, ours[name]).double()
        apart += (tensor.detach().double() - reference).square().sum().item()
        norm += reference.square().sum().item()
    return (apart / norm) ** 0.5


def check(twin, folder):
    load = lambda name: torch.from_numpy(np.load(os.path.join(folder, name + ".npy")))
    loss_d, loss_eg = twin.step(0, load("images"), load("latents"), load("noise"))
    ours = read_safetensors(os.path.join(folder, "after.safetensors"))
    parameters = [item for own in twin.parameters.values() for item in own.items()]
    vectors = [(path + "/u", u) for own in twin.singular_vectors.values() for path, u in own.items()]
    average = [(AVERAGE + name, value) for own in twin.average.values() for name, value in own.items()]
    # With beta1 = 0 the first moment is the gradient itself.
    moments = [
        ("adam/m/" + name, twin.optimizers[module].state[parameter]["exp_avg"])
        for module, own in twin.parameters.items()
        for name, parameter in own.items()
    ]
    kinds = {"weights": parameters, "gradients": moments, "average": average, "singular_vectors": vectors}
    return {
        "loss_d": loss_d,
        "loss_eg": loss_eg,
        "relative_difference": {kind: relative_difference(ours, pairs) for kind, pairs in kinds.items()},
    }


def main():
    twin, images, latents, steps = None, None, None, 0
    for line in sys.stdin:
        request = json.loads(line)
        answer, begun = {}, time.perf_counter()
        if request["do"] == "start":
            twin = Twin(request["config"], request["checkpoint"], request["precision"], request["compile"])
            model, n = twin.model, request["config"]["train"]["batchSize"]
            images = torch.randint(0, 256, (n, model["resolution"], model["resolution"], model["channels"]), dtype=torch.uint8)
            latents = torch.randn(n, model["latent"])
        elif request["do"] == "step":
            twin.step(steps, images)
            steps += 1
        elif request["do"] == "generate":
            twin.images_of(latents)
        elif request["do"] == "encode":
            twin.features_of(images)
        elif request["do"] == "memory":
            answer["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        elif request["do"] == "check":
            answer = check(twin, request["folder"])
        answer["ms"] = (time.perf_counter() - begun) * 1000
        print(json.dumps(answer), flush=True)


main()

"""The engines of word2vec: the updates of the readable models, drawn as they should be, resumed where they stop."""

import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from literatim.datasets.corpus import Corpus, WindowBatches
from literatim.datasets.stretches import Stretches
from literatim.datasets.text import Encoded
from literatim.errors import LiteratimError, LiteratimWarning
from literatim.papers.word2vec import training
from literatim.papers.word2vec.engine import Engine, Reading, widened
from literatim.papers.word2vec.model import Word2Vec, table
from literatim.papers.word2vec.training import Word2VecTraining
from literatim.papers.word2vec_phrases import matrices
from literatim.papers.word2vec_phrases.engine import Exact, Shared
from literatim.papers.word2vec_phrases.model import SkipGram
from literatim.papers.word2vec_phrases.training import SkipGramTraining
from trainings import SaveAfter, trainer

pytest.importorskip("numba", reason="the compiled engines need numba")

WORDS, DIMENSION, WINDOW, K = 12, 20, 3, 3
COUNTS = [40, 30, 20, 10, 8, 7, 6, 5, 4, 3, 2, 1]


def model(output: str, architecture: str = "skip-gram", context_error: str = "share") -> Word2Vec:
    """A model with vectors of an ordinary size in both tables."""
    if output == "hs":
        net = Word2Vec(architecture, DIMENSION, COUNTS, context_error=context_error)
    else:
        net = SkipGram(output, K, DIMENSION, COUNTS, architecture=architecture, context_error=context_error)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return net


def text(sentences: int = 12, longest: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, offsets) of sentences of 1 to `longest` words; so few different ones that many come twice in a window."""
    draws = np.random.default_rng(0)
    offsets = np.cumsum([0, *draws.integers(1, longest, sentences, endpoint=True)])
    ids = draws.integers(0, WORDS, offsets[-1]).astype(np.int32)
    return torch.from_numpy(ids), torch.from_numpy(offsets.astype(np.int64))


def reading(uniform: bool = True, keep: float = 1.0, words: int = WORDS) -> Reading:
    return Reading(WINDOW, uniform, np.full(words, keep, np.float32))


def engine(net: Word2Vec, kind: str = "exact", how: Reading | None = None, workers: int = 1) -> Engine:
    made = {"hs": Engine, "exact": Exact, "shared": Shared}["hs" if hasattr(net.output, "inner") else kind]
    return made(net, how or reading(), workers)


def traced(rows: int, k: int) -> np.ndarray:
    return np.full((rows, 2 * WINDOW + 2 + k), -1, np.int32)


def descend(net: Word2Vec, loss: torch.Tensor, rate: float) -> None:
    """A step of plain gradient descent."""
    parameters = list(net.parameters())
    with torch.no_grad():
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter -= rate * gradient.to_dense()


def same(net: Word2Vec, other: Word2Vec, tolerance: float = 1e-6) -> bool:
    return all(
        torch.allclose(p.double(), q.double(), atol=tolerance, rtol=0)
        for p, q in zip(net.parameters(), other.parameters(), strict=True)
    )


# --- The updates ------------------------------------------------------------------------------------------


READ = [("skip-gram", "share"), ("cbow", "share"), ("cbow", "whole")]


def test_the_whole_error_is_that_of_the_released_code():
    """The scores stay those of the average, and each word around takes the error that reaches the projection layer."""
    centre, around = torch.tensor([5]), torch.tensor([[3, 9, 1, -1]])
    share, whole = model("hs", "cbow"), model("hs", "cbow", "whole")
    assert torch.equal(share.loss(centre, around), whole.loss(centre, around))
    h = share.project(around).detach().requires_grad_()
    share.output.loss(h, centre).sum().backward()
    taken = {}
    for net in (share, whole):
        net.zero_grad()
        net.loss(centre, around).sum().backward()
        taken[net.context_error] = net.vectors.weight.grad.to_dense()[[3, 9, 1]]
    assert torch.allclose(taken["whole"], h.grad.expand(3, -1), atol=1e-7)
    assert torch.allclose(taken["whole"], 3 * taken["share"], atol=1e-6)


@pytest.mark.parametrize("output", ["neg", "hs"])
@pytest.mark.parametrize(("architecture", "context_error"), READ)
def test_exact_takes_the_steps_of_the_readable_model(architecture, context_error, output):
    """One prediction after the other, with the same noise words, at a rate that falls from sentence to sentence."""
    net, plain = (model(output, architecture, context_error) for _ in range(2))
    plain = plain.double()
    (ids, offsets), k = text(), K if output == "neg" else 0
    trace = traced(1000, k)
    rate, slope, least = 0.2, 0.004, 0.05
    made, _ = engine(net).train(ids, offsets, 7, rate, slope, least, trace)
    assert 40 < made < len(trace)
    for s, target, *rest in trace[:made].tolist():
        words = torch.tensor([[w for w in rest[: 2 * WINDOW] if w >= 0]])
        h = plain.project(words if architecture == "cbow" else words[:, 0])
        noise = (torch.tensor([rest[-k:]]),) if k else ()
        loss = plain.output.loss(h, torch.tensor([target]), *noise).sum()
        descend(plain, loss, max(least, rate - slope * float(offsets[s])))
    assert not same(plain, model(output, architecture), 1e-2)
    assert same(net, plain)


def test_shared_takes_the_step_of_a_centre_word_at_once():
    net, plain = model("neg"), model("neg").double()
    ids, offsets = text()
    trace = traced(1000, K)
    made, _ = engine(net, "shared").train(ids, offsets, 7, 0.1, 0.0, 0.0, trace)
    predictions = 0
    for _, centre, *rest in trace[trace[:, 0] >= 0].tolist():
        around = torch.tensor([w for w in rest[: 2 * WINDOW] if w >= 0])
        predictions += len(around)
        h = plain.project(torch.full_like(around, centre))
        noise = torch.tensor([rest[-K:]]).expand(len(around), K)
        descend(plain, plain.output.loss(h, around, noise).sum(), 0.1)
    assert predictions == made
    assert same(net, plain)


@pytest.mark.parametrize("cap", [1e9, 2.0])
@pytest.mark.parametrize(("architecture", "context_error"), READ)
def test_matrices_take_the_step_of_a_batch_with_its_rows_capped(architecture, context_error, cap):
    """The step of the summed loss in which every noise word of a group has its share of k; then rows scaled down."""
    net, plain = model("neg", architecture, context_error), model("neg", architecture, context_error).double()
    made = matrices.Matrices(net, reading(), cap)
    block = made.block(*text(20), seed=3)
    step = made.cbow_step if architecture == "cbow" else made.skip_gram_step
    loss, predictions = step(block, 0.05, True).tolist()

    inputs, outputs = plain.vectors.weight, plain.output.words.weight
    pull = {id(inputs): torch.zeros(WORDS), id(outputs): torch.zeros(WORDS)}
    total, count = torch.zeros((), dtype=torch.float64), 0
    for group, columns, mask, noise in zip(block.centres, block.columns, block.mask, block.noise, strict=True):
        for centre, window in zip(group, mask, strict=True):
            around = columns[window]
            pairs = [(around, centre)] if architecture == "cbow" else [(centre[None], w) for w in around]
            for sources, target in pairs if len(around) else []:
                h = plain.project(sources[None])[0] if architecture == "cbow" else inputs[sources[0]]
                total = total - F.logsigmoid(h @ outputs[target])
                total = total - K / matrices.NOISE * F.logsigmoid(-outputs[noise] @ h).sum()
                weight = 1 + K if architecture == "skip-gram" else 1 if context_error == "whole" else 1 / len(sources)
                pull[id(inputs)].index_add_(0, sources, torch.full((len(sources),), float(weight)))
                pull[id(outputs)][target] += 1
                pull[id(outputs)].index_add_(0, noise, torch.full((len(noise),), K / matrices.NOISE))
                count += 1
    assert (count, loss) == (predictions, pytest.approx(total.item(), rel=1e-5))
    gradients = torch.autograd.grad(total, [inputs, outputs])
    with torch.no_grad():
        for table, gradient in zip((inputs, outputs), gradients, strict=True):
            table -= 0.05 * gradient.to_dense() * (cap / pull[id(table)].clamp(min=cap))[:, None]
    assert same(net, plain)
    assert not made.weight_in.any()
    assert not made.weight_out.any()


# --- What is drawn ----------------------------------------------------------------------------------------


def pairs_of(ids, offsets, window) -> list[tuple[int, int]]:
    [batch] = WindowBatches(Encoded(ids.numpy(), offsets.numpy()), window, len(ids), "fixed")
    present = batch.context >= 0
    centres = batch.centre[:, None].expand_as(batch.context)[present]
    return list(zip(centres.tolist(), batch.context[present].tolist(), strict=True))


def test_whole_windows_are_those_of_the_readable_way():
    ids, offsets = text()
    expected = pairs_of(ids, offsets, WINDOW)
    trace = traced(len(expected) + 9, K)
    made, _ = engine(model("neg"), how=reading(uniform=False)).train(ids, offsets, 1, 0.1, traced=trace)
    assert [(source, target) for _, target, source, *_ in trace[:made].tolist()] == expected
    block = matrices.Matrices(model("neg"), reading(uniform=False)).block(ids, offsets, 1)
    group, row, column = block.mask.nonzero(as_tuple=True)
    found = zip(block.centres[group, row].tolist(), block.columns[group, column].tolist(), strict=True)
    assert list(found) == expected


@pytest.mark.parametrize("kind", ["exact", "torch"])
def test_distances_noise_and_what_is_left_out_have_their_distributions(kind):
    """One long sentence of many words, of which a tenth is always left out and others by halves."""
    n = 20_000
    ids, offsets = torch.arange(n, dtype=torch.int32) % 100, torch.tensor([0, n])
    counts = np.arange(100, 0, -1)
    net = SkipGram("neg", K, 2, counts.tolist())
    keep = np.where(np.arange(100) < 10, 0, np.where(np.arange(100) < 50, 0.5, 1)).astype(np.float32)
    if kind == "exact":
        trace = traced(n * 2 * WINDOW, K)
        made, _ = engine(net, how=Reading(WINDOW, True, keep)).train(ids, offsets, 5, 0.0, traced=trace)
        centre, noise = trace[:made, 2], trace[:made, -K:].ravel()
        begin = np.flatnonzero(np.diff(centre, prepend=-1))  # neighbours in this text differ
        windows, starts = np.diff(begin), centre[begin]
    else:
        block = matrices.Matrices(net, Reading(WINDOW, True, keep)).block(ids, offsets, 5)
        windows = block.mask.sum(dim=2).ravel().numpy()
        starts = block.centres.ravel().numpy()[windows > 0]
        windows, noise = windows[windows > 0], block.noise.ravel().numpy()
    kept = np.bincount(starts, minlength=100) / (n / 100)
    assert not kept[:10].any()
    assert abs(kept[10:50].mean() - 0.5) < 0.02
    assert abs(kept[50:].mean() - 1) < 0.02
    sizes = np.bincount(windows, minlength=2 * WINDOW + 1)
    assert np.allclose(sizes[2::2] / sizes.sum(), 1 / WINDOW, atol=0.02), sizes
    share = counts**0.75 / (counts**0.75).sum()
    expected = share * len(noise)
    z = (np.bincount(noise, minlength=100) - expected) / np.sqrt(expected)
    assert np.abs(z).max() < 4.5
    assert 0.5 < (z**2).mean() < 1.6


def test_an_alias_table_is_the_distribution_itself():
    from literatim.papers.word2vec_phrases import fast

    share = np.array(COUNTS) ** 0.75
    threshold, other = fast.alias(share / share.sum())
    chance = threshold.astype(float)
    np.add.at(chance, other, 2.0**32 - threshold)
    assert np.allclose(chance / chance.sum(), share / share.sum(), atol=1e-8)


def test_the_sigmoid_is_one():
    from literatim.papers.word2vec import fast

    x = np.concatenate([np.linspace(-20, 20, 101), [-1e9, -88, -60, 60, 88, 1e9]])
    ours = np.array([fast.sigmoid(np.float32(v)) for v in x])
    assert np.allclose(ours, torch.sigmoid(torch.from_numpy(x)).numpy(), rtol=0, atol=2e-7)


# --- The loss that is logged, seeds, threads, memory --------------------------------------------------------


@pytest.mark.parametrize(("kind", "output", "architecture"), [
    ("hs", "hs", "skip-gram"), ("hs", "hs", "cbow"), ("exact", "neg", "cbow"), ("exact", "neg", "skip-gram"),
    ("shared", "neg", "skip-gram"),
])  # fmt: skip
def test_the_loss_is_that_of_the_readable_model(kind, output, architecture):
    """Over a long text at a rate of nothing, so that it can be measured afterwards."""
    ids, offsets = text(3000)
    net = model(output, architecture)
    made, loss = engine(net, kind).train(ids, offsets, 3, 0.0)
    [batch] = WindowBatches(Encoded(ids.numpy(), offsets.numpy()), WINDOW, len(ids), "uniform")
    torch.manual_seed(0)
    assert loss / made == pytest.approx(net.loss(batch.centre, batch.context).mean().item(), rel=0.02)


@pytest.mark.parametrize("kind", ["exact", "shared", "torch"])
def test_one_worker_and_a_seed_have_one_outcome(kind):
    def trained(seed, workers=1):
        net = model("neg")
        made = matrices.Matrices(net, reading()) if kind == "torch" else engine(net, kind, workers=workers)
        predictions, _ = made.train(*text(200), seed, 0.05)
        return net, predictions

    (one, made), (again, _), (other, _) = trained(1), trained(1), trained(2)
    assert same(one, again, 0)
    assert not same(one, other, 1e-3)
    _, together = trained(1, 3)
    assert abs(together / made - 1) < 0.1  # threads share the text, they do not repeat it


def test_tables_are_widened_in_their_place(monkeypatch):
    monkeypatch.setattr("literatim.papers.word2vec.engine.BLOCK", 7)  # blocks that overlap what they move to, or not
    for rows, dimension, width in ((50, 20, 32), (9, 32, 32), (3, 1, 16), (1000, 15, 16)):
        one = table(rows, dimension)
        torch.nn.init.normal_(one.weight)
        copy = torch.nn.Embedding.from_pretrained(one.weight.detach().clone())  # without room behind
        before, at = one.weight.detach().clone(), one.weight.data_ptr()
        for each in (one, copy):
            wide = widened(each)
            assert (wide.shape, wide.data_ptr()) == ((rows, width), each.weight.data_ptr())
            assert torch.equal(each.weight, before)
            assert not wide[:, dimension:].any()
            assert widened(each).data_ptr() == wide.data_ptr()
        assert one.weight.data_ptr() == at  # no second table


# --- With Lightning -----------------------------------------------------------------------------------------


def test_stretches_cover_the_text_once_and_go_on_where_they_stopped():
    ids, offsets = text(300)
    whole = Stretches(Encoded(ids.numpy(), offsets.numpy()), 100)
    found = list(whole)
    assert len(found) == len(whole) > 10
    assert torch.equal(torch.cat([stretch.ids for stretch in found]), ids)
    assert all(stretch.offsets[0] == 0 and stretch.offsets[-1] == len(stretch.ids) for stretch in found)
    assert len({stretch.seed for stretch in found}) == len(found)
    resumed = Stretches(whole.text, 100)
    resumed.load_state_dict({"epoch": 0, "position": 4})
    assert [stretch.seed for stretch in resumed] == [stretch.seed for stretch in found[4:]]
    resumed.set_epoch(1)
    assert not {stretch.seed for stretch in resumed} & {stretch.seed for stretch in found}


@pytest.fixture
def source(tmp_path):
    draws = np.random.default_rng(0)
    lines = [" ".join("abcdefgh"[i] for i in draws.integers(0, 8, 6)) for _ in range(100)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    return str(tmp_path / "text.txt")


def fitted(folder, source, module, checkpoint=None, stops=(), epochs=3):
    data = Corpus(source=source, min_count=1, window=2, watch=[], seed=1)
    made = trainer(folder, max_epochs=epochs, callbacks=list(stops))
    made.fit(module, datamodule=data, ckpt_path=checkpoint)
    return made


@pytest.mark.parametrize("engine", ["exact", "shared", "torch"])
def test_a_run_stopped_in_mid_epoch_ends_the_same(engine, source, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "STRETCH", 120)  # five stretches an epoch

    def run(checkpoint=None):
        torch.manual_seed(0)
        module = SkipGramTraining("neg-5", {"dimension": 5}, sample=0.1, engine=engine, workers=1)
        trainer = fitted(tmp_path, source, module, checkpoint, [SaveAfter(7, tmp_path / "stopped.ckpt")])
        assert trainer.global_step == 15
        return module

    straight, again = run(), run(tmp_path / "stopped.ckpt")
    assert same(straight.net, again.net, 0)
    assert torch.equal(straight.seen, again.seen)
    assert straight.seen[2] == 3 * 600


class Rates(Word2VecTraining):
    """Keeps what the kernels are told: rate, slope and least of each part of a stretch."""

    def make_engine(self, reading):
        made = super().make_engine(reading)
        self.told, kernel = [], made.kernel

        def listening(*arguments):
            self.told.append(arguments[9:12])
            return kernel(*arguments)

        made.kernel = listening
        return made


@pytest.mark.parametrize("workers", [1, 2])
def test_the_rate_falls_in_one_line_whatever_the_number_of_workers(workers, source, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "STRETCH", 120)  # five stretches of twenty sentences an epoch
    module = Rates("skip-gram", {"dimension": 5}, lr=0.1, engine="exact", workers=workers)
    trainer = fitted(tmp_path, source, module)
    assert float(trainer.callback_metrics["rate"]) == pytest.approx(0.1e-4)
    assert float(trainer.callback_metrics["words_per_second"]) > 0
    expected = [(0.1 * (1 - words / 1800), workers * 0.1 / 1800, 0.1e-4) for words in range(0, 1800, 120)]
    assert np.allclose(module.told, np.repeat(expected, workers, axis=0), rtol=1e-6)


def test_it_learns_as_the_plain_engine_does(tmp_path):
    """On the help texts of Python, beside the readable model's outcome (per cent of sensible neighbours: about 45)."""
    from literatim.experiment.lightning import Request, run

    for name, engine in (("exact", "exact"), ("shared", "shared"), ("torch", "torch")):
        folder = tmp_path / name
        (folder / "checkpoints").mkdir(parents=True)
        options = [f"--model.engine={engine}", "--model.workers=1", "--trainer.enable_progress_bar=false"]
        cli = run(Request("fit", "word2vec-phrases", "quick", options, folder))
        assert cli.trainer.callback_metrics["test_neighbours"] > 30, (engine, cli.trainer.callback_metrics)


@pytest.mark.parametrize(("make", "word"), [
    (lambda: SkipGramTraining("hs-huffman", engine="shared"), "the hierarchical softmax has none"),
    (lambda: Word2VecTraining("cbow", engine="torch"), "the hierarchical softmax has none"),
    (lambda: SkipGramTraining("neg-5", {"architecture": "cbow"}, engine="shared"), "nothing to share"),
    (lambda: SkipGramTraining("neg-5", engine="exact", workers=0), "model.workers is 0"),
])  # fmt: skip
def test_engines_that_cannot_be(make, word, source, tmp_path):
    with pytest.raises(LiteratimError, match=word):
        fitted(tmp_path, source, make())


def test_without_numba_one_sentence_says_what_to_install(source, tmp_path, monkeypatch):
    for name in ("word2vec", "word2vec_phrases"):
        package = sys.modules[f"literatim.papers.{name}"]
        monkeypatch.delitem(sys.modules, f"{package.__name__}.fast", raising=False)
        monkeypatch.delattr(package, "fast", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(LiteratimError, match=r'pip install "literatim\[fast\]"'):
        fitted(tmp_path, source, SkipGramTraining("neg-5", {"dimension": 2}, engine="exact"))


# --- Where compiled kernels are kept --------------------------------------------------------------------


def added(x):  # type: ignore[no-untyped-def]
    return x + 1


@pytest.mark.parametrize("lacking", ["a place that can be written", "a home"])
def test_without_a_place_for_kernels_a_line_says_so_and_they_run(monkeypatch, lacking):
    """In containers: the package is read-only and so is the home, or there is none."""
    from literatim.parts import compiled

    if lacking == "a home":
        monkeypatch.setattr("os.path.expanduser", lambda path: path)
    else:
        monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
    compiled._say_that_nothing_is_kept.cache_clear()
    with pytest.warns(LiteratimWarning, match="each run compiles it anew; set HOME, or NUMBA_CACHE_DIR") as said:
        kernels = [compiled.kernel(added), compiled.kernel(added)]
    assert len(said) == 1
    assert [kernel(1) for kernel in kernels] == [2, 2]
    assert kernels[0].stats.cache_path is None


@pytest.mark.parametrize("left", [0, 40])
def test_a_kept_kernel_that_is_damaged_is_named(tmp_path, monkeypatch, left):
    from literatim.parts import compiled

    class Adding(Engine):
        def compiled(self, width):
            kernel = compiled.kernel(added)
            kernel(1)
            return kernel, ()

        def train(self, *args):
            return 0, 0.0

    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    Adding(model("hs"), reading(), 1)
    for file in tmp_path.rglob("*.nbi"):
        file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(LiteratimError, match=rf"^{tmp_path}.*: the compiled engine kept here is damaged; delete"):
        Adding(model("hs"), reading(), 1)

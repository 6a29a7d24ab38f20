"""The engines of word2vec against gensim 4.4: words a second, end to end, and the quality of the vectors.

    python benchmarks/word2vec.py TEXT [--lines N] [--rounds 3] [--engines exact,shared,...]
    python benchmarks/word2vec.py TEXT --end-to-end          # reading, vocabulary, 5 epochs
    python benchmarks/word2vec.py TEXT --quality [--seeds 3]  # similarities and analogies after 5 epochs

TEXT has a sentence a line. 100 dimensions, window 5, 5 noise words, minimum count 5, sub-sampling at 1e-3 by the
released formula (gensim's), a rate from 0.025 in a line down to a ten-thousandth, two threads. In every round each
engine and its gensim counterpart run in turn, each in a process of its own, and the medians of the rounds' ratios are
printed. gensim iterates over sentences in memory, for with `corpus_file` and two workers its rate falls only half-way;
its BLAS is not hindered by OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, which are unset for it. Words are those of the
vocabulary, sub-sampled ones included; compilation, which happens once on a machine, is not counted.

Targets: exact skip-gram NEG at least 3.5 times gensim's words a second, CBOW NEG 3, skip-gram HS 2, shared 7, torch 3;
end to end, exact, 4.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# name: (engine, output, architecture)
ENGINES = {
    "exact": ("exact", "neg", "skip-gram"),
    "exact-cbow": ("exact", "neg", "cbow"),
    "exact-hs": ("exact", "hs", "skip-gram"),
    "exact-hs-cbow": ("exact", "hs", "cbow"),
    "shared": ("shared", "neg", "skip-gram"),
    "torch": ("torch", "neg", "skip-gram"),
    "torch-cbow": ("torch", "neg", "cbow"),
}
RATE, FLOOR = 0.025, 1e-4


def gensim(asked: dict[str, Any]) -> dict[str, float]:
    from gensim.models import Word2Vec

    start = time.perf_counter()
    with open(asked["text"], encoding="utf-8") as file:
        sentences = [line.split() for line in file]
    negative = asked["output"] == "neg"
    model = Word2Vec(
        vector_size=asked["dimension"], window=5, min_count=5, sample=1e-3, negative=5 if negative else 0,
        sg=int(asked["architecture"] == "skip-gram"), hs=int(not negative), workers=asked["threads"],
        seed=asked["seed"] + 1, alpha=RATE, min_alpha=RATE * FLOOR,
    )  # fmt: skip
    model.build_vocab(sentences)
    trained = time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=asked["epochs"])
    end = time.perf_counter()
    words = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key)
    scores = quality(asked, model.wv.index_to_key, model.wv.vectors) if asked["quality"] else {}
    return {"words": words, "train_s": end - trained, "all_s": end - start, **scores}


def ours(asked: dict[str, Any]) -> dict[str, float]:
    """As `literatim fit` does it, with Lightning, from the file to the vectors."""
    import torch
    from pytorch_lightning import Trainer

    from literatim.datasets.corpus import Corpus
    from literatim.experiment.lightning import quieten
    from literatim.papers.word2vec_phrases import training

    quieten()
    torch.manual_seed(asked["seed"])
    torch.set_num_threads(asked["threads"])
    module = training.SkipGramTraining(
        "neg-5" if asked["output"] == "neg" else "hs-huffman",
        # gensim follows the released code, in which each word around takes the whole of CBOW's error.
        {"dimension": asked["dimension"], "architecture": asked["architecture"], "context_error": "whole"},
        lr=RATE, sample=1e-3, subsampling="released", engine=asked["engine"], workers=asked["threads"],
    )  # fmt: skip
    start = time.perf_counter()
    # A cache of its own: ids that an earlier run has left there would save it the reading.
    beside = tempfile.TemporaryDirectory()
    data = Corpus(
        asked["text"], tokens="whitespace", lower=False, cache=beside.name, watch=[], seed=asked["seed"]
    )  # fmt: skip
    trainer = Trainer(
        accelerator="cpu", max_epochs=asked["epochs"], logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=0,
    )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trainer.fit(module, datamodule=data)
    end = time.perf_counter()
    table = module.net.vectors.weight.detach()
    scores = quality(asked, module.words, table.numpy()) if asked["quality"] else {}
    words = float(module.seen[2]) / asked["epochs"]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
    return {"words": words, "train_s": module.seconds, "all_s": end - start, "grown_mb": grown, **scores}


def quality(asked: dict[str, Any], words: list[str], table: Any) -> dict[str, float]:
    """Similarity (Spearman) and analogies (per cent of the questions whose words are known), by one code for all."""
    import gensim
    import torch

    from literatim.papers.word2vec import evaluation

    vectors = evaluation.Vectors(words, torch.from_numpy(table))
    files = Path(gensim.__file__).parent / "test" / "test_data"
    found = {
        name: evaluation.similarity(vectors, evaluation.read_similarities(files / file)).correlation
        for name, file in (("wordsim", "wordsim353.tsv"), ("simlex", "simlex999.txt"))
    }
    asked_words = evaluation.read_questions(files / "questions-words.txt")
    return {**found, "analogies": evaluation.analogies(vectors, asked_words)["total"].released}


def child(asked: dict[str, Any]) -> dict[str, float]:
    """Run in a process of its own; gensim's without what hinders its BLAS."""
    environment = dict(os.environ)
    if asked["engine"] == "gensim":
        for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            environment.pop(name, None)
    command = [sys.executable, __file__, "--child", json.dumps(asked)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def speed(options: argparse.Namespace, asked: dict[str, Any], names: list[str]) -> None:
    """Rounds over all engines, each beside gensim with the same model."""
    rates: dict[str, list[float]] = {}
    measure = "all_s" if options.end_to_end else "train_s"
    for _ in range(options.rounds):
        beside: dict[tuple[str, str], float] = {}
        for name in names:
            engine, output, architecture = ENGINES[name]
            same = {**asked, "output": output, "architecture": architecture}
            runs = [("gensim", (output, architecture))] if (output, architecture) not in beside else []
            for who, key in [*runs, (engine, None)]:
                found = child({**same, "engine": who})
                rate = found["words"] * asked["epochs"] / found[measure]
                label = f"gensim {output} {architecture}" if key else name
                grown = f", {found['grown_mb']:,.0f} MB more at the peak" if "grown_mb" in found else ""
                print(f"{label:24} {rate:>12,.0f} words/s  ({found[measure]:.1f} s{grown})", flush=True)
                if key:
                    beside[key] = rate
                else:
                    rates.setdefault(name, []).append(rate / beside[output, architecture])
    print(f"\ntimes gensim, {'end to end' if options.end_to_end else 'training'}: median (least to most)")
    for name, found in rates.items():
        print(f"{name:16} {statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})")


def qualities(options: argparse.Namespace, asked: dict[str, Any], names: list[str]) -> None:
    for name in names:
        engine, output, architecture = ENGINES[name]
        for who in ("gensim", engine):
            same = {**asked, "output": output, "architecture": architecture, "engine": who, "quality": True}
            found = [child({**same, "seed": seed}) for seed in range(options.seeds)]
            said = []
            for score in ("wordsim", "simlex", "analogies"):
                values = [run[score] for run in found]
                said.append(f"{score} {statistics.fmean(values):.4g} ({min(values):.4g} to {max(values):.4g})")
            print(f"{name if who != 'gensim' else f'gensim {output} {architecture}':24} {'  '.join(said)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?")
    parser.add_argument("--lines", type=int, help="of the text; all where none are given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--epochs", type=int, help="1 for speed, otherwise 5")
    parser.add_argument("--engines", help=f"of {', '.join(ENGINES)}; all where none are named")
    parser.add_argument("--end-to-end", action="store_true")
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asked = json.loads(options.child)
        found = (gensim if asked["engine"] == "gensim" else ours)(asked)
        print(json.dumps({name: float(value) for name, value in found.items()}))
        return
    if not options.text:
        parser.error("name a text, a sentence a line")
    names = options.engines.split(",") if options.engines else ["exact"] if options.end_to_end else list(ENGINES)
    epochs = options.epochs or (5 if options.end_to_end or options.quality else 1)
    asked = {
        "text": options.text, "threads": options.threads, "dimension": options.dimension, "epochs": epochs, "seed": 0,
        "quality": False,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        if options.lines:
            asked["text"] = str(Path(folder) / "part.txt")
            with open(options.text, encoding="utf-8") as whole, open(asked["text"], "w", encoding="utf-8") as part:
                part.writelines(itertools.islice(whole, options.lines))
        (qualities if options.quality else speed)(options, asked, names)


if __name__ == "__main__":
    main()

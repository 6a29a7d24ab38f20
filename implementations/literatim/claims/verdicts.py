"""Verdicts: what the paper states against what we measure or have recorded. All of them are computed."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any, NamedTuple

from literatim.claims.once import measured_once, once
from literatim.errors import LiteratimError, NotInstalled, did_you_mean
from literatim.imports import quickly
from literatim.registry.ledger import Record, records
from literatim.registry.names import find, resolve
from literatim.registry.printed import cut
from literatim.registry.reading import card, claims
from literatim.registry.schema import Claim, Measure, Result, Text

VERDICTS = (
    "holds", "erratum", "unexplained", "fails",
    "reproduced", "missed", "indicative", "stale", "not attempted", "not run",
)  # fmt: skip
KINDS = ("structural", "behavioural", "empirical")
Value = bool | int | float | tuple[int, ...]


class Finding(NamedTuple):
    """What a check may return instead of a bare value: the value and a few words on how it came about."""

    value: Value
    detail: str
    zh: str | None = None

    @property
    def words(self) -> Text:
        return Text(en=self.detail, zh=self.zh)


@dataclass(frozen=True)
class Verdict:
    """One row of the table: `stated` is the paper's value as a number, `measured` ours; None where there is none."""

    paper: str
    claim: str
    kind: str
    where: str
    states: str
    printed: str | None
    follows_from: str | None  # the printed numbers that `stated` is worked out from, and how
    stated: float | None
    measured: Any
    verdict: str
    detail: str
    cut_off: bool = False  # `printed` is `measured` without its further digits
    consequence_of: str | None = None  # the erratum whose slip makes this one
    detail_zh: str | None = None  # for the Chinese pages

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "detail_zh"}


def verify(paper: str | None = None, *, kind: str | None = None, claim: str | None = None) -> list[Verdict]:
    """The verdicts on a paper's claims, or on those of the whole collection.

    `kind` is structural, behavioural or empirical; `claim` an id or a wildcard pattern. Claims whose check trains a
    network (seconds) are run only when asked for by one of the two; otherwise their verdict is `not run`.
    """
    if kind not in (None, *KINDS):
        raise LiteratimError(f'there is no kind "{kind}" of claims; they are {", ".join(KINDS)}')
    if not isinstance(claim, str | None):
        raise LiteratimError(f"a claim is named by its id, or by a wildcard pattern, not by {claim!r:.40}")
    found = [v for name in ([resolve(paper)] if paper else find()) for v in _verify(name, kind, claim)]
    if claim and not found:
        of = [c.id for name in ([resolve(paper)] if paper else find()) for c in claims(name)]
        raise LiteratimError(f'no claim is called "{claim}"{did_you_mean(claim, of)}')
    return found


def count(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many there are of each verdict, in the order of the design, none left out but those of count 0."""
    counted = Counter(v.verdict for v in verdicts)
    return {name: counted[name] for name in VERDICTS if counted[name]}


def causes(verdicts: Iterable[Verdict]) -> int:
    """How many errata there are where those of one slip count once."""
    return len({(v.paper, v.consequence_of or v.claim) for v in verdicts if v.verdict == "erratum"})


def _verify(paper: str, kind: str | None, pattern: str | None) -> Iterator[Verdict]:
    asked = [
        claim
        for claim in claims(paper)
        if kind in (None, claim.kind)
        and (not pattern or fnmatchcase(claim.id, pattern) or claim.id.split(".")[0] == pattern)
    ]
    with measured_once():
        yield from [judge(paper, c, run=not c.trains or kind == "behavioural" or pattern is not None) for c in asked]


def judge(paper: str, claim: Claim, *, run: bool = True) -> Verdict:
    """The verdict on one claim."""
    measured: Any
    if not run:
        hint = f"takes seconds: literatim verify {paper} --claim {claim.id}"
        measured, verdict, detail = None, "not run", Text(en=hint)
    elif claim.result:
        measured, verdict, detail = _empirical(paper, claim, claim.result)
    else:
        try:
            with _seeded():
                measured, verdict, detail = _executed(paper, claim)
        except NotInstalled as missing:  # other claims do without
            measured, verdict, detail = None, "not run", Text(en=str(missing))
    stated = claim.stated if isinstance(claim.stated, int | float) else None
    return Verdict(
        paper, claim.id, claim.kind, claim.where, claim.states.en, claim.printed,
        claim.follows_from.en if claim.follows_from else None, stated, measured, verdict, detail.en,
        claim.cut_off, claim.erratum.consequence_of if claim.erratum else None, detail.zh,
    )  # fmt: skip


@contextmanager
def _seeded() -> Iterator[None]:
    """Torch's numbers from one seed and in one thread, so that no verdict is a matter of chance, of what was judged
    before it or of the number of cores: sums come out otherwise when several threads share them."""
    with quickly():
        import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)  # of the CPU alone: the other way asks each time for accelerators
            yield
    finally:
        torch.set_num_threads(threads)


def _executed(paper: str, claim: Claim) -> tuple[Value | None, str, Text]:
    """Structural and behavioural claims."""
    try:
        found = (
            measured(paper, claim.measure)
            if claim.measure
            else call(claim.check or "", *([claim.argument] if claim.argument else []))
        )
    except LiteratimError:
        raise
    except Exception as error:  # a model that cannot run what is printed of it fails the claim, not the command
        return None, "fails", Text(en=f"{type(error).__name__}: {error}")
    value, words = _parted(found)
    if basis := claim.reckoned_from:
        said = Text(en=f"reckoned from {basis.en}, by no model", zh=f"由{basis.zh}推算，不经模型" if basis.zh else None)
        words = _joined([words, said])
    if claim.cut_off and not isinstance(value, tuple):
        return value, *_cut_off(claim, value, words)
    if agrees(claim, value):
        if claim.erratum or claim.unexplained:
            return value, "fails", Text(en="the card says that the paper errs here, but what it prints holds")
        return value, "holds", words
    if claim.erratum:
        right = claim.erratum.value
        proven, how = _parted(call(claim.erratum.proof))
        if proven != (True if right is None else right):
            return value, "fails", Text(en=f"the proof of the erratum gives {proven}, the card {right}")
        if right is not None and value != right:
            return value, "fails", Text(en=f"neither the printed value nor the erratum's {right}")
        return value, "erratum", _joined([claim.erratum.why, words, how])
    if claim.unexplained:
        right = claim.unexplained.value
        if value == right:
            return value, "unexplained", claim.unexplained.why
        return value, "fails", Text(en=f"neither the printed value nor the {right} that the card cannot explain")
    return value, "fails", words


def _cut_off(claim: Claim, value: Any, words: Text) -> tuple[str, Text]:
    """Of a printed number that is ours cut off: it is exactly that, and rounding would have given another."""
    left, rounded = cut(float(value), claim.printed or "", claim.stated)  # type: ignore[arg-type]
    ours = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
    if not math.isclose(left, claim.stated, rel_tol=1e-9):  # type: ignore[arg-type]
        return "fails", _joined([Text(en=f"cut off, {ours} would be {left:,.10g}"), words])
    if rounded:
        return "fails", Text(en=f"{ours} rounded is what is printed: `cut_off` is needless")
    return "holds", _joined([Text(en=f"cut off, not rounded: {ours}", zh=f"截断，而非四舍五入：{ours}"), words])


def _parted(found: Any) -> tuple[Value, Text]:
    value, words = (found.value, found.words) if isinstance(found, Finding) else (found, Text(en=""))
    # NumPy's and torch's numbers as Python's: their False is no `bool`, and would pass for the number 0.
    return (value.item() if hasattr(value, "item") else value), words


def _joined(texts: list[Text]) -> Text:
    """Several texts as one; in Chinese where all of them are."""
    said = [text for text in texts if text.en]
    whole = all(text.zh for text in said)
    return Text(en="; ".join(text.en for text in said), zh="；".join(text.zh or "" for text in said) if whole else None)


def agrees(claim: Claim, value: Value) -> bool:
    """Whether a measured value is what the claim states, by its relation and tolerance."""
    stated = claim.stated
    if stated is None:
        return value is True if isinstance(value, bool) else _related(claim, float(value), 0.0)  # type: ignore[arg-type]
    if isinstance(stated, tuple) or isinstance(value, tuple):
        return value == stated
    return _related(claim, float(value), float(stated))


def _related(claim: Claim, value: float, stated: float) -> bool:
    slack = claim.slack * (1 + 1e-9)  # so that 0.955 lies within 0.95 and half a digit
    return {
        "equals": abs(value - stated) <= slack,
        "at_most": value <= stated + slack,
        "at_least": value >= stated - slack,
        "less_than": value < stated + slack,
        "more_than": value > stated - slack,
    }[claim.relation]


def measured(paper: str, measure: Measure) -> Value:
    from literatim.claims.measures import MEASURES

    variant = card(paper).variants[measure.variant]
    module, shape = measure.module, variant.input
    # A Jacobian needs numbers; everything else is read off shapes.
    device = "cpu" if measure.what == "connections" else "meta"
    options = repr(sorted(measure.with_.items()))
    net = once(
        (paper, measure.variant, device, options), lambda: build(paper, measure.variant, device, **measure.with_)
    )
    if isinstance(shape, dict):  # two networks: the module's first name says in which of them it is
        network, _, module = (module or "").partition(".")
        net, shape = getattr(net, network), shape[network]
        module = module or None
    return MEASURES[measure.what](net, module, shape)


def build(paper: str, variant: str, device: str = "meta", **options: Any) -> Any:
    """A variant of a paper; on the meta device it has shapes and no memory."""
    import torch

    from literatim.claims.measures import shapes_only

    entry = card(paper).variants[variant]
    with shapes_only() if device == "meta" else torch.device(device):
        return call(entry.model, **{**entry.with_, **options}).to(device)


def call(path: str, *args: Any, **options: Any) -> Any:
    """Call what an import path on a card names."""
    module, _, name = path.partition(":")
    try:
        with quickly():
            found = import_module(module)
        return getattr(found, name)(*args, **options)
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, AttributeError) and hasattr(import_module(module), name):
            raise
        raise LiteratimError(f"the card names {path}, which does not exist: {error}") from None


def _empirical(paper: str, claim: Claim, result: Result) -> tuple[float | None, str, Text]:
    """Claims about training: read from the ledger."""
    sides = [side for side in (result, result.minus or result.per) if side]
    found = [_runs(paper, side) for side in sides]
    if not all(found):
        side = sides[found.index([])]
        if unsolved := _unsolved(paper, side):
            return None, "missed", unsolved
        none = Text(
            en=f"no recorded run of {side.recipe} {side.variant}", zh=f"尚无 {side.recipe} {side.variant} 的运行记录"
        )
        return None, "not attempted", claim.not_attempted or none
    current = [[r for r in runs if not r.stale] for runs in found]
    fresh = all(current)
    # Runs that are not judged count only where there are no others.
    current = [[r for r in runs if not r.unjudged] or runs for runs in current]
    values = [_over_seeds(side, runs) for side, runs in zip(sides, current if fresh else found, strict=True)]
    value = values[0][0]
    if result.minus:
        value -= values[1][0]
    elif result.per:
        value = value / values[1][0] if values[1][0] else math.inf
    value = round(value, 6)
    words = list({said.en: said for _, said in values}.values())
    if not fresh:
        old = ", ".join(sorted({name for runs in found for r in runs for name in r.stale}))
        return value, "stale", _joined([*words, Text(en=f"changed since the run: {old}", zh=f"运行之后有改动：{old}")])
    if steps := [r.carried["steps"] for runs in current for r in runs if r.carried]:
        en = f"the code has changed since; today's gives the same bits over the first {min(steps):,} steps"
        words.append(Text(en=en, zh=f"代码此后有改动；用今天的代码，前 {min(steps):,} 步的结果逐位相同"))
    reasons = {reason.en: reason for runs in current for r in runs for reason in r.unjudged}
    if reasons:
        return value, "indicative", _joined([*words, *reasons.values()])
    if failed := [text for side, runs in zip(sides, current, strict=True) if (text := _some_failed(side, runs))]:
        return value, "missed", _joined([*words, *failed])
    return value, "reproduced" if agrees(claim, value) else "missed", _joined(words)


def _runs(paper: str, result: Result) -> list[Record]:
    return [
        r for r in records(paper, result.recipe, result.variant) if r.metric(result.metric, result.epoch) is not None
    ]


def _unsolved(paper: str, result: Result) -> Text | None:
    """Of a number of steps until the stop rule was met: that in the judged runs no trial has met it."""
    runs = [r for r in records(paper, result.recipe, result.variant) if not r.stale and not r.unjudged]
    if result.epoch or not runs or any(r.metric("solved") != 0 for r in runs):
        return None
    return Text(en="no trial met the rule by which learning ends", zh="没有任何一次试验达到结束学习的判据")


def _some_failed(result: Result, runs: list[Record]) -> Text | None:
    """Of a mean over all trials: that there is none, since some have never met the rule by which learning ends."""
    shares = [share for r in runs if (share := r.metric("solved")) is not None and share < 100]
    if not (result.all_trials and shares) or result.metric == "solved":  # which says so itself
        return None
    return Text(
        en=f"over the trials that learned, {min(shares):.4g} % of them; the paper's mean is over all",
        zh=f"仅对学成的试验取平均，占全部的 {min(shares):.4g} %；原文的均值是对全部试验而言",
    )


def _over_seeds(result: Result, runs: list[Record]) -> tuple[float, Text]:
    values = [v for r in runs if (v := r.metric(result.metric, result.epoch)) is not None]
    # The recorded metrics are errors and losses, so the best is the smallest, unless the name says otherwise.
    best = max(values) if result.metric.endswith(("accuracy", "likelihood", "score")) else min(values)
    value = statistics.fmean(values) if result.of == "mean" else best
    n, low, high = len(values), f"{min(values):.4g}", f"{max(values):.4g}"
    said = Text(
        en=f"{result.of} of {n} seed{'s' * (n > 1)}" + (f" ({low} to {high})" if n > 1 else ""),
        zh=f"{n} 个种子的{'平均' if result.of == 'mean' else '最佳'}" + (f"（{low} 至 {high}）" if n > 1 else ""),
    )
    return value, _of_trials(runs[0]) or said if n == 1 else said


def _of_trials(run: Record) -> Text | None:
    """Of a run that is a family of trials: how many of them there are, and how many learned."""
    learned, share = run.metric("solved_trials"), run.metric("solved")
    if not learned or not share:
        return None
    trials = round(100 * learned / share)
    return Text(en=f"{trials} trials, of which {learned:.0f} learned", zh=f"{trials} 次试验，其中 {learned:.0f} 次学成")
